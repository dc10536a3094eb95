#include "cli/sbom_file.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "cli/scan.h"

#include <fcntl.h>
#include <sys/stat.h>

static const char *path_of(const char *name)
{
    return strncmp(name, "sbom:", 5) == 0 ? name + 5 : name;
}

bool sbom_file_is(const char *name)
{
    char bytes[4096];
    struct stat status;
    size_t got;
    if (path_of(name) != name)
        return true;
    CLEANUP_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    CLEANUP_ERROR struct error *error = file_read_at(fd, bytes, sizeof(bytes), 0, &got);
    return !error && sbom_is_likely(slice_make(bytes, got));
}

/* All that comes through a pipe, within the limit. */
static struct error *read_pipe(int fd, struct arena *arena, slice *bytes)
{
    CLEANUP_BUFFER struct buffer text = {0};
    for (;;) {
        ssize_t got = read(fd, buffer_reserve(&text, 1 << 16), 1 << 16);
        if (got < 0)
            return error_errno("cannot read the SBOM");
        if (got == 0)
            break;
        text.len += (size_t)got;
        if (text.len > LIMIT_SBOM_BYTES)
            return error_make(ERROR_LIMIT, "the SBOM is larger than the limit for SBOMs");
    }
    *bytes = arena_copy(arena, buffer_slice(&text));
    return NULL;
}

struct error *sbom_file_read(struct sbom *sbom, struct arena *arena, const char *name)
{
    const char *path = path_of(name);
    slice bytes;
    struct stat status;
    bool is_pipe = stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
    if (strcmp(path, "-") == 0) {
        TRY(read_pipe(STDIN_FILENO, arena, &bytes));
    } else if (is_pipe) {
        CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return error_errno("cannot read the SBOM %s", path);
        TRY(read_pipe(fd, arena, &bytes));
    } else {
        TRY(error_wrap(file_read_whole(arena, AT_FDCWD, path, LIMIT_SBOM_BYTES, &bytes),
                       "cannot read the SBOM"));
    }
    return sbom_read(sbom, arena, path, bytes);
}

static struct scan_request request_of(const struct options *options, struct arena *arena,
                                      struct sbom *sbom, const char *name)
{
    return (struct scan_request){.options = options,
                                 .arena = arena,
                                 .image = sbom->image,
                                 .name = name,
                                 .started = clock_microseconds(),
                                 .deadline_ms = scan_deadline(options),
                                 .known = &sbom->inventory,
                                 .known_problems = &sbom->problems};
}

static struct scan_request open_request(const struct options *options, struct arena *arena,
                                        const char *name)
{
    struct sbom *sbom = ARENA_NEW(arena, struct sbom);
    scan_deadline(options); /* the alarm, which ends reading as well */
    struct error *failure = sbom_file_read(sbom, arena, name);
    struct scan_request request = request_of(options, arena, sbom, path_of(name));
    if (failure) {
        request.failure = failure;
        request.image = NULL;
    }
    return request;
}

struct error *sbom_write(const struct options *options, struct arena *arena, struct sbom *sbom,
                         int *exit_code)
{
    struct scan_request request = request_of(options, arena, sbom, "sbom");
    return scan_run(&request, exit_code);
}

struct error *sbom_file_scan(const struct options *options, struct arena *arena, const char *name,
                             int *exit_code)
{
    struct scan_request request = open_request(options, arena, name);
    return scan_run(&request, exit_code);
}

struct error *sbom_file_collect(const struct options *options, struct arena *arena,
                                const char *name, const struct report **report)
{
    struct scan_request request = open_request(options, arena, name);
    return scan_collect(&request, report);
}
