/*
 * Where the store's feeds were fetched, and how to ask their publishers whether they have changed:
 * the table `fetched`. It is in the store itself, so that a store that is gone takes it along.
 * Internal to src/store; update.c goes by it.
 */
#ifndef PLIMSOLL_STORE_FETCHED_H
#define PLIMSOLL_STORE_FETCHED_H

#include "store/schema.h"

struct fetched_feed {
    slice feed;                /* "PyPI", "Debian:12", "epss": what was asked for */
    slice address;             /* the URL, without a credential, or the file's path */
    slice etag, last_modified; /* as the server gave them; of a file its time */
    uint64_t size;
    slice checked; /* when it was last known to be what its publisher has */
};

/* All of them, of struct fetched_feed. A store without such a table has none. */
MUST_CHECK struct error *fetched_read(const struct database *database, struct arena *arena,
                                      struct list *feeds);
const struct fetched_feed *fetched_find(const struct list *feeds, slice feed);
/* The one that an ecosystem of the store came with: "Debian" for "Debian:12"; or NULL. */
const struct fetched_feed *fetched_find_for(const struct list *feeds, slice ecosystem);

/* Whether the store still has the feed of that line: another import may have changed it. */
MUST_CHECK struct error *fetched_is_there(const struct database *database,
                                          const struct fetched_feed *feed, bool *there);
/* What an import has replaced is no longer what was fetched: those lines go. */
MUST_CHECK struct error *fetched_forget_written(const struct database *database);
MUST_CHECK struct error *fetched_write(const struct database *database,
                                       const struct fetched_feed *feed, slice checked);

#endif
