/*
 * GitLab's container scanning report, schema 15.0.7
 * (gitlab.com/gitlab-org/security-products/security-report-schemas). It has a place for findings
 * only; secrets, what is suppressed and what went wrong are messages of the scan.
 */
#include "base/json_write.h"
#include "base/text.h"
#include "match/cvss.h"
#include "report/escapes.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sentences.h"

/* The schema's, in characters, which bytes never are fewer than; GitLab takes 20 identifiers. */
enum {
    MOST_NAME = 255,
    MOST_DESCRIPTION = 1000000,
    MOST_SOLUTION = 7000,
    MOST_VECTOR = 128,
    MOST_IDENTIFIERS = 20,
    FINDINGS_AT_ONCE = 256 /* what is put together for them is freed with them */
};

struct gitlab {
    const struct report *report;
    struct arena *arena;
    struct json_writer *json;
};

static const char *severity_word(enum severity severity)
{
    static const char *const words[SEVERITY_COUNT] = {
        [SEVERITY_UNKNOWN] = "Unknown", [SEVERITY_NEGLIGIBLE] = "Info",
        [SEVERITY_LOW] = "Low",         [SEVERITY_MEDIUM] = "Medium",
        [SEVERITY_HIGH] = "High",       [SEVERITY_CRITICAL] = "Critical"};
    return words[severity];
}

/* --- the scan --------------------------------------------------------------------------------- */

static void put_tool(struct gitlab *gitlab, const char *key)
{
    struct json_writer *json = gitlab->json;
    json_put_key(json, key);
    json_begin_object(json);
    json_field(json, "id", SLICE("plimsoll"));
    json_field(json, "name", SLICE("plimsoll"));
    json_field(json, "version", slice_from_text(gitlab->report->version));
    json_put_key(json, "vendor");
    json_begin_object(json);
    json_field(json, "name", SLICE("plimsoll"));
    json_end_object(json);
    json_end_object(json);
}

static void put_message(struct gitlab *gitlab, const char *level, slice value)
{
    json_begin_object(gitlab->json);
    json_field(gitlab->json, "level", slice_from_text(level));
    json_field(gitlab->json, "value", text_safe(gitlab->arena, value));
    json_end_object(gitlab->json);
}

static void put_suppressed(struct gitlab *gitlab)
{
    const struct report *report = gitlab->report;
    size_t count;
    struct finding *const *findings = report_findings(report, true, &count);
    for (size_t i = 0; i < count; i++)
        put_message(gitlab, "info",
                    arena_format(gitlab->arena, "Suppressed: %.*s in %.*s: %.*s",
                                 SLICE_ARG(findings[i]->id),
                                 SLICE_ARG(component_words(report, findings[i]->component)),
                                 SLICE_ARG(finding_suppression(report, findings[i]))));
    const struct image_secret *const *secrets = report_secrets(report, true, &count);
    for (size_t i = 0; i < count; i++) {
        slice why = suppression_words(report, secrets[i]->suppressed_reason,
                                      secrets[i]->suppressed_by, SLICE_EMPTY);
        put_message(gitlab, "info",
                    arena_format(gitlab->arena, "Suppressed: %.*s in %.*s: %.*s",
                                 SLICE_ARG(secrets[i]->title),
                                 SLICE_ARG(secret_place(report, secrets[i])), SLICE_ARG(why)));
    }
}

static void put_messages(struct gitlab *gitlab)
{
    const struct report *report = gitlab->report;
    const struct report_error *errors = report->errors.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    size_t count;
    json_put_key(gitlab->json, "messages");
    json_begin_array(gitlab->json);
    for (size_t i = 0; i < report->errors.count; i++) /* an image without layers was not read */
        put_message(gitlab, report->image->layer_count ? "warn" : "fatal", errors[i].message);
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        put_message(gitlab, "warn",
                    arena_format(gitlab->arena, "Not judged: %.*s",
                                 SLICE_ARG(unjudged_sentence(&unjudged[i], gitlab->arena))));
    const struct image_secret *const *secrets = report_secrets(report, false, &count);
    for (size_t i = 0; i < count; i++) {
        slice others = secret_other_places(report, secrets[i]);
        put_message(gitlab, "warn",
                    arena_format(gitlab->arena, "Secret: %.*s (%s) in %.*s. %.*s%s%.*s",
                                 SLICE_ARG(secrets[i]->title), severity_small(secrets[i]->severity),
                                 SLICE_ARG(secret_place(report, secrets[i])),
                                 SLICE_ARG(secret_origin(report, secrets[i])),
                                 others.len ? ". " : "", SLICE_ARG(others)));
    }
    put_suppressed(gitlab);
    json_end_array(gitlab->json);
}

