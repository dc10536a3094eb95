/*
 * JUnit's XML, in the form that Jenkins's xUnit plugin and GitLab read. A test suite for each type
 * of component, one for secrets, and one for the scan itself; what is found is a failed test, what
 * is suppressed a skipped one.
 */
#include "report/escapes.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sentences.h"

struct suite {
    struct buffer cases;
    size_t tests, failures, errors, skipped;
};

struct junit {
    const struct report *report;
    struct arena *arena;
    struct buffer suites;
    size_t tests, failures, errors;
};

static void add_attribute(struct buffer *out, const char *name, slice value)
{
    buffer_format(out, " %s=\"", name);
    xml_add_safe(out, value);
    buffer_add_byte(out, '"');
}

static void begin_case(struct suite *suite, slice class_name, slice name)
{
    suite->tests++;
    buffer_text(&suite->cases, "    <testcase");
    add_attribute(&suite->cases, "classname", class_name);
    add_attribute(&suite->cases, "name", name);
    buffer_text(&suite->cases, " time=\"0\">");
}

static void end_case(struct suite *suite)
{
    buffer_text(&suite->cases, "</testcase>\n");
}

static void add_outcome(struct suite *suite, const char *element, slice type, slice message,
                        slice text)
{
    buffer_format(&suite->cases, "\n      <%s", element);
    if (type.len)
        add_attribute(&suite->cases, "type", type);
    add_attribute(&suite->cases, "message", message);
    buffer_add_byte(&suite->cases, '>');
    xml_add_safe(&suite->cases, text);
    buffer_format(&suite->cases, "</%s>\n    ", element);
}

/* A suite without a test is an error for those that read it. */
static void add_good_case(struct suite *suite, const char *name)
{
    if (suite->tests)
        return;
    begin_case(suite, SLICE("plimsoll"), slice_from_text(name));
    end_case(suite);
}

static void end_suite(struct junit *junit, struct suite *suite, slice what)
{
    const struct report *report = junit->report;
    struct buffer *out = &junit->suites;
    buffer_text(out, "  <testsuite");
    add_attribute(
        out, "name",
        arena_format(junit->arena, "%.*s (%.*s)", SLICE_ARG(report->image->name), SLICE_ARG(what)));
    buffer_format(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\" time=\"0\"",
                  suite->tests, suite->failures, suite->errors, suite->skipped);
    add_attribute(out, "timestamp",
                  slice_first(slice_from_text(report->started), strlen("2026-11-29T00:10:37")));
    buffer_text(out, ">\n");
    buffer_add(out, buffer_slice(&suite->cases));
    buffer_text(out, "  </testsuite>\n");
    junit->tests += suite->tests;
    junit->failures += suite->failures;
    junit->errors += suite->errors;
    buffer_free(&suite->cases);
}

/* --- findings --------------------------------------------------------------------------------- */

static void add_finding(struct junit *junit, struct suite *suite, const struct finding *finding)
{
    const struct report *report = junit->report;
    slice severity = slice_from_text(severity_names[finding->severity]);
    begin_case(
        suite, component_words(report, finding->component),
        arena_format(junit->arena, "[%.*s] %.*s", SLICE_ARG(severity), SLICE_ARG(finding->id)));
    if (finding->suppressed_reason.len) {
        add_outcome(suite, "skipped", SLICE_EMPTY, finding_suppression(report, finding),
                    SLICE_EMPTY);
        suite->skipped++;
    } else {
        slice text = arena_format(junit->arena, "%.*s %.*s. %.*s",
                                  SLICE_ARG(remedy_sentence(report, finding)),
                                  SLICE_ARG(layer_words(report, finding->component->layer)),
                                  SLICE_ARG(report_url(finding, junit->arena)));
        add_outcome(suite, "failure", severity,
                    text_fold(junit->arena, report_title(finding, junit->arena)), text);
        suite->failures++;
    }
    end_case(suite);
}

static void add_findings_of(struct junit *junit, struct suite *suite, slice type, bool suppressed)
{
    size_t count;
    struct finding *const *findings = report_findings(junit->report, suppressed, &count);
    for (size_t i = 0; i < count; i++)
        if (slice_equal(findings[i]->component->type, type))
            add_finding(junit, suite, findings[i]);
}

