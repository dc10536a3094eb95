#include "report/advice.h"
#include "base/map.h"
#include "version/version.h"

/* What one upgrade would do. Debian's binary packages of one source are upgraded together. */
struct upgrade {
    slice type, name, installed, target;
    const struct version_scheme *scheme;
    struct list findings;   /* of const struct finding * */
    size_t removed, urgent; /* at the target; urgent: HIGH and CRITICAL */
};

static const struct version_scheme *scheme_of(const struct component *component)
{
    bool deb = slice_equal(component->type, SLICE("deb"));
    return version_scheme_named(deb ? SLICE("dpkg") : SLICE("pep440"));
}

static void add_finding(struct map *upgrades, struct arena *arena, const struct finding *finding)
{
    const struct component *component = finding->component;
    bool deb = slice_equal(component->type, SLICE("deb"));
    slice name = deb ? component->source_name : component->name;
    slice installed = deb ? component->source_version : component->version;
    slice key = map_key(arena, (slice[]){component->type, name, installed}, 3);
    struct upgrade *upgrade = map_get(upgrades, key);
    if (!upgrade) {
        upgrade = ARENA_NEW(arena, struct upgrade);
        *upgrade = (struct upgrade){.type = component->type,
                                    .name = name,
                                    .installed = installed,
                                    .scheme = scheme_of(component)};
        map_put(upgrades, key, upgrade);
    }
    *(const struct finding **)list_add(&upgrade->findings, arena, sizeof(void *)) = finding;
}

/* Whether the finding would still hold at that version: another branch may be affected again. */
static bool holds_at(const struct finding *finding, const struct version_scheme *scheme,
                     slice version)
{
    const struct advisory *const *advisories = finding->advisories.items;
    for (size_t i = 0; i < finding->advisories.count; i++) {
        const struct advisory *advisory = advisories[i];
        if (version_in_list(scheme, version, advisory->versions, advisory->version_count))
            return true;
        for (size_t j = 0; j < advisory->range_count; j++)
            if (version_in_range(scheme, version, &advisory->ranges[j], NULL))
                return true;
    }
    return false;
}

static void count_removed(const struct upgrade *upgrade, slice target, size_t *removed,
                          size_t *urgent)
{
    const struct finding *const *findings = upgrade->findings.items;
    *removed = *urgent = 0;
    for (size_t i = 0; i < upgrade->findings.count; i++) {
        if (holds_at(findings[i], upgrade->scheme, target))
            continue;
        ++*removed;
        *urgent += findings[i]->severity >= SEVERITY_HIGH;
    }
}

/* Looks at one version that repairs something: more removed is better, then a nearer version. */
static void try_target(struct upgrade *upgrade, slice target)
{
    size_t removed, urgent;
    if (upgrade->scheme->compare(target, upgrade->installed) <= 0)
        return;
    count_removed(upgrade, target, &removed, &urgent);
    bool nearer = removed == upgrade->removed && upgrade->target.len &&
                  upgrade->scheme->compare(target, upgrade->target) < 0;
    if (removed <= upgrade->removed && !nearer)
        return;
    upgrade->target = target;
    upgrade->removed = removed;
    upgrade->urgent = urgent;
}

/* The kernel alone has thousands; what a few hundred versions do is advice enough. */
enum { MAX_TARGETS = 300 };

static void find_target(struct upgrade *upgrade, struct arena *arena)
{
    const struct finding *const *findings = upgrade->findings.items;
    struct map tried = {.arena = arena};
    for (size_t i = 0; i < upgrade->findings.count; i++)
        for (size_t j = 0; j < findings[i]->fixed.count && tried.count < MAX_TARGETS; j++) {
            slice target = ((const slice *)findings[i]->fixed.items)[j];
            if (map_get(&tried, target))
                continue; /* one version often repairs many */
            map_put(&tried, target, upgrade);
            try_target(upgrade, target);
        }
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
        add_finding(&upgrades, report->arena, findings[i]);
    }
    const struct upgrade *best = NULL;
    for (size_t i = 0; i < upgrades.room; i++) {
        struct upgrade *upgrade = upgrades.entries[i].value;
        if (!upgrade)
            continue;
        find_target(upgrade, report->arena);
        if (upgrade->removed && is_better(upgrade, best))
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
