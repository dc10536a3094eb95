/*
 * Package URLs (purl specification, ECMA-427) as other documents write them, compared with those of
 * components. A pattern without a version is of any version; qualifiers that it has must be there.
 */
#ifndef PLIMSOLL_POLICY_PURL_MATCH_H
#define PLIMSOLL_POLICY_PURL_MATCH_H

#include "base/memory.h"

struct package_url {
    slice type;    /* in lower case */
    slice space;   /* the namespace, or empty */
    slice name;    /* in the type's normal form */
    slice version; /* or empty; with the epoch that a qualifier gives: "1:2.3" */
    slice arch, distro, repository_url, tag;
    struct list others; /* of struct package_url_qualifier */
};

struct package_url_qualifier {
    slice key, value;
};

/* Parses; false when it is no package URL. Decoded, in the arena. */
bool package_url_parse(struct package_url *purl, slice text, struct arena *arena);

/* Percent-decoded (RFC 3986, 2.1), in the arena. */
slice package_url_decode(slice text, struct arena *arena);

/* Whether `purl` is one of those that the pattern is for. */
bool package_url_matches(const struct package_url *pattern, const struct package_url *purl);

#endif
