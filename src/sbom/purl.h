/*
 * Package URLs (purl specification, ECMA-427) as other documents write them, compared with those of
 * components. A pattern without a version is of any version; qualifiers that it has must be there.
 */
#ifndef PLIMSOLL_SBOM_PURL_H
#define PLIMSOLL_SBOM_PURL_H

#include "base/memory.h"

struct purl {
    slice type;    /* in lower case */
    slice space;   /* the namespace, or empty */
    slice name;    /* in the type's normal form */
    slice version; /* or empty; with the epoch that a qualifier gives: "1:2.3" */
    slice arch, distro, repository_url, tag;
    struct list others; /* of struct purl_qualifier */
};

struct purl_qualifier {
    slice key, value;
};

/* Parses; false when it is no package URL. Decoded, in the arena. */
bool purl_parse(struct purl *purl, slice text, struct arena *arena);

/* A qualifier that has no field of its own; empty when it is not there. */
slice purl_qualifier(const struct purl *purl, const char *key);

/* Percent-decoded (RFC 3986, 2.1), in the arena. */
slice purl_decode(slice text, struct arena *arena);

/* Whether `purl` is one of those that the pattern is for. */
bool purl_matches(const struct purl *pattern, const struct purl *purl);

#endif