static void add_component_suites(struct junit *junit)
{
    struct component *const *components = junit->report->inventory->components.items;
    slice type = SLICE_EMPTY;
    for (size_t i = 0; i < junit->report->inventory->components.count; i++) {
        if (i > 0 && slice_equal(components[i]->type, type))
            continue; /* they stand sorted by type */
        type = components[i]->type;
        struct suite suite = {0};
        add_findings_of(junit, &suite, type, false);
        add_findings_of(junit, &suite, type, true);
        add_good_case(&suite, "nothing that counts");
        end_suite(junit, &suite, type);
    }
}

/* --- secrets and the scan --------------------------------------------------------------------- */

static void add_secret(struct junit *junit, struct suite *suite, const struct image_secret *found)
{
    const struct report *report = junit->report;
    slice severity = slice_from_text(severity_names[found->severity]);
    begin_case(suite, secret_place(report, found),
               arena_format(junit->arena, "[%.*s] %.*s", SLICE_ARG(severity),
                            SLICE_ARG(found->secret->rule)));
    if (found->suppressed_reason.len) {
        slice why =
            suppression_words(report, found->suppressed_reason, found->suppressed_by, SLICE_EMPTY);
        add_outcome(suite, "skipped", SLICE_EMPTY, why, SLICE_EMPTY);
        suite->skipped++;
    } else {
        slice others = secret_other_places(report, found);
        slice text =
            arena_format(junit->arena, "%.*s %.*s. %.*s%s%.*s", SLICE_ARG(found->secret->match),
                         SLICE_ARG(secret_origin(report, found)), SLICE_ARG(others),
                         others.len ? " " : "", SLICE_ARG(found->advice));
        add_outcome(suite, "failure", severity, found->title, text);
        suite->failures++;
    }
    end_case(suite);
}

static void add_secrets_suite(struct junit *junit)
{
    struct suite suite = {0};
    for (int suppressed = 0; suppressed < 2; suppressed++) {
        size_t count;
        const struct image_secret *const *secrets =
            report_secrets(junit->report, suppressed, &count);
        for (size_t i = 0; i < count; i++)
            add_secret(junit, &suite, secrets[i]);
    }
    add_good_case(&suite, "nothing that counts");
    end_suite(junit, &suite, SLICE("secrets"));
}

static void add_scan_suite(struct junit *junit)
{
    const struct report *report = junit->report;
    const struct report_error *errors = report->errors.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    struct suite suite = {0};
    for (size_t i = 0; i < report->errors.count; i++) {
        begin_case(&suite, slice_from_text(errors[i].where), SLICE("is read and trusted"));
        add_outcome(&suite, "error", slice_from_text(errors[i].where), errors[i].message,
                    SLICE_EMPTY);
        end_case(&suite);
        suite.errors++;
    }
    for (size_t i = 0; i < report->result->unjudged.count; i++) {
        begin_case(&suite, unjudged[i].what, SLICE("is judged"));
        add_outcome(&suite, "skipped", SLICE_EMPTY, unjudged_sentence(&unjudged[i], junit->arena),
                    SLICE_EMPTY);
        end_case(&suite);
        suite.skipped++;
    }
    add_good_case(&suite, "everything is read");
    end_suite(junit, &suite, SLICE("scan"));
}

static void write_junit(const struct report *report, const struct report_options *options,
                        struct buffer *out)
{
    struct junit junit = {.report = report, .arena = report->arena};
    (void)options;
    if (report->vulnerabilities_wanted)
        add_component_suites(&junit);
    if (report->secrets_wanted)
        add_secrets_suite(&junit);
    add_scan_suite(&junit);
    buffer_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"plimsoll\"");
    buffer_format(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" time=\"0\">\n", junit.tests,
                  junit.failures, junit.errors);
    buffer_add(out, buffer_slice(&junit.suites));
    buffer_text(out, "</testsuites>\n");
    buffer_free(&junit.suites);
}

const struct report_format report_junit = {
    .name = "junit",
    .help = "JUnit XML: a failed test for each finding",
    .wants_prose = true,
    .write = write_junit,
};
