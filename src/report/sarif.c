/*
 * SARIF 2.1.0 (OASIS) as GitHub code scanning takes it: docs.github.com, "SARIF support for code
 * scanning". Its limits are kept: what is over them is left out, the least severe first, and said.
 */
#include "base/json_write.h"
#include "base/map.h"
#include "base/text.h"
#include "report/escapes.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sarif_parts.h"
#include "report/sentences.h"

#include <zlib.h>

enum {
    MOST_RESULTS = 25000, /* of a run; as many rules, and there are never more rules than results */
    MOST_PACKED_BYTES = 10 * 1000 * 1000
};

/* One of the two is set. */
struct result {
    const struct finding *finding;
    const struct image_secret *secret;
    size_t rule;
};

struct rule {
    size_t index;
    const struct result *worst; /* the first that it is said of */
};

struct sarif {
    const struct report *report;
    struct arena *arena;
    struct json_writer json;
    struct result *results; /* the most severe first, the suppressed ones last */
    size_t count, all;      /* written, and there */
    bool any_suppressed;
    struct map rules;        /* of struct rule *, by id */
    struct map fingerprints; /* how often one was written: of size_t * */
};

static enum severity severity_of(const struct result *result)
{
    return result->finding ? result->finding->severity : result->secret->severity;
}

static slice id_of(const struct result *result)
{
    return result->finding ? result->finding->id : result->secret->secret->rule;
}

static bool is_suppressed(const struct result *result)
{
    return (result->finding ? result->finding->suppressed_reason.len
                            : result->secret->suppressed_reason.len) > 0;
}

static void put_message(struct sarif *sarif, const char *key, slice text)
{
    sarif_put_message(&sarif->json, sarif->arena, key, text);
}

/* --- rules ------------------------------------------------------------------------------------ */

static const char *level_of(enum severity severity)
{
    return severity >= SEVERITY_HIGH ? "error" : severity == SEVERITY_MEDIUM ? "warning" : "note";
}

/*
 * GitHub makes its words of the number: critical over 9.0, high from 7.0, medium from 4.0, low over
 * 0. Where that would be another word than the finding's, the number gives way.
 */
static slice number_of(const struct result *result, struct arena *arena)
{
    static const int least[SEVERITY_COUNT] = {0, 1, 1, 40, 70, 91};
    static const int most[SEVERITY_COUNT] = {0, 10, 39, 69, 90, 100};
    static const int usual[SEVERITY_COUNT] = {0, 1, 20, 55, 80, 95};
    enum severity severity = severity_of(result);
    int score = result->finding ? result->finding->score_tenths : -1;
    if (score < least[severity] || score > most[severity])
        score = score == 90 && severity == SEVERITY_CRITICAL ? least[severity] : usual[severity];
    return arena_format(arena, "%d.%d", score / 10, score % 10);
}

static void put_rule_properties(struct sarif *sarif, const struct result *worst)
{
    struct json_writer *json = &sarif->json;
    const slice tags[] = {SLICE("security"),
                          worst->finding ? SLICE("vulnerability") : SLICE("secret"),
                          slice_from_text(severity_names[severity_of(worst)])};
    json_put_key(json, "defaultConfiguration");
    json_begin_object(json);
    json_field(json, "level", slice_from_text(level_of(severity_of(worst))));
    json_end_object(json);
    json_put_key(json, "properties");
    json_begin_object(json);
    json_field(json, "precision", worst->finding ? SLICE("very-high") : SLICE("high"));
    json_field(json, "security-severity", number_of(worst, sarif->arena));
    json_field_strings(json, "tags", tags, sizeof(tags) / sizeof(tags[0]));
    json_end_object(json);
}

static void add_markdown_row(struct buffer *markdown, const char *what, slice value)
{
    if (value.len == 0)
        return;
    buffer_format(markdown, "| %s | ", what);
    markdown_add(markdown, value);
    buffer_text(markdown, " |\n");
}

