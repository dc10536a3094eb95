/* Package URLs, taken apart (purl specification 1.0, "How to parse a purl string"). */
#ifndef PLIMSOLL_SBOM_PURL_H
#define PLIMSOLL_SBOM_PURL_H

#include "base/memory.h"

struct purl {
    slice type;                 /* in lower case */
    slice space, name, version; /* decoded; space is "debian", "@scope", "github.com/team" */
    slice qualifiers;           /* as they stand: "arch=amd64&distro=debian-12" */
};

/* False for what is no package URL. What it gives lives in the arena. */
bool purl_parse(struct purl *purl, slice text, struct arena *arena);

/* A qualifier's value, decoded; empty when it is not there. */
slice purl_qualifier(const struct purl *purl, const char *key, struct arena *arena);

#endif
