/*
 * Analyzers: each owns one kind of thing in an image (dpkg, Python, conda, …). They stand between
 * the layer walk, which offers them each entry, and the layer record, which they write into. They
 * run in the worker, on untrusted bytes.
 *
 * To add one: a file in this folder that defines a `const struct analyzer`, and a line in the table
 * in analyzer.c. Nothing else changes.
 *
 * How an analyzer gets its bytes is its own choice, entry by entry (see struct want). Several may
 * ask for one entry; its bytes are read once.
 */
#ifndef PLIMSOLL_ANALYZE_ANALYZER_H
#define PLIMSOLL_ANALYZE_ANALYZER_H

#include "archive/entry.h"
#include "archive/spool.h"
#include "layer/record.h"
#include "secret/scanner.h"

enum want_kind {
    WANT_NOTHING, /* not this entry */
    WANT_HEADER,  /* that it is there, its size and mode: read() with no bytes */
    WANT_FIRST,   /* its first `count` bytes: read() once */
    WANT_STREAM,  /* all of it, in pieces as they come: piece() for each, then read() with none */
    WANT_WHOLE,   /* all of it at once: read() once. Large ones come from a spill file, mapped */
    WANT_PULL /* as much of it as it pulls out of a stream: pull() once; for one analyzer only */
};

struct want {
    enum want_kind kind;
    size_t count; /* for WANT_FIRST, at most LIMIT_ENTRY_MEMORY */
};

/* What a call of an analyzer works with. */
struct analysis {
    const struct analyzer *analyzer;
    const struct entry *entry;
    slice path; /* the entry's, or the path that it is looked at in the place of */
    struct record *record;
    struct arena *arena;            /* the record's: lives as long as it */
    struct arena *scratch;          /* freed after the entry */
    void *state;                    /* the analyzer's own, between piece() calls; starts as NULL */
    bool dormant;                   /* see struct evidence */
    struct secret_scanner *secrets; /* of an analyzer that looks for secrets */
    struct spill *spill;            /* likewise */
    size_t evidence;                /* 1 + the place of its evidence in the record; 0: none yet */
};

struct analyzer {
    const char *name;
    unsigned version; /* raised when it writes other things into the record than before */

    /* Which entries it asks for, by path (most often) and size; called for every file. */
    struct want (*wants)(slice path, const struct entry *entry);

    struct error *(*piece)(struct analysis *analysis, slice bytes);
    struct error *(*pull)(struct analysis *analysis, struct stream *stream);
    /* An error is a problem of this file alone: it is reported, and the walk goes on. */
    struct error *(*read)(struct analysis *analysis, slice bytes);

    /*
     * Paths that the analyzer knows by heart ("var/lib/dpkg/status"; one that ends in "/" is a
     * folder of such files). Where a symlink leads from them elsewhere in the image, what lies
     * there is read in their place. NULL-terminated; may be NULL.
     */
    const char *const *places;

    /* It asks for files of any name (for their content, not for what they are): then links are not
     * followed for its sake, and analyzer_wants_path leaves it out. */
    bool everywhere;

    bool for_secrets; /* it is asked only when secrets are looked for */
};

/* The table. */
extern const struct analyzer *const analyzers[];
extern const size_t analyzer_count;

/* Whether any analyzer asks for a file of that path for what it is, whatever its size. */
bool analyzer_wants_path(slice path);

/* The evidence of this analysis' file, made on first use. */
struct evidence *analysis_evidence(struct analysis *analysis);
/* Adds a package; its slices are copied into the record's arena. */
MUST_CHECK struct error *analysis_add_package(struct analysis *analysis,
                                              const struct package *package);
void analysis_add_fact(struct analysis *analysis, const char *key, slice value);
void analysis_add_owned(struct analysis *analysis, slice path);

#endif