static void add_score_row(struct buffer *markdown, const struct finding *finding)
{
    if (finding->score_tenths < 0)
        return;
    buffer_format(markdown, "| CVSS | %d.%d ", finding->score_tenths / 10,
                  finding->score_tenths % 10);
    markdown_add_code(markdown, finding->vector);
    buffer_text(markdown, " |\n");
}

static slice aliases_of(const struct finding *finding, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const slice *aliases = finding->aliases.items;
    for (size_t i = 0; i < finding->aliases.count && i < 20; i++)
        buffer_format(&text, "%s%.*s", i ? ", " : "", SLICE_ARG(aliases[i]));
    return arena_copy(arena, buffer_slice(&text));
}

static void put_finding_help(struct sarif *sarif, const struct finding *finding)
{
    CLEANUP_BUFFER struct buffer text = {0}, markdown = {0};
    struct arena *arena = sarif->arena;
    slice title = text_fold(arena, report_title(finding, arena));
    slice also = aliases_of(finding, arena), url = report_url(finding, arena);
    buffer_format(&text, "%.*s\nSeverity: %s\n", SLICE_ARG(text_safe(arena, title)),
                  severity_small(finding->severity));
    if (also.len)
        buffer_format(&text, "Also known as: %.*s\n", SLICE_ARG(text_safe(arena, also)));
    buffer_format(&text, "More: %.*s", SLICE_ARG(url));
    markdown_add(&markdown, title);
    buffer_text(&markdown, "\n\n| | |\n|---|---|\n");
    add_markdown_row(&markdown, "Severity", slice_from_text(severity_small(finding->severity)));
    add_score_row(&markdown, finding);
    add_markdown_row(&markdown, "Severity said by", finding->severity_source);
    if (finding->epss >= 0)
        add_markdown_row(&markdown, "EPSS", arena_format(arena, "%.5f", finding->epss));
    add_markdown_row(&markdown, "Known to be exploited", finding->kev ? SLICE("yes") : SLICE_EMPTY);
    add_markdown_row(&markdown, "Also known as", also);
    buffer_format(&markdown, "\n[More of it](%.*s)\n", SLICE_ARG(url));
    json_put_key(&sarif->json, "help");
    json_begin_object(&sarif->json);
    json_field(&sarif->json, "text", buffer_slice(&text));
    json_field(&sarif->json, "markdown", buffer_slice(&markdown));
    json_end_object(&sarif->json);
    json_field(&sarif->json, "helpUri", url);
}

static void put_secret_help(struct sarif *sarif, const struct image_secret *secret)
{
    CLEANUP_BUFFER struct buffer markdown = {0};
    slice advice = secret->advice.len ? secret->advice
                                      : SLICE("Take it out of the image, and make a new one.");
    markdown_add(&markdown, advice);
    json_put_key(&sarif->json, "help");
    json_begin_object(&sarif->json);
    json_field(&sarif->json, "text", text_safe(sarif->arena, advice));
    json_field(&sarif->json, "markdown", buffer_slice(&markdown));
    json_end_object(&sarif->json);
}

static void put_rule(struct sarif *sarif, const struct result *worst)
{
    const struct finding *finding = worst->finding;
    slice title = text_fold(sarif->arena,
                            finding ? report_title(finding, sarif->arena) : worst->secret->title);
    slice details = finding ? text_fold(sarif->arena, finding->details) : SLICE_EMPTY;
    json_begin_object(&sarif->json);
    json_field(&sarif->json, "id", id_of(worst));
    json_field(&sarif->json, "name", finding ? SLICE("KnownVulnerability") : SLICE("Secret"));
    put_message(sarif, "shortDescription", title);
    put_message(sarif, "fullDescription", details.len ? details : title);
    if (finding)
        put_finding_help(sarif, finding);
    else
        put_secret_help(sarif, worst->secret);
    put_rule_properties(sarif, worst);
    json_end_object(&sarif->json);
}

