/*
 * One feed from one place: over HTTP into a file without a name, or straight out of a folder.
 * Internal to src/store; update.c says what, from where, and what then.
 */
#ifndef PLIMSOLL_STORE_DOWNLOAD_H
#define PLIMSOLL_STORE_DOWNLOAD_H

#include "http/http.h"
#include "store/import.h"
#include "store/publishers.h"

/* A place that feeds lie below. */
struct feed_base {
    slice address;  /* "https://mirror.example/osv", "/mnt/feeds"; without "/" at its end */
    bool is_folder; /* "file://" is taken off */
    bool failing;   /* nobody answered there, or asked to be left alone, the last time */
};

/*
 * A base as a user names it: https, http where that is allowed (`insecure`, or this machine),
 * file://, or a folder.
 */
MUST_CHECK struct error *feed_base_parse(slice text, bool insecure, struct arena *arena,
                                         struct feed_base *base);
/* Where a feed lies below it; as it may be shown, without a credential. */
slice feed_base_shown(const struct feed_base *base, const struct publication *publication,
                      struct arena *arena);

struct download {
    const struct publication *publication;
    struct feed_base *base;
    const struct fetched_feed *known; /* what the store has of this feed; or NULL */
    struct http_client *client;
    bool once; /* a broken transfer is gone on with by this side: the client tries once only */
    const char *store_path; /* beside which files are made */
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t total);
    void *progress_context;
};

/*
 * Fills `source` but for its name: its file is the caller's, -1 where the store has the feed
 * already. An error says why it could not be had; *missing, that the base has no such feed; when
 * not this feed but the base is at fault, base->failing is set.
 */
MUST_CHECK struct error *download_feed(const struct download *download, struct arena *arena,
                                       struct import_source *source, bool *missing);

/* What a kill may have left where files cannot be made without a name. */
void download_clear(const char *store_path);

#endif
