/* A comparison as one HTML file: no script, nothing fetched, dark where the reader's screen is. */
#include "base/text.h"
#include "compare/formats.h"
#include "compare/page.h"
#include "report/parts.h"

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n<title>";

static const char style[] =
    "</title>\n<style>\n"
    ":root { --ink: #1b1f24; --paper: #fff; --line: #d0d7de; --dim: #57606a; --good: #1a7f37;\n"
    "  --bad: #b3261e; --critical: #a40e26; --high: #c2410c; --medium: #8a6100; --low: #0b62a4; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "  :root { --ink: #e6edf3; --paper: #0d1117; --line: #30363d; --dim: #9198a1; --good: "
    "#3fb950;\n"
    "    --bad: #ff7b72; --critical: #ff7b8e; --high: #ffa657; --medium: #e3b341;\n"
    "    --low: #79c0ff; } }\n"
    "body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);\n"
    "  max-width: 70rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }\n"
    ".scroll { overflow-x: auto; }\n"
    "table { border-collapse: collapse; margin: .5rem 0 1rem; font-size: .9rem; }\n"
    "th, td { border-bottom: 1px solid var(--line); padding: .25rem .75rem .25rem 0;\n"
    "  text-align: left; vertical-align: top; }\n"
    "th { color: var(--dim); font-size: .75rem; }\n"
    ".r { text-align: right; font-variant-numeric: tabular-nums; }\n"
    ".s5 { color: var(--critical); font-weight: 600; } .s4 { color: var(--high); }\n"
    ".s3 { color: var(--medium); } .s2 { color: var(--low); }\n"
    ".pass { color: var(--good); } .fail, .error { color: var(--bad); }\n"
    "summary { cursor: pointer; font-weight: 600; margin: .75rem 0; }\n"
    "@media print { details > * { display: block; } }\n"
    "</style>\n</head>\n<body>\n<main>\n";

/* Text or an attribute: what a terminal must not be handed is made visible here as well. */
static void add_text(struct buffer *out, struct arena *arena, slice text)
{
    xml_add(out, text_safe(arena, text));
}

static void add_lines(struct buffer *out, struct arena *arena, const char *class,
                      const struct list *sentences)
{
    const slice *items = sentences->items;
    if (sentences->count == 0)
        return;
    buffer_format(out, "<ul class=\"%s\">\n", class);
    for (size_t i = 0; i < sentences->count; i++) {
        buffer_text(out, "<li>");
        add_text(out, arena, items[i]);
        buffer_text(out, "</li>\n");
    }
    buffer_text(out, "</ul>\n");
}

static void add_row(struct buffer *out, struct arena *arena, const struct page_table *table,
                    const struct page_row *row)
{
    buffer_text(out, "<tr>");
    for (size_t i = 0; i < table->columns; i++) {
        /* In words as well as in colour: the severity stands in a cell of its own. */
        bool is_severity =
            row->severity >= 0 && (i == 0 || strcmp(table->heads[i], "SEVERITY") == 0);
        buffer_format(out, "<td class=\"%s", table->alignment[i] == 'r' ? "r" : "l");
        if (is_severity)
            buffer_format(out, " s%d", row->severity);
        buffer_text(out, "\">");
        add_text(out, arena, row->cells[i]);
        buffer_text(out, "</td>");
    }
    buffer_text(out, "</tr>\n");
}

static void add_table(struct buffer *out, struct arena *arena, const struct page_table *table)
{
    const struct page_row *rows = table->rows.items;
    if (table->title.len) {
        buffer_text(out, table->is_minor ? "<details><summary>" : "<h2>");
        add_text(out, arena, table->title);
        buffer_text(out, table->is_minor ? "</summary>\n" : "</h2>\n");
    }
    buffer_text(out, "<div class=\"scroll\"><table>\n<thead><tr>");
    for (size_t i = 0; i < table->columns; i++)
        buffer_format(out, "<th scope=\"col\" class=\"%s\">%s</th>",
                      table->alignment[i] == 'r' ? "r" : "l", table->heads[i]);
    buffer_text(out, "</tr></thead>\n<tbody>\n");
    for (size_t i = 0; i < table->rows.count; i++)
        add_row(out, arena, table, &rows[i]);
    buffer_text(out, "</tbody></table></div>\n");
    if (table->title.len && table->is_minor)
        buffer_text(out, "</details>\n");
}

static void write_comparison(const struct comparison *comparison,
                             const struct report_options *options, struct buffer *out)
{
    struct arena *arena = comparison->arena;
    struct page page = page_of(comparison);
    const struct page_table *tables = page.tables.items;
    const char *title = compare_is_pair(comparison) ? "Image comparison" : "Image ranking";
    (void)options;
    buffer_format(out, "%s%s%s<h1>%s</h1>\n", head, title, style, title);
    if (page.verdict.len) {
        buffer_format(out, "<p class=\"%s\"><strong>", comparison->exit_code ? "fail" : "pass");
        add_text(out, arena, page.verdict);
        buffer_text(out, "</strong></p>\n");
        add_lines(out, arena, "reasons", &comparison->reasons);
    }
    add_lines(out, arena, "error", &page.errors);
    if (page.errors.count)
        buffer_text(out, "<p class=\"error\">This comparison is not complete: do not rely on "
                         "it.</p>\n");
    add_lines(out, arena, "sides", &page.sides);
    buffer_text(out, "<p>");
    add_text(out, arena, page.summary);
    buffer_text(out, "</p>\n");
    for (size_t i = 0; i < page.tables.count; i++)
        add_table(out, arena, &tables[i]);
    add_lines(out, arena, "notes", &page.notes);
    buffer_text(out, "<footer><p>plimsoll ");
    add_text(out, arena, comparison->version);
    buffer_text(out, "</p></footer>\n</main>\n</body>\n</html>\n");
}

const struct compare_format compare_html = {"html", write_comparison};