/* Those that the results need, in the order in which they first do. */
static void put_rules(struct sarif *sarif)
{
    size_t count = 0;
    sarif->rules = (struct map){.arena = sarif->arena};
    json_put_key(&sarif->json, "rules");
    json_begin_array(&sarif->json);
    for (size_t i = 0; i < sarif->count; i++) {
        struct result *result = &sarif->results[i];
        struct rule *rule = map_get(&sarif->rules, id_of(result));
        if (!rule) {
            rule = ARENA_NEW(sarif->arena, struct rule);
            *rule = (struct rule){count++, result};
            map_put(&sarif->rules, id_of(result), rule);
            put_rule(sarif, result);
        }
        result->rule = rule->index;
    }
    json_end_array(&sarif->json);
}

/* --- results ---------------------------------------------------------------------------------- */

static slice message_of(const struct sarif *sarif, const struct result *result)
{
    const struct report *report = sarif->report;
    if (result->secret) {
        slice others = secret_other_places(report, result->secret);
        return arena_format(sarif->arena, "%.*s (%.*s) in %.*s. %.*s%s%.*s",
                            SLICE_ARG(result->secret->title),
                            SLICE_ARG(result->secret->secret->match),
                            SLICE_ARG(secret_place(report, result->secret)),
                            SLICE_ARG(secret_origin(report, result->secret)),
                            others.len ? ". " : "", SLICE_ARG(others));
    }
    const struct finding *finding = result->finding;
    slice fixed = report_fixed(finding, sarif->arena);
    return arena_format(sarif->arena, "%.*s in %.*s. Installed: %.*s. Fixed in: %.*s. %.*s",
                        SLICE_ARG(finding->id), SLICE_ARG(finding->component->name),
                        SLICE_ARG(finding->component->version),
                        SLICE_ARG(fixed.len ? fixed : SLICE("no version yet")),
                        SLICE_ARG(layer_words(report, finding->component->layer)));
}

/* GitHub tells results apart by primaryLocationLineHash alone; its ending counts what is the same.
 */
static void put_fingerprints(struct sarif *sarif, const struct result *result)
{
    struct arena *arena = sarif->arena;
    slice print;
    if (result->finding) {
        print = report_fingerprint(result->finding, arena);
    } else {
        const struct secret *secret = result->secret->secret;
        const slice parts[] = {secret->rule, secret->path, secret->fingerprint};
        print = arena_format(arena, "%016llx",
                             (unsigned long long)slice_hash(map_key(arena, parts, 3)));
    }
    size_t *times = map_get(&sarif->fingerprints, print);
    if (!times) {
        times = ARENA_NEW(arena, size_t);
        map_put(&sarif->fingerprints, print, times);
    }
    slice numbered = arena_format(arena, "%.*s:%zu", SLICE_ARG(print), ++*times);
    json_put_key(&sarif->json, "partialFingerprints");
    json_begin_object(&sarif->json);
    json_field(&sarif->json, "primaryLocationLineHash", numbered);
    json_field(&sarif->json, "plimsoll/v1", numbered);
    json_end_object(&sarif->json);
}

/* 3.27.23: where one result has the list, all have it. */
static void put_suppressions(struct sarif *sarif, const struct result *result)
{
    if (!sarif->any_suppressed)
        return;
    json_put_key(&sarif->json, "suppressions");
    json_begin_array(&sarif->json);
    if (is_suppressed(result)) {
        slice why = result->finding
                        ? finding_suppression(sarif->report, result->finding)
                        : suppression_words(sarif->report, result->secret->suppressed_reason,
                                            result->secret->suppressed_by, SLICE_EMPTY);
        json_begin_object(&sarif->json);
        json_field(&sarif->json, "kind", SLICE("external"));
        json_field(&sarif->json, "status", SLICE("accepted")); /* else GitHub keeps it open */
        json_field(&sarif->json, "justification", why);
        json_end_object(&sarif->json);
    }
    json_end_array(&sarif->json);
}

