/*
 * Reports: the result of a scan, written for a person or a program. Writers are pure functions of
 * the result; to add one: a file in this folder and a line in the table in report.c.
 */
#ifndef PLIMSOLL_REPORT_REPORT_H
#define PLIMSOLL_REPORT_REPORT_H

#include "base/buffer.h"
#include "policy/policy.h"

#define REPORT_SCHEMA_VERSION "1.0.0"

/* Something that could not be read or trusted. */
struct report_error {
    const char *where; /* "image", "layer", "store" */
    size_t layer;      /* SIZE_MAX: none */
    slice path;
    slice message;
};

struct report_stats {
    bool wanted; /* --stats */
    uint64_t image_bytes, bytes_read, bytes_unpacked, entries, entries_read;
    uint64_t open_microseconds, walk_microseconds, merge_microseconds, match_microseconds;
    uint64_t parent_peak_memory, worker_peak_memory; /* bytes; the largest worker */
    const struct layer_outcome *outcomes;
    size_t redirect_walks;
};

struct report {
    const struct image *image;
    const struct inventory *inventory;
    const struct match_result *result;
    const struct policy *policy;
    const struct verdict *verdict;
    const struct store_status *store; /* NULL: there was none */
    struct list errors;               /* of struct report_error */
    struct report_stats stats;
    bool secrets_wanted; /* they were looked for */
    uint64_t store_age_days;
    struct arena *arena;
};

struct report_options {
    bool color;
    size_t width; /* columns of the terminal, 0: not a terminal */
};

struct report_format {
    const char *name;
    void (*write)(const struct report *report, const struct report_options *options,
                  struct buffer *out);
};

/* The format of that name, or NULL; report_format_names is for messages and help. */
const struct report_format *report_format_named(slice name);
extern const struct report_format *const report_formats[];
extern const size_t report_format_count;

#endif
