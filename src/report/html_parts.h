/*
 * What the files that write the HTML report share: the page, and the only ways by which text gets
 * into it. html.c writes the document, html_summary.c what stands above the findings,
 * html_findings.c the findings as rows and as data, html_lists.c what follows them.
 *
 * A page loads nothing and runs nothing but the script of html/report.js, which its policy (a
 * Content-Security-Policy of hashes) names; style and script are put in at build time.
 */
#ifndef PLIMSOLL_REPORT_HTML_PARTS_H
#define PLIMSOLL_REPORT_HTML_PARTS_H

#include "report/parts.h"

/* So many rows of a table are written as HTML; what is beyond needs the script, or is counted. */
enum { HTML_ROWS = 1000 };

enum html_origin { HTML_BASE, HTML_OWN, HTML_UNKNOWN };
enum { HTML_ORIGINS = HTML_UNKNOWN + 1 };

struct page {
    const struct report *report;
    struct arena *arena; /* the report's */
    struct buffer *out;
    struct finding *const *findings; /* those that count, the most severe first */
    size_t finding_count;
    const struct image_secret *const *secrets; /* likewise */
    size_t secret_count;
    struct report_counts counts;
    bool flat; /* no image: it has no layers to speak of */
};

/* Made at build time from html/report.css, report.js and controls.html; hashes for the policy. */
extern const char html_style[], html_script[], html_controls[];
extern const char html_style_hash[], html_script_hash[];

/* Our own markup, as it is. Nothing else may go this way. */
void page_html(struct page *page, const char *markup);
/* Any text, escaped; what is not printable made visible, as on a terminal. */
void page_text(struct page *page, slice text);
/* `<td class="…" data-label="…">text</td>`; quiet: the word that stands where there is no text. */
void page_cell(struct page *page, const char *label, const char *class, slice text,
               const char *quiet);
/* The opening tag of a cell for other content. */
void page_open_cell(struct page *page, const char *label, const char *class);
/* `<span class="severity high">HIGH</span>` */
void page_severity(struct page *page, enum severity severity);
/* A table's head: `<table id class><caption>…</caption><thead>…`; headings by '|', up to <tbody>.
 */
void page_open_table(struct page *page, const char *id, const char *caption, const char *headings);
void page_close_table(struct page *page);
/* Of `count` things only HTML_ROWS are listed: says so. */
void page_say_cut(struct page *page, size_t count, const char *things);
/* `<a href="#layer-2">2</a>` and the instruction, cut. */
void page_layer(struct page *page, size_t layer);

/* The text with all that is not printable, or no character to Unicode, made visible. */
slice html_visible(struct arena *arena, slice text);
/* "50,000" */
slice html_number(struct arena *arena, uint64_t number);
/* "1 secret", "50,000 findings" */
slice html_count(struct arena *arena, size_t count, const char *thing);
/* "critical": the class of CSS for a severity. */
const char *html_class(enum severity severity);

/* Where a layer is from; *guessed: only the history suggests it. */
enum html_origin html_origin_of(const struct report *report, size_t layer, bool *guessed);
extern const char *const html_origin_names[HTML_ORIGINS];
/* The first words of a layer's instruction; empty where it is not known. */
slice html_instruction(const struct report *report, size_t layer);

void html_verdict(struct page *page);
void html_facts(struct page *page);
void html_charts(struct page *page);
void html_layers(struct page *page);
void html_findings(struct page *page);
/* The findings as JSON for the script, in a block that is never run. */
void html_data(struct page *page);
void html_secrets(struct page *page);
void html_suppressed(struct page *page);
void html_unjudged(struct page *page);
void html_errors(struct page *page);

#endif
