#include "compare/compare.h"

struct side_counts compare_count(const struct side *side)
{
    const struct side_finding *findings = side->findings.items;
    struct side_counts counts = {.all = side->findings.count, .secrets = side->secrets.count};
    for (size_t i = 0; i < side->findings.count; i++) {
        counts.by_severity[findings[i].severity]++;
        counts.fixable += findings[i].fixed.count > 0;
        counts.exploited += findings[i].kev;
        counts.in_base += findings[i].base == BASE_YES;
        counts.in_own += findings[i].base == BASE_NO;
    }
    return counts;
}

bool compare_percent(uint64_t before, uint64_t after, int64_t *tenths)
{
    if (before == 0)
        return false;
    double change = ((double)after - (double)before) * 1000.0 / (double)before;
    change = change < 1e15 ? change : 1e15; /* beyond counting */
    *tenths = (int64_t)(change < 0 ? change - 0.5 : change + 0.5);
    return true;
}

bool compare_is_end_of_life(const struct side *side, slice today)
{
    return slice_equal(side->end_of_life, SLICE("true")) ||
           (side->end_of_life.len == 10 && slice_compare(side->end_of_life, today) <= 0);
}

bool compare_is_possible(const struct comparison *comparison)
{
    bool possible = true;
    for (size_t i = 0; i < comparison->side_count; i++)
        possible &= comparison->sides[i].errors.count == 0 || comparison->sides[i].layer_count > 0;
    return possible;
}

static void add_sentence(struct list *list, struct arena *arena, slice sentence)
{
    *(slice *)list_add(list, arena, sizeof(slice)) = sentence;
}

static void compare_pair(struct comparison *comparison)
{
    struct arena *arena = comparison->arena;
    const struct side *before = &comparison->sides[0], *after = &comparison->sides[1];
    compare_packages(&comparison->packages, arena, before, after);
    compare_findings(&comparison->findings, arena, before, after, &comparison->packages);
    compare_secrets(&comparison->secrets, arena, before, after);
    const struct package_change *packages = comparison->packages.items;
    for (size_t i = 0; i < comparison->packages.count; i++)
        comparison->package_fates[packages[i].fate]++;
    const struct finding_change *findings = comparison->findings.items;
    for (size_t i = 0; i < comparison->findings.count; i++)
        comparison->finding_fates[findings[i].fate]++;
    const struct secret_change *secrets = comparison->secrets.items;
    for (size_t i = 0; i < comparison->secrets.count; i++)
        comparison->secret_fates[secrets[i].fate]++;
}

/* What makes two numbers differ although the images do not. */
static void add_notes(struct comparison *comparison)
{
    struct arena *arena = comparison->arena;
    const struct side *sides = comparison->sides;
    bool stores = false, platforms = false;
    for (size_t i = 1; i < comparison->side_count; i++) {
        stores |= sides[i].store_built.len && sides[0].store_built.len &&
                  !slice_equal(sides[i].store_built, sides[0].store_built);
        platforms |= sides[i].platform.len && sides[0].platform.len &&
                     !slice_equal(sides[i].platform, sides[0].platform);
    }
    if (stores)
        add_sentence(&comparison->notes, arena,
                     SLICE("They were judged by advisory stores of different dates: what is new "
                           "may be the advisory, not the vulnerability. Scan both again to be "
                           "sure."));
    if (platforms)
        add_sentence(&comparison->notes, arena, SLICE("They are for different platforms."));
    for (size_t i = 0; i < comparison->side_count; i++) {
        if (sides[i].suppressed)
            add_sentence(&comparison->notes, arena,
                         arena_format(arena, "%.*s: %zu more %s suppressed and not counted.",
                                      SLICE_ARG(sides[i].name), sides[i].suppressed,
                                      sides[i].suppressed == 1 ? "is" : "are"));
        if (compare_is_end_of_life(&sides[i], comparison->today))
            add_sentence(&comparison->notes, arena,
                         arena_format(arena, "%.*s: %.*s has reached its end of life.",
                                      SLICE_ARG(sides[i].name), SLICE_ARG(sides[i].os_name)));
    }
}

void compare_run(struct comparison *comparison)
{
    size_t count = comparison->side_count;
    compare_join_secrets(comparison);
    comparison->counts = arena_array(comparison->arena, count + 1, sizeof(struct side_counts));
    for (size_t i = 0; i < count; i++) {
        comparison->counts[i] = compare_count(&comparison->sides[i]);
        comparison->untrusted += comparison->sides[i].errors.count;
    }
    if (!compare_is_pair(comparison))
        compare_rank(comparison);
    else if (compare_is_possible(comparison))
        compare_pair(comparison);
    add_notes(comparison);
    compare_decide(comparison);
}
