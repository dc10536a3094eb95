/*
 * Misbehaviour on demand, in test builds only (meson -Dtest_hooks=true), so that the tests can see
 * what the sandbox and the parent make of it. In other builds these are nothing.
 *
 * PLIMSOLL_TEST_WORKER="LAYER:ACTION", ACTION one of the tables in test_hooks.c;
 * PLIMSOLL_TEST_WORKER_SECONDS=N lowers the limits on CPU and wall time.
 * PLIMSOLL_TEST_HELPERS=N starts so many helpers at once, whatever cores there are; to
 * PLIMSOLL_TEST_WORKER they are layers from TEST_HOOK_HELPER on.
 */
#ifndef PLIMSOLL_LAYER_TEST_HOOKS_H
#define PLIMSOLL_LAYER_TEST_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEST_HOOK_HELPER = 1000000 };

static inline size_t test_hook_layer(size_t layer, bool helper)
{
    return helper ? TEST_HOOK_HELPER + layer : layer;
}

#ifdef PLIMSOLL_TEST_HOOKS
/* In the worker, once it is closed in. */
void test_hook_misbehave(size_t layer, int output);
/* In the parent: the signal to send to that layer's worker, or 0. */
int test_hook_signal(size_t layer);
uint64_t test_hook_seconds(uint64_t otherwise);
/* Helpers for each layer that can be helped; SIZE_MAX: as many as there are cores for. */
size_t test_hook_helpers(void);
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
static inline size_t test_hook_helpers(void)
{
    return SIZE_MAX;
}
#endif

#endif
