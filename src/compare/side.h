/*
 * A side of a comparison: what counts of one scan, kept apart from it so that the scan's memory can
 * be given back. Made from a scan that was just done, or read from a report that was saved as JSON;
 * either way it is the same.
 *
 * Everything in a side lives in the arena it was made in.
 */
#ifndef PLIMSOLL_COMPARE_SIDE_H
#define PLIMSOLL_COMPARE_SIDE_H

#include "base/json_read.h"
#include "policy/secret_baseline.h"
#include "report/report.h"

struct side_package {
    slice type, name, version, arch; /* arch may be empty */
};

struct side_finding {
    slice id;
    struct list aliases; /* of slice */
    enum severity severity;
    struct side_package package;
    struct list fixed; /* of slice: versions that repair it */
    bool kev;
    enum base_state base;
};

struct side_secret {
    slice fingerprint, rule, title, path;
    struct list fingerprints; /* of slice: by each rule that found it, its own among them */
    enum severity severity;
    struct secret_value *value; /* the same for the same on all sides: compare_join_secrets */
};

struct side {
    slice name;       /* as asked for */
    const char *kind; /* "image", "report" */
    slice image;      /* what the scan calls the image */
    slice digest, platform, os_name;
    slice end_of_life; /* a date, "true", "false" or empty */
    slice created;     /* "2026-08-21" of its config; empty: not known */
    slice store_built; /* of the advisories that judged it, or empty */
    uint64_t size;     /* of its layers, as stored */
    size_t layer_count;
    struct list packages; /* of struct side_package, in order */
    struct list findings; /* of struct side_finding that count, the most severe first */
    struct list secrets;  /* of struct side_secret that count, likewise */
    size_t suppressed;    /* findings and secrets that do not count */
    struct list unjudged; /* of slice: sentences */
    struct list errors;   /* of slice: why it is not to be trusted */
};

/* What a side is asked for. */
struct side_wish {
    const struct policy *policy;     /* its filters */
    struct secret_baseline baseline; /* secrets that are known already */
    bool vulnerabilities, secrets;
};

/* A side of a scan: nothing in it points into the scan's arena. */
void side_from_report(struct side *side, struct arena *arena, const struct report *report);

/*
 * A side of a saved report. Its filters are not those with which the report was saved, but those of
 * the wish. A report that is not whole by docs/report.md is an error; one that says of itself that
 * something could not be read has that among its errors.
 */
MUST_CHECK struct error *side_from_document(struct side *side, struct arena *arena,
                                            const json_t *document, const struct side_wish *wish);

/* One that could not be opened: it has a name and an error. Takes the error over. */
void side_failed(struct side *side, struct arena *arena, struct error *error);
void side_add_error(struct side *side, struct arena *arena, slice sentence);

/* Puts packages, findings and secrets in order, whatever order they came in. */
void side_sort(struct side *side);
int side_package_compare(const struct side_package *a, const struct side_package *b);

/* The day of an RFC 3339 date-time; empty for none, and for those that only mean "not said". */
slice side_day(slice date);

#endif
