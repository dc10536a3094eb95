#include "secret/words.h"
#include "secret/word_pairs.h"

enum { PAIRS_LEAST = 12, SCALE = 16 };

bool secret_looks_like_words(slice text)
{
    long sum = 0, pairs = 0;
    for (size_t i = 1; i < text.len; i++) {
        if (!byte_is_alpha(text.ptr[i]) || !byte_is_alpha(text.ptr[i - 1]))
            continue;
        sum += word_pairs[byte_lower(text.ptr[i - 1]) - 'a'][byte_lower(text.ptr[i]) - 'a'];
        pairs++;
    }
    return pairs >= PAIRS_LEAST && sum * 8 > pairs * SCALE; /* an eighth of a bit for each pair */
}
