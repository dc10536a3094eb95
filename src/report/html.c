/*
 * The HTML report: one file for a person, to be kept, mailed and printed. It loads nothing, and
 * without its script it still has all but the search. docs/html.md.
 */
#include "report/html_parts.h"
#include "report/reports.h"

/* HTML living standard, 4.2.5.3: the policy stands before whatever it is about. */
static void write_head(struct page *page)
{
    const struct report *report = page->report;
    page_html(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    buffer_format(page->out,
                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                  "style-src '%s'; script-src '%s'; img-src data:; base-uri 'none'; "
                  "form-action 'none'\">\n",
                  html_style_hash, html_script_hash);
    page_html(page, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                    "<meta name=\"color-scheme\" content=\"light dark\">\n"
                    "<meta name=\"referrer\" content=\"no-referrer\">\n"
                    "<meta name=\"generator\" content=\"plimsoll ");
    page_text(page, slice_from_text(report->version));
    page_html(page, "\">\n<title>");
    page_text(page, report->image->name);
    page_html(page, report->verdict->pass ? ": may leave port" : ": may not leave port");
    page_html(page, " (plimsoll)</title>\n"
                    /* So that no browser asks a server for one. */
                    "<link rel=\"icon\" href=\"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/"
                    "2000/svg' viewBox='0 0 20 20' fill='none' stroke='%231f5a87' stroke-width='2'"
                    "%3E%3Ccircle cx='10' cy='10' r='6'/%3E%3Cpath d='M0 10h20'/%3E%3C/svg%3E\">\n"
                    "<style>");
    page_html(page, html_style);
    page_html(page, "</style>\n</head>\n");
}

static void write_header(struct page *page)
{
    page_html(page, "<a class=\"skip\" href=\"#findings\">Skip to the findings</a>\n"
                    "<header>\n<p class=\"kind\">plimsoll security report</p>\n<h1>");
    page_text(page, page->report->image->name);
    page_html(page, "</h1>\n</header>\n");
}

static void write_footer(struct page *page)
{
    const struct report *report = page->report;
    page_html(page, "<footer><p>Made by plimsoll ");
    page_text(page, slice_from_text(report->version));
    page_html(page, ", scan begun <time>");
    page_text(page, slice_from_text(report->started));
    page_html(page, "</time>. This file loads nothing from anywhere.</p></footer>\n");
}

static void write_report(const struct report *report, const struct report_options *options,
                         struct buffer *out)
{
    struct page page = {.report = report, .arena = report->arena, .out = out};
    (void)options;
    page.findings = report_findings(report, false, &page.finding_count);
    page.secrets = report_secrets(report, false, &page.secret_count);
    page.counts = report_count(report);
    page.flat = report->image->root_folder >= 0;
    write_head(&page);
    page_html(&page, "<body>\n");
    write_header(&page);
    page_html(&page, "<main>\n");
    html_verdict(&page);
    html_errors(&page);
    html_facts(&page);
    html_charts(&page);
    html_findings(&page);
    html_secrets(&page);
    html_unjudged(&page);
    html_layers(&page);
    html_suppressed(&page);
    page_html(&page, "</main>\n");
    write_footer(&page);
    html_data(&page);
    page_html(&page, "<script>");
    page_html(&page, html_script);
    page_html(&page, "</script>\n</body>\n</html>\n");
}

const struct report_format report_html = {
    .name = "html",
    .help = "one file for a browser: search, filters, charts (docs/html.md)",
    .write = write_report,
};
