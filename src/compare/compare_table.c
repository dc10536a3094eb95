/* A comparison for people, on a terminal or in a log. */
#include "base/text.h"
#include "compare/formats.h"
#include "compare/page.h"
#include "report/table_parts.h"

enum { WIDEST_CELL = 60 };

struct writer {
    const struct comparison *comparison;
    const struct report_options *options;
    struct buffer *out;
};

static void color(const struct writer *writer, const char *code)
{
    if (writer->options->color)
        buffer_text(writer->out, code);
}

static void add_line(const struct writer *writer, slice sentence)
{
    text_add_safe(writer->out, sentence);
    buffer_add_byte(writer->out, '\n');
}

static void add_lines(const struct writer *writer, const char *before, const struct list *sentences)
{
    const slice *items = sentences->items;
    for (size_t i = 0; i < sentences->count; i++) {
        buffer_text(writer->out, before);
        add_line(writer, items[i]);
    }
}

/* Appends a cell, cut and filled to its column's width. */
static void add_cell(const struct writer *writer, slice cell, size_t width, bool right, bool last)
{
    CLEANUP_BUFFER struct buffer text = {0};
    size_t used = text_add_cut(&text, cell, width);
    if (right)
        buffer_format(writer->out, "%*s", (int)(width - used), "");
    buffer_add(writer->out, buffer_slice(&text));
    if (!right && !last)
        buffer_format(writer->out, "%*s", (int)(width - used), "");
}

static void add_cells(const struct writer *writer, const struct page_table *table,
                      const slice *cells, const size_t *widths)
{
    for (size_t i = 0; i < table->columns; i++) {
        buffer_text(writer->out, "  ");
        add_cell(writer, cells[i], widths[i], table->alignment[i] == 'r', i + 1 == table->columns);
    }
    buffer_add_byte(writer->out, '\n');
}

static size_t total(const struct page_table *table, const size_t *widths)
{
    size_t sum = 0;
    for (size_t i = 0; i < table->columns; i++)
        sum += widths[i] + 2;
    return sum;
}

/* Wide enough for every cell; on a terminal the widest give way first. */
static void measure(const struct writer *writer, const struct page_table *table,
                    const struct page_row *rows, size_t count, size_t *widths)
{
    for (size_t i = 0; i < table->columns; i++) {
        widths[i] = strlen(table->heads[i]);
        for (size_t row = 0; row < count; row++) {
            size_t width = text_width(rows[row].cells[i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
        widths[i] = widths[i] < WIDEST_CELL ? widths[i] : WIDEST_CELL;
    }
    while (writer->options->width && total(table, widths) > writer->options->width) {
        size_t widest = 0;
        for (size_t i = 1; i < table->columns; i++)
            widest = widths[i] > widths[widest] ? i : widest;
        if (widths[widest] <= 8)
            break;
        widths[widest]--;
    }
}

static void add_table(const struct writer *writer, const struct page_table *table)
{
    struct arena *arena = writer->comparison->arena;
    size_t widths[PAGE_COLUMNS];
    const struct page_row *all = table->rows.items;
    size_t count = table->is_long && table->rows.count > PAGE_ROWS ? PAGE_ROWS : table->rows.count;
    struct page_row *rows = arena_array(arena, count + 1, sizeof(*rows));
    slice heads[PAGE_COLUMNS];
    for (size_t i = 0; i < count; i++) {
        rows[i] = all[i];
        for (size_t j = 0; j < table->columns; j++)
            rows[i].cells[j] = text_safe(arena, all[i].cells[j]);
    }
    for (size_t i = 0; i < table->columns; i++)
        heads[i] = slice_from_text(table->heads[i]);
    measure(writer, table, rows, count, widths);
    buffer_add_byte(writer->out, '\n');
    if (table->title.len) {
        color(writer, "\033[1m");
        buffer_add(writer->out, table->title);
        color(writer, "\033[0m");
        buffer_add_byte(writer->out, '\n');
    }
    color(writer, "\033[2m");
    add_cells(writer, table, heads, widths);
    color(writer, "\033[0m");
    for (size_t i = 0; i < count; i++) {
        color(writer, rows[i].severity >= 0 ? table_colors[rows[i].severity] : "");
        add_cells(writer, table, rows[i].cells, widths);
        color(writer, rows[i].severity >= 0 ? "\033[0m" : "");
    }
    if (count < table->rows.count)
        buffer_format(writer->out, "  … and %zu more (-f json and -f html have them all)\n",
                      table->rows.count - count);
}

static void write_comparison(const struct comparison *comparison,
                             const struct report_options *options, struct buffer *out)
{
    struct writer writer = {comparison, options, out};
    struct page page = page_of(comparison);
    const struct page_table *tables = page.tables.items;
    add_lines(&writer, "", &page.sides);
    add_lines(&writer, "ERROR: ", &page.errors);
    if (page.errors.count)
        buffer_text(out, "This comparison is not complete: do not rely on it.\n");
    for (size_t i = 0; i < page.tables.count; i++)
        add_table(&writer, &tables[i]);
    buffer_add_byte(out, '\n');
    add_line(&writer, page.summary);
    add_lines(&writer, "", &page.notes);
    if (page.verdict.len == 0)
        return;
    color(&writer, comparison->exit_code ? "\033[1;31m" : "\033[32m");
    buffer_format(out, "%.*s%s", SLICE_ARG(page.verdict), comparison->reasons.count ? ":" : "");
    color(&writer, "\033[0m");
    buffer_add_byte(out, '\n');
    add_lines(&writer, "  ", &comparison->reasons);
}

const struct compare_format compare_table = {"table", write_comparison};
