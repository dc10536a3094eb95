#include "source/credential_helper.h"
#include "base/clock.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/limits.h"
#include "http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { PATIENCE_MS = 30000, LAST_MOMENTS_MS = 2000, NOT_FOUND = 127 };

/* A name, not a path: the config may not say what is run beyond that. */
static bool is_name(slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_alpha(name.ptr[i]) && !byte_is_digit(name.ptr[i]) &&
            !memchr("-_.", name.ptr[i], 3))
            return false;
    return name.len > 0 && name.len < 128;
}

static int64_t patience(void)
{
#ifdef PLIMSOLL_TEST_HOOKS
    const char *wish = getenv("PLIMSOLL_TEST_HELPER_MS");
    if (wish)
        return atoi(wish);
#endif
    return PATIENCE_MS;
}

static _Noreturn void run(const char *program, int input, int output)
{
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
        (null < 0 || dup2(null, STDERR_FILENO) >= 0))
        execlp(program, program, "get", (char *)NULL);
    _exit(NOT_FOUND);
}

/* All of it within the time, however it comes. */
static struct error *read_answer(int fd, struct buffer *answer)
{
    int64_t end = clock_milliseconds() + patience();
    for (;;) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int64_t left = end - clock_milliseconds();
        int ready = left > 0 ? poll(&wait, 1, (int)left) : 0;
        if (ready == 0)
            return error_make(ERROR_SYSTEM, "it does not answer");
        char *room = buffer_reserve(answer, 4096);
        ssize_t got = ready < 0 ? -1 : read(fd, room, 4096);
        if (got < 0 && errno != EINTR)
            return error_errno("cannot read its answer");
        if (got == 0)
            return NULL;
        answer->len += got > 0 ? (size_t)got : 0;
        if (answer->len > LIMIT_HTTP_TOKEN_BYTES)
            return error_make(ERROR_LIMIT, "its answer is too long");
    }
}

/* One that has said all and does not end is not waited for. */
static void reap(pid_t pid, bool at_once, int *status)
{
    for (int64_t end = clock_milliseconds() + LAST_MOMENTS_MS;
         !at_once && clock_milliseconds() < end;) {
        if (waitpid(pid, status, WNOHANG) != 0)
            return;
        poll(NULL, 0, 2);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, status, 0) < 0 && errno == EINTR)
        ;
}

static struct error *talk(pid_t pid, int input, int output, slice server, struct arena *arena,
                          slice *answer)
{
    CLEANUP_BUFFER struct buffer text = {0};
    int status = 0;
    /* A helper that is not there takes nothing. */
    CLEANUP_ERROR struct error *unwritten = file_write_all(input, server);
    close(input);
    struct error *error = read_answer(output, &text);
    reap(pid, error != NULL, &status);
    slice said = slice_trim(buffer_slice(&text));
    if (error)
        return error;
    if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_FOUND)
        return error_make(ERROR_SYSTEM, "it is not on the PATH");
    if (status != 0 && !slice_contains(said, SLICE("not found")))
        return error_make(ERROR_SYSTEM, "it failed");
    *answer = status == 0 ? arena_copy(arena, said) : SLICE_EMPTY;
    return NULL;
}

struct error *credential_helper_get(slice name, slice server, struct arena *arena, slice *answer)
{
    int input[2], output[2];
    *answer = SLICE_EMPTY;
    if (!is_name(name))
        return error_make(ERROR_SYSTEM, "this is no helper's name");
    const char *program = arena_format(arena, "docker-credential-%.*s", SLICE_ARG(name)).ptr;
    if (pipe2(input, O_CLOEXEC) < 0)
        return error_errno("cannot make a pipe");
    CLEANUP_CLOSE int child_input = input[0];
    if (pipe2(output, O_CLOEXEC) < 0) {
        close(input[1]);
        return error_errno("cannot make a pipe");
    }
    CLEANUP_CLOSE int own_output = output[0];
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        run(program, input[0], output[1]);
    close(output[1]);
    if (pid < 0) {
        close(input[1]);
        return error_errno("cannot start it");
    }
    return talk(pid, input[1], own_output, server, arena, answer);
}
