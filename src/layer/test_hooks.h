/*
 * Misbehaviour on demand, in test builds only (meson -Dtest_hooks=true), so that the tests can see
 * what the sandbox and the parent make of it. In other builds these are nothing.
 *
 * PLIMSOLL_TEST_WORKER="LAYER:ACTION", ACTION one of the tables in test_hooks.c;
 * PLIMSOLL_TEST_WORKER_SECONDS=N lowers the limits on CPU and wall time.
 */
#ifndef PLIMSOLL_LAYER_TEST_HOOKS_H
#define PLIMSOLL_LAYER_TEST_HOOKS_H

#include <stddef.h>
#include <stdint.h>

#ifdef PLIMSOLL_TEST_HOOKS
/* In the worker, once it is closed in. */
void test_hook_misbehave(size_t layer, int output);
/* In the parent: the signal to send to that layer's worker, or 0. */
int test_hook_signal(size_t layer);
uint64_t test_hook_seconds(uint64_t otherwise);
#else
static inline void test_hook_misbehave(size_t layer, int output)
{
    (void)layer;
    (void)output;
}
static inline int test_hook_signal(size_t layer)
{
    (void)layer;
    return 0;
}
static inline uint64_t test_hook_seconds(uint64_t otherwise)
{
    return otherwise;
}
#endif

#endif
