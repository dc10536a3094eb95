/*
 * Markdown for a comment on a pull request. What comes from the image stands in code spans, where
 * nothing in it can be markup or a mention. GitHub takes 65,536 characters; what does not fit is
 * left out, the least severe first, and said.
 */
#include "report/escapes.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sentences.h"

enum {
    MOST_BYTES = 65536,    /* GitHub counts characters, which are never more than bytes */
    LAST_BYTES = 1000,     /* kept for what is said of what was left out */
    SHARE_TROUBLES = 8000, /* of the room: for errors, and for what is suppressed */
    SHARE_SECRETS = 20000,
    CELL_BYTES = 200,
    TEXT_BYTES = 1000,
    OPEN_ROWS = 20 /* more are folded */
};

struct markdown {
    const struct report *report;
    struct arena *arena;
    struct buffer *out;
    size_t room;     /* the length that nothing may go over */
    size_t left_out; /* rows */
};

static void add(struct markdown *markdown, const char *text)
{
    buffer_text(markdown->out, text);
}

/* A table or list in a part of the room. */
struct part {
    size_t end, rows, folded_from; /* folded_from: SIZE_MAX, or the row at which <details> begins */
    const char *head; /* of the table, said again where it is folded; "": a list, not folded */
};

static struct part begin_part(struct markdown *markdown, size_t share, const char *head)
{
    size_t end = markdown->out->len + share;
    return (struct part){
        .end = end < markdown->room ? end : markdown->room, .folded_from = SIZE_MAX, .head = head};
}

/* Adds the row, or counts it as left out: once one has no room, none after it has. */
static void add_row(struct markdown *markdown, struct part *part, slice row, size_t all)
{
    CLEANUP_BUFFER struct buffer text = {0};
    if (part->rows == OPEN_ROWS && *part->head) {
        buffer_format(&text, "\n<details><summary>%zu more</summary>\n\n%s", all - OPEN_ROWS,
                      part->head);
        part->folded_from = part->rows;
    } else if (part->rows == 0) {
        buffer_text(&text, part->head);
    }
    buffer_add(&text, row);
    if (markdown->out->len + text.len > part->end) {
        part->end = 0;
        markdown->left_out++;
        if (part->folded_from == part->rows)
            part->folded_from = SIZE_MAX;
        return;
    }
    buffer_add(markdown->out, buffer_slice(&text));
    part->rows++;
}

static void end_part(struct markdown *markdown, const struct part *part)
{
    if (part->folded_from != SIZE_MAX)
        add(markdown, "\n</details>\n");
}

static void add_code(struct markdown *markdown, struct buffer *row, slice text)
{
    markdown_add_code(row, text_cut(markdown->arena, text, CELL_BYTES));
}

/* --- the head --------------------------------------------------------------------------------- */

static void add_verdict(struct markdown *markdown)
{
    const struct report *report = markdown->report;
    const slice *reasons = report->verdict->reasons.items;
    add(markdown, "### plimsoll: ");
    add_code(markdown, markdown->out, report->image->name);
    add(markdown, report->verdict->exit_code == EXIT_UNTRUSTED ? " could not be judged\n\n"
                  : report->verdict->pass                      ? " passes\n\n"
                                                               : " does not pass\n\n");
    struct part part = begin_part(markdown, SHARE_TROUBLES, "");
    for (size_t i = 0; i < report->verdict->reasons.count; i++) {
        CLEANUP_BUFFER struct buffer row = {0};
        buffer_text(&row, "- ");
        markdown_add(&row, text_cut(markdown->arena, reasons[i], TEXT_BYTES));
        buffer_text(&row, "\n");
        add_row(markdown, &part, buffer_slice(&row), 0);
    }
    if (report->verdict->reasons.count)
        add(markdown, "\n");
}

static void add_counts(struct markdown *markdown)
{
    const struct report *report = markdown->report;
    struct report_counts counts = report_count(report);
    size_t secrets;
    report_secrets(report, false, &secrets);
    if (report->vulnerabilities_wanted) {
        add(markdown,
            "| Critical | High | Medium | Low | Negligible | Unknown | Fixable | Exploited "
            "|\n|--:|--:|--:|--:|--:|--:|--:|--:|\n|");
        for (int i = SEVERITY_CRITICAL; i > SEVERITY_UNKNOWN; i--)
            buffer_format(markdown->out, " %zu |", counts.by_severity[i]);
        buffer_format(markdown->out, " %zu | %zu | %zu |\n\n", counts.by_severity[SEVERITY_UNKNOWN],
                      counts.fixable, counts.exploited);
    }
    if (report->secrets_wanted && secrets == 0)
        add(markdown, "No secrets.\n\n");
}

