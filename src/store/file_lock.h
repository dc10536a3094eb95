/*
 * A lock that one process at a time holds: a file beside what it guards. A process that is killed
 * loses it. Internal to src/store.
 */
#ifndef PLIMSOLL_STORE_FILE_LOCK_H
#define PLIMSOLL_STORE_FILE_LOCK_H

#include "base/error.h"

struct file_lock {
    char *path;
    int file; /* -1: not held */
};

/*
 * Waits until nobody else holds the lock at `path`; when that is not at once, `waiting` (or NULL)
 * is said.
 */
MUST_CHECK struct error *file_lock_take(struct file_lock *lock, const char *path,
                                        const char *waiting);
void file_lock_drop(struct file_lock *lock);

#endif
