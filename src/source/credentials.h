/*
 * Credentials for registries, from where docker and podman keep them: config.json and auth.json
 * (auths, credHelpers, credsStore), and credential helpers (docker-credential-NAME get). They are
 * for the registry they are filed under and no other; they are never printed.
 */
#ifndef PLIMSOLL_SOURCE_CREDENTIALS_H
#define PLIMSOLL_SOURCE_CREDENTIALS_H

#include "base/error.h"

struct credentials {
    slice username, password;
    slice identity_token; /* to be changed for an access token (OAuth 2 refresh token) */
    slice registry_token; /* a bearer token as it is */
};

/*
 * What is filed for `registry` ("docker.io", "ghcr.io"); all empty when nothing is. `repository`
 * chooses among entries that are for a part of the registry. A file that cannot be read, or a
 * helper that fails, is a remark: the registry may let everyone read. In the arena.
 */
void credentials_find(struct credentials *credentials, slice registry, slice repository,
                      struct arena *arena);

/* "Basic …" of user name and password, for Authorization; in the arena. */
slice credentials_basic(const struct credentials *credentials, struct arena *arena);

#endif
