/*
 * OpenMetrics 1.0 (github.com/prometheus/OpenMetrics), which Prometheus and its push gateway read:
 * what is counted in a scan, as gauges with the image as a label.
 */
#include "base/text.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sentences.h"

enum { ORIGINS = 3 };
static const char *const origin_words[ORIGINS] = {
    [BASE_UNKNOWN] = "unknown", [BASE_YES] = "base", [BASE_NO] = "own"};

static void begin_family(struct buffer *out, const char *name, const char *type, const char *help)
{
    buffer_format(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

/* A label's value: backslash, quote and line end are escaped (the grammar's "escaped-string"). */
static void add_label(struct buffer *out, const char *name, slice value)
{
    CLEANUP_BUFFER struct buffer safe = {0};
    text_add_safe(&safe, value);
    buffer_format(out, "%s=\"", name);
    for (size_t i = 0; i < safe.len; i++) {
        if (safe.bytes[i] == '\\' || safe.bytes[i] == '"')
            buffer_add_byte(out, '\\');
        buffer_add_byte(out, safe.bytes[i]);
    }
    buffer_add_byte(out, '"');
}

static void add_more_label(struct buffer *out, const char *name, slice value)
{
    buffer_add_byte(out, ',');
    add_label(out, name, value);
}

/* NAME{image="…" */
static void begin_sample(struct buffer *out, const char *name, const struct report *report)
{
    buffer_format(out, "%s{", name);
    add_label(out, "image", report->image->name);
}

static void end_sample(struct buffer *out, uint64_t value)
{
    buffer_format(out, "} %llu\n", (unsigned long long)value);
}

static void add_single(struct buffer *out, const struct report *report, const char *name,
                       const char *help, uint64_t value)
{
    begin_family(out, name, "gauge", help);
    begin_sample(out, name, report);
    end_sample(out, value);
}

static void add_image(struct buffer *out, const struct report *report)
{
    /* Not of type info: Prometheus' older text parser, which others use for files, has none. */
    begin_family(out, "plimsoll_image_info", "gauge", "The image that was scanned.");
    begin_sample(out, "plimsoll_image_info", report);
    add_more_label(out, "digest", report->image->digest);
    add_more_label(out, "platform", report->image->platform);
    add_more_label(out, "os", system_words(report));
    add_more_label(out, "version", slice_from_text(report->version));
    end_sample(out, 1);
}

/* Also those of which there is none: what goes away must go to 0, not out of sight. */
static void add_findings(struct buffer *out, const struct report *report)
{
    static const char name[] = "plimsoll_findings";
    size_t counts[SEVERITY_COUNT][2][ORIGINS] = {0};
    struct finding *const *findings = report->result->findings.items;
    for (size_t i = 0; i < report->result->findings.count; i++)
        if (findings[i]->suppressed_reason.len == 0)
            counts[findings[i]->severity][findings[i]->fixed.count > 0]
                  [report_layer_of(report, findings[i])->base]++;
    begin_family(out, name, "gauge", "Known vulnerabilities that count.");
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--)
        for (int fixable = 1; fixable >= 0; fixable--)
            for (int origin = 0; origin < ORIGINS; origin++) {
                begin_sample(out, name, report);
                add_more_label(out, "severity",
                               slice_from_text(severity_small((enum severity)severity)));
                add_more_label(out, "fixable", fixable ? SLICE("true") : SLICE("false"));
                add_more_label(out, "origin", slice_from_text(origin_words[origin]));
                end_sample(out, counts[severity][fixable][origin]);
            }
}

static void add_secrets(struct buffer *out, const struct report *report)
{
    static const char name[] = "plimsoll_secrets";
    size_t counts[SEVERITY_COUNT] = {0}, count;
    const struct image_secret *const *secrets = report_secrets(report, false, &count);
    for (size_t i = 0; i < count; i++)
        counts[secrets[i]->severity]++;
    begin_family(out, name, "gauge", "Secrets that count, deleted ones among them.");
    for (int severity = SEVERITY_COUNT - 1; severity >= 0; severity--) {
        begin_sample(out, name, report);
        add_more_label(out, "severity", slice_from_text(severity_small((enum severity)severity)));
        end_sample(out, counts[severity]);
    }
}

static void add_components(struct buffer *out, const struct report *report)
{
    static const char name[] = "plimsoll_components";
    struct component *const *components = report->inventory->components.items;
    size_t all = report->inventory->components.count;
    begin_family(out, name, "gauge", "Components by type of package URL.");
    for (size_t i = 0, count; i < all; i += count) { /* they stand sorted by type */
        for (count = 1; i + count < all; count++)
            if (!slice_equal(components[i]->type, components[i + count]->type))
                break;
        begin_sample(out, name, report);
        add_more_label(out, "type", components[i]->type);
        end_sample(out, count);
    }
}

static uint64_t unjudged_components(const struct report *report)
{
    const struct unjudged *unjudged = report->result->unjudged.items;
    uint64_t sum = 0;
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        sum += unjudged[i].count ? unjudged[i].count : 1;
    return sum;
}

static void write_openmetrics(const struct report *report, const struct report_options *options,
                              struct buffer *out)
{
    struct report_counts counts = report_count(report);
    size_t suppressed_secrets;
    (void)options;
    report_secrets(report, true, &suppressed_secrets);
    add_image(out, report);
    if (report->vulnerabilities_wanted)
        add_findings(out, report);
    if (report->secrets_wanted)
        add_secrets(out, report);
    add_components(out, report);
    add_single(out, report, "plimsoll_exploited", "Findings that CISA lists as used in attacks.",
               counts.exploited);
    add_single(out, report, "plimsoll_suppressed", "Findings and secrets that were suppressed.",
               counts.suppressed + suppressed_secrets);
    add_single(out, report, "plimsoll_unjudged",
               "Components that the advisory store could not speak of.",
               unjudged_components(report));
    add_single(out, report, "plimsoll_errors", "What could not be read or trusted.",
               report->errors.count);
    add_single(out, report, "plimsoll_scan_pass", "1 where the image passes, 0 where it does not.",
               report->verdict->pass);
    add_single(out, report, "plimsoll_exit_code", "What the scan ended with.",
               (uint64_t)report->verdict->exit_code);
    if (report->store)
        add_single(out, report, "plimsoll_store_age_days", "Age of the advisory store.",
                   report->store_age_days);
    buffer_text(out, "# EOF\n");
}

const struct report_format report_openmetrics = {
    .name = "openmetrics",
    .alias = "prometheus",
    .help = "OpenMetrics text, for Prometheus",
    .write = write_openmetrics,
};
