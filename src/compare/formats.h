/* The forms in which a comparison is written: a file each, and one table in formats.c. */
#ifndef PLIMSOLL_COMPARE_FORMATS_H
#define PLIMSOLL_COMPARE_FORMATS_H

#include "compare/compare.h"

struct compare_format {
    const char *name;
    void (*write)(const struct comparison *comparison, const struct report_options *options,
                  struct buffer *out);
};

extern const struct compare_format compare_table, compare_json, compare_markdown, compare_html;

/* The first is the default. */
extern const struct compare_format *const compare_formats[];
extern const size_t compare_format_count;

/* NULL when there is none of that name. */
const struct compare_format *compare_format_named(slice name);

#endif
