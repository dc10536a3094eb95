/* A config.json of docker's. (Helpers are not run: there is nothing on the PATH.) */
#undef NDEBUG
#include "base/progress.h"
#include "source/credentials.h"
#include <assert.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use_config(slice bytes)
{
    static int fd = -1;
    if (fd < 0) {
        char path[64];
        fd = memfd_create("fuzz", 0);
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        setenv("REGISTRY_AUTH_FILE", path, 1);
        setenv("PATH", "/nonexistent", 1);
        unsetenv("HOME");
        unsetenv("DOCKER_CONFIG");
        unsetenv("XDG_RUNTIME_DIR");
        progress_setup(true, false);
    }
    assert(fd >= 0 && ftruncate(fd, 0) == 0);
    assert(pwrite(fd, bytes.ptr, bytes.len, 0) == (ssize_t)bytes.len);
}

static bool is_empty(const struct credentials *found)
{
    return found->username.len + found->password.len + found->identity_token.len +
               found->registry_token.len ==
           0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice input = slice_make(data, size);
    struct credentials found;
    /* To start a process for each would take too long. */
    if (slice_contains(input, SLICE("credsStore")) || slice_contains(input, SLICE("credHelpers")))
        return 0;
    use_config(input);
    credentials_find(&found, SLICE("q.io:5000"), SLICE("a/b"), &arena);
    assert(slice_starts(credentials_basic(&found, &arena), SLICE("Basic ")));
    /* Nothing is for a registry whose name does not stand there. */
    assert(is_empty(&found) || slice_contains(input, SLICE("q.io:5000")) ||
           slice_contains(input, SLICE("\\")));
    credentials_find(&found, SLICE("docker.io"), SLICE("library/x"), &arena);
    assert(is_empty(&found) || slice_contains(input, SLICE("docker.io")) ||
           slice_contains(input, SLICE("\\")));
    return 0;
}
