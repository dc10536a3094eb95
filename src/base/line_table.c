#include "base/line_table.h"

enum { BLOCK = 4096 };

/* At the start of a block: the line that its first byte stands in, and where that line begins. */
struct line_mark {
    uint64_t line;
    size_t start;
};

/* Steps over the line breaks before `end`. */
static void pass_lines(slice text, size_t from, size_t end, struct line_mark *mark)
{
    const char *at = text.ptr + from, *last = text.ptr + end;
    while (at < last && (at = memchr(at, '\n', (size_t)(last - at)))) {
        mark->line++;
        mark->start = (size_t)(++at - text.ptr);
    }
}

void line_table_make(struct line_table *table, slice text, struct arena *arena)
{
    struct line_mark mark = {1, 0};
    *table = (struct line_table){.text = text, .count = text.len / BLOCK + 1};
    table->marks = arena_array(arena, table->count, sizeof(*table->marks));
    for (size_t i = 0; i < table->count; i++) {
        table->marks[i] = mark;
        if (i + 1 < table->count)
            pass_lines(text, i * BLOCK, (i + 1) * BLOCK, &mark);
    }
}

void line_table_place(const struct line_table *table, size_t offset, uint64_t *line,
                      uint64_t *column)
{
    if (offset > table->text.len)
        offset = table->text.len;
    size_t block = offset / BLOCK;
    struct line_mark mark = table->marks[block];
    pass_lines(table->text, block * BLOCK, offset, &mark);
    *line = mark.line;
    *column = offset - mark.start + 1;
}

size_t line_table_offset(const struct line_table *table, uint64_t line, uint64_t column)
{
    /* The last block that begins in an earlier line: the line begins in it. */
    size_t low = 0, high = table->count, start = 0;
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (table->marks[middle].line < line)
            low = middle;
        else
            high = middle;
    }
    struct line_mark mark = table->marks[low];
    for (size_t at = low * BLOCK; mark.line < line; at = start) {
        const char *end = memchr(table->text.ptr + at, '\n', table->text.len - at);
        if (!end)
            return table->text.len;
        mark.line++;
        start = (size_t)(end - table->text.ptr) + 1;
    }
    uint64_t offset;
    if (__builtin_add_overflow(start, column ? column - 1 : 0, &offset) || offset > table->text.len)
        return table->text.len;
    return (size_t)offset;
}
