/*
 * A thread beside the one that does the work: it reads ahead, or computes digests, one job after
 * the other in the order they came. What a job points to must stay as it is until the job is done.
 * Started before the process is closed in; by itself it makes no call but to wait (futex).
 */
#ifndef PLIMSOLL_BASE_SIDE_THREAD_H
#define PLIMSOLL_BASE_SIDE_THREAD_H

#include "base/memory.h"

struct side_thread;

struct side_job {
    void (*run)(void *context, const void *bytes, size_t count);
    void *context;
    const void *bytes;
    size_t count;
};

/* NULL when none can be started: then the work is done by whoever has it. It lives as long as
 * the process. Returns when the thread has made all the calls that it ever makes but waiting and
 * what its jobs do. */
struct side_thread *side_thread_start(void);

/* Adds a job; waits while too many are under way. The number is for the two below. */
uint64_t side_thread_add(struct side_thread *thread, struct side_job job);

/* Returns when that job, and so all before it, are done. */
void side_thread_wait(struct side_thread *thread, uint64_t number);

/* Whether it is done. */
bool side_thread_is_done(struct side_thread *thread, uint64_t number);

#endif
