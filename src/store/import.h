/*
 * Feeds into the store. Stands beside the one way: it makes the store that match looks into.
 *
 * To add a feed: one file here with a recogniser and an importer, one line in the table in
 * import.c. Feeds are untrusted: their sizes, depths and counts are bounded by base/limits.h.
 */
#ifndef PLIMSOLL_STORE_IMPORT_H
#define PLIMSOLL_STORE_IMPORT_H

#include "store/store.h"

/* Something to remember in the store that is no feed, see store_note_read. */
struct store_note {
    slice name, value;
};

struct import_options {
    bool facts_only;   /* leave out prose (summaries, details) */
    const char *built; /* date to write down as the store's own, or NULL for now (UTC, ISO 8601) */
    const struct store_note *notes; /* written together with the feeds */
    size_t note_count;
    bool starter; /* mark the store as the starter store */
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

/*
 * Writes the store's facts (ids, aliases, packages, ranges, vectors, dates; no prose) as the
 * compact facts file that the starter store is made from, itself a feed that store_import reads.
 */
MUST_CHECK struct error *store_export_facts(struct store *store, const char *path);

#endif