/* --- findings --------------------------------------------------------------------------------- */

static void add_origin(struct markdown *markdown, struct buffer *row, size_t layer)
{
    const struct image_layer *of = &markdown->report->image->layers[layer];
    if (markdown->report->image->root_folder >= 0) {
        buffer_add(row, layer_words(markdown->report, layer));
        return;
    }
    buffer_format(row, "layer %zu%s", layer,
                  of->base == BASE_YES  ? " (base image)"
                  : of->base == BASE_NO ? " (own)"
                                        : "");
    if (of->instruction.len) {
        buffer_text(row, ": ");
        add_code(markdown, row, of->instruction);
    }
}

static void add_id(struct markdown *markdown, struct buffer *row, const struct finding *finding)
{
    buffer_add_byte(row, '[');
    add_code(markdown, row, finding->id);
    buffer_format(row, "](%.*s)", SLICE_ARG(report_url(finding, markdown->arena)));
}

static void add_finding(struct markdown *markdown, struct part *part, const struct finding *finding,
                        size_t all)
{
    CLEANUP_BUFFER struct buffer row = {0};
    buffer_format(&row, "| %s%s | ", severity_small(finding->severity),
                  finding->kev ? " (exploited)" : "");
    add_id(markdown, &row, finding);
    buffer_text(&row, " | ");
    add_code(markdown, &row, finding->component->name);
    buffer_text(&row, " | ");
    add_code(markdown, &row, finding->component->version);
    buffer_text(&row, " | ");
    add_code(markdown, &row, report_fixed(finding, markdown->arena));
    buffer_text(&row, " | ");
    add_origin(markdown, &row, finding->component->layer);
    buffer_text(&row, " |\n");
    add_row(markdown, part, buffer_slice(&row), all);
}

static void add_findings(struct markdown *markdown)
{
    size_t count;
    struct finding *const *findings = report_findings(markdown->report, false, &count);
    struct part part = begin_part(markdown, MOST_BYTES,
                                  "| Severity | Vulnerability | Package | Installed | Fixed in | "
                                  "From |\n|---|---|---|---|---|---|\n");
    for (size_t i = 0; i < count; i++)
        add_finding(markdown, &part, findings[i], count);
    end_part(markdown, &part);
    if (count)
        add(markdown, "\n");
}

/* --- secrets ---------------------------------------------------------------------------------- */

static void add_secret(struct markdown *markdown, struct part *part,
                       const struct image_secret *found, size_t all)
{
    CLEANUP_BUFFER struct buffer row = {0};
    buffer_format(&row, "| %s | ", severity_small(found->severity));
    markdown_add(&row, found->title);
    buffer_text(&row, " | ");
    add_code(markdown, &row, found->secret->match);
    buffer_text(&row, " | ");
    add_code(markdown, &row, secret_place(markdown->report, found));
    if (found->places.count > 1)
        buffer_format(&row, " and %zu more place%s", found->places.count - 1,
                      found->places.count == 2 ? "" : "s");
    buffer_text(&row, " | ");
    if (found->layer == SIZE_MAX)
        buffer_text(&row, "the image's config");
    else
        add_origin(markdown, &row, found->layer);
    if (found->deleted_in != SIZE_MAX)
        buffer_format(&row, " (deleted in layer %zu, still readable)", found->deleted_in);
    buffer_text(&row, " |\n");
    add_row(markdown, part, buffer_slice(&row), all);
}

static void add_secrets(struct markdown *markdown)
{
    size_t count;
    const struct image_secret *const *secrets = report_secrets(markdown->report, false, &count);
    struct part part = begin_part(markdown, SHARE_SECRETS,
                                  "| Severity | Secret | Match | Place | From |\n"
                                  "|---|---|---|---|---|\n");
    if (count)
        add(markdown, markdown->report->image->root_folder >= 0
                          ? "**Secrets**\n\n"
                          : "**Secrets**: whoever has the image has them, deleted or not.\n\n");
    for (size_t i = 0; i < count; i++)
        add_secret(markdown, &part, secrets[i], count);
    end_part(markdown, &part);
    if (count)
        add(markdown, "\n");
}

