/*
 * What is true of every order of versions: checked on three texts, which the lines of the input
 * are. Also included by fuzz_range.c for its lines.
 */
#ifndef PLIMSOLL_TESTS_ORDER_H
#define PLIMSOLL_TESTS_ORDER_H

#undef NDEBUG
#include "version/version.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline int order_sign(int order)
{
    return (order > 0) - (order < 0);
}

/* The next line of the input, empty when there are no more. */
static inline slice next_line(slice *rest)
{
    slice line = SLICE_EMPTY;
    slice_pull(rest, '\n', &line);
    return line;
}

static inline void check_pair(const struct version_scheme *scheme, slice a, slice b)
{
    int order = order_sign(scheme->compare(a, b));
    assert(order == -order_sign(scheme->compare(b, a)));
    bool a_valid = scheme->valid(a);
    bool b_valid = scheme->valid(b);
    if (a_valid != b_valid)
        assert(order == (a_valid ? 1 : -1));
    if (!a_valid && !b_valid)
        assert(order == order_sign(slice_compare(a, b)));
    if (slice_equal(a, b))
        assert(order == 0);
    if (!a_valid || !b_valid)
        assert(order_sign(scheme->compare_bound(a, b)) == order);
    /* A bound may be blind to what tells versions apart, but never sees them the other way round.
     */
    int bound = order_sign(scheme->compare_bound(a, b));
    assert(bound == order || bound == 0);
}

static inline void check_order(const struct version_scheme *scheme, slice input)
{
    slice text[3];
    for (size_t i = 0; i < 3; i++)
        text[i] = next_line(&input);
    for (size_t a = 0; a < 3; a++) {
        assert(scheme->compare(text[a], text[a]) == 0);
        for (size_t b = 0; b < 3; b++) {
            check_pair(scheme, text[a], text[b]);
            size_t c = 3 - a - b;
            if (a == b || c > 2)
                continue;
            int first = order_sign(scheme->compare(text[a], text[b]));
            int second = order_sign(scheme->compare(text[b], text[c]));
            int whole = order_sign(scheme->compare(text[a], text[c]));
            if (first == 0)
                assert(whole == second);
            if (second == 0 || first == second)
                assert(whole == first);
        }
    }
}

#endif
