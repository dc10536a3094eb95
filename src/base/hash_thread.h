/*
 * A thread that computes digests beside the one that reads: bytes are handed over by pointer and
 * must stay as they are until they are done. Started before the process is closed in; afterwards it
 * makes no call but to wait (futex).
 */
#ifndef PLIMSOLL_BASE_HASH_THREAD_H
#define PLIMSOLL_BASE_HASH_THREAD_H

#include "base/digest.h"

struct hash_thread;

/* NULL when none can be started: then digests are computed by whoever reads. It lives as long as
 * the process. Returns when the thread has made all the calls that it ever makes but waiting. */
struct hash_thread *hash_thread_start(void);

/* Adds bytes to a digest, in the order of the calls; waits while too much is under way. The number
 * is for hash_thread_wait. */
uint64_t hash_thread_add(struct hash_thread *thread, struct digest *digest, const void *bytes,
                         size_t count);

/* Returns when the bytes of that call, and so of all before it, are done. */
void hash_thread_wait(struct hash_thread *thread, uint64_t number);

#endif
