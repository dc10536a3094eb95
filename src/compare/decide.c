/* The gates of a comparison of two. */
#include "compare/compare.h"

static void add_reason(struct comparison *comparison, slice reason)
{
    *(slice *)list_add(&comparison->reasons, comparison->arena, sizeof(slice)) = reason;
}

static void close_gate(struct comparison *comparison, slice reason)
{
    comparison->exit_code = EXIT_GATE;
    add_reason(comparison, reason);
}

static void judge_new(struct comparison *comparison)
{
    const struct compare_gates *gates = &comparison->gates;
    const struct finding_change *findings = comparison->findings.items;
    const struct secret_change *secrets = comparison->secrets.items;
    size_t count = 0, leaked = 0;
    for (size_t i = 0; i < comparison->findings.count; i++)
        count += findings[i].fate == FATE_NEW && findings[i].after->severity >= gates->max_new;
    for (size_t i = 0; i < comparison->secrets.count; i++)
        leaked += secrets[i].fate == FATE_NEW && secrets[i].secret->severity >= gates->max_new;
    if (count + leaked <= gates->most_new)
        return;
    slice with = leaked ? arena_format(comparison->arena, " and %zu new secret%s", leaked,
                                       leaked == 1 ? "" : "s")
                        : SLICE_EMPTY;
    close_gate(comparison,
               arena_format(comparison->arena,
                            "%zu new finding%s%.*s of %s or worse, where %llu may be (--max-new)",
                            count, count == 1 ? "" : "s", SLICE_ARG(with),
                            severity_names[gates->max_new], (unsigned long long)gates->most_new));
}

static void judge_reduction(struct comparison *comparison)
{
    size_t before = comparison->counts[0].all, after = comparison->counts[1].all;
    unsigned wanted = comparison->gates.min_reduction;
    int64_t tenths;
    if (before == 0 && after == 0)
        return;
    if (!compare_percent(before, after, &tenths)) {
        close_gate(comparison, arena_format(comparison->arena,
                                            "from no finding to %zu, which is no reduction by %u%% "
                                            "(--min-reduction)",
                                            after, wanted));
        return;
    }
    /* In whole numbers: 49.96% is not 50%. */
    if (after <= before && (before - after) * 100 >= before * (size_t)wanted)
        return;
    close_gate(comparison, arena_format(comparison->arena,
                                        "from %zu finding%s to %zu is not a reduction by %u%% "
                                        "(--min-reduction)",
                                        before, before == 1 ? "" : "s", after, wanted));
}

/* What could not be judged may hide what the gate is to stop: on either side it spoils the sum. */
static void judge_unjudged(struct comparison *comparison)
{
    bool allowed = comparison->gates.allow_unjudged;
    for (size_t i = 0; i < comparison->side_count; i++) {
        const struct side *side = &comparison->sides[i];
        const slice *unjudged = side->unjudged.items;
        for (size_t j = 0; j < side->unjudged.count; j++)
            add_reason(comparison, arena_format(comparison->arena, "not judged%s in %.*s: %.*s",
                                                allowed ? " (allowed)" : "", SLICE_ARG(side->name),
                                                SLICE_ARG(unjudged[j])));
        if (side->unjudged.count && !allowed)
            comparison->exit_code = EXIT_UNTRUSTED;
    }
}

void compare_decide(struct comparison *comparison)
{
    const struct compare_gates *gates = &comparison->gates;
    bool possible = compare_is_pair(comparison) && compare_is_possible(comparison);
    if (possible && gates->has_max_new)
        judge_new(comparison);
    if (possible && gates->has_min_reduction)
        judge_reduction(comparison);
    if (gates->has_max_new || gates->has_min_reduction)
        judge_unjudged(comparison);
    if (comparison->untrusted) {
        comparison->exit_code = EXIT_UNTRUSTED;
        add_reason(comparison,
                   arena_format(comparison->arena, "%zu thing%s could not be read or trusted",
                                comparison->untrusted, comparison->untrusted == 1 ? "" : "s"));
    }
}