static void put_scan(struct gitlab *gitlab)
{
    struct json_writer *json = gitlab->json;
    const struct report *report = gitlab->report;
    slice started = slice_first(slice_from_text(report->started), strlen("2026-11-29T00:10:37"));
    json_put_key(json, "scan");
    json_begin_object(json);
    put_tool(gitlab, "analyzer");
    put_tool(gitlab, "scanner");
    json_field(json, "type", SLICE("container_scanning"));
    json_field(json, "start_time", started);
    json_field(json, "end_time", started);
    json_field(json, "status", report->errors.count ? SLICE("failure") : SLICE("success"));
    put_messages(gitlab);
    json_end_object(json);
}

/* --- vulnerabilities -------------------------------------------------------------------------- */

/* "cve", "ghsa": what stands before the first '-', small. */
static slice identifier_type(struct arena *arena, slice id)
{
    slice before, after;
    if (!slice_split(id, '-', &before, &after) || before.len == 0)
        return SLICE("plimsoll");
    char *text = arena_text(arena, before);
    for (size_t i = 0; i < before.len; i++)
        text[i] = byte_lower(text[i]);
    return slice_make(text, before.len);
}

static void put_identifier(struct gitlab *gitlab, slice id, slice url)
{
    struct json_writer *json = gitlab->json;
    if (id.len == 0)
        return;
    json_begin_object(json);
    json_field(json, "type", identifier_type(gitlab->arena, id));
    json_field(json, "name", id);
    json_field(json, "value", id);
    if (url.len)
        json_field(json, "url", url);
    json_end_object(json);
}

static void put_identifiers(struct gitlab *gitlab, const struct finding *finding)
{
    const slice *aliases = finding->aliases.items;
    json_put_key(gitlab->json, "identifiers");
    json_begin_array(gitlab->json);
    put_identifier(gitlab, finding->id, report_url(finding, gitlab->arena));
    for (size_t i = 0; i < finding->aliases.count && i + 1 < MOST_IDENTIFIERS; i++)
        put_identifier(gitlab, aliases[i], SLICE_EMPTY);
    json_end_array(gitlab->json);
}

/* This version of the schema knows CVSS 2.0 without parentheses, 3.0 and 3.1. */
static void put_vector(struct gitlab *gitlab, const struct finding *finding)
{
    struct json_writer *json = gitlab->json;
    struct cvss cvss;
    slice vector = finding->vector;
    if (vector.len > MOST_VECTOR || !cvss_parse(vector, &cvss) || cvss.version == CVSS_4_0 ||
        vector.ptr[0] == '(' || finding->severity_source.len == 0)
        return;
    json_put_key(json, "cvss_vectors");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "vendor", finding->severity_source);
    json_field(json, "vector", vector);
    json_end_object(json);
    json_end_array(json);
}

static void put_location(struct gitlab *gitlab, const struct finding *finding)
{
    struct json_writer *json = gitlab->json;
    json_put_key(json, "location");
    json_begin_object(json);
    json_put_key(json, "dependency");
    json_begin_object(json);
    json_put_key(json, "package");
    json_begin_object(json);
    json_field(json, "name", text_safe(gitlab->arena, finding->component->name));
    json_end_object(json);
    json_field(json, "version", text_safe(gitlab->arena, finding->component->version));
    json_end_object(json);
    json_field(json, "operating_system", text_safe(gitlab->arena, system_words(gitlab->report)));
    json_field(json, "image", text_safe(gitlab->arena, gitlab->report->image->name));
    json_end_object(json);
}

static void put_detail(struct gitlab *gitlab, const char *key, const char *name, slice value)
{
    struct json_writer *json = gitlab->json;
    if (value.len == 0)
        return;
    json_put_key(json, key);
    json_begin_object(json);
    json_field(json, "name", slice_from_text(name));
    json_field(json, "type", SLICE("text"));
    json_field(json, "value", text_safe(gitlab->arena, value));
    json_end_object(json);
}

