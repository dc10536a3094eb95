#include "store/beside.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
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
}

struct error *beside_begin(struct beside *beside, const char *path)
{
    *beside = (struct beside){.lock.file = -1};
    beside->path = realpath(path, NULL);
    if (!beside->path)
        beside->path = memory_text(slice_from_text(path));
    beside->beside = joined(beside->path, ".new");
    CLEANUP_FREE char *lock = joined(beside->path, ".lock");
    TRY(file_lock_take(&beside->lock, lock, NULL));
    clear_leftovers(beside);
    watch_leftovers(beside, interrupt_remember);
    return NULL;
}

static struct error *copy_all(int from, int to, const char *path, const struct beside *beside)
{
    enum { CHUNK = 1024 * 1024 };
    CLEANUP_FREE char *bytes = memory_alloc(CHUNK);
    for (;;) {
        ssize_t got = read(from, bytes, CHUNK);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno("cannot read %s", path);
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

struct error *beside_copy(const struct beside *beside, const char *begin_with)
{
    const char *path = beside->path;
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT && begin_with) {
        path = begin_with;
        opened = open(path, O_RDONLY | O_CLOEXEC);
    } else if (opened < 0 && errno == ENOENT) {
        return NULL;
    }
    CLEANUP_CLOSE int from = opened;
    if (from < 0)
        return error_errno("cannot open %s", path);
    CLEANUP_CLOSE int to =
        open(beside->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (to < 0)
        return error_errno("cannot write %s", beside->beside);
    return copy_all(from, to, path, beside);
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
    if (beside->lock.file >= 0) {
        clear_leftovers(beside);
        watch_leftovers(beside, interrupt_forget);
    }
    file_lock_drop(&beside->lock);
    free(beside->path);
    free(beside->beside);
    *beside = (struct beside){.lock.file = -1};
}
