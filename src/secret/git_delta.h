/*
 * Deltas of git's packs (gitformat-pack, "Deltified representation"): the sizes of the base and of
 * the result, then instructions, each of which copies a part of the base or adds bytes of its own.
 */
#ifndef PLIMSOLL_SECRET_GIT_DELTA_H
#define PLIMSOLL_SECRET_GIT_DELTA_H

#include "base/slice.h"

/* Pulls both sizes off the front of the delta; false when they are not there, or too large. */
bool git_delta_sizes(slice *delta, uint64_t *base, uint64_t *result);

/* One instruction: `count` bytes from `from` of the base on, or the bytes that it brings itself. */
struct git_delta_step {
    bool copies;
    uint64_t from, count; /* where it copies */
    slice added;          /* where it does not */
};

/* Pulls the next instruction off the front of what follows the sizes; false when it is cut short,
 * or of the kind that git reserves. */
bool git_delta_next(slice *delta, struct git_delta_step *step);

/*
 * Puts together what the instructions (without the sizes) make of the base; `result` has room for
 * `size` bytes. False unless it comes to just that size.
 */
bool git_delta_apply(slice instructions, slice base, char *result, size_t size);

/*
 * What a delta adds, without its base: the bytes that its instructions bring, a line break where
 * something is copied. The delta comes in pieces; all zero is the start.
 */
struct git_delta_added {
    unsigned sizes;    /* of the two at its start, read already */
    unsigned operands; /* bytes of a copy's operands that follow */
    unsigned adding;   /* bytes that an instruction brings and that follow */
};

/* Leaves what is added at the start of the piece, and returns how much that is. */
size_t git_delta_keep_added(struct git_delta_added *added, char *piece, size_t count);

#endif
