/* One worker process, from its start to its outcome: what worker.c and worker_pool.c share. */
#ifndef PLIMSOLL_LAYER_WORKER_PROCESS_H
#define PLIMSOLL_LAYER_WORKER_PROCESS_H

#include "layer/worker.h"

enum { WORKER_WAIT_MS = 200 }; /* between looks at whether one hangs */

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

/* Forks it; after an error nothing of it is left. */
MUST_CHECK struct error *worker_process_start(struct worker *worker, const struct layer_job *job);

/* Takes what it has sent; false when it has closed its end. */
bool worker_process_receive(struct worker *worker);

/* Ends it when it is past its time, or when a signal has stopped it and nobody may ever wake it. */
void worker_process_check(struct worker *worker);

/* Reaps it, and its feeder; what came of it lives in the arena. */
void worker_process_finish(struct worker *worker, struct arena *arena,
                           struct layer_outcome *outcome);

#endif
