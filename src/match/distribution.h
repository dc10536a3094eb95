/* Linux distributions: which ecosystem of the store speaks of them, and how they count releases. */
#ifndef PLIMSOLL_MATCH_DISTRIBUTION_H
#define PLIMSOLL_MATCH_DISTRIBUTION_H

#include "inventory/inventory.h"

struct distribution {
    const char *id;           /* os-release ID */
    const char *package_type; /* purl type of its packages */
    const char *ecosystem;    /* OSV's name */
    const char
        *ecosystem_end;     /* what OSV puts behind the release in some names (":LTS"), or NULL */
    unsigned release_parts; /* "9.4" is release "9" where this is 1 */
    const char *release_prefix; /* "v" in "Alpine:v3.20" */
    const char *end_of_life;    /* the product's name in the end-of-life feed */
};

/* NULL for a distribution not known here. */
const struct distribution *distribution_find(const struct os *os);

/* The release as the distribution counts: "12" of "12.5". */
slice distribution_release(const struct distribution *distribution, const struct os *os);

/* Names of the ecosystem that the store may have: at most two. */
size_t distribution_ecosystems(const struct distribution *distribution, const struct os *os,
                               struct arena *arena, slice names[2]);

#endif
