#include "archive/layer_range.h"

#include <errno.h>

struct error *layer_range_next(int requests, uint64_t size, struct layer_range *range, bool *more)
{
    char *into = (char *)range;
    size_t have = 0;
    *more = false;
    while (have < sizeof(*range)) {
        ssize_t got = read(requests, into + have, sizeof(*range) - have);
        if (got < 0 && errno != EINTR)
            return error_errno("cannot read what is asked for");
        if (got == 0 && have == 0)
            return NULL;
        if (got == 0)
            return error_make(ERROR_SYSTEM, "what is asked for was cut");
        have += got > 0 ? (size_t)got : 0;
    }
    if (range->count == 0 || range->offset > size || range->count > size - range->offset)
        return error_make(ERROR_INPUT, "bytes beyond the layer's end were asked for");
    *more = true;
    return NULL;
}
