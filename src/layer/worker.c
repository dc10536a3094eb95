#include "layer/worker.h"
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

enum {
    MAX_WORKERS = 64,
    READ_BYTES = 64 * 1024,
    LAST_MOMENTS_MS = 2000,
    WAIT_MS = 200,
    /* Most layers are done before a helper would be of use. */
    HELP_AFTER_MS = 25,
    MAX_HELPERS = 15,
};

struct worker {
    size_t job, helper; /* which of worker_run's, and which of those that help with it, from 1 */
    pid_t pid;
    int output; /* the record comes from here */
    int input;  /* of a fed worker: its input; else -1 */
    struct feeder feeder;
    struct buffer received;
    int64_t deadline_ms;
    bool timed_out, too_much, stopped, feed_failed;
};

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

/* False when the worker has closed its end. */
static bool receive(struct worker *worker)
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

/* Reaps the worker and its feeder. */
static void finish(struct worker *worker, struct arena *arena, struct layer_outcome *outcome)
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

/* One that is past its time, or that a signal has stopped and nobody may ever wake, is ended. */
static void check_on(struct worker *worker)
{
    siginfo_t info = {0};
    if (waitid(P_PID, (id_t)worker->pid, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
        info.si_pid == worker->pid)
        worker->stopped = true;
    if (worker->stopped || clock_milliseconds() > worker->deadline_ms)
        time_out(worker);
}

static size_t core_count(void)
{
    cpu_set_t cores;
    if (sched_getaffinity(0, sizeof(cores), &cores) < 0)
        return 1;
    size_t count = (size_t)CPU_COUNT(&cores);
    return count > MAX_WORKERS ? MAX_WORKERS : count;
}

/* A job and those who work on it. */
struct task {
    struct layer_job job;
    struct layer_outcome *helped; /* of its helpers */
    size_t helpers, running;
    int64_t started_ms;
    bool alone; /* nobody can help (any more) */
};

struct pool {
    struct task *tasks;
    size_t job_count, started, done;
    size_t *order; /* jobs, the largest first */
    struct arena *arena;
    struct layer_outcome *outcomes;
    struct worker workers[MAX_WORKERS];
    size_t running;
    worker_progress *progress;
    void *progress_context;
};

/* gzip's and zstd's first bytes: what is packed one worker must unpack. */
static bool is_packed(const struct layer_job *job)
{
    char first[4] = "";
    return pread(job->fd, first, sizeof(first), (off_t)job->offset) < (ssize_t)sizeof(first) ||
           memcmp(first, "\x1f\x8b", 2) == 0 || memcmp(first, "\x28\xb5\x2f\xfd", 4) == 0;
}

static bool can_be_helped(const struct layer_job *job)
{
    if (!job->secrets || job->toc.kind != TOC_NONE)
        return false;
    return job->input == LAYER_INPUT_FOLDER || job->input == LAYER_INPUT_OVERLAY ||
           (job->input == LAYER_INPUT_RANGE && !is_packed(job));
}

static bool start_worker(struct pool *pool, size_t job, size_t helper)
{
    struct task *task = &pool->tasks[job];
    struct worker *worker = &pool->workers[pool->running];
    struct layer_job its_job = task->job;
    its_job.helper = helper != 0;
    claims_share(task->job.claims, true);
    CLEANUP_ERROR struct error *error = start(worker, &its_job);
    claims_share(task->job.claims, false);
    worker->job = job;
    worker->helper = helper;
    if (!error) {
        pool->running++;
        task->running++;
        return true;
    }
    close_handles(worker);
    feeder_finish(&worker->feeder, pool->arena);
    if (!helper)
        pool->outcomes[job].failure = arena_copy(pool->arena, slice_from_text(error->message));
    return false;
}

static void start_next(struct pool *pool)
{
    size_t job = pool->order[pool->started++];
    struct task *task = &pool->tasks[job];
    task->job.claims = can_be_helped(&task->job) ? claims_new() : NULL;
    task->alone = !task->job.claims;
    task->started_ms = clock_milliseconds();
    if (start_worker(pool, job, 0))
        return;
    claims_free(task->job.claims);
    pool->done++;
}

/* -- helpers --------------------------------------------------------------------------------------
 */

/* The largest job that could do with one more, SIZE_MAX for none; *later when one could soon. */
static size_t job_to_help(const struct pool *pool, bool *later)
{
    size_t best = SIZE_MAX;
    int64_t now = clock_milliseconds();
    size_t wished = test_hook_helpers();
    *later = false;
    for (size_t i = 0; i < pool->job_count && pool->started == pool->job_count; i++) {
        const struct task *task = &pool->tasks[i];
        if (task->alone || task->running == 0 || task->helpers == MAX_HELPERS ||
            task->helpers >= wished)
            continue;
        if (wished == SIZE_MAX && now - task->started_ms < HELP_AFTER_MS)
            *later = true;
        else if (best == SIZE_MAX || task->job.length > pool->tasks[best].job.length)
            best = i;
    }
    return best;
}

static void start_helper(struct pool *pool, size_t job)
{
    struct task *task = &pool->tasks[job];
    if (!task->helped)
        task->helped = arena_array(pool->arena, MAX_HELPERS, sizeof(*task->helped));
    if (start_worker(pool, job, task->helpers + 1))
        task->helpers++;
    else
        task->alone = true;
}

/* What a helper had taken when it failed nobody has looked through: one worker does it all. */
static bool start_again_alone(struct pool *pool, size_t job)
{
    struct task *task = &pool->tasks[job];
    bool all = pool->outcomes[job].complete;
    for (size_t i = 0; i < task->helpers; i++)
        all &= task->helped[i].complete;
    if (all || !pool->outcomes[job].complete)
        return false;
    claims_free(task->job.claims);
    task->job.claims = NULL;
    task->helpers = 0;
    pool->outcomes[job] = (struct layer_outcome){0};
    return start_worker(pool, job, 0);
}

/* What its helpers found goes into the outcome. */
static void add_helped(struct pool *pool, const struct task *task, struct layer_outcome *outcome)
{
    bool found = false;
    for (size_t i = 0; i < task->helpers && outcome->complete; i++) {
        const struct record *record = &task->helped[i].record;
        found |= record->secrets.count || record->problems.count;
        record_add_helper(&outcome->record, &task->helped[i].record, pool->arena);
    }
    if (!found)
        return;
    CLEANUP_BUFFER struct buffer bytes = {0};
    record_write(&outcome->record, &bytes);
    outcome->bytes = arena_copy(pool->arena, buffer_slice(&bytes));
}

/* They work for nothing. */
static void end_helpers(struct pool *pool, size_t job)
{
    for (size_t i = 0; i < pool->running; i++)
        if (pool->workers[i].job == job)
            kill(pool->workers[i].pid, SIGKILL);
}

static void end_one(struct pool *pool, size_t at)
{
    struct worker *worker = &pool->workers[at];
    size_t job = worker->job, helper = worker->helper;
    struct task *task = &pool->tasks[job];
    struct layer_outcome *outcome = &pool->outcomes[job];
    finish(worker, pool->arena, helper ? &task->helped[helper - 1] : outcome);
    pool->workers[at] = pool->workers[--pool->running];
    task->alone = true; /* who comes to the end finds that all is taken */
    if (!outcome->complete && !helper)
        end_helpers(pool, job);
    if (--task->running || start_again_alone(pool, job))
        return;
    add_helped(pool, task, outcome);
    claims_free(task->job.claims);
    pool->done++;
    if (pool->progress)
        pool->progress(pool->progress_context, pool->done, pool->job_count);
}

/* -- all of them ----------------------------------------------------------------------------------
 */

static void wait_for_some(struct pool *pool, int most_ms)
{
    struct pollfd waits[MAX_WORKERS];
    for (size_t i = 0; i < pool->running; i++)
        waits[i] = (struct pollfd){.fd = pool->workers[i].output, .events = POLLIN};
    if (poll(waits, pool->running, most_ms) < 0 && errno != EINTR)
        memory_exhausted();
    /* Backwards, since end_one puts the last one into the place of the ended one. */
    for (size_t i = pool->running; i-- > 0;) {
        struct worker *worker = &pool->workers[i];
        bool ended = waits[i].revents && !receive(worker);
        if (!ended)
            check_on(worker);
        if (ended || worker->timed_out)
            end_one(pool, i);
    }
    if (pool->progress)
        pool->progress(pool->progress_context, pool->done, pool->job_count);
}

static void order_by_size(struct pool *pool)
{
    pool->order = arena_array(pool->arena, pool->job_count + 1, sizeof(size_t));
    for (size_t i = 0; i < pool->job_count; i++) {
        size_t at = i;
        uint64_t length = pool->tasks[i].job.length;
        for (; at > 0 && pool->tasks[pool->order[at - 1]].job.length < length; at--)
            pool->order[at] = pool->order[at - 1];
        pool->order[at] = i;
    }
}

void worker_run(const struct layer_job *jobs, size_t count, struct arena *arena,
                struct layer_outcome *outcomes, worker_progress *progress, void *context)
{
    CLEANUP_FREE struct pool *pool = memory_alloc(sizeof(*pool));
    size_t at_once = core_count();
    *pool = (struct pool){.tasks = arena_array(arena, count + 1, sizeof(struct task)),
                          .job_count = count,
                          .arena = arena,
                          .outcomes = outcomes,
                          .progress = progress,
                          .progress_context = context};
    memset(outcomes, 0, count * sizeof(*outcomes));
    for (size_t i = 0; i < count; i++)
        pool->tasks[i].job = jobs[i];
    order_by_size(pool);
    while (pool->done < count) {
        bool later = false;
        while (pool->running < at_once && pool->started < count)
            start_next(pool);
        bool room = pool->running < (test_hook_helpers() == SIZE_MAX ? at_once : MAX_WORKERS);
        size_t job = room ? job_to_help(pool, &later) : SIZE_MAX;
        if (job != SIZE_MAX)
            start_helper(pool, job);
        else if (pool->running)
            wait_for_some(pool, later ? HELP_AFTER_MS : WAIT_MS);
    }
}

struct error *worker_start(struct worker **worker, const struct layer_job *job)
{
    *worker = memory_alloc(sizeof(**worker));
    struct error *error = start(*worker, job);
    if (error) {
        close_handles(*worker);
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
            poll(&wait, 1, 200);
            check_on(worker);
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
        if (poll(&wait, 1, 200) > 0 && !receive(worker))
            break;
        check_on(worker);
    }
    finish(worker, arena, outcome);
    free(worker);
}