static void put_result_properties(struct sarif *sarif, const struct result *result)
{
    struct json_writer *json = &sarif->json;
    size_t layer = result->finding ? result->finding->component->layer : result->secret->layer;
    json_put_key(json, "properties");
    json_begin_object(json);
    json_field(json, "severity", slice_from_text(severity_names[severity_of(result)]));
    if (layer != SIZE_MAX)
        json_field_number(json, "layer", (int64_t)layer);
    if (layer != SIZE_MAX && sarif->report->image->layers[layer].base != BASE_UNKNOWN)
        json_field_bool(json, "base", sarif->report->image->layers[layer].base == BASE_YES);
    if (result->finding) {
        json_field(json, "purl", result->finding->component->purl);
        json_field(json, "installed", result->finding->component->version);
        json_field_strings(json, "fixed", result->finding->fixed.items,
                           result->finding->fixed.count);
        json_field_bool(json, "kev", result->finding->kev);
    } else {
        json_field_bool(json, "deleted", result->secret->deleted_in != SIZE_MAX);
        json_field_number(json, "places", (int64_t)result->secret->places.count);
    }
    json_end_object(json);
}

static void put_results(struct sarif *sarif)
{
    sarif->fingerprints = (struct map){.arena = sarif->arena};
    json_put_key(&sarif->json, "results");
    json_begin_array(&sarif->json);
    for (size_t i = 0; i < sarif->count; i++) {
        const struct result *result = &sarif->results[i];
        json_begin_object(&sarif->json);
        json_field(&sarif->json, "ruleId", id_of(result));
        json_field_number(&sarif->json, "ruleIndex", (int64_t)result->rule);
        json_field(&sarif->json, "level", slice_from_text(level_of(severity_of(result))));
        put_message(sarif, "message", message_of(sarif, result));
        if (result->finding)
            sarif_put_component_place(&sarif->json, sarif->report, result->finding->component);
        else
            sarif_put_secret_places(&sarif->json, sarif->report, result->secret);
        put_fingerprints(sarif, result);
        put_suppressions(sarif, result);
        put_result_properties(sarif, result);
        json_end_object(&sarif->json);
    }
    json_end_array(&sarif->json);
}

/* --- the run ---------------------------------------------------------------------------------- */

static void put_notification(struct sarif *sarif, const char *level, slice text)
{
    json_begin_object(&sarif->json);
    json_field(&sarif->json, "level", slice_from_text(level));
    put_message(sarif, "message", text);
    json_end_object(&sarif->json);
}

static void put_notifications(struct sarif *sarif)
{
    const struct report *report = sarif->report;
    const struct report_error *errors = report->errors.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    json_put_key(&sarif->json, "toolExecutionNotifications");
    json_begin_array(&sarif->json);
    for (size_t i = 0; i < report->errors.count; i++)
        put_notification(sarif, "error", errors[i].message);
    if (sarif->count < sarif->all)
        put_notification(sarif, "warning",
                         arena_format(sarif->arena,
                                      "%zu of %zu results are left out, the least severe ones: "
                                      "GitHub takes %d, and 10 MB packed. The JSON report "
                                      "(--format json) has them all.",
                                      sarif->all - sarif->count, sarif->all, MOST_RESULTS));
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        put_notification(sarif, "warning", unjudged_sentence(&unjudged[i], sarif->arena));
    json_end_array(&sarif->json);
}

static void put_invocation(struct sarif *sarif)
{
    struct json_writer *json = &sarif->json;
    json_put_key(json, "invocations");
    json_begin_array(json);
    json_begin_object(json);
    json_field_bool(json, "executionSuccessful", sarif->report->errors.count == 0);
    json_field_number(json, "exitCode", sarif->report->verdict->exit_code);
    json_field(json, "startTimeUtc", slice_from_text(sarif->report->started));
    put_notifications(sarif);
    json_end_object(json);
    json_end_array(json);
}

static void put_root(struct sarif *sarif)
{
    struct json_writer *json = &sarif->json;
    json_put_key(json, "originalUriBaseIds");
    json_begin_object(json);
    json_put_key(json, "IMAGEROOT");
    json_begin_object(json);
    json_field(json, "uri", SLICE("file:///"));
    put_message(sarif, "description", SLICE("The root of the image's file system"));
    json_end_object(json);
    json_end_object(json);
}

