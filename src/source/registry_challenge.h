/* What a registry asks for with a 401: the header WWW-Authenticate (RFC 9110, 11.6.1; RFC 6750). */
#ifndef PLIMSOLL_SOURCE_REGISTRY_CHALLENGE_H
#define PLIMSOLL_SOURCE_REGISTRY_CHALLENGE_H

#include "base/memory.h"

struct registry_challenge {
    slice scheme; /* "Bearer", "Basic" */
    slice realm, service, scope;
};

/* Reads the first challenge; parts that are not there are empty. Slices point into `text` or the
 * arena. */
struct registry_challenge registry_challenge_read(slice text, struct arena *arena);

#endif
