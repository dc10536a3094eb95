#include "report/cyclonedx.h"
#include "base/map.h"
#include "report/parts.h"

/* Findings of one vulnerability with one fate stand together. */
static int compare(const void *left, const void *right)
{
    const struct finding *a = *(struct finding *const *)left, *b = *(struct finding *const *)right;
    int order = slice_compare(a->id, b->id);
    order = order ? order : slice_compare(a->suppressed_reason, b->suppressed_reason);
    order = order ? order : (int)a->severity - (int)b->severity;
    order = order ? order : component_compare(a->component, b->component);
    return order ? order : slice_compare(a->component->ref, b->component->ref);
}

static bool belong_together(const struct finding *a, const struct finding *b)
{
    return slice_equal(a->id, b->id) && a->severity == b->severity &&
           slice_equal(a->suppressed_reason, b->suppressed_reason);
}

/* "CVSSv31" of "CVSS:3.1/AV:N/…"; 1.4 knows no 4.0. */
static const char *method_of(slice vector, bool is_14)
{
    static const struct {
        const char *prefix, *method;
    } methods[] = {{"CVSS:4.", "CVSSv4"}, {"CVSS:3.1/", "CVSSv31"}, {"CVSS:3.0/", "CVSSv3"}};
    for (size_t i = is_14; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (slice_starts(vector, slice_from_text(methods[i].prefix)))
            return methods[i].method;
    return slice_starts(vector, SLICE("AV:")) ? "CVSSv2" : "other";
}

static void add_rating(struct markup *markup, const struct finding *finding, bool is_14)
{
    static const char *const words[SEVERITY_COUNT] = {"unknown", "info", "low",
                                                      "medium",  "high", "critical"};
    markup_begin_list(markup, "ratings");
    markup_begin_item(markup, "rating");
    if (finding->severity_source.len) {
        markup_begin(markup, "source");
        markup_field(markup, "name", finding->severity_source);
        markup_end(markup);
    }
    if (finding->score_tenths >= 0)
        markup_decimal(markup, "score", finding->score_tenths / 10.0, 1);
    markup_field(markup, "severity", slice_from_text(words[finding->severity]));
    if (finding->vector.len) {
        markup_field(markup, "method", slice_from_text(method_of(finding->vector, is_14)));
        markup_field(markup, "vector", finding->vector);
    }
    markup_end(markup);
    markup_end(markup);
}

static void add_recommendation(struct markup *markup, const struct report *report,
                               struct finding *const *findings, size_t count)
{
    CLEANUP_BUFFER struct buffer text = {0};
    for (size_t i = 0; i < count; i++) {
        slice fixed = report_fixed(findings[i], report->arena);
        if (fixed.len)
            buffer_format(&text, "%sUpgrade %.*s to %.*s.", text.len ? " " : "",
                          SLICE_ARG(findings[i]->component->name), SLICE_ARG(fixed));
    }
    markup_field(markup, "recommendation", buffer_slice(&text));
}

/* A label of VEX in CycloneDX's words; empty: it has none for it. */
static slice justification_of(slice reason)
{
    static const struct {
        const char *label, *word;
    } words[] = {{"component_not_present", "code_not_present"},
                 {"vulnerable_code_not_present", "code_not_present"},
                 {"vulnerable_code_not_in_execute_path", "code_not_reachable"},
                 {"vulnerable_code_cannot_be_controlled_by_adversary", "code_not_reachable"},
                 {"inline_mitigations_already_exist", "protected_by_mitigating_control"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (slice_contains(reason, slice_from_text(words[i].label)))
            return slice_from_text(words[i].word);
    return SLICE_EMPTY;
}

/* An ignore entry says that somebody does not want to see it, not how it is: it gets no state. */
static void add_analysis(struct markup *markup, const struct finding *finding)
{
    bool suppressed = finding->suppressed_reason.len && !report_is_filtered(finding);
    bool triage =
        finding->suppressed_reason.len == 0 && strcmp(finding->status, "under_investigation") == 0;
    bool stated = report_is_by_vex(finding);
    bool fixed = stated && slice_equal(finding->vex_status, SLICE("fixed"));
    if (!suppressed && !triage)
        return;
    markup_begin(markup, "analysis");
    if (triage)
        markup_field(markup, "state", SLICE("in_triage"));
    else if (stated)
        markup_field(markup, "state", fixed ? SLICE("resolved") : SLICE("not_affected"));
    if (stated && !fixed)
        markup_field(markup, "justification", justification_of(finding->suppressed_reason));
    markup_field(markup, "detail", finding->suppressed_reason);
    markup_end(markup);
}

static void add_affects(struct markup *markup, struct finding *const *findings, size_t count)
{
    markup_begin_list(markup, "affects");
    for (size_t i = 0; i < count; i++) {
        markup_begin_item(markup, "target");
        markup_field(markup, "ref", findings[i]->component->ref);
        markup_end(markup);
    }
    markup_end(markup);
}

static void add_properties(struct markup *markup, const struct finding *finding)
{
    markup_begin_list(markup, "properties");
    markup_property(markup, SLICE("plimsoll:status"), slice_from_text(finding->status));
    if (finding->kev)
        markup_property(markup, SLICE("plimsoll:exploited"), SLICE("true"));
    if (finding->suppressed_reason.len) {
        markup_property(markup, SLICE("plimsoll:suppressed"), finding->suppressed_reason);
        markup_property(markup, SLICE("plimsoll:suppressed-by"), finding->suppressed_by);
        if (finding->suppressed_until.len)
            markup_property(markup, SLICE("plimsoll:suppressed-until"), finding->suppressed_until);
    }
    markup_end(markup);
}

static void add_references(struct markup *markup, const struct finding *finding)
{
    const slice *aliases = finding->aliases.items;
    if (finding->aliases.count == 0)
        return;
    markup_begin_list(markup, "references");
    for (size_t i = 0; i < finding->aliases.count; i++) {
        markup_begin_item(markup, "reference");
        markup_field(markup, "id", aliases[i]);
        markup_begin(markup, "source");
        markup_field(markup, "name", SLICE("OSV"));
        markup_end(markup);
        markup_end(markup);
    }
    markup_end(markup);
}

static void add_vulnerability(struct markup *markup, const struct report *report,
                              struct finding *const *findings, size_t count, bool is_14)
{
    const struct finding *first = findings[0];
    const struct finding_source *source = first->sources.items;
    const slice parts[] = {first->id, first->suppressed_reason,
                           slice_from_text(severity_names[first->severity])};
    markup_begin_item(markup, "vulnerability");
    markup_attribute(
        markup, "bom-ref",
        arena_format(report->arena, "vulnerability-%016llx",
                     (unsigned long long)slice_hash(map_key(report->arena, parts, 3))));
    markup_field(markup, "id", first->id);
    if (first->sources.count) {
        markup_begin(markup, "source");
        markup_field(markup, "name", source->ecosystem);
        markup_field(markup, "url", report_url(first, report->arena));
        markup_end(markup);
    }
    add_references(markup, first);
    add_rating(markup, first, is_14);
    markup_field(markup, "description", report_title(first, report->arena));
    markup_field(markup, "detail", first->details);
    add_recommendation(markup, report, findings, count);
    add_analysis(markup, first);
    add_affects(markup, findings, count);
    add_properties(markup, first);
    markup_end(markup);
}

void cyclonedx_add_vulnerabilities(struct markup *markup, const struct report *report, bool is_14)
{
    size_t count = report->result->findings.count;
    struct finding **findings = arena_array(report->arena, count + 1, sizeof(*findings));
    if (count)
        memcpy(findings, report->result->findings.items, count * sizeof(*findings));
    qsort(findings, count, sizeof(*findings), compare);
    markup_begin_list(markup, "vulnerabilities");
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && belong_together(findings[i], findings[next]);)
            next++;
        add_vulnerability(markup, report, findings + i, next - i, is_14);
    }
    markup_end(markup);
}
