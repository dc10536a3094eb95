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

/* A file that is no regular one, or (NULL) stdin. */
static struct error *read_pipe(const char *path, struct arena *arena, slice *bytes)
{
    CLEANUP_BUFFER struct buffer text = {0};
    CLEANUP_CLOSE int opened = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (path && opened < 0)
        return error_errno("cannot open %s", path);
    TRY(file_read_stream(path ? opened : STDIN_FILENO, path ? path : "stdin", LIMIT_SBOM_BYTES,
                         &text));
    *bytes = arena_copy(arena, buffer_slice(&text));
    return NULL;
}

struct error *sbom_file_read(struct sbom *sbom, struct arena *arena, const char *name)
{
    const char *path = path_of(name);
    slice bytes;
    struct stat status;
    bool is_stdin = strcmp(path, "-") == 0;
    bool is_pipe = is_stdin || (stat(path, &status) == 0 && !S_ISREG(status.st_mode) &&
                                !S_ISDIR(status.st_mode));
    TRY(error_wrap(is_pipe ? read_pipe(is_stdin ? NULL : path, arena, &bytes)
                           : file_read_whole(arena, AT_FDCWD, path, LIMIT_SBOM_BYTES, &bytes),
                   "cannot read the SBOM"));
    return sbom_read(sbom, arena, path, bytes);
}

static struct scan_request request_of(const struct options *options, struct arena *arena,
                                      struct sbom *sbom, const char *name, int64_t deadline_ms)
{
    return (struct scan_request){.options = options,
                                 .arena = arena,
                                 .image = sbom->image,
                                 .name = name,
                                 .started = clock_microseconds(),
                                 .deadline_ms = deadline_ms,
                                 .known = &sbom->inventory,
                                 .known_problems = &sbom->problems};
}

static struct scan_request open_request(const struct options *options, struct arena *arena,
                                        const char *name)
{
    struct sbom *sbom = ARENA_NEW(arena, struct sbom);
    int64_t deadline_ms = scan_deadline(options); /* its alarm ends reading as well */
    struct error *failure = sbom_file_read(sbom, arena, name);
    struct scan_request request = request_of(options, arena, sbom, path_of(name), deadline_ms);
    if (failure) {
        request.failure = failure;
        request.image = NULL;
    }
    return request;
}

struct error *sbom_write(const struct options *options, struct arena *arena, struct sbom *sbom,
                         int64_t deadline_ms, int *exit_code)
{
    struct scan_request request = request_of(options, arena, sbom, "sbom", deadline_ms);
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
