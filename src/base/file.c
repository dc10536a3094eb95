#include "base/file.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <time.h>

struct error *file_read_at(int fd, void *bytes, size_t count, uint64_t offset, size_t *got)
{
    *got = 0;
    if (offset > INT64_MAX)
        return NULL;
    while (*got < count) {
        ssize_t n = pread(fd, (char *)bytes + *got, count - *got, (off_t)(offset + *got));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno("cannot read at byte %llu", (unsigned long long)(offset + *got));
        if (n == 0)
            break;
        *got += (size_t)n;
    }
    return NULL;
}

struct error *file_read_whole(struct arena *arena, int directory, const char *path, uint64_t limit,
                              slice *bytes)
{
    CLEANUP_CLOSE int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0)
        return error_errno("cannot open %s", path);
    if (!S_ISREG(info.st_mode))
        return error_make(ERROR_INPUT, "%s is not a regular file", path);
    if ((uint64_t)info.st_size > limit)
        return error_make(ERROR_LIMIT, "%s has %lld bytes, more than the limit of %llu", path,
                          (long long)info.st_size, (unsigned long long)limit);
    char *text = arena_alloc(arena, (size_t)info.st_size + 1);
    size_t got;
    TRY(error_wrap(file_read_at(fd, text, (size_t)info.st_size, 0, &got), "%s", path));
    *bytes = slice_make(text, got);
    return NULL;
}

struct error *file_read_stream(int fd, const char *name, uint64_t limit, struct buffer *text)
{
    enum { PIECE = 65536 };
    size_t before = text->len;
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(text, PIECE), PIECE);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno("cannot read %s", name);
        if (got == 0)
            return NULL;
        text->len += (size_t)got;
        if (text->len - before > limit)
            return error_make(ERROR_LIMIT, "%s has more bytes than the limit of %llu", name,
                              (unsigned long long)limit);
    }
}

slice file_identity(int fd, struct arena *arena)
{
    enum { SETTLED_SECONDS = 2 };
    struct stat info;
    if (fd < 0 || fstat(fd, &info) < 0 || time(NULL) - info.st_ctime < SETTLED_SECONDS)
        return SLICE_EMPTY;
    return arena_format(arena, "%llu:%llu %llu %lld.%09ld %lld.%09ld",
                        (unsigned long long)info.st_dev, (unsigned long long)info.st_ino,
                        (unsigned long long)info.st_size, (long long)info.st_mtime,
                        info.st_mtim.tv_nsec, (long long)info.st_ctime, info.st_ctim.tv_nsec);
}

struct error *file_write_all(int fd, slice bytes)
{
    while (bytes.len) {
        ssize_t n = write(fd, bytes.ptr, bytes.len);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            /* Pipes that others hand down are often non-blocking. */
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            if (errno == EAGAIN)
                poll(&wait, 1, -1);
            continue;
        }
        if (n < 0)
            return error_errno("cannot write");
        bytes = slice_from(bytes, (size_t)n);
    }
    return NULL;
}

static struct error *write_beside(const char *beside, const char *path, slice bytes)
{
    /* A name of our own process that is there already was left behind by one that was killed. */
    unlink(beside);
    CLEANUP_CLOSE int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_errno("cannot write %s: cannot create a file beside it", path);
    interrupt_remember(beside);
    struct error *error = error_wrap(file_write_all(fd, bytes), "%s", path);
    if (!error && fsync(fd) < 0)
        error = error_errno("cannot write %s", path);
    if (!error && rename(beside, path) < 0)
        error = error_errno("cannot replace %s", path);
    if (error)
        unlink(beside);
    interrupt_forget(beside);
    return error;
}

/* The handle that such a path is another name of: there is no file beside it to rename. */
static int handle_of_path(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    uint64_t number;
    if (strcmp(path, "/dev/stdout") == 0)
        return STDOUT_FILENO;
    if (strcmp(path, "/dev/stderr") == 0)
        return STDERR_FILENO;
    for (size_t i = 0; i < 2; i++)
        if (slice_starts(slice_from_text(path), slice_from_text(folders[i])) &&
            slice_to_u64(slice_from(slice_from_text(path), strlen(folders[i])), &number) &&
            number < INT32_MAX)
            return (int)number;
    return -1;
}

struct error *file_replace(const char *path, slice bytes)
{
    struct stat info;
    int handle = handle_of_path(path);
    if (handle >= 0)
        return error_wrap(file_write_all(handle, bytes), "%s", path);
    /* Where the path is a link, what it leads to is replaced, not the link. */
    CLEANUP_FREE char *real = realpath(path, NULL);
    if (real)
        path = real;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
            return error_errno("cannot write %s", path);
        return error_wrap(file_write_all(fd, bytes), "%s", path);
    }
    CLEANUP_ARENA struct arena arena = {0};
    slice beside = arena_format(&arena, "%s.%ld.partial", path, (long)getpid());
    return write_beside(beside.ptr, path, bytes);
}
