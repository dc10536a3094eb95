#include "base/map.h"
#include "base/buffer.h"

static struct map_entry *find_slot(const struct map *map, slice key, uint64_t hash)
{
    size_t at = hash & (map->room - 1);
    for (;; at = (at + 1) & (map->room - 1)) {
        struct map_entry *entry = &map->entries[at];
        if (!entry->value || (entry->hash == hash && slice_equal(entry->key, key)))
            return entry;
    }
}

void *map_get(const struct map *map, slice key)
{
    if (map->count == 0)
        return NULL;
    return find_slot(map, key, slice_hash(key))->value;
}

static void grow(struct map *map)
{
    struct map old = *map;
    map->room = old.room ? old.room * 2 : 64;
    map->entries = arena_array(map->arena, map->room, sizeof(struct map_entry));
    for (size_t i = 0; i < old.room; i++)
        if (old.entries[i].value)
            *find_slot(map, old.entries[i].key, old.entries[i].hash) = old.entries[i];
}

void map_put(struct map *map, slice key, void *value)
{
    if (map->count * 2 >= map->room)
        grow(map);
    uint64_t hash = slice_hash(key);
    struct map_entry *entry = find_slot(map, key, hash);
    map->count += entry->value == NULL;
    *entry = (struct map_entry){hash, key, value};
}

slice map_key(struct arena *arena, const slice *parts, size_t count)
{
    CLEANUP_BUFFER struct buffer key = {0};
    for (size_t i = 0; i < count; i++)
        buffer_add_string(&key, parts[i]);
    return arena_copy(arena, buffer_slice(&key));
}
