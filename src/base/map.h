/* A hash table from slices to pointers, in an arena. Keys are not copied. */
#ifndef PLIMSOLL_BASE_MAP_H
#define PLIMSOLL_BASE_MAP_H

#include "base/memory.h"

struct map_entry {
    uint64_t hash;
    slice key;
    void *value; /* NULL: the slot is free */
};

struct map {
    struct arena *arena;
    struct map_entry *entries;
    size_t count, room; /* room is a power of two */
};

/* A key of several parts: whatever bytes they hold, other parts make another key. */
slice map_key(struct arena *arena, const slice *parts, size_t count);

/* The value under the key, NULL when there is none. */
void *map_get(const struct map *map, slice key);
/* Puts a value that is not NULL under the key, in place of an earlier one. */
void map_put(struct map *map, slice key, void *value);

#endif
