#include "base/hash_thread.h"

#include <pthread.h>
#include <signal.h>

enum { QUEUE = 32, STACK_BYTES = 256 * 1024 };

struct piece {
    struct digest *digest;
    const void *bytes;
    size_t count;
};

struct hash_thread {
    pthread_mutex_t lock;
    pthread_cond_t more, fewer;
    struct piece queue[QUEUE];
    uint64_t added, done; /* pieces so far */
    bool ready;
};

static void *run(void *context)
{
    struct hash_thread *thread = context;
    pthread_mutex_lock(&thread->lock);
    thread->ready = true;
    pthread_cond_signal(&thread->fewer);
    for (;;) {
        while (thread->done == thread->added)
            pthread_cond_wait(&thread->more, &thread->lock);
        struct piece piece = thread->queue[thread->done % QUEUE];
        pthread_mutex_unlock(&thread->lock);
        digest_add(piece.digest, piece.bytes, piece.count);
        pthread_mutex_lock(&thread->lock);
        thread->done++;
        pthread_cond_signal(&thread->fewer);
    }
    return NULL;
}

struct hash_thread *hash_thread_start(void)
{
    struct hash_thread *thread = memory_alloc(sizeof(*thread));
    pthread_attr_t attributes;
    pthread_t id;
    sigset_t all, before;
    *thread = (struct hash_thread){.lock = PTHREAD_MUTEX_INITIALIZER,
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

uint64_t hash_thread_add(struct hash_thread *thread, struct digest *digest, const void *bytes,
                         size_t count)
{
    pthread_mutex_lock(&thread->lock);
    while (thread->added - thread->done == QUEUE)
        pthread_cond_wait(&thread->fewer, &thread->lock);
    thread->queue[thread->added % QUEUE] = (struct piece){digest, bytes, count};
    uint64_t number = ++thread->added;
    pthread_cond_signal(&thread->more);
    pthread_mutex_unlock(&thread->lock);
    return number;
}

void hash_thread_wait(struct hash_thread *thread, uint64_t number)
{
    pthread_mutex_lock(&thread->lock);
    while (thread->done < number)
        pthread_cond_wait(&thread->fewer, &thread->lock);
    pthread_mutex_unlock(&thread->lock);
}
