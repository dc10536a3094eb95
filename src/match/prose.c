#include "match/match.h"

/* The first advisory that has words gives them. */
static struct error *add_prose(struct finding *finding, struct arena *arena, struct store *store)
{
    const struct advisory *const *advisories = finding->advisories.items;
    for (size_t i = 0; i < finding->advisories.count; i++) {
        slice summary, details;
        TRY(store_prose(store, arena, advisories[i]->id, &summary, &details));
        if (finding->summary.len == 0)
            finding->summary = summary;
        if (finding->details.len == 0)
            finding->details = details;
        if (finding->summary.len && finding->details.len)
            break;
    }
    return NULL;
}

struct error *match_add_prose(struct match_result *result, struct arena *arena, struct store *store)
{
    struct finding *const *findings = result->findings.items;
    for (size_t i = 0; i < result->findings.count; i++)
        TRY(add_prose(findings[i], arena, store));
    return NULL;
}
