/*
 * Where comparisons go: --format FORMAT[=FILE] of `plimsoll compare`, whose formats are those of
 * src/compare. The one without a file goes to --output, else to stdout.
 */
#ifndef PLIMSOLL_CLI_COMPARISONS_H
#define PLIMSOLL_CLI_COMPARISONS_H

#include "cli/outputs.h"
#include "compare/formats.h"

enum { COMPARISON_OUTPUTS = 8 };

struct comparison_output {
    struct destination to;
    const struct compare_format *format;
};

struct comparison_outputs {
    struct comparison_output items[COMPARISON_OUTPUTS];
    size_t count;
};

/* Whether `text` is of the form that comparison_add takes, with the name of a format. */
bool comparison_is_format(slice text);
/* Adds "html=out.html"; `text` must end in NUL and live on. */
MUST_CHECK struct error *comparison_add(struct comparison_outputs *outputs, slice text);
/* Gives the one without a file `path` (--output; may be NULL). None at all: the table. */
MUST_CHECK struct error *comparison_finish(struct comparison_outputs *outputs, const char *path);
/* Writes them all, each whole or not at all; the first error, after all were tried. */
MUST_CHECK struct error *comparison_write(const struct comparison_outputs *outputs,
                                          const struct comparison *comparison);

#endif
