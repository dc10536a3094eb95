/* What the files that write the table share. */
#ifndef PLIMSOLL_REPORT_TABLE_PARTS_H
#define PLIMSOLL_REPORT_TABLE_PARTS_H

#include "report/report.h"

enum { TABLE_COLUMNS = 5 };

struct table {
    const struct report *report;
    const struct report_options *options;
    struct buffer *out;
    size_t widths[TABLE_COLUMNS];
};

extern const char *const table_colors[SEVERITY_COUNT];

/* Where the terminal has colours. */
void table_color(struct table *table, const char *code);
/* A line of text, made safe, broken between words where the terminal ends. */
void table_line(struct table *table, slice line);

/* How many findings were suppressed and why, with --show-suppressed each of them; and the
 * exceptions that have run out or are for nothing. */
void table_suppressed(struct table *table);

/* The secrets, each with where it is and what to do. */
void table_secrets(struct table *table);

#endif
