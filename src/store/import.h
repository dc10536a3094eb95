/*
 * Feeds into the store. Stands beside the one way: it makes the store that match looks into.
 *
 * To add a feed: one file here with a recogniser and an importer, one line in the table in
 * import.c. Feeds are untrusted: their sizes, depths and counts are bounded by base/limits.h.
 */
#ifndef PLIMSOLL_STORE_IMPORT_H
#define PLIMSOLL_STORE_IMPORT_H

#include "store/fetched.h"

struct import_options {
    bool facts_only;   /* leave out prose (summaries, details) */
    const char *built; /* date to write down as the store's own, or NULL for now (UTC, ISO 8601) */
    bool starter;      /* mark the store as the starter store */
    const char *begin_with; /* a store to begin with a copy of, where there is none yet; or NULL */
    /* Called now and then with the file at hand and how much of it is done; may be NULL. */
    void (*progress)(void *context, const char *path, uint64_t done, uint64_t total);
    void *progress_context;
};

/* What an import did, a line a feed. */
struct import_result {
    const struct store_feed *feeds;
    size_t feed_count;
    uint64_t skipped; /* entries of a feed that were malformed; the first is in `skipped_why` */
    slice skipped_why;
    size_t failed; /* of store_import_fetched: which feed an error is of; SIZE_MAX: of none */
};

/*
 * Adds the feeds at `paths` (files or folders; see docs/store.md for the forms that are known) to
 * the store at `store_path`, which is made when it is not there. A feed's ecosystem replaces what
 * the store held of it; one advisory in a file of its own is added to its ecosystem. Written
 * beside, synced and renamed: on any error the old store stands untouched and nothing is left
 * behind. A file that is no feed known here is an error that names it.
 */
MUST_CHECK struct error *store_import(const char *store_path, const char *const *paths,
                                      size_t path_count, const struct import_options *options,
                                      struct arena *arena, struct import_result *result);

/* A feed that was fetched, or found to be the one that the store has already. */
struct import_source {
    struct fetched_feed about;
    slice name; /* "PyPI/all.zip": a form's ending, and the folder that says whose it is */
    int file;   /* open for reading, the caller's; -1: the store has it already */
};

/*
 * The same for feeds that were fetched, and writes down where. Stricter than with files that a user
 * names: a feed is of the form that its name says, holds what was asked for, and no entry in it is
 * damaged. An error that is one feed's fault names it in result->failed: the rest can be imported
 * without it. Feeds that the store has are noted as checked now; one that it has no longer (another
 * import came in between) is such an error.
 */
MUST_CHECK struct error *store_import_fetched(const char *store_path,
                                              const struct import_source *sources, size_t count,
                                              const struct import_options *options,
                                              struct arena *arena, struct import_result *result);

/*
 * Writes the store's facts (ids, aliases, packages, ranges, vectors, dates; no prose) as the
 * compact facts file that the starter store is made from, itself a feed that store_import reads.
 */
MUST_CHECK struct error *store_export_facts(struct store *store, const char *path);

#endif
