/*
 * What the look-ups of store.c and severity.c share: the open store and its prepared statements.
 * Internal to src/store.
 */
#ifndef PLIMSOLL_STORE_LOOKUP_H
#define PLIMSOLL_STORE_LOOKUP_H

#include "store/blob.h"
#include "store/schema.h"

#include <zstd.h>

enum store_query {
    QUERY_AFFECTED,
    QUERY_MODIFIED,
    QUERY_HAS_ECOSYSTEM,
    QUERY_ADVISORY_NAMED,
    QUERY_ADVISORIES_NAMING,
    QUERY_CVE,
    QUERY_EPSS,
    QUERY_KEV,
    QUERY_END_OF_LIFE,
    QUERY_FEEDS,
    QUERY_META,
    QUERY_PROSE,
    QUERY_COUNT
};

struct store {
    ZSTD_DCtx *unpacker; /* of prose; made when it is first asked for */
    struct database database;
    sqlite3_stmt *statements[QUERY_COUNT]; /* prepared when first asked for */
};

/* The statement of a query, ready to be bound. */
MUST_CHECK struct error *store_statement(struct store *store, enum store_query query,
                                         sqlite3_stmt **statement);

#endif
