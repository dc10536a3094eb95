/* Reading a stream by a thread of its own: used by stream.c only. */
#ifndef PLIMSOLL_ARCHIVE_READ_AHEAD_H
#define PLIMSOLL_ARCHIVE_READ_AHEAD_H

#include "archive/stream.h"

/* The stream's `read` belongs to the thread from now on, and its digest to the hasher (which may be
 * the same) until it is asked for. */
struct read_ahead *read_ahead_start(struct stream *stream, struct side_thread *thread,
                                    struct side_thread *hasher);

/* The stream's `fill`: what was read stands in its window, with what was not taken before it. */
struct error *read_ahead_fill(struct stream *stream);

/* Returns when all that was asked for is read and hashed. */
void read_ahead_wait(struct read_ahead *ahead);

/* Ends it and frees it, with the buffers; false when the thread is still waiting for bytes: then
 * it and its stream must stay. */
bool read_ahead_stop(struct read_ahead *ahead);

#endif
