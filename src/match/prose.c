#include "base/map.h"
#include "match/match.h"

struct prose {
    slice summary, details;
};

/* Many packages of one source share their advisories: each is unpacked once. */
static struct error *look_up(struct map *known, struct arena *arena, struct store *store, slice id,
                             const struct prose **prose)
{
    struct prose *found = map_get(known, id);
    if (!found) {
        found = ARENA_NEW(known->arena, struct prose);
        TRY(store_prose(store, arena, id, &found->summary, &found->details));
        map_put(known, id, found);
    }
    *prose = found;
    return NULL;
}

/* The first advisory that has words gives them. */
static struct error *add_prose(struct finding *finding, struct map *known, struct arena *arena,
                               struct store *store)
{
    const struct advisory *const *advisories = finding->advisories.items;
    for (size_t i = 0; i < finding->advisories.count; i++) {
        const struct prose *prose;
        TRY(look_up(known, arena, store, advisories[i]->id, &prose));
        if (finding->summary.len == 0)
            finding->summary = prose->summary;
        if (finding->details.len == 0)
            finding->details = prose->details;
        if (finding->summary.len && finding->details.len)
            break;
    }
    return NULL;
}

struct error *match_add_prose(struct match_result *result, struct arena *arena, struct store *store)
{
    struct finding *const *findings = result->findings.items;
    CLEANUP_ARENA struct arena scratch = {0};
    struct map known = {.arena = &scratch};
    for (size_t i = 0; i < result->findings.count; i++)
        TRY(add_prose(findings[i], &known, arena, store));
    return NULL;
}
