#include "secret/public.h"

const char *secret_published_in(slice fingerprint)
{
    size_t low = 0, high = secret_public_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = slice_compare(slice_from_text(secret_publics[middle].fingerprint), fingerprint);
        if (order == 0)
            return secret_publics[middle].package;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
