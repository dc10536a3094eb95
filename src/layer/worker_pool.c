/* The workers of an image's layers, as many at once as there are cores: part of layer/worker.h. */
#include "layer/test_hooks.h"
#include "layer/worker_process.h"
#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>

enum {
    MAX_WORKERS = 64,
    /* Most layers are done before a helper would be of use. */
    HELP_AFTER_MS = 25,
    MAX_HELPERS = 15,
};

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

/* What is packed one worker must unpack. */
static bool is_packed(const struct layer_job *job)
{
    char first[STREAM_MAGIC];
    ssize_t got = pread(job->fd, first, sizeof(first), (off_t)job->offset);
    return got < STREAM_MAGIC || stream_is_packed(slice_make(first, sizeof(first)));
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
    CLEANUP_ERROR struct error *error = worker_process_start(worker, &its_job);
    claims_share(task->job.claims, false);
    worker->job = job;
    worker->helper = helper;
    if (!error) {
        pool->running++;
        task->running++;
        return true;
    }
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
    size_t wished = test_hook_helpers(), most = wished < MAX_HELPERS ? wished : MAX_HELPERS;
    *later = false;
    for (size_t i = 0; i < pool->job_count && pool->started == pool->job_count; i++) {
        const struct task *task = &pool->tasks[i];
        if (task->alone || task->running == 0 || task->helpers >= most)
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
    bool failed = false;
    for (size_t i = 0; i < task->helpers; i++)
        failed |= !task->helped[i].complete;
    if (!failed || !pool->outcomes[job].complete)
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
        record_add_helper(&outcome->record, record, pool->arena);
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
    worker_process_finish(worker, pool->arena, helper ? &task->helped[helper - 1] : outcome);
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
        bool ended = waits[i].revents && !worker_process_receive(worker);
        if (!ended)
            worker_process_check(worker);
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
            wait_for_some(pool, later ? HELP_AFTER_MS : WORKER_WAIT_MS);
    }
}
