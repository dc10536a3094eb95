#include "base/base64.h"

#include <openssl/evp.h>

slice base64_encode(slice bytes, struct arena *arena)
{
    char *text = arena_alloc(arena, (bytes.len + 2) / 3 * 4 + 1);
    int length =
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.ptr, (int)bytes.len);
    return slice_make(text, (size_t)length);
}

slice base64_decode(slice text, size_t most, struct arena *arena)
{
    text = slice_trim(text);
    size_t padding = slice_ends(text, SLICE("==")) ? 2 : slice_ends(text, SLICE("=")) ? 1 : 0;
    if (text.len > most)
        return SLICE_EMPTY;
    char *bytes = arena_alloc(arena, text.len + 1);
    int length =
        EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text.ptr, (int)text.len);
    return length < (int)padding ? SLICE_EMPTY : slice_make(bytes, (size_t)length - padding);
}
