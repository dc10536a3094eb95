/* Asks one of Docker's credential helpers (docker/docker-credential-helpers, "get"). */
#ifndef PLIMSOLL_SOURCE_CREDENTIAL_HELPER_H
#define PLIMSOLL_SOURCE_CREDENTIAL_HELPER_H

#include "base/error.h"

/*
 * Runs docker-credential-`name` from the PATH and gives what it prints, in the arena: JSON with
 * Username and Secret; empty when it says that it has nothing for the server. Its stderr is
 * dropped.
 */
MUST_CHECK struct error *credential_helper_get(slice name, slice server, struct arena *arena,
                                               slice *answer);

#endif
