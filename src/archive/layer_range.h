/* A range of a layer's stored bytes, and how a process that fetches is asked for it. */
#ifndef PLIMSOLL_ARCHIVE_LAYER_RANGE_H
#define PLIMSOLL_ARCHIVE_LAYER_RANGE_H

#include "base/error.h"

/* What a worker writes on the request pipe; it is answered with exactly `count` bytes. */
struct layer_range {
    uint64_t offset, count;
};

/* The next range off the request pipe; *more false at its end. An error when it does not lie within
 * the layer's `size` bytes: the worker may have been taken over. */
MUST_CHECK struct error *layer_range_next(int requests, uint64_t size, struct layer_range *range,
                                          bool *more);

#endif
