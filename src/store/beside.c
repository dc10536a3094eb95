#include "store/beside.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

/* What SQLite may have left beside the new file when an import was killed. */
static const char *const leftovers[] = {"", "-journal", "-wal", "-shm"};

static char *joined(const char *path, const char *suffix)
{
    size_t length = strlen(path), more = strlen(suffix);
    char *text = memory_alloc(length + more + 1);
    memcpy(text, path, length);
    memcpy(text + length, suffix, more + 1);
    return text;
}

static void clear_leftovers(const struct beside *beside)
{
    for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
        CLEANUP_FREE char *leftover = joined(beside->beside, leftovers[i]);
        unlink(leftover);
    }
}

/* Has what is written removed when the program is stopped; or no longer. */
static void watch_leftovers(const struct beside *beside, void (*watch)(const char *path))
{
    for (size_t i = 0; i < sizeof(leftovers) / sizeof(leftovers[0]); i++) {
        CLEANUP_FREE char *leftover = joined(beside->beside, leftovers[i]);
        watch(leftover);
    }
    watch(beside->lock);
}

/*
 * The lock file is removed by who holds it, so one that was waited for may be gone: then it is made
 * anew. Whoever holds the lock of the file that the name leads to is alone.
 */
static struct error *take_lock(struct beside *beside)
{
    for (;;) {
        struct stat held, named;
        beside->lock_file = open(beside->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (beside->lock_file < 0)
            return error_errno("cannot write beside %s", beside->path);
        int code;
        do
            code = flock(beside->lock_file, LOCK_EX);
        while (code != 0 && errno == EINTR);
        if (code != 0)
            return error_errno("cannot lock %s", beside->lock);
        if (fstat(beside->lock_file, &held) == 0 && stat(beside->lock, &named) == 0 &&
            held.st_ino == named.st_ino && held.st_dev == named.st_dev)
            return NULL;
        close(beside->lock_file);
        beside->lock_file = -1;
    }
}

struct error *beside_begin(struct beside *beside, const char *path)
{
    *beside = (struct beside){.lock_file = -1};
    beside->path = realpath(path, NULL);
    if (!beside->path)
        beside->path = memory_text(slice_from_text(path));
    beside->beside = joined(beside->path, ".new");
    beside->lock = joined(beside->path, ".lock");
    TRY(take_lock(beside));
    clear_leftovers(beside);
    watch_leftovers(beside, interrupt_remember);
    return NULL;
}

static struct error *copy_all(int from, int to, const struct beside *beside)
{
    enum { CHUNK = 1024 * 1024 };
    CLEANUP_FREE char *bytes = memory_alloc(CHUNK);
    for (;;) {
        ssize_t got = read(from, bytes, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno("cannot read %s", beside->path);
        if (got == 0)
            return NULL;
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, bytes + done, (size_t)(got - done));
            if (put < 0 && errno != EINTR)
                return error_errno("cannot write %s", beside->beside);
            done += put > 0 ? put : 0;
        }
    }
}

struct error *beside_copy(const struct beside *beside, bool *copied)
{
    CLEANUP_CLOSE int from = open(beside->path, O_RDONLY | O_CLOEXEC);
    *copied = from >= 0;
    if (from < 0 && errno == ENOENT)
        return NULL;
    if (from < 0)
        return error_errno("cannot open %s", beside->path);
    CLEANUP_CLOSE int to =
        open(beside->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (to < 0)
        return error_errno("cannot write %s", beside->beside);
    return copy_all(from, to, beside);
}

static struct error *sync_path(const char *path, int flags)
{
    CLEANUP_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (file < 0 || fsync(file) != 0)
        return error_errno("cannot make %s durable", path);
    return NULL;
}

struct error *beside_commit(const struct beside *beside)
{
    TRY(sync_path(beside->beside, 0));
    if (rename(beside->beside, beside->path) != 0)
        return error_errno("cannot put %s in the place of %s", beside->beside, beside->path);
    slice folder = slice_dirname(slice_from_text(beside->path));
    CLEANUP_FREE char *folder_path =
        memory_text(folder.len                                                ? folder
                    : slice_starts(slice_from_text(beside->path), SLICE("/")) ? SLICE("/")
                                                                              : SLICE("."));
    return sync_path(folder_path, O_DIRECTORY);
}

void beside_end(struct beside *beside)
{
    if (beside->lock_file >= 0) {
        clear_leftovers(beside);
        watch_leftovers(beside, interrupt_forget);
        unlink(beside->lock);
        close(beside->lock_file);
    }
    free(beside->path);
    free(beside->beside);
    free(beside->lock);
    *beside = (struct beside){.lock_file = -1};
}
