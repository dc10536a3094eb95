/* A stream of what comes in pieces: the content of a tar's entry, of a file in a folder. */
#ifndef PLIMSOLL_ARCHIVE_CONTENT_STREAM_H
#define PLIMSOLL_ARCHIVE_CONTENT_STREAM_H

#include "archive/stream.h"

/* Where an entry's bytes come from: an empty piece is the end. A piece stays until the next call.
 */
struct content {
    struct error *(*next)(void *context, slice *piece);
    void *context;
    /* Moves on by `count` bytes without reading them, beyond the pieces that next gave; there are
     * that many. NULL where they can only be read. */
    struct error *(*pass_over)(void *context, uint64_t count);
};

/* The content stays the caller's. Pieces are shown where they lie, and copied only when bytes of
 * two of them are asked for at once. */
struct stream *stream_from_content(const struct content *content);

#endif