/* --- what is suppressed, and what went wrong -------------------------------------------------- */

static void add_suppressed_row(struct markdown *markdown, struct part *part, slice what,
                               slice where, slice why)
{
    CLEANUP_BUFFER struct buffer row = {0};
    buffer_text(&row, "- ");
    add_code(markdown, &row, what);
    buffer_text(&row, " in ");
    add_code(markdown, &row, where);
    buffer_text(&row, ": ");
    markdown_add(&row, text_cut(markdown->arena, why, CELL_BYTES));
    buffer_text(&row, "\n");
    add_row(markdown, part, buffer_slice(&row), 0);
}

static void add_suppressed(struct markdown *markdown)
{
    const struct report *report = markdown->report;
    size_t findings, secrets;
    struct finding *const *finding = report_findings(report, true, &findings);
    const struct image_secret *const *secret = report_secrets(report, true, &secrets);
    struct part part = begin_part(markdown, SHARE_TROUBLES, "");
    if (findings + secrets == 0)
        return;
    buffer_format(markdown->out, "<details><summary>%zu suppressed</summary>\n\n",
                  findings + secrets);
    for (size_t i = 0; i < findings; i++)
        add_suppressed_row(markdown, &part, finding[i]->id,
                           component_words(report, finding[i]->component),
                           finding_suppression(report, finding[i]));
    for (size_t i = 0; i < secrets; i++)
        add_suppressed_row(markdown, &part, secret[i]->secret->rule,
                           secret_place(report, secret[i]),
                           suppression_words(report, secret[i]->suppressed_reason,
                                             secret[i]->suppressed_by, SLICE_EMPTY));
    add(markdown, "\n</details>\n\n");
}

static void add_trouble(struct markdown *markdown, struct part *part, const char *what, slice text)
{
    CLEANUP_BUFFER struct buffer row = {0};
    buffer_format(&row, "- **%s**: ", what);
    markdown_add(&row, text_cut(markdown->arena, text, TEXT_BYTES));
    buffer_text(&row, "\n");
    add_row(markdown, part, buffer_slice(&row), 0);
}

static void add_troubles(struct markdown *markdown)
{
    const struct report *report = markdown->report;
    const struct report_error *errors = report->errors.items;
    const struct unjudged *unjudged = report->result->unjudged.items;
    struct part part = begin_part(markdown, SHARE_TROUBLES, "");
    slice end_of_life =
        end_of_life_sentence(report->result, &report->inventory->os, markdown->arena);
    size_t before = markdown->out->len;
    for (size_t i = 0; i < report->errors.count; i++)
        add_trouble(markdown, &part, "Could not be read", errors[i].message);
    for (size_t i = 0; i < report->result->unjudged.count; i++)
        add_trouble(markdown, &part, "Not judged",
                    unjudged_sentence(&unjudged[i], markdown->arena));
    if (end_of_life.len)
        add_trouble(markdown, &part, "End of life", end_of_life);
    if (markdown->out->len > before)
        add(markdown, "\n");
}

static void write_markdown(const struct report *report, const struct report_options *options,
                           struct buffer *out)
{
    CLEANUP_BUFFER struct buffer suppressed = {0};
    struct markdown aside = {.report = report,
                             .arena = report->arena,
                             .out = &suppressed,
                             .room = MOST_BYTES - LAST_BYTES};
    struct markdown markdown = aside;
    (void)options;
    add_suppressed(&aside); /* before the findings, which take what room is left */
    markdown.out = out;
    markdown.room -= suppressed.len;
    add_verdict(&markdown);
    add_counts(&markdown);
    add_troubles(&markdown);
    add_secrets(&markdown);
    add_findings(&markdown);
    buffer_add(out, buffer_slice(&suppressed));
    markdown.left_out += aside.left_out;
    if (markdown.left_out)
        buffer_format(out,
                      "%zu rows are left out, the least severe ones: a comment holds 65,536 "
                      "characters. `--format json` has them all.\n\n",
                      markdown.left_out);
    if (report->store)
        buffer_format(out, "<sub>plimsoll %s, advisories %llu days old</sub>\n", report->version,
                      (unsigned long long)report->store_age_days);
    else
        buffer_format(out, "<sub>plimsoll %s</sub>\n", report->version);
}

const struct report_format report_markdown = {
    .name = "markdown",
    .alias = "md",
    .help = "Markdown, for a comment on a pull request",
    .write = write_markdown,
};