static void put_details(struct gitlab *gitlab, const struct finding *finding)
{
    struct arena *arena = gitlab->arena;
    const struct component *component = finding->component;
    json_put_key(gitlab->json, "details");
    json_begin_object(gitlab->json);
    put_detail(gitlab, "package_url", "Package URL", component->purl);
    put_detail(gitlab, "fixed_in", "Fixed in", report_fixed(finding, arena));
    put_detail(gitlab, "layer", "Layer", layer_words(gitlab->report, component->layer));
    put_detail(gitlab, "origin", "Origin",
               report_origin(report_layer_of(gitlab->report, finding)->base));
    put_detail(gitlab, "file", "File", report_location(component));
    if (finding->score_tenths >= 0)
        put_detail(gitlab, "cvss", "CVSS",
                   arena_format(arena, "%d.%d %.*s", finding->score_tenths / 10,
                                finding->score_tenths % 10, SLICE_ARG(finding->vector)));
    if (finding->epss >= 0)
        put_detail(gitlab, "epss", "EPSS", arena_format(arena, "%.5f", finding->epss));
    if (finding->kev)
        put_detail(gitlab, "kev", "Known to be exploited", SLICE("yes, says CISA"));
    json_end_object(gitlab->json);
}

/* GitLab shows descriptions as Markdown. What advisories say is text here, whatever is in it. */
static slice description_of(struct gitlab *gitlab, const struct finding *finding)
{
    CLEANUP_BUFFER struct buffer text = {0};
    slice said = finding->details.len ? finding->details : finding->summary, line;
    slice rest = text_cut(gitlab->arena, said, MOST_DESCRIPTION / 10);
    while (slice_pull_line(&rest, &line)) {
        markdown_add(&text, slice_trim(line));
        buffer_text(&text, "\n");
    }
    if (said.len == 0) {
        markdown_add(&text, report_title(finding, gitlab->arena));
        buffer_text(&text, "\n");
    }
    return arena_copy(gitlab->arena, slice_first(buffer_slice(&text), text.len - 1));
}

static void put_vulnerability(struct gitlab *gitlab, const struct finding *finding)
{
    struct json_writer *json = gitlab->json;
    struct arena *arena = gitlab->arena;
    slice title = text_safe(arena, text_fold(arena, report_title(finding, arena)));
    json_begin_object(json);
    json_field(json, "id", report_uuid(report_fingerprint(finding, arena), arena));
    json_field(json, "name", text_cut(arena, title, MOST_NAME));
    json_field(json, "description", description_of(gitlab, finding));
    json_field(json, "severity", slice_from_text(severity_word(finding->severity)));
    json_field(
        json, "solution",
        text_cut(arena, text_safe(arena, remedy_sentence(gitlab->report, finding)), MOST_SOLUTION));
    put_identifiers(gitlab, finding);
    put_vector(gitlab, finding);
    json_put_key(json, "links");
    json_begin_array(json);
    json_begin_object(json);
    json_field(json, "url", report_url(finding, arena));
    json_end_object(json);
    json_end_array(json);
    put_location(gitlab, finding);
    put_details(gitlab, finding);
    json_end_object(json);
}

static void write_gitlab(const struct report *report, const struct report_options *options,
                         struct buffer *out)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct json_writer json = {.out = out, .compact = true};
    struct report parts = *report;
    struct gitlab gitlab = {&parts, &scratch, &json};
    size_t count;
    struct finding *const *findings = report_findings(report, false, &count);
    (void)options;
    parts.arena = &scratch; /* the words about a finding, too */
    json_begin_object(&json);
    json_field(&json, "version", SLICE("15.0.7"));
    json_field(
        &json, "schema",
        SLICE("https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/"
              "v15.0.7/dist/container-scanning-report-format.json"));
    put_scan(&gitlab);
    json_put_key(&json, "vulnerabilities");
    json_begin_array(&json);
    for (size_t i = 0; i < count; i++) {
        put_vulnerability(&gitlab, findings[i]);
        if (i % FINDINGS_AT_ONCE == 0)
            arena_free(&scratch);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

const struct report_format report_gitlab = {
    .name = "gitlab",
    .help = "GitLab's container scanning report (schema 15.0.7)",
    .wants_prose = true,
    .write = write_gitlab,
};
