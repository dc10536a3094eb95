/*
 * Reports: the result of a scan, written for a person or a program. Writers are pure functions of
 * the result; to add one: a file in this folder and a line in the table in report.c.
 */
#ifndef PLIMSOLL_REPORT_REPORT_H
#define PLIMSOLL_REPORT_REPORT_H

#include "base/buffer.h"
#include "policy/exceptions.h"
#include "policy/policy.h"

#define REPORT_SCHEMA_VERSION "1.1.0"

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
    const struct exceptions *exceptions; /* of ignore files; NULL: not looked for */
    const struct target *target;         /* what the image is called; NULL likewise */
    const struct store_status *store;    /* NULL: there was none */
    struct list errors;                  /* of struct report_error */
    struct report_stats stats;
    bool secrets_wanted; /* they were looked for */
    bool vulnerabilities_wanted;
    bool sbom_findings;      /* vulnerabilities stand in the SBOM as well */
    bool leave_out_packages; /* of what others call list-all-pkgs=false */
    bool by_cve;             /* CVE ids where a format would have others */
    bool show_suppressed;    /* where a format shows them on demand only */
    const char *started;     /* "2026-11-29T00:10:37Z", or SOURCE_DATE_EPOCH so written */
    const char *version;     /* of this program */
    uint64_t store_age_days;
    slice template_text; /* --template; empty: none */
    const char *template_path;
    struct arena *arena;
};

struct report_options {
    bool color;
    size_t width;           /* columns of the terminal, 0: not a terminal */
    struct error **failure; /* where a writer that can fail says why; NULL: it is lost */
    slice version; /* of the format, as asked for: one of its `versions`; empty: its default */
};

struct report_format {
    const char *name;
    const char *alias;    /* what others call it: names with spaces between; or NULL */
    const char *help;     /* half a line */
    const char *versions; /* "1.4 1.5": those that can be asked for, the last by default; or NULL */
    bool is_sbom;         /* components, without findings unless they are asked for */
    bool needs_template;  /* --template */
    bool wants_prose;     /* shows what advisories say in words */
    /* Writes nothing where the format has no way to say that there is nothing. */
    void (*write)(const struct report *report, const struct report_options *options,
                  struct buffer *out);
};

/* The format of that name (or other name), NULL when there is none. */
const struct report_format *report_format_named(slice name);
/* Whether it is the table or plimsoll's own JSON, which other commands write as well. */
bool report_is_plain(const struct report_format *format);
/* Whether the format can be written as that version of it. */
bool report_format_has_version(const struct report_format *format, slice version);
extern const struct report_format *const report_formats[];
extern const size_t report_format_count;

#endif
