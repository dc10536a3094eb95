/*
 * The cache of layer records: a layer seen before is not read again, whatever image it comes in.
 * One file for each record in a folder of the user's own. Any number of processes may use it at
 * once: a record is written beside and renamed, so a reader sees a whole one or none; what does not
 * pass its checks on the way in is taken as not there. What another user could have written is
 * never read: the folder and its files must belong to the effective user and be writable by nobody
 * else.
 *
 * The cache only makes things faster: no failure of it fails a scan.
 */
#ifndef PLIMSOLL_LAYER_CACHE_H
#define PLIMSOLL_LAYER_CACHE_H

#include "base/error.h"

struct layer_cache;

/* "$XDG_CACHE_HOME/plimsoll", else "$HOME/.cache/plimsoll", in the arena; NULL without either. */
const char *layer_cache_place(struct arena *arena);

/*
 * Opens the cache in `folder` (made, mode 0700, when it is not there; records lie in its "layers").
 * `max_bytes`: what all records may take together. NULL in *cache with an error says why it cannot
 * be used: not the user's own, writable by others, a link, not writable.
 */
MUST_CHECK struct error *layer_cache_open(struct layer_cache **cache, const char *folder,
                                          uint64_t max_bytes);

/*
 * The bytes stored under `key` (any text; what the record depends on), in the arena. False when
 * they are not there, or damaged (then the file is removed). Marks them as used now.
 */
bool layer_cache_get(struct layer_cache *cache, slice key, struct arena *arena, slice *bytes);

/* Stores bytes under a key, over what was there. Quietly does nothing when that cannot be done. */
void layer_cache_put(struct layer_cache *cache, slice key, slice bytes);

/* The two above as callbacks; the context is the cache. */
bool layer_cache_recall(void *cache, slice key, struct arena *arena, slice *bytes);
void layer_cache_keep(void *cache, slice key, slice bytes);

/* Closes it; when something was stored, removes the least recently used beyond max_bytes, and what
 * processes that were killed have left behind. NULL is allowed. */
void layer_cache_close(struct layer_cache *cache);

struct layer_cache_status {
    size_t records;
    uint64_t bytes;
    size_t leftovers; /* of processes that were killed */
    int64_t oldest;   /* seconds since 1970 of the least recently used; 0: empty */
};
MUST_CHECK struct error *layer_cache_status(const char *folder, struct layer_cache_status *status);

/* Removes every record; *removed says how many and how large they were. */
MUST_CHECK struct error *layer_cache_clear(const char *folder, struct layer_cache_status *removed);

#endif
