#include "report/advice.h"
#include "base/map.h"
#include "version/version.h"

/* What one upgrade would do. Debian's binary packages of one source are upgraded together. */
struct upgrade {
    slice type, name, installed, target;
    const struct version_scheme *scheme;
    size_t removed, urgent; /* urgent: HIGH and CRITICAL */
};

static const struct version_scheme *scheme_of(const struct component *component)
{
    bool deb = slice_equal(component->type, SLICE("deb"));
    return version_scheme_named(deb ? SLICE("dpkg") : SLICE("pep440"));
}

/* The nearest version that repairs this finding: fixed is ascending. */
static slice nearest_fix(const struct finding *finding, const struct version_scheme *scheme,
                         slice installed)
{
    const slice *fixed = finding->fixed.items;
    for (size_t i = 0; i < finding->fixed.count; i++)
        if (scheme->compare(fixed[i], installed) > 0)
            return fixed[i];
    return SLICE_EMPTY;
}

static void count_finding(struct map *upgrades, struct arena *arena, const struct finding *finding)
{
    const struct component *component = finding->component;
    bool deb = slice_equal(component->type, SLICE("deb"));
    slice name = deb ? component->source_name : component->name;
    slice installed = deb ? component->source_version : component->version;
    const struct version_scheme *scheme = scheme_of(component);
    slice fix = scheme ? nearest_fix(finding, scheme, installed) : SLICE_EMPTY;
    if (fix.len == 0)
        return;
    slice key = map_key(arena, (slice[]){component->type, name, installed}, 3);
    struct upgrade *upgrade = map_get(upgrades, key);
    if (!upgrade) {
        upgrade = ARENA_NEW(arena, struct upgrade);
        *upgrade = (struct upgrade){
            .type = component->type, .name = name, .installed = installed, .scheme = scheme};
        map_put(upgrades, key, upgrade);
    }
    upgrade->removed++;
    upgrade->urgent += finding->severity >= SEVERITY_HIGH;
    if (upgrade->target.len == 0 || scheme->compare(fix, upgrade->target) > 0)
        upgrade->target = fix;
}

static bool is_better(const struct upgrade *a, const struct upgrade *b)
{
    if (!b || a->urgent != b->urgent)
        return !b || a->urgent > b->urgent;
    if (a->removed != b->removed)
        return a->removed > b->removed;
    return slice_compare(a->name, b->name) < 0;
}

slice advice_write(const struct report *report)
{
    struct map upgrades = {.arena = report->arena};
    struct finding *const *findings = report->result->findings.items;
    size_t shown = 0;
    for (size_t i = 0; i < report->result->findings.count; i++) {
        if (findings[i]->suppressed_reason.len)
            continue;
        shown++;
        count_finding(&upgrades, report->arena, findings[i]);
    }
    const struct upgrade *best = NULL;
    for (size_t i = 0; i < upgrades.room; i++) {
        const struct upgrade *upgrade = upgrades.entries[i].value;
        if (upgrade && is_better(upgrade, best))
            best = upgrade;
    }
    if (!best)
        return SLICE_EMPTY;
    slice urgent = best->urgent
                       ? arena_format(report->arena, ", %zu of them high or critical", best->urgent)
                       : SLICE_EMPTY;
    return arena_format(report->arena,
                        "What helps most: upgrade %s%.*s from %.*s to %.*s, which removes %zu of "
                        "the %zu findings%.*s.",
                        slice_equal(best->type, SLICE("deb")) ? "the packages of source " : "",
                        SLICE_ARG(best->name), SLICE_ARG(best->installed), SLICE_ARG(best->target),
                        best->removed, shown, SLICE_ARG(urgent));
}
