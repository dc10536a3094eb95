/*
 * Where reports go: --format FORMAT[@VERSION][=FILE], as often as there are reports wanted. The one
 * without a file goes to --output, else to stdout.
 */
#ifndef PLIMSOLL_CLI_OUTPUTS_H
#define PLIMSOLL_CLI_OUTPUTS_H

#include "base/error.h"
#include "report/report.h"

enum { OUTPUTS = 32 };

/* Where one of several reports goes; comparisons have them too. */
struct destination {
    const char *name; /* of its format */
    const char *path; /* NULL: stdout */
};

/*
 * Gives the one without a file `path` (--output; may be NULL). An error: two without a file, two
 * with the same, or none without while `path` is given.
 */
MUST_CHECK struct error *destinations_finish(struct destination *const *all, size_t count,
                                             const char *path);
/* Writes it whole or not at all; to stdout where `path` is NULL. */
MUST_CHECK struct error *output_put(const char *path, const struct buffer *text);

struct output {
    struct destination to;
    const struct report_format *format;
    slice version; /* of the format; empty: its default */
};

struct outputs {
    struct output items[OUTPUTS];
    size_t count;
    slice template_text; /* of --template; in the arena */
    const char *template_path;
};

/* Whether `text` is of the form that output_add takes, with the name of a format. */
bool output_is_format(slice text);
/* Adds "sarif=out.sarif"; `text` must end in NUL and live on. */
MUST_CHECK struct error *output_add(struct outputs *outputs, slice text);
/* Gives the one without a file `path` (--output; may be NULL). None at all: the table. */
MUST_CHECK struct error *outputs_finish(struct outputs *outputs, const char *path);

/*
 * Reads the file of --template ("FILE", "@FILE"; may be NULL) where a format needs it, and looks
 * whether it is a template.
 */
MUST_CHECK struct error *outputs_read_template(struct outputs *outputs, struct arena *arena,
                                               const char *path);

/* The first format, for commands that write something else than a scan's report. */
const struct report_format *outputs_plain_format(const struct outputs *outputs);
/* Whether that format is written to stdout. */
bool outputs_show(const struct outputs *outputs, const struct report_format *format);
/* Whether nothing but SBOMs is asked for. */
bool outputs_are_sboms(const struct outputs *outputs);
bool outputs_want_prose(const struct outputs *outputs);

/* How a report looks that is written to stdout. */
struct report_options outputs_terminal(void);

/* Writes them all, each whole or not at all; the first error, after all were tried. */
MUST_CHECK struct error *outputs_write(const struct outputs *outputs, const struct report *report);

#endif