static void put_run_details(struct sarif *sarif)
{
    struct json_writer *json = &sarif->json;
    const struct image *image = sarif->report->image;
    json_field(json, "columnKind", SLICE("utf16CodeUnits"));
    if (sarif_is_rooted(sarif->report))
        put_root(sarif);
    json_put_key(json, "properties");
    json_begin_object(json);
    json_field(json, "imageName", image->name);
    json_field_or_null(json, "imageDigest", image->digest);
    json_field_strings(json, "imageTags", image->tags.items, image->tags.count);
    json_field_bool(json, "pass", sarif->report->verdict->pass);
    json_end_object(json);
}

static void put_log(struct sarif *sarif, struct buffer *out)
{
    struct json_writer *json = &sarif->json;
    *json = (struct json_writer){.out = out, .compact = true};
    json_begin_object(json);
    json_field(json, "$schema", SLICE("https://json.schemastore.org/sarif-2.1.0.json"));
    json_field(json, "version", SLICE("2.1.0"));
    json_put_key(json, "runs");
    json_begin_array(json);
    json_begin_object(json);
    json_put_key(json, "tool");
    json_begin_object(json);
    json_put_key(json, "driver");
    json_begin_object(json);
    json_field(json, "name", SLICE("plimsoll"));
    json_field(json, "version", slice_from_text(sarif->report->version));
    put_rules(sarif);
    json_end_object(json);
    json_end_object(json);
    put_invocation(sarif);
    put_results(sarif);
    put_run_details(sarif);
    json_end_object(json);
    json_end_array(json);
    json_end_object(json);
    buffer_add_byte(out, '\n');
}

static void add_results(struct sarif *sarif, bool suppressed)
{
    size_t findings, secrets, i = 0, j = 0;
    struct finding *const *finding = report_findings(sarif->report, suppressed, &findings);
    const struct image_secret *const *secret = report_secrets(sarif->report, suppressed, &secrets);
    while (i < findings || j < secrets) {
        bool first = j == secrets || (i < findings && finding[i]->severity >= secret[j]->severity);
        sarif->results[sarif->all++] = (struct result){.finding = first ? finding[i] : NULL,
                                                       .secret = first ? NULL : secret[j]};
        if (first)
            i++;
        else
            j++;
    }
    if (suppressed)
        sarif->any_suppressed = findings + secrets > 0;
}

/* As `gzip` makes of it, which is how it is uploaded. */
static size_t packed_size(slice text)
{
    static const int gzip_window = 15 + 16;
    unsigned char out[65536];
    z_stream stream = {0};
    size_t size = 0;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window, 8,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        memory_exhausted();
    for (int state = Z_OK; state == Z_OK;) {
        if (stream.avail_in == 0) {
            slice part = slice_first(text, 1 << 30);
            stream.next_in = (unsigned char *)(uintptr_t)part.ptr;
            stream.avail_in = (unsigned)part.len;
            text = slice_from(text, part.len);
        }
        stream.next_out = out;
        stream.avail_out = sizeof(out);
        state = deflate(&stream, text.len ? Z_NO_FLUSH : Z_FINISH);
        size += sizeof(out) - stream.avail_out;
    }
    deflateEnd(&stream);
    return size;
}

static void write_sarif(const struct report *report, const struct report_options *options,
                        struct buffer *out)
{
    struct sarif sarif = {.report = report, .arena = report->arena};
    (void)options;
    sarif.results = arena_array(
        report->arena, report->result->findings.count + report->inventory->secrets.count + 1,
        sizeof(struct result));
    add_results(&sarif, false);
    add_results(&sarif, true);
    sarif.count = sarif.all < MOST_RESULTS ? sarif.all : MOST_RESULTS;
    put_log(&sarif, out);
    while (out->len > MOST_PACKED_BYTES && sarif.count > 0) {
        size_t packed = packed_size(buffer_slice(out));
        if (packed <= MOST_PACKED_BYTES)
            break;
        size_t share = sarif.count * (MOST_PACKED_BYTES / 1000) / (packed / 1000 + 1);
        sarif.count = share * 95 / 100;
        out->len = 0;
        put_log(&sarif, out);
    }
}

const struct report_format report_sarif = {
    .name = "sarif",
    .help = "SARIF 2.1.0, for GitHub code scanning",
    .wants_prose = true,
    .write = write_sarif,
};
