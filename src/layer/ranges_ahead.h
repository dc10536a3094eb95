/*
 * The stretches of a layer that a lazy walk will read, in the order in which it will read them.
 * They are asked for ahead, several in one range where little lies between them, so that a process
 * that fetches is never idle and makes few requests.
 *
 * Used by walk_lazy.c; runs in the worker.
 */
#ifndef PLIMSOLL_LAYER_RANGES_AHEAD_H
#define PLIMSOLL_LAYER_RANGES_AHEAD_H

#include "archive/stream.h"
#include "layer/layer_bytes.h"

enum {
    RANGES_WANTED = 4096,         /* stretches that are known ahead */
    RANGES_GAP_ASKED = 16 * 1024, /* fewer bytes between two stretches are fetched along */
};

struct ranges_ahead {
    struct layer_bytes *bytes;
    struct layer_range wanted[RANGES_WANTED]; /* rings: `first` is the oldest */
    size_t wanted_first, wanted_count;
    struct layer_range asked[LAYER_BYTES_AHEAD];
    size_t asked_first, asked_count;
    struct layer_range gathered; /* grows by what is wanted next; not asked for yet */
};

/* Whether another one can be wanted before something is read. */
bool ranges_full(const struct ranges_ahead *ahead);

/* A stretch that will be read, behind all that are wanted already. */
MUST_CHECK struct error *ranges_want(struct ranges_ahead *ahead, struct layer_range range);

/* Asks for what was gathered: nothing follows that could be fetched along. */
MUST_CHECK struct error *ranges_ask(struct ranges_ahead *ahead);

/* The wanted stretch that begins at `offset`, as a stream; those before it are passed over. */
MUST_CHECK struct error *ranges_open(struct ranges_ahead *ahead, uint64_t offset,
                                     struct stream **stream);

#endif
