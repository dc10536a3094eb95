/* Sets of path hashes: part of layer/record.h. */
#include "layer/record.h"

/*
 * Radix sort, a byte a pass. (qsort of the C library asks the kernel how much memory there is,
 * which a worker may not.)
 */
static void sort_hashes(uint64_t *hashes, uint64_t *other, size_t count)
{
    for (unsigned shift = 0; shift < 64; shift += 8) {
        size_t starts[257] = {0};
        for (size_t i = 0; i < count; i++)
            starts[(hashes[i] >> shift & 0xff) + 1]++;
        for (size_t i = 0; i < 256; i++)
            starts[i + 1] += starts[i];
        for (size_t i = 0; i < count; i++)
            other[starts[hashes[i] >> shift & 0xff]++] = hashes[i];
        uint64_t *swap = hashes;
        hashes = other;
        other = swap;
    }
}

struct path_set path_set_make(struct arena *arena, slice hashes)
{
    size_t count = hashes.len / sizeof(uint64_t);
    if (count == 0)
        return (struct path_set){0};
    uint64_t *sorted = arena_array(arena, count, sizeof(uint64_t));
    CLEANUP_FREE uint64_t *other = memory_alloc(count * sizeof(uint64_t));
    memcpy(sorted, hashes.ptr, count * sizeof(uint64_t));
    sort_hashes(sorted, other, count); /* eight passes: the result is back in `sorted` */
    return (struct path_set){sorted, count};
}

bool path_set_has(const struct path_set *set, uint64_t hash)
{
    size_t low = 0, high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (set->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < set->count && set->hashes[low] == hash;
}
