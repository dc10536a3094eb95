/* The worker's side of the fork: used by worker.c only. */
#ifndef PLIMSOLL_LAYER_WORKER_CHILD_H
#define PLIMSOLL_LAYER_WORKER_CHILD_H

#include "layer/worker.h"

/* Ways for a worker to end early that its parent puts into words. */
enum { WORKER_EXIT_MEMORY = 3, WORKER_EXIT_SANDBOX = 4, WORKER_EXIT_PIPE = 5 };

/* What a worker keeps when it is closed in: handles, -1 for none. */
struct worker_handles {
    int input;    /* the job's fd, or the reading end of a pipe */
    int requests; /* where ranges are asked for, when the input answers */
    int output;   /* for the record */
    int spill;
    /* Made by the worker itself; NULL for none. */
    struct side_thread *reader, *unpacker, *hasher;
};

/* Closes itself in, walks the layer, writes the record to the output, ends. Never returns. */
_Noreturn void worker_child(const struct layer_job *job, struct worker_handles *handles);

#endif
