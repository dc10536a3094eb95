/*
 * Random access to a layer's bytes as they are stored, for a worker that reads lazily: from a file,
 * or from a feeder process that fetches what is asked for (HTTP Range). Ranges are asked for ahead
 * of being read, so that the feeder can work while the worker does.
 */
#ifndef PLIMSOLL_LAYER_LAYER_BYTES_H
#define PLIMSOLL_LAYER_LAYER_BYTES_H

#include "archive/layer_range.h"

struct layer_bytes {
    int fd;                  /* a file that can be seeked, or the pipe with the answers */
    int requests;            /* the request pipe; -1: fd is a file */
    uint64_t offset, length; /* where the layer lies in the file, and its size */
    uint64_t bytes_in;       /* read so far */
};

/*
 * Asks for a range (within the layer, not empty). Ranges are then read in the order in which they
 * were asked for, each of them whole. At most LAYER_BYTES_AHEAD may be asked for and not yet read.
 */
enum { LAYER_BYTES_AHEAD = 512 };
MUST_CHECK struct error *layer_bytes_ask(struct layer_bytes *bytes, struct layer_range range);

/* Reads up to `room` bytes of the range at hand: `range` is moved on by what was read (*got > 0).
 */
MUST_CHECK struct error *layer_bytes_read(struct layer_bytes *bytes, struct layer_range *range,
                                          void *into, size_t room, size_t *got);

/* Moves on by `count` bytes of the range at hand that nobody wants. */
MUST_CHECK struct error *layer_bytes_pass(struct layer_bytes *bytes, struct layer_range *range,
                                          uint64_t count);

#endif
