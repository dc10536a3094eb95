/*
 * Updates: what publishers or mirrors have, into the store. Feeds are fetched one by one, each only
 * when it has changed; then all that came goes into the store in one import. What could not be had
 * stays as it is in the store.
 */
#ifndef PLIMSOLL_STORE_UPDATE_H
#define PLIMSOLL_STORE_UPDATE_H

#include "http/http.h"
#include "store/download.h"

struct update_options {
    const struct publication *publications; /* what to fetch */
    size_t publication_count;
    bool named;              /* the user named them: then each must be had */
    struct feed_base *bases; /* mirrors, in the order in which they are asked; … */
    size_t base_count;       /* … none: the publishers themselves */
    struct http_options http;
    struct import_options import; /* its progress is told of downloads as well */
};

enum update_outcome {
    UPDATE_FAILED,
    UPDATE_ABSENT, /* neither a mirror nor the store has it, and nobody named it */
    UPDATE_UNCHANGED,
    UPDATE_IMPORTED
};

/* What became of one publication. */
struct updated_feed {
    slice name;
    enum update_outcome outcome;
    slice why; /* it failed; of each base that was asked */
    struct import_source source;
    size_t asked, missing; /* bases that were asked, and that have no such feed */
};

struct update_result {
    const struct updated_feed *feeds; /* as asked for */
    size_t feed_count;
    struct import_result imported;
};

/*
 * One update at a time: a second one waits. The store changes as store_import changes it, whole or
 * not at all. An error is the store's; what is a feed's stands in the result.
 */
MUST_CHECK struct error *store_update(const char *store_path, const struct update_options *options,
                                      struct arena *arena, struct update_result *result);

#endif
