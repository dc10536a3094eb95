#include "secret/words.h"
#include "secret/word_pairs.h"

#include <string.h>

enum { PAIRS_LEAST = 12, SCALE = 16 };

/* Of all pairs of letters in it: how many there are, and how much likelier they are in words. */
struct likeness {
    long sum, pairs;
};

static struct likeness likeness_of(slice text, char (*letter)(char))
{
    struct likeness found = {0, 0};
    for (size_t i = 1; i < text.len; i++) {
        char a = letter(text.ptr[i - 1]), b = letter(text.ptr[i]);
        if (a == '\0' || b == '\0')
            continue;
        found.sum += word_pairs[a - 'a'][b - 'a'];
        found.pairs++;
    }
    return found;
}

static char plain_letter(char c)
{
    return byte_is_alpha(c) ? byte_lower(c) : '\0';
}

static char letter_meant(char c)
{
    static const char signs[] = "013457@$", letters[] = "oieastas";
    const char *at = c ? strchr(signs, c) : NULL;
    return at ? letters[at - signs] : plain_letter(c);
}

bool secret_looks_like_words(slice text)
{
    struct likeness found = likeness_of(text, plain_letter);
    /* An eighth of a bit for each pair. */
    return found.pairs >= PAIRS_LEAST && found.sum * 8 > found.pairs * SCALE;
}

bool secret_is_spelt(slice password)
{
    enum { SURE = 16 };
    size_t letters = 0, signs = 0, first = 0, last = password.len;
    /* Signs at the ends are no letters: "hunter2", "1st". */
    while (first < last && !byte_is_alpha(password.ptr[first]))
        first++;
    while (last > first && !byte_is_alpha(password.ptr[last - 1]))
        last--;
    for (size_t i = 0; i < password.len; i++) {
        bool inner = i >= first && i < last && letter_meant(password.ptr[i]);
        letters += inner;
        signs += inner && !byte_is_alpha(password.ptr[i]);
        if (!inner && !strchr("_-.:/ ", password.ptr[i]))
            return false;
    }
    struct likeness found = likeness_of(password, letter_meant);
    if (letters < SURE && signs == 0)
        return true;
    return found.sum * 4 > (signs ? found.pairs * SCALE : 0);
}
