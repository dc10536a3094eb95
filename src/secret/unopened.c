#include "secret/unopened.h"
#include "base/limits.h"

#include <stdlib.h>

static struct unopened *room_for_one(struct list *list, struct arena *arena)
{
    struct unopened *items = list->items;
    if (list->count < LIMIT_UNOPENED_PER_LAYER)
        return list_add(list, arena, sizeof(*items));
    items[list->count - 1].more++;
    return NULL;
}

void unopened_add(struct list *list, struct arena *arena, slice path, slice why)
{
    struct unopened *added = room_for_one(list, arena);
    if (added)
        *added = (struct unopened){.path = arena_copy(arena, path), .why = arena_copy(arena, why)};
}

void unopened_join(struct list *list, const struct list *other, struct arena *arena)
{
    const struct unopened *items = other->items;
    for (size_t i = 0; i < other->count; i++) {
        struct unopened *added = room_for_one(list, arena);
        if (added)
            *added = items[i];
        else
            ((struct unopened *)list->items)[list->count - 1].more += items[i].more;
    }
}

static int compare(const void *one, const void *other)
{
    const struct unopened *a = one, *b = other;
    int order = slice_compare(a->path, b->path);
    return order ? order : slice_compare(a->why, b->why);
}

void unopened_sort(struct list *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof(struct unopened), compare);
}
