/*
 * Reading the tables of tests/data, for unit tests: text files with a case a line. Lines that are
 * empty or begin with '#' are not cases. PLIMSOLL_TEST_DATA names the folder.
 */
#ifndef PLIMSOLL_TESTS_TABLE_H
#define PLIMSOLL_TESTS_TABLE_H

#include "base/slice.h"
#include <stdio.h>
#include <stdlib.h>

struct table {
    const char *name;
    FILE *file;
    char *line;
    size_t room;
    size_t line_number;
    size_t rows; /* read so far */
};

static inline struct table table_open(const char *name)
{
    const char *folder = getenv("PLIMSOLL_TEST_DATA");
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", folder ? folder : "tests/data", name);
    struct table table = {.name = name, .file = fopen(path, "r")};
    if (table.file == NULL)
        fail_msg("cannot open %s; PLIMSOLL_TEST_DATA names the folder of the tables", path);
    return table;
}

/* The next case. It lives until the next call. */
static inline bool table_next(struct table *table, slice *row)
{
    ssize_t length;
    while ((length = getline(&table->line, &table->room, table->file)) >= 0) {
        table->line_number++;
        *row = slice_make(table->line, (size_t)length);
        if (slice_ends(*row, SLICE("\n")))
            row->len--;
        if (row->len && row->ptr[0] != '#') {
            table->rows++;
            return true;
        }
    }
    return false;
}

/* Fails when the table has fewer cases than it should: one that is cut must not pass. */
static inline void table_close(struct table *table, size_t least_rows)
{
    if (table->rows < least_rows)
        fail_msg("%s has %zu cases, expected %zu", table->name, table->rows, least_rows);
    fclose(table->file);
    free(table->line);
}

#define table_fail(table, row, ...)                                                                \
    do {                                                                                           \
        print_error("%s:%zu: %.*s: ", (table)->name, (table)->line_number, SLICE_ARG(row));        \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

#endif
