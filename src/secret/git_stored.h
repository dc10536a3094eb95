/* The objects of a git pack one after the other, as they are stored: of a pack that is too large to
 * be put together, and of what follows damage. */
#ifndef PLIMSOLL_SECRET_GIT_STORED_H
#define PLIMSOLL_SECRET_GIT_STORED_H

#include "secret/finder.h"

/*
 * Looks through the next `count` objects of the stream, which begins `offset` bytes behind the
 * pack's start. Of deltas it sees what they add. Ends where it is damaged, which is told.
 */
MUST_CHECK struct error *git_look_at_stored(struct secret_look *look, struct stream *stream,
                                            uint64_t offset, uint64_t count, size_t id_bytes);

#endif
