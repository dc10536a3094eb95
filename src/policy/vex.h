/*
 * VEX: what others (or oneself) state of vulnerabilities in products, read from OpenVEX, CycloneDX
 * and CSAF documents. One file for each form, one table in vex_read.c. All become statements of one
 * kind, which are then applied to the findings: "not affected" and "fixed" suppress, the others are
 * noted.
 */
#ifndef PLIMSOLL_POLICY_VEX_H
#define PLIMSOLL_POLICY_VEX_H

#include "base/error.h"
#include "base/map.h"
#include "match/match.h"
#include "policy/target.h"

/* In the order of caution: of two statements of one moment the later here counts. */
enum vex_status { VEX_FIXED, VEX_NOT_AFFECTED, VEX_UNDER_INVESTIGATION, VEX_AFFECTED };
extern const char *const vex_status_names[];

/* A product or a component as a document identifies it: any of the identifiers will do. */
struct vex_thing {
    struct list identifiers; /* of slice: package URLs, names, digests, references */
    struct list purls;       /* of struct purl: those of them that are one */
};

/* What a statement is about. */
struct vex_scope {
    const struct vex_thing *product;
    const struct vex_thing *part; /* of the product; NULL: the product itself */
};

struct vex_statement {
    const char *file;
    size_t document; /* which of the documents */
    size_t number;   /* in its document, from 1 */
    enum vex_status status;
    int64_t moment;      /* nanoseconds since 1970, INT64_MIN where none is told */
    slice justification; /* a label, or empty */
    slice words;         /* impact, notes; or empty */
    struct list names;   /* of slice: the vulnerability's id and aliases */
    struct list scopes;  /* of struct vex_scope */
};

struct vex_document {
    const char *file;
    const char *form; /* "OpenVEX" */
    size_t statements;
    size_t passed_over; /* statements that cannot be applied: version ranges, nothing named */
    /* Set by vex_apply: of how many findings its word counts, and how many of them it hides. */
    size_t findings, hidden;
};

struct vex {
    struct list statements; /* of struct vex_statement * */
    struct list documents;  /* of struct vex_document */
    size_t scopes;
    struct map by_name;  /* of struct list: of struct vex_statement * */
    struct arena *arena; /* where all of it lives */
};

/* Reads a document or a folder of them; the error names the file. */
MUST_CHECK struct error *vex_read(struct vex *vex, const char *path);

/* Adds the statements of a document whose text is given. */
MUST_CHECK struct error *vex_parse(struct vex *vex, const char *file, slice text);

/* Marks findings with what is said of them, and suppresses those that do not matter. */
void vex_apply(struct vex *vex, const struct target *target, struct match_result *result);

#endif
