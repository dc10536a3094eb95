/*
 * A process that fetches bytes into a pipe: of a layer, for the worker that reads it and has no
 * network (the one that has it never looks at a layer), or of what a daemon exports. All of it in
 * one go, or the ranges that are asked for.
 */
#ifndef PLIMSOLL_ARCHIVE_FEEDER_H
#define PLIMSOLL_ARCHIVE_FEEDER_H

#include "base/error.h"

#include <sys/types.h>

/* What the process does: writes to `output`; `requests` as in struct image_remote. */
struct feed {
    struct error *(*run)(void *context, size_t index, int output, int requests);
    void *context;
};

struct feeder {
    pid_t pid;   /* 0: there is none */
    int failure; /* why it failed comes from here */
};

/*
 * Starts it. *input is the end that the worker reads, *requests the one where it asks (-1 unless
 * `on_demand`); both are the caller's.
 */
MUST_CHECK struct error *feeder_start(struct feeder *feeder, const struct feed *feed, size_t index,
                                      bool on_demand, int *input, int *requests);

/* Ends it when it has not ended by itself, and says why it failed; empty when it did not. */
slice feeder_finish(struct feeder *feeder, struct arena *arena);

#endif
