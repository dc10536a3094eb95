/*
 * Who publishes the feeds that `plimsoll db update` fetches, and where. One table.
 */
#ifndef PLIMSOLL_STORE_PUBLISHERS_H
#define PLIMSOLL_STORE_PUBLISHERS_H

#include "base/error.h"

struct publisher {
    const char *word; /* on the command line: an ecosystem, or "epss", "kev" */
    const char *url;  /* of the publisher; NULL: OSV's, made of the path */
    const char *path; /* below a mirror */
    bool standard;    /* fetched when no word is given */
};

extern const struct publisher publishers[];
extern const size_t publisher_count;

/* By its word, whatever the case; NULL when there is none. */
const struct publisher *publisher_named(slice word);

/* Where it is: of its publisher when `base` is empty, else below the base (a URL). In the arena. */
slice publisher_url(const struct publisher *publisher, slice base, struct arena *arena);

#endif
