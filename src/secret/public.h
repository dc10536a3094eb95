/*
 * Values that published packages carry, so that everyone has them: the "secret" of an installed
 * application's OAuth client, the key of a test server. Known by their fingerprints alone, which
 * are data in rules/public.list, turned into a table at build time.
 */
#ifndef PLIMSOLL_SECRET_PUBLIC_H
#define PLIMSOLL_SECRET_PUBLIC_H

#include "base/slice.h"

struct secret_public {
    const char *fingerprint, *package;
};

/* Sorted by fingerprint. */
extern const struct secret_public secret_publics[];
extern const size_t secret_public_count;

/* The package in which the value of that fingerprint is published; NULL where it is not known. */
const char *secret_published_in(slice fingerprint);

#endif
