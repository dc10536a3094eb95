#include "archive/feeder.h"
#include "base/file.h"
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

enum { PIPE_BYTES = 1 << 20, LAST_WORDS_MS = 200, MESSAGE_BYTES = 4000 };

static _Noreturn void run(const struct feed *feed, size_t index, int output, int requests,
                          int failure)
{
    int keep[3] = {output, requests, failure};
    sandbox_close_all_but(keep, 3);
    CLEANUP_ERROR struct error *error = feed->run(feed->context, index, output, requests);
    if (!error)
        _exit(0);
    CLEANUP_ERROR struct error *ignored =
        file_write_all(failure, slice_first(slice_from_text(error->message), MESSAGE_BYTES));
    _exit(1);
}

static void close_pair(int pair[2])
{
    for (size_t i = 0; i < 2; i++)
        if (pair[i] >= 0)
            close(pair[i]);
}

struct error *feeder_start(struct feeder *feeder, const struct feed *feed, size_t index,
                           bool on_demand, int *input, int *requests)
{
    int bytes[2] = {-1, -1}, asked[2] = {-1, -1}, failure[2] = {-1, -1};
    pid_t parent = getpid();
    *feeder = (struct feeder){0};
    *input = *requests = -1;
    if (pipe2(bytes, O_CLOEXEC) < 0 || (on_demand && pipe2(asked, O_CLOEXEC) < 0) ||
        pipe2(failure, O_CLOEXEC) < 0) {
        struct error *error = error_errno("cannot make a pipe to fetch it");
        close_pair(bytes);
        close_pair(asked);
        return error;
    }
    /* A wide pipe means fewer turns between the two processes; where it is refused, no matter. */
    if (fcntl(bytes[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
        errno = 0;
    fflush(NULL);
    feeder->pid = fork();
    if (feeder->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        run(feed, index, bytes[1], asked[0], failure[1]);
    }
    close(bytes[1]);
    close(failure[1]);
    if (asked[0] >= 0)
        close(asked[0]);
    *input = bytes[0];
    *requests = asked[1];
    feeder->failure = failure[0];
    if (feeder->pid > 0)
        return NULL;
    feeder->pid = 0;
    close(failure[0]);
    close(*input);
    if (*requests >= 0)
        close(*requests);
    return error_errno("cannot start a process to fetch it");
}

slice feeder_finish(struct feeder *feeder, struct arena *arena)
{
    char message[MESSAGE_BYTES];
    int status = 0;
    ssize_t length = 0;
    if (feeder->pid == 0)
        return SLICE_EMPTY;
    /* Its worker has ended: so has it, or the next byte that it writes tells it. */
    struct pollfd wait = {.fd = feeder->failure, .events = POLLIN};
    bool ended = poll(&wait, 1, LAST_WORDS_MS) > 0;
    if (ended)
        length = read(feeder->failure, message, sizeof(message));
    /* After its last words there is nothing that it should still do. */
    if (!ended || length != 0)
        kill(feeder->pid, SIGKILL);
    close(feeder->failure);
    while (waitpid(feeder->pid, &status, 0) < 0 && errno == EINTR)
        ;
    feeder->pid = 0;
    if (length > 0)
        return arena_copy(arena, slice_make(message, (size_t)length));
    if (ended && status != 0)
        return SLICE("the process that fetches it ended badly");
    return SLICE_EMPTY;
}
