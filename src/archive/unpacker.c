#include "archive/unpacker.h"
#include "archive/stream.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

enum { UNPACKER_FAILED = 1, UNPACKER_MEMORY = 3, UNPACKER_SANDBOX = 4 };

static struct error *copy_out(int input, uint64_t size, int output)
{
    const char *name;
    CLEANUP_STREAM struct stream *stream = stream_from_range(input, 0, size);
    TRY(stream_unpack(&stream, stream, &name));
    for (;;) {
        slice window;
        TRY(stream_some(stream, &window));
        if (window.len == 0)
            return NULL;
        TRY(file_write_all(output, window));
        stream_take(stream, window.len);
    }
}

static _Noreturn void run(int input, uint64_t size, int output, int failure)
{
    memory_exhausted_quietly();
    int keep[3] = {input, output, failure};
    sandbox_close_all_but(keep, 3);
    struct sandbox sandbox = {.read_folder = -1,
                              .memory_bytes = LIMIT_WORKER_MEMORY,
                              .cpu_seconds = 4 * LIMIT_WORKER_CPU_SECONDS};
    CLEANUP_ERROR struct error *error = sandbox_enter(&sandbox);
    if (error)
        _exit(UNPACKER_SANDBOX);
    error = copy_out(input, size, output);
    if (error) {
        CLEANUP_ERROR struct error *ignored =
            file_write_all(failure, slice_from_text(error->message));
        _exit(UNPACKER_FAILED);
    }
    _exit(0);
}

struct error *unpacker_start(struct unpacker *unpacker, int fd, uint64_t size)
{
    int output[2], failure[2];
    pid_t parent = getpid();
    if (pipe2(output, O_CLOEXEC) < 0)
        return error_errno("cannot make a pipe to unpack the archive");
    if (pipe2(failure, O_CLOEXEC) < 0) {
        close(output[0]);
        close(output[1]);
        return error_errno("cannot make a pipe to unpack the archive");
    }
    /* A wide pipe means fewer turns between the two processes; where it is refused, no matter. */
    if (fcntl(output[1], F_SETPIPE_SZ, 1 << 20) < 0)
        errno = 0;
    fflush(NULL);
    unpacker->pid = fork();
    if (unpacker->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(UNPACKER_FAILED);
        run(fd, size, output[1], failure[1]);
    }
    close(output[1]);
    close(failure[1]);
    unpacker->output = output[0];
    unpacker->failure = failure[0];
    if (unpacker->pid > 0)
        return NULL;
    close(output[0]);
    close(failure[0]);
    return error_errno("cannot start a process to unpack the archive");
}

struct error *unpacker_finish(struct unpacker *unpacker, bool early)
{
    char message[1024];
    int status = 0;
    close(unpacker->output);
    struct pollfd wait = {.fd = unpacker->failure, .events = POLLIN};
    ssize_t length = 0;
    if (poll(&wait, 1, 2000) > 0)
        length = read(unpacker->failure, message, sizeof(message));
    close(unpacker->failure);
    /* With its pipes closed it ends by itself, unless someone has stopped it. */
    for (int waits = 0; waitpid(unpacker->pid, &status, WNOHANG) == 0; waits++) {
        struct timespec pause = {.tv_nsec = 5 * 1000 * 1000};
        if (waits == 400)
            kill(unpacker->pid, SIGKILL);
        nanosleep(&pause, NULL);
    }
    if (status == 0 || early)
        return NULL;
    if (WIFEXITED(status) && WEXITSTATUS(status) == UNPACKER_FAILED && length > 0)
        return error_make(ERROR_INPUT, "%.*s", (int)length, message);
    if (WIFEXITED(status) && WEXITSTATUS(status) == UNPACKER_MEMORY)
        return error_make(ERROR_LIMIT, "unpacking it takes more memory than allowed");
    return error_make(ERROR_SYSTEM, "the process that unpacks it ended badly (%s %d)",
                      WIFSIGNALED(status) ? "signal" : "code",
                      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}
