/*
 * A process that unpacks a compressed file and writes what comes out to a pipe. It is closed in
 * like a layer's worker, so that a hostile archive gets no further than this.
 */
#ifndef PLIMSOLL_ARCHIVE_UNPACKER_H
#define PLIMSOLL_ARCHIVE_UNPACKER_H

#include "base/error.h"

struct unpacker {
    int output; /* read from here; its end says nothing of success: unpacker_finish does */
    int failure;
    int pid;
};

/* Starts one on the whole of the file `fd` (which stays the caller's). */
MUST_CHECK struct error *unpacker_start(struct unpacker *unpacker, int fd, uint64_t size);

/*
 * Ends it and says how it went. With `early` the caller has read as much as it wants, and an
 * unpacker that was still writing is no error.
 */
MUST_CHECK struct error *unpacker_finish(struct unpacker *unpacker, bool early);

#endif
