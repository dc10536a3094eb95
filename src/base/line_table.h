/*
 * Which line and column of a text an offset is, and the other way round: for texts at hand in which
 * many places are asked for, in any order. It remembers where the lines stand every few thousand
 * bytes, so that neither one long line nor millions of empty ones cost much.
 */
#ifndef PLIMSOLL_BASE_LINE_TABLE_H
#define PLIMSOLL_BASE_LINE_TABLE_H

#include "base/memory.h"

struct line_table {
    slice text;
    struct line_mark *marks;
    size_t count;
};

/* The text stays the caller's and must not change. */
void line_table_make(struct line_table *table, slice text, struct arena *arena);

/* Both from 1; columns count bytes. An offset behind the end is the end's. */
void line_table_place(const struct line_table *table, size_t offset, uint64_t *line,
                      uint64_t *column);

/* Where the column of that line is; never behind the text's end. */
size_t line_table_offset(const struct line_table *table, uint64_t line, uint64_t column);

#endif
