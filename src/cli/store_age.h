/* How old the store may be: --db-max-age. */
#ifndef PLIMSOLL_CLI_STORE_AGE_H
#define PLIMSOLL_CLI_STORE_AGE_H

#include "match/match.h"

/* Seconds since 1970 of "2026-08-21T12:56:10Z" or "2026-08-21"; -1 for what is no date. */
int64_t date_seconds(slice date);

/*
 * Why the store is too old to judge the image, or empty. As old as the store itself, or as the
 * oldest of the ecosystems that the image's components are looked up in: each is as old as when it
 * was last known to be what its publisher has.
 */
slice store_too_old(const struct store_status *store, const struct inventory *inventory,
                    int64_t most_seconds, struct arena *arena);

#endif
