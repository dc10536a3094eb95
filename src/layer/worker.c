#include "layer/worker_process.h"
#include "layer/test_hooks.h"
#include "layer/worker_child.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { READ_BYTES = 64 * 1024, LAST_MOMENTS_MS = 2000 };

/* A file without a name for what is larger than memory; in $TMPDIR, else in memory; -1 is no file.
 */
static int open_spill(void)
{
    const char *folder = getenv("TMPDIR");
    int fd = open(folder && *folder ? folder : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return fd >= 0 ? fd : memfd_create("plimsoll-spill", MFD_CLOEXEC);
}

static struct error *fork_worker(struct worker *worker, const struct layer_job *job,
                                 struct worker_handles *handles)
{
    pid_t parent = getpid();
    fflush(NULL);
    worker->pid = fork();
    if (worker->pid < 0)
        return error_errno("cannot start a worker for layer %zu", job->index);
    if (worker->pid == 0) {
        /* Ends with its parent, also when that was quicker than this call. */
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(WORKER_EXIT_PIPE);
        signal(SIGINT, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        worker_child(job, handles);
    }
    int signal_to_send = test_hook_signal(test_hook_layer(job->index, job->helper));
    if (signal_to_send)
        kill(worker->pid, signal_to_send);
    return NULL;
}

/* Makes the worker's input: of a pipe the other end stays here, or with a process that feeds it. */
static struct error *open_input(struct worker *worker, const struct layer_job *job,
                                struct worker_handles *handles)
{
    int input[2];
    if (job->input == LAYER_INPUT_FED)
        return feeder_start(&worker->feeder, &job->feed, job->index, job->toc.kind != TOC_NONE,
                            &handles->input, &handles->requests);
    if (job->input != LAYER_INPUT_PIPE)
        return NULL;
    if (pipe2(input, O_CLOEXEC) < 0)
        return error_errno("cannot make a pipe for the worker of layer %zu", job->index);
    handles->input = input[0];
    worker->input = input[1];
    fcntl(worker->input, F_SETFL, O_NONBLOCK);
    return NULL;
}

static struct error *start(struct worker *worker, const struct layer_job *job)
{
    int output[2];
    bool own_input = job->input == LAYER_INPUT_PIPE || job->input == LAYER_INPUT_FED;
    struct worker_handles handles = {.input = own_input ? -1 : job->fd, .requests = -1};
    *worker = (struct worker){.output = -1, .input = -1, .pid = -1};
    worker->deadline_ms =
        clock_milliseconds() + (int64_t)test_hook_seconds(LIMIT_SCAN_SECONDS) * 1000;
    if (job->deadline_ms && job->deadline_ms < worker->deadline_ms)
        worker->deadline_ms = job->deadline_ms;
    digest_prepare();
    TRY(open_input(worker, job, &handles));
    CLEANUP_CLOSE int child_input = own_input ? handles.input : -1, requests = handles.requests;
    if (pipe2(output, O_CLOEXEC) < 0)
        return error_errno("cannot make a pipe for the worker of layer %zu", job->index);
    CLEANUP_CLOSE int child_output = output[1], spill = open_spill();
    worker->output = output[0];
    handles.output = child_output;
    handles.spill = spill;
    return fork_worker(worker, job, &handles);
}

bool worker_process_receive(struct worker *worker)
{
    char *room = buffer_reserve(&worker->received, READ_BYTES);
    ssize_t got = read(worker->output, room, READ_BYTES);
    if (got < 0)
        return errno == EINTR || errno == EAGAIN;
    worker->received.len += (size_t)got;
    if (worker->received.len > LIMIT_RECORD_BYTES) {
        worker->too_much = true;
        kill(worker->pid, SIGKILL);
        return false;
    }
    return got > 0;
}

static slice describe_signal(struct arena *arena, int number)
{
    const char *name = sigabbrev_np(number);
    const char *why =
        "the layer is hostile or damaged, or this is a fault of plimsoll: please report "
        "it";
    if (number == SIGSYS)
        why = "the kernel stopped it, since it made a system call that a worker may not make "
              "(seccomp). Something in the layer took it over, or this is a fault of plimsoll: "
              "please report it";
    else if (number == SIGXCPU || number == SIGKILL)
        why = "it took more than the limit of CPU time for a layer, or the machine ran out of "
              "memory, "
              "or someone killed it";
    else if (number == SIGXFSZ)
        why = "the kernel stopped it, since it wrote more than the limit of one file";
    return arena_format(arena, "it ended by SIG%s (signal %d): %s", name ? name : "?", number, why);
}

static slice describe_end(struct arena *arena, const struct worker *worker, int status)
{
    if (worker->stopped)
        return SLICE("it was stopped (SIGSTOP or the like), so it was ended: someone held it");
    if (worker->timed_out)
        return SLICE("it was ended: it took longer than the time limit of a scan (--timeout)");
    if (worker->too_much)
        return SLICE("it was ended: it handed back more than the limit of a layer's record");
    if (WIFSIGNALED(status))
        return describe_signal(arena, WTERMSIG(status));
    if (WEXITSTATUS(status) == WORKER_EXIT_MEMORY)
        return arena_format(arena,
                            "it was stopped: it asked for more memory than a worker may have "
                            "(%llu MiB)",
                            (unsigned long long)(LIMIT_WORKER_MEMORY / LIMIT_MIB));
    if (WEXITSTATUS(status) == WORKER_EXIT_SANDBOX)
        return SLICE("it could not close itself in (Landlock, seccomp, resource limits), and reads "
                     "nothing without");
    return arena_format(arena, "it ended with code %d", WEXITSTATUS(status));
}

/* What it sent, as an outcome. */
static void read_outcome(struct worker *worker, struct arena *arena, struct layer_outcome *outcome)
{
    if (arena->used + worker->received.len > LIMIT_RECORDS_BYTES) {
        outcome->failure =
            arena_format(arena,
                         "what was found in the image's layers takes more than %llu MiB, the limit "
                         "for one image",
                         (unsigned long long)(LIMIT_RECORDS_BYTES / LIMIT_MIB));
        return;
    }
    outcome->bytes = arena_copy(arena, buffer_slice(&worker->received));
    CLEANUP_ERROR struct error *error = record_read(outcome->bytes, arena, &outcome->record);
    outcome->complete = error == NULL;
    if (error)
        outcome->failure = arena_copy(arena, slice_from_text(error->message));
}

static void close_handles(struct worker *worker)
{
    if (worker->output >= 0)
        close(worker->output);
    if (worker->input >= 0)
        close(worker->input);
    worker->output = worker->input = -1;
}

struct error *worker_process_start(struct worker *worker, const struct layer_job *job)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct error *error = start(worker, job);
    if (error) {
        close_handles(worker);
        feeder_finish(&worker->feeder, &arena);
    }
    return error;
}

/* One that has closed its output has nothing left to do. One that was taken over may wait for
 * nothing instead, forever; where the kernel cannot tell, --timeout ends that. */
static int reap(const struct worker *worker)
{
    int status = 0;
    CLEANUP_CLOSE int process = worker->pid > 0 ? (int)syscall(SYS_pidfd_open, worker->pid, 0) : -1;
    struct pollfd end = {.fd = process, .events = POLLIN};
    if (process >= 0 && poll(&end, 1, LAST_MOMENTS_MS) == 0)
        kill(worker->pid, SIGKILL);
    while (worker->pid > 0 && waitpid(worker->pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

void worker_process_finish(struct worker *worker, struct arena *arena,
                           struct layer_outcome *outcome)
{
    close_handles(worker);
    int status = reap(worker);
    *outcome = (struct layer_outcome){0};
    /* Where the bytes did not come, why they did not is the cause of all else. */
    slice unfed = feeder_finish(&worker->feeder, arena);
    if (unfed.len)
        outcome->failure = arena_format(arena, "it could not be fetched: %.*s", SLICE_ARG(unfed));
    else if (status != 0 || worker->timed_out || worker->too_much)
        outcome->failure = arena_format(arena, "the worker that read it failed: %.*s",
                                        SLICE_ARG(describe_end(arena, worker, status)));
    else
        read_outcome(worker, arena, outcome);
    buffer_free(&worker->received);
}

static void time_out(struct worker *worker)
{
    worker->timed_out = true;
    kill(worker->pid, SIGKILL);
}

void worker_process_check(struct worker *worker)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)worker->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == worker->pid)
        worker->stopped = true;
    if (worker->stopped || clock_milliseconds() > worker->deadline_ms)
        time_out(worker);
}

struct error *worker_start(struct worker **worker, const struct layer_job *job)
{
    *worker = memory_alloc(sizeof(**worker));
    struct error *error = worker_process_start(*worker, job);
    if (error) {
        free(*worker);
        *worker = NULL;
    }
    return error;
}

bool worker_feed(struct worker *worker, slice bytes)
{
    while (bytes.len && !worker->feed_failed) {
        ssize_t written = write(worker->input, bytes.ptr, bytes.len);
        if (written >= 0) {
            bytes = slice_from(bytes, (size_t)written);
        } else if (errno == EAGAIN) {
            struct pollfd wait = {.fd = worker->input, .events = POLLOUT};
            poll(&wait, 1, WORKER_WAIT_MS);
            worker_process_check(worker);
            worker->feed_failed = worker->timed_out;
        } else if (errno != EINTR) {
            worker->feed_failed = true;
        }
    }
    return !worker->feed_failed;
}

void worker_finish(struct worker *worker, struct arena *arena, struct layer_outcome *outcome)
{
    if (worker->input >= 0)
        close(worker->input);
    worker->input = -1;
    while (!worker->timed_out) {
        struct pollfd wait = {.fd = worker->output, .events = POLLIN};
        if (poll(&wait, 1, WORKER_WAIT_MS) > 0 && !worker_process_receive(worker))
            break;
        worker_process_check(worker);
    }
    worker_process_finish(worker, arena, outcome);
    free(worker);
}
