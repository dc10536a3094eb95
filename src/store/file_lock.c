#include "store/file_lock.h"
#include "base/interrupt.h"
#include "base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static struct error *wait_for(const struct file_lock *lock, const char *waiting)
{
    if (flock(lock->file, LOCK_EX | LOCK_NB) == 0)
        return NULL;
    if (waiting)
        remark("%s", waiting);
    int code;
    do
        code = flock(lock->file, LOCK_EX);
    while (code != 0 && errno == EINTR);
    return code == 0 ? NULL : error_errno("cannot lock %s", lock->path);
}

/*
 * The file is removed by who holds the lock, so one that was waited for may be gone: then it is
 * made anew. Whoever holds the lock of the file that the name leads to is alone.
 */
struct error *file_lock_take(struct file_lock *lock, const char *path, const char *waiting)
{
    *lock = (struct file_lock){.path = memory_text(slice_from_text(path)), .file = -1};
    for (;;) {
        struct stat held, named;
        lock->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock->file < 0)
            return error_errno("cannot write %s", path);
        TRY(wait_for(lock, waiting));
        if (fstat(lock->file, &held) == 0 && stat(path, &named) == 0 &&
            held.st_ino == named.st_ino && held.st_dev == named.st_dev)
            break;
        close(lock->file);
        lock->file = -1;
        waiting = NULL;
    }
    interrupt_remember(path);
    return NULL;
}

void file_lock_drop(struct file_lock *lock)
{
    if (lock->file >= 0) {
        interrupt_forget(lock->path);
        unlink(lock->path);
        close(lock->file);
    }
    free(lock->path);
    *lock = (struct file_lock){.file = -1};
}
