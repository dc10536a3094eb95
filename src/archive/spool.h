/*
 * A spool keeps the bytes of a stream so that they can be read again and in any order: what is
 * small in memory, the rest in the spill file that the parent opened for the worker. A spill file
 * serves several spools, one above the other, for archives in archives.
 */
#ifndef PLIMSOLL_ARCHIVE_SPOOL_H
#define PLIMSOLL_ARCHIVE_SPOOL_H

#include "archive/stream.h"

/* The file that spools lie in; one for each worker. */
struct spill {
    int fd;        /* to write to and to seek in; or -1: memory alone */
    uint64_t used; /* bytes from its start that spools take */
};

struct spool {
    struct spill *spill;
    char *memory; /* NULL: it lies in the file */
    uint64_t offset, size;
    bool whole; /* the stream ended within the bytes that were asked for */
};

/*
 * Takes up to `most` bytes of the stream; `whole` tells whether that was all of it, otherwise the
 * rest is still in the stream. An error when the stream breaks, or when there is no room. What it
 * took is freed by spool_close, in the reverse order of opening.
 */
MUST_CHECK struct error *spool_open(struct spool *spool, struct spill *spill, struct stream *stream,
                                    uint64_t most);
void spool_close(struct spool *spool);

/* Copies `count` bytes from `at` on; an error (ERROR_INPUT) where there are not so many. */
MUST_CHECK struct error *spool_read(const struct spool *spool, uint64_t at, void *bytes,
                                    size_t count);

/* A stream over a part of it (cut to what is there). Several may be open at once. */
struct stream *spool_stream(const struct spool *spool, uint64_t at, uint64_t count);

#endif
