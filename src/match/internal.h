/* What the files of this folder share. */
#ifndef PLIMSOLL_MATCH_INTERNAL_H
#define PLIMSOLL_MATCH_INTERNAL_H

#include "match/distribution.h"
#include "match/match.h"

/* An advisory that a component is affected by. */
struct hit {
    const struct advisory *advisory;
    struct list fixed; /* of slice */
};

struct matcher {
    struct match_result *result;
    struct arena *arena;
    struct store *store;
    struct inventory *inventory;
    const struct distribution *distribution; /* or NULL */
    enum unjudged_of looked_at;              /* what add_unjudged speaks of */
    slice distribution_ecosystem;            /* that the store has; empty: none */
};

/* Turns one component's hits into findings: joined by their ids, with severity and fixes. */
MUST_CHECK struct error *join_hits(struct matcher *matcher, const struct component *component,
                                   const struct hit *hits, size_t count,
                                   const struct version_scheme *scheme);

/* Sets severity, score, vector, EPSS and KEV from all that the store knows of the finding's ids. */
MUST_CHECK struct error *rate_finding(struct matcher *matcher, struct finding *finding,
                                      slice urgency);

#endif
