/* Archives in which nobody could look for secrets: they stand beside what could not be judged. */
#include "match/match.h"

void match_add_unopened(struct match_result *result, struct arena *arena,
                        const struct inventory *inventory)
{
    const struct image_unopened *items = inventory->unopened.items;
    size_t count = inventory->unopened.count;
    if (count == 0)
        return;
    uint64_t all = 0;
    for (size_t i = 0; i < count; i++)
        all += 1 + items[i].unopened->more;
    /* One that somebody put there tells more than test data of a package. */
    const struct image_unopened *first = &items[0];
    for (size_t i = 0; i < count && first->is_test_data; i++)
        first = &items[i];
    slice reason = arena_format(
        arena, "%.*s in layer %zu (%.*s)%s", SLICE_ARG(first->unopened->path), first->layer,
        SLICE_ARG(first->unopened->why),
        all > 1 ? arena_format(arena, ", and %llu more", (unsigned long long)all - 1).ptr : "");
    struct unjudged *unjudged = list_add(&result->unjudged, arena, sizeof(*unjudged));
    *unjudged = (struct unjudged){SLICE("archives"), (size_t)all, reason, UNJUDGED_ARCHIVES};
}
