/*
 * A file that is replaced whole: written beside, synced, renamed; and a lock that lets one process
 * do so at a time. Internal to src/store.
 */
#ifndef PLIMSOLL_STORE_BESIDE_H
#define PLIMSOLL_STORE_BESIDE_H

#include "store/file_lock.h"

struct beside {
    char *path;            /* the file that is replaced; what a link leads to */
    char *beside;          /* "PATH.new": the one that is written */
    struct file_lock lock; /* "PATH.lock" */
};

/*
 * Waits until nobody else replaces `path`, and clears what one that was killed has left. Errors
 * name the folder that cannot be written.
 */
MUST_CHECK struct error *beside_begin(struct beside *beside, const char *path);
/* Makes the new file a copy of the old one; where there is none, of `begin_with`, unless NULL. */
MUST_CHECK struct error *beside_copy(const struct beside *beside, const char *begin_with);
/* The new file takes the old one's place, for good: file and folder are synced. */
MUST_CHECK struct error *beside_commit(const struct beside *beside);
/* Removes what was written, unless it was committed, and the lock. */
void beside_end(struct beside *beside);

#endif
