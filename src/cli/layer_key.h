/*
 * What a layer's record is kept under in the cache: all that it depends on. The diff ID, which is
 * the layer's content; or, where the bytes are not hashed, what stands for them.
 */
#ifndef PLIMSOLL_CLI_LAYER_KEY_H
#define PLIMSOLL_CLI_LAYER_KEY_H

#include "cli/read_layers.h"

enum layer_key_kind {
    KEY_PLACE,  /* this range of this file, or this folder, unchanged since */
    KEY_TOC,    /* by the digest of the table of contents, which has those of all chunks */
    KEY_DIFF_ID /* by the digest of all that is in it */
};

struct layer_keys {
    slice keys[2];
    enum layer_key_kind kinds[2];
    size_t count;
    slice diff_id;
};

/* For reading->made_by, a part of every key: the versions of all that a record is made by. */
slice layer_makers(const struct layer_reading *reading);

/* The keys of one layer, the surest first; in the reading's arena. */
struct layer_keys layer_keys_of(const struct layer_reading *reading, size_t index);

/* Whether a record read now may be kept under that key: never under a diff ID that was not computed
 * from the bytes, or anyone could put a record in the place of another layer's. */
bool layer_key_is_proven(const struct layer_keys *keys, size_t key,
                         const struct record_statistics *statistics);

#endif
