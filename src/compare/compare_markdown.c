/* A comparison in GitHub's Markdown, as a comment on a pull request. */
#include "base/text.h"
#include "compare/formats.h"
#include "compare/page.h"

enum { LONGEST_CELL = 120 };

/* What GitHub makes a link of without being asked: "http://…", "www.…". */
static bool begins_link(slice text, size_t at)
{
    return (text.ptr[at] == ':' && at + 1 < text.len && text.ptr[at + 1] == '/') ||
           (text.ptr[at] == '.' && at && (text.ptr[at - 1] | 0x20) == 'w');
}

/* Plain text: nothing in it is markup, an HTML tag, a link or the mention of a user. */
static void add_text(struct buffer *out, struct arena *arena, slice text)
{
    slice safe = text_safe(arena, text);
    for (size_t i = 0; i < safe.len; i++) {
        if (strchr("\\`*_{}[]()<>#|~&!$", safe.ptr[i]) || begins_link(safe, i))
            buffer_add_byte(out, '\\');
        buffer_add_byte(out, safe.ptr[i]);
        if (safe.ptr[i] == '@')
            buffer_text(out, "<!-- -->"); /* else GitHub calls the user of that name */
    }
}

/* A code span (CommonMark 6.1): its fence is longer than any run of backticks in it. */
static void add_code(struct buffer *out, struct arena *arena, slice text)
{
    CLEANUP_BUFFER struct buffer cut = {0};
    text_add_cut(&cut, text_safe(arena, text), LONGEST_CELL);
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < cut.len; i++) {
        run = cut.bytes[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    for (size_t i = 0; i <= longest; i++)
        buffer_add_byte(out, '`');
    buffer_text(out, longest ? " " : "");
    for (size_t i = 0; i < cut.len; i++) {
        if (cut.bytes[i] == '|')
            buffer_add_byte(out, '\\'); /* GFM, tables: cells are cut before code is seen */
        buffer_add_byte(out, cut.bytes[i]);
    }
    buffer_text(out, longest ? " " : "");
    for (size_t i = 0; i <= longest; i++)
        buffer_add_byte(out, '`');
}

static bool is_plain(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!byte_is_alpha(text.ptr[i]) && !byte_is_digit(text.ptr[i]) &&
            (!strchr(" .,+-%:()", text.ptr[i]) || begins_link(text, i)))
            return false;
    return true;
}

static void add_lines(struct buffer *out, struct arena *arena, const char *before,
                      const struct list *sentences)
{
    const slice *items = sentences->items;
    for (size_t i = 0; i < sentences->count; i++) {
        buffer_format(out, "- %s", before);
        add_text(out, arena, items[i]);
        buffer_add_byte(out, '\n');
    }
    if (sentences->count)
        buffer_add_byte(out, '\n');
}

static void add_row(struct buffer *out, struct arena *arena, const struct page_table *table,
                    const struct page_row *row)
{
    for (size_t i = 0; i < table->columns; i++) {
        buffer_text(out, "| ");
        if (is_plain(row->cells[i]))
            buffer_add(out, row->cells[i]);
        else
            add_code(out, arena, row->cells[i]);
        buffer_add_byte(out, ' ');
    }
    buffer_text(out, "|\n");
}

static void add_table(struct buffer *out, struct arena *arena, const struct page_table *table)
{
    const struct page_row *rows = table->rows.items;
    size_t count = table->is_long && table->rows.count > PAGE_ROWS ? PAGE_ROWS : table->rows.count;
    if (table->is_minor)
        buffer_format(out, "<details><summary>%.*s</summary>\n\n", SLICE_ARG(table->title));
    else if (table->title.len)
        buffer_format(out, "### %.*s\n\n", SLICE_ARG(table->title));
    for (size_t i = 0; i < table->columns; i++)
        buffer_format(out, "| %s ", table->heads[i]);
    buffer_text(out, "|\n");
    for (size_t i = 0; i < table->columns; i++)
        buffer_text(out, table->alignment[i] == 'r' ? "|---:" : "|---");
    buffer_text(out, "|\n");
    for (size_t i = 0; i < count; i++)
        add_row(out, arena, table, &rows[i]);
    if (count < table->rows.count)
        buffer_format(out, "\n… and %zu more.\n", table->rows.count - count);
    buffer_text(out, table->is_minor ? "\n</details>\n\n" : "\n");
}

static void write_comparison(const struct comparison *comparison,
                             const struct report_options *options, struct buffer *out)
{
    struct arena *arena = comparison->arena;
    struct page page = page_of(comparison);
    const struct page_table *tables = page.tables.items;
    (void)options;
    buffer_format(out, "## %s\n\n",
                  compare_is_pair(comparison) ? "Image comparison" : "Image ranking");
    if (page.verdict.len) {
        buffer_text(out, "**");
        add_text(out, arena, page.verdict);
        buffer_text(out, "**\n\n");
        add_lines(out, arena, "", &comparison->reasons);
    }
    add_lines(out, arena, "**Error:** ", &page.errors);
    if (page.errors.count)
        buffer_text(out, "**This comparison is not complete: do not rely on it.**\n\n");
    add_lines(out, arena, "", &page.sides);
    add_text(out, arena, page.summary);
    buffer_text(out, "\n\n");
    for (size_t i = 0; i < page.tables.count; i++)
        add_table(out, arena, &tables[i]);
    add_lines(out, arena, "", &page.notes);
}

const struct compare_format compare_markdown = {"markdown", write_comparison};
