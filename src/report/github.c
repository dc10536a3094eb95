/*
 * Annotations of GitHub Actions: workflow commands on stdout (docs.github.com, "Workflow commands
 * for GitHub Actions"). A step shows ten errors, ten warnings and ten notices, so there are never
 * more: the most severe first, and a last line says what was left out.
 */
#include "base/text.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sentences.h"

enum level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVELS };
enum { MOST_SHOWN = 10, MOST_TROUBLES = 5 };

static const char *const commands[LEVELS] = {"error", "warning", "notice"};

struct annotations {
    const struct report *report;
    struct buffer *out;
    size_t shown[LEVELS], left_out;
};

/* What ends a command or a property is written as the runner reads it again. */
static void add_escaped(struct buffer *out, slice text, bool property)
{
    CLEANUP_BUFFER struct buffer safe = {0};
    text_add_safe(&safe, text);
    for (size_t i = 0; i < safe.len; i++) {
        char c = safe.bytes[i];
        if (c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ',')))
            buffer_format(out, "%%%02X", (unsigned char)c);
        else
            buffer_add_byte(out, c);
    }
}

struct place {
    slice file;
    uint64_t line, column;
};

static void add_annotation(struct annotations *annotations, enum level level, slice title,
                           struct place place, slice message)
{
    struct buffer *out = annotations->out;
    annotations->shown[level]++;
    buffer_format(out, "::%s title=", commands[level]);
    add_escaped(out, title, true);
    if (place.file.len) {
        buffer_text(out, ",file=");
        add_escaped(out, place.file, true);
    }
    if (place.line)
        buffer_format(out, ",line=%llu,col=%llu", (unsigned long long)place.line,
                      (unsigned long long)place.column);
    buffer_text(out, "::");
    add_escaped(out, message, false);
    buffer_add_byte(out, '\n');
}

static enum level level_of(enum severity severity)
{
    return severity >= SEVERITY_HIGH     ? LEVEL_ERROR
           : severity == SEVERITY_MEDIUM ? LEVEL_WARNING
                                         : LEVEL_NOTICE;
}

/* Of the notices one is kept for the last line. */
static bool has_room(struct annotations *annotations, enum level level)
{
    if (annotations->shown[level] < MOST_SHOWN - (level == LEVEL_NOTICE))
        return true;
    annotations->left_out++;
    return false;
}

static void add_finding(struct annotations *annotations, const struct finding *finding)
{
    const struct report *report = annotations->report;
    struct arena *arena = report->arena;
    enum level level = level_of(finding->severity);
    if (!has_room(annotations, level))
        return;
    slice title = arena_format(arena, "%.*s (%s) in %.*s", SLICE_ARG(finding->id),
                               severity_small(finding->severity),
                               SLICE_ARG(component_words(report, finding->component)));
    slice message =
        arena_format(arena, "%.*s %.*s. %.*s", SLICE_ARG(remedy_sentence(report, finding)),
                     SLICE_ARG(layer_words(report, finding->component->layer)),
                     SLICE_ARG(report_url(finding, arena)));
    add_annotation(annotations, level, title,
                   (struct place){.file = report_location(finding->component)}, message);
}

static void add_secret(struct annotations *annotations, const struct image_secret *found)
{
    const struct report *report = annotations->report;
    const struct secret *secret = found->secret;
    enum level level = level_of(found->severity);
    if (!has_room(annotations, level))
        return;
    slice title = arena_format(report->arena, "%.*s (%s)", SLICE_ARG(found->title),
                               severity_small(found->severity));
    slice others = secret_other_places(report, found);
    slice message = arena_format(report->arena, "%.*s in %.*s. %.*s. %.*s%s%.*s",
                                 SLICE_ARG(secret->match), SLICE_ARG(secret_place(report, found)),
                                 SLICE_ARG(secret_origin(report, found)), SLICE_ARG(others),
                                 others.len ? " " : "", SLICE_ARG(found->advice));
    add_annotation(annotations, level, title,
                   (struct place){secret_file(report, secret), secret->line, secret->column},
                   message);
}

static void add_troubles(struct annotations *annotations)
{
    const struct report *report = annotations->report;
    const struct report_error *errors = report->errors.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    for (size_t i = 0; i < report->errors.count; i++)
        if (i < MOST_TROUBLES)
            add_annotation(annotations, LEVEL_ERROR, SLICE("The scan is not complete"),
                           (struct place){0}, errors[i].message);
        else
            annotations->left_out++;
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        if (i < MOST_TROUBLES)
            add_annotation(annotations, LEVEL_WARNING, SLICE("Not judged"), (struct place){0},
                           unjudged_sentence(&unjudged[i], report->arena));
        else
            annotations->left_out++;
}

/* Findings and secrets, the most severe first. */
static void add_found(struct annotations *annotations)
{
    size_t findings, secrets, i = 0, j = 0;
    struct finding *const *finding = report_findings(annotations->report, false, &findings);
    const struct image_secret *const *secret = report_secrets(annotations->report, false, &secrets);
    while (i < findings || j < secrets)
        if (j == secrets || (i < findings && finding[i]->severity >= secret[j]->severity))
            add_finding(annotations, finding[i++]);
        else
            add_secret(annotations, secret[j++]);
}

static void add_last_line(struct annotations *annotations)
{
    const struct report *report = annotations->report;
    size_t secrets, suppressed;
    struct report_counts counts = report_count(report);
    CLEANUP_BUFFER struct buffer text = {0};
    report_secrets(report, false, &secrets);
    report_secrets(report, true, &suppressed);
    suppressed += counts.suppressed;
    slice words = severity_words(report, counts.by_severity);
    buffer_format(&text, "%.*s: %s. %zu %s", SLICE_ARG(report->image->name),
                  report->verdict->pass ? "passes" : "does not pass", counts.all,
                  counts.all == 1 ? "finding" : "findings");
    if (words.len)
        buffer_format(&text, " (%.*s)", SLICE_ARG(words));
    buffer_format(&text, ", %zu %s, %zu suppressed.", secrets, secrets == 1 ? "secret" : "secrets",
                  suppressed);
    if (annotations->left_out)
        buffer_format(&text,
                      " %zu are left out here, since GitHub shows %d errors, warnings and notices "
                      "of a step each; --format table and json have all.",
                      annotations->left_out, MOST_SHOWN);
    add_annotation(annotations, LEVEL_NOTICE, SLICE("plimsoll"), (struct place){0},
                   buffer_slice(&text));
}

static void write_github(const struct report *report, const struct report_options *options,
                         struct buffer *out)
{
    struct annotations annotations = {.report = report, .out = out};
    (void)options;
    add_troubles(&annotations);
    add_found(&annotations);
    add_last_line(&annotations);
}

const struct report_format report_github = {
    .name = "github",
    .help = "annotations of GitHub Actions",
    .write = write_github,
};
