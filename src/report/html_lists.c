/* Below the findings: secrets, what policy took away, and what could not be judged or read. */
#include "report/html_parts.h"
#include "report/sentences.h"

static void open_section(struct page *page, const char *id, const char *title)
{
    buffer_format(page->out, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", id, id,
                  title);
}

static void write_secret_layer(struct page *page, const struct image_secret *found)
{
    page_open_cell(page, "Layer", "layer");
    if (found->layer == SIZE_MAX)
        page_html(page, "the image's config");
    else if (page->flat)
        page_html(page, "<span class=\"quiet\">none</span>");
    else
        page_layer(page, found->layer);
    if (found->deleted_in != SIZE_MAX)
        buffer_format(page->out,
                      " <small>deleted in <a href=\"#layer-%zu\">layer %zu</a>, still readable"
                      "</small>",
                      found->deleted_in, found->deleted_in);
    page_html(page, "</td>");
}

static void write_secret(struct page *page, const struct image_secret *found)
{
    const struct secret *secret = found->secret;
    page_html(page, "<tr>");
    page_open_cell(page, "Severity", NULL);
    page_severity(page, found->severity);
    page_html(page, "</td><th scope=\"row\" data-label=\"Secret\">");
    page_text(page, found->title);
    page_html(page, " <small>");
    page_text(page, secret->rule);
    page_html(page, "</small></th>");
    page_open_cell(page, "Match", NULL);
    page_html(page, "<code>");
    page_text(page, secret->match);
    page_html(page, "</code></td>");
    page_open_cell(page, "Place", NULL);
    page_text(page, secret_place(page->report, found));
    slice others = secret_other_places(page->report, found);
    if (others.len) {
        page_html(page, " <small>");
        page_text(page, others);
        page_html(page, "</small>");
    }
    if (secret->more)
        buffer_format(page->out, " <small>%llu more in this file are not listed</small>",
                      (unsigned long long)secret->more);
    page_html(page, "</td>");
    write_secret_layer(page, found);
    page_cell(page, "What to do", NULL, found->advice, "revoke it");
    page_html(page, "</tr>\n");
}

void html_secrets(struct page *page)
{
    open_section(page, "secrets", "Secrets");
    if (!page->report->secrets_wanted) {
        page_html(page, "<p>Secrets were not looked for (--scanners).</p>\n</section>\n");
        return;
    }
    if (page->secret_count == 0) {
        page_html(page, page->report->errors.count ? "<p>No secrets in what could be read.</p>\n"
                                                   : "<p>No secrets.</p>\n");
        page_html(page, "</section>\n");
        return;
    }
    page_html(page, "<p>Whoever has the image has them, deleted or not: revoke first, then build "
                    "without. What is shown of each is redacted.</p>\n");
    page_say_cut(page, page->secret_count, "secrets");
    page_open_table(page, "secrets-table", "Secrets that were found, the most severe first",
                    "Severity|Secret|Match|Place|Layer|What to do");
    for (size_t i = 0; i < page->secret_count && i < HTML_ROWS; i++)
        write_secret(page, page->secrets[i]);
    page_close_table(page);
    page_html(page, "</section>\n");
}

struct suppressed {
    enum severity severity;
    slice what, where, installed, reason, by, until;
};

static void write_suppressed(struct page *page, const struct suppressed *one)
{
    page_html(page, "<tr>");
    page_open_cell(page, "Severity", NULL);
    page_severity(page, one->severity);
    page_html(page, "</td><th scope=\"row\" data-label=\"What\">");
    page_text(page, one->what);
    page_html(page, "</th>");
    page_cell(page, "Where", NULL, one->where, "");
    page_cell(page, "Installed", NULL, one->installed, "–");
    page_cell(page, "Reason", NULL, one->reason, "");
    page_cell(page, "By", NULL, one->by, "not known");
    page_cell(page, "Until", NULL, one->until, "no end");
    page_html(page, "</tr>\n");
}

void html_suppressed(struct page *page)
{
    size_t findings_count, secrets_count, row = 0;
    struct finding *const *findings = report_findings(page->report, true, &findings_count);
    const struct image_secret *const *secrets = report_secrets(page->report, true, &secrets_count);
    size_t count = findings_count + secrets_count;
    if (count == 0)
        return;
    open_section(page, "suppressed", "Suppressed");
    page_html(page, "<details><summary>");
    page_text(page, count == 1 ? SLICE("1 does not count")
                               : arena_format(page->arena, "%.*s do not count",
                                              SLICE_ARG(html_number(page->arena, count))));
    page_html(page, "</summary>\n");
    page_say_cut(page, count, "that do not count");
    page_open_table(page, "suppressed-table", "What was found and does not count",
                    "Severity|What|Where|Installed|Reason|By|Until");
    for (size_t i = 0; i < findings_count && row < HTML_ROWS; i++, row++)
        write_suppressed(page,
                         &(struct suppressed){
                             findings[i]->severity, findings[i]->id, findings[i]->component->name,
                             findings[i]->component->version, findings[i]->suppressed_reason,
                             findings[i]->suppressed_by, findings[i]->suppressed_until});
    for (size_t i = 0; i < secrets_count && row < HTML_ROWS; i++, row++)
        write_suppressed(page, &(struct suppressed){secrets[i]->severity, secrets[i]->title,
                                                    secret_place(page->report, secrets[i]),
                                                    SLICE_EMPTY, secrets[i]->suppressed_reason,
                                                    secrets[i]->suppressed_by, SLICE_EMPTY});
    page_close_table(page);
    page_html(page, "</details>\n</section>\n");
}

void html_unjudged(struct page *page)
{
    const struct unjudged *unjudged = page->report->result->unjudged.items;
    if (page->report->result->unjudged.count == 0)
        return;
    open_section(page, "unjudged", "What could not be judged");
    page_html(page, "<p>None of this is known to be clean.</p>\n<ul>\n");
    for (size_t i = 0; i < page->report->result->unjudged.count; i++) {
        page_html(page, "<li>");
        page_text(page, unjudged_sentence(&unjudged[i], page->arena));
        page_html(page, "</li>\n");
    }
    page_html(page, "</ul>\n</section>\n");
}

void html_errors(struct page *page)
{
    const struct report_error *errors = page->report->errors.items;
    if (page->report->errors.count == 0)
        return;
    page_html(page, "<section class=\"errors\" aria-labelledby=\"errors\">\n"
                    "<h2 id=\"errors\">Errors</h2>\n<p>This report is not complete: do not take "
                    "the image for clean.</p>\n");
    page_say_cut(page, page->report->errors.count, "errors");
    page_html(page, "<ul>\n");
    for (size_t i = 0; i < page->report->errors.count && i < HTML_ROWS; i++) {
        page_html(page, "<li>");
        page_text(page, errors[i].message);
        if (errors[i].layer != SIZE_MAX || errors[i].path.len) {
            page_html(page, " <small>");
            if (errors[i].layer != SIZE_MAX)
                buffer_format(page->out, "layer %zu ", errors[i].layer);
            page_text(page, errors[i].path);
            page_html(page, "</small>");
        }
        page_html(page, "</li>\n");
    }
    page_html(page, "</ul>\n</section>\n");
}
