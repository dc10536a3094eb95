/*
 * A file that is replaced whole: written beside, synced, renamed; and a lock that lets one process
 * do so at a time. Internal to src/store.
 */
#ifndef PLIMSOLL_STORE_BESIDE_H
#define PLIMSOLL_STORE_BESIDE_H

#include "base/error.h"

struct beside {
    char *path;   /* the file that is replaced; what a link leads to */
    char *beside; /* "PATH.new": the one that is written */
    char *lock;   /* "PATH.lock" */
    int lock_file;
};

/*
 * Waits until nobody else replaces `path`, and clears what one that was killed has left. Errors
 * name the folder that cannot be written.
 */
MUST_CHECK struct error *beside_begin(struct beside *beside, const char *path);
/* Makes the new file a copy of the old one; *copied is false when there is no old one. */
MUST_CHECK struct error *beside_copy(const struct beside *beside, bool *copied);
/* The new file takes the old one's place, for good: file and folder are synced. */
MUST_CHECK struct error *beside_commit(const struct beside *beside);
/* Removes what was written, unless it was committed, and the lock. */
void beside_end(struct beside *beside);

#endif
