#include "base/side_thread.h"

#include <pthread.h>
#include <signal.h>

enum { QUEUE = 32, STACK_BYTES = 256 * 1024 };

struct side_thread {
    pthread_mutex_t lock;
    pthread_cond_t more, fewer;
    struct side_job queue[QUEUE];
    uint64_t added, done; /* jobs so far */
    bool ready;
};

static void *run(void *context)
{
    struct side_thread *thread = context;
    pthread_mutex_lock(&thread->lock);
    thread->ready = true;
    pthread_cond_signal(&thread->fewer);
    for (;;) {
        while (thread->done == thread->added)
            pthread_cond_wait(&thread->more, &thread->lock);
        struct side_job job = thread->queue[thread->done % QUEUE];
        pthread_mutex_unlock(&thread->lock);
        job.run(job.context, job.bytes, job.count);
        pthread_mutex_lock(&thread->lock);
        thread->done++;
        pthread_cond_signal(&thread->fewer);
    }
    return NULL;
}

struct side_thread *side_thread_start(void)
{
    struct side_thread *thread = memory_alloc(sizeof(*thread));
    pthread_attr_t attributes;
    pthread_t id;
    sigset_t all, before;
    *thread = (struct side_thread){.lock = PTHREAD_MUTEX_INITIALIZER,
                                   .more = PTHREAD_COND_INITIALIZER,
                                   .fewer = PTHREAD_COND_INITIALIZER};
    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int failed = pthread_create(&id, &attributes, run, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (failed) {
        free(thread);
        return NULL;
    }
    pthread_mutex_lock(&thread->lock);
    while (!thread->ready)
        pthread_cond_wait(&thread->fewer, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
    return thread;
}

uint64_t side_thread_add(struct side_thread *thread, struct side_job job)
{
    pthread_mutex_lock(&thread->lock);
    while (thread->added - thread->done == QUEUE)
        pthread_cond_wait(&thread->fewer, &thread->lock);
    thread->queue[thread->added % QUEUE] = job;
    uint64_t number = ++thread->added;
    pthread_cond_signal(&thread->more);
    pthread_mutex_unlock(&thread->lock);
    return number;
}

void side_thread_wait(struct side_thread *thread, uint64_t number)
{
    pthread_mutex_lock(&thread->lock);
    while (thread->done < number)
        pthread_cond_wait(&thread->fewer, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}

bool side_thread_is_done(struct side_thread *thread, uint64_t number)
{
    pthread_mutex_lock(&thread->lock);
    bool done = thread->done >= number;
    pthread_mutex_unlock(&thread->lock);
    return done;
}
