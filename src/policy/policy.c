#include "policy/policy.h"

static void suppress(struct finding *finding, slice reason, const char *by)
{
    if (finding->suppressed_reason.len)
        return;
    finding->suppressed_reason = reason;
    finding->suppressed_by = slice_from_text(by);
}

static void apply_to_secrets(const struct policy *policy, struct arena *arena, struct list *list)
{
    struct image_secret *secrets = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (!policy->severities[secrets[i].severity] && secrets[i].suppressed_reason.len == 0) {
            secrets[i].suppressed_reason =
                arena_format(arena, "%s is not among the severities asked for",
                             severity_names[secrets[i].severity]);
            secrets[i].suppressed_by = SLICE("--severity");
        }
}

void policy_apply(const struct policy *policy, struct arena *arena, struct match_result *result,
                  struct list *secrets)
{
    filters_apply(&policy->filters, arena, result, secrets);
    apply_to_secrets(policy, arena, secrets);
    struct finding **findings = result->findings.items;
    for (size_t i = 0; i < result->findings.count; i++) {
        struct finding *finding = findings[i];
        if (policy->kernel_headers && slice_equal(finding->suppressed_by, SLICE("plimsoll")))
            finding->suppressed_reason = finding->suppressed_by = SLICE_EMPTY;
        if (!policy->severities[finding->severity])
            suppress(finding,
                     arena_format(arena, "%s is not among the severities asked for",
                                  severity_names[finding->severity]),
                     "--severity");
        if (policy->ignore_unfixed && finding->fixed.count == 0)
            suppress(finding, SLICE("no version that repairs it is known"), "--ignore-unfixed");
    }
}

/* What a distribution calls unimportant is shown, but gates only when it is asked for by name. */
static bool closes_gate(const struct policy *policy, const struct finding *finding)
{
    if (finding->suppressed_reason.len)
        return false;
    if (policy->has_fail_on)
        return finding->severity >= policy->fail_on && finding->severity != SEVERITY_UNKNOWN;
    return finding->severity != SEVERITY_NEGLIGIBLE || policy->severities_given;
}

static void add_reason(struct verdict *verdict, struct arena *arena, slice reason)
{
    *(slice *)list_add(&verdict->reasons, arena, sizeof(slice)) = reason;
}

static size_t count_closing(const struct policy *policy, const struct match_result *result)
{
    size_t count = 0;
    struct finding *const *findings = result->findings.items;
    for (size_t i = 0; i < result->findings.count; i++)
        count += closes_gate(policy, findings[i]);
    return count;
}

static void judge_findings(const struct policy *policy, struct arena *arena,
                           const struct match_result *result, struct verdict *verdict)
{
    size_t count = count_closing(policy, result);
    if (count == 0)
        return;
    verdict->exit_code = policy->exit_code ? policy->exit_code : EXIT_GATE;
    slice what = policy->has_fail_on
                     ? arena_format(arena, "%s or worse", severity_names[policy->fail_on])
                     : SLICE("that the gate stops");
    add_reason(
        verdict, arena,
        arena_format(arena, "%zu finding%s %.*s", count, count == 1 ? "" : "s", SLICE_ARG(what)));
}

static void judge_secrets(const struct policy *policy, struct arena *arena, const struct list *list,
                          struct verdict *verdict)
{
    const struct image_secret *secrets = list->items;
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += secrets[i].suppressed_reason.len == 0 &&
                 (!policy->has_fail_on || secrets[i].severity >= policy->fail_on);
    if (count == 0)
        return;
    verdict->exit_code = policy->exit_code ? policy->exit_code : EXIT_GATE;
    add_reason(verdict, arena, arena_format(arena, "%zu secret%s", count, count == 1 ? "" : "s"));
}

static void judge_unjudged(const struct policy *policy, struct arena *arena,
                           const struct match_result *result, struct verdict *verdict)
{
    const struct unjudged *unjudged = result->unjudged.items;
    for (size_t i = 0; i < result->unjudged.count; i++) {
        if (unjudged[i].of == UNJUDGED_ARCHIVES)
            continue;
        bool left_out = filters_leave_out(&policy->filters, &unjudged[i]);
        add_reason(verdict, arena,
                   arena_format(arena, "not judged%s: %.*s",
                                left_out                 ? " (not asked for)"
                                : policy->allow_unjudged ? " (allowed)"
                                                         : "",
                                SLICE_ARG(unjudged_sentence(&unjudged[i], arena))));
        if (left_out || policy->allow_unjudged)
            continue;
        verdict->exit_code = EXIT_UNTRUSTED;
        verdict->blocked_unjudged = true;
    }
}

/* A date that is not known closes the gate as well: it could have passed. */
static void judge_end_of_life(const struct policy *policy, struct arena *arena,
                              const struct match_result *result, struct verdict *verdict)
{
    if (!policy->exit_on_eol || !(result->is_end_of_life || result->end_of_life_unknown))
        return;
    if (result->is_end_of_life || !policy->allow_unjudged)
        verdict->exit_code = policy->exit_on_eol;
    add_reason(verdict, arena,
               result->is_end_of_life
                   ? SLICE("the distribution reached its end of life")
                   : SLICE("it is not known whether the distribution reached its end of life"));
}

void policy_decide(const struct policy *policy, struct arena *arena,
                   const struct match_result *result, const struct list *secrets, size_t untrusted,
                   struct verdict *verdict)
{
    *verdict = (struct verdict){0};
    bool gate = policy->exit_code || policy->has_fail_on;
    if (gate) {
        judge_findings(policy, arena, result, verdict);
        judge_secrets(policy, arena, secrets, verdict);
    }
    judge_end_of_life(policy, arena, result, verdict);
    if (gate)
        judge_unjudged(policy, arena, result, verdict);
    if (untrusted) {
        verdict->exit_code = EXIT_UNTRUSTED;
        add_reason(verdict, arena,
                   arena_format(arena, "%zu thing%s could not be read or trusted", untrusted,
                                untrusted == 1 ? "" : "s"));
    }
    verdict->pass = verdict->exit_code == EXIT_CLEAN;
}
