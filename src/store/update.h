/*
 * Fetches what the publishers of feeds have into the store: only what changed, checked before it
 * replaces anything, and all or nothing for each feed. When it fails the store is as it was.
 */
#ifndef PLIMSOLL_STORE_UPDATE_H
#define PLIMSOLL_STORE_UPDATE_H

#include "http/http.h"
#include "store/publishers.h"

struct update_options {
    struct http_options http;
    bool insecure;       /* http:// is good enough */
    const char *sources; /* mirrors in the order in which they are tried, by commas: URLs, folders;
                            NULL: the publishers themselves */
    const struct publisher *const *wanted;
    size_t wanted_count;
    /* Called now and then; may be NULL. `total` 0: not known. */
    void (*progress)(void *context, const char *what, uint64_t done, uint64_t total);
    void *progress_context;
};

enum update_state { UPDATE_DONE, UPDATE_UNCHANGED, UPDATE_FAILED };

struct update_line {
    const struct publisher *publisher;
    enum update_state state;
    slice from;    /* where it came from */
    slice message; /* why it failed */
};

/*
 * `lines`: one for each that is wanted, in the arena. An error only when nothing could be tried at
 * all: a source that is none, a folder that cannot be written.
 */
MUST_CHECK struct error *store_update(const char *store_path, const struct update_options *options,
                                      struct arena *arena, struct update_line **lines);

#endif
