/*
 * Requests to one repository of one registry (OCI distribution specification 1.1; Docker registry
 * HTTP API v2), with the authentication that it asks for: none, Basic, or a Bearer token (Docker's
 * token authentication, distribution/docs/spec/auth).
 */
#ifndef PLIMSOLL_SOURCE_REGISTRY_CLIENT_H
#define PLIMSOLL_SOURCE_REGISTRY_CLIENT_H

#include "http/http.h"
#include "source/credentials.h"
#include "source/reference.h"
#include "source/source.h"

struct registry_client {
    struct arena *arena;
    struct http_client *http;
    struct http_options http_options;
    const struct source_options *options;
    struct reference reference;
    slice base;          /* "https://registry-1.docker.io" */
    slice host;          /* whom its credentials are filed under */
    slice authorization; /* sent with every request, once the registry has asked for it */
    struct credentials credentials;
    bool credentials_looked_up;
};

/* For the registry at `base`; everything lives in the arena. */
void registry_client_start(struct registry_client *client, slice base, slice host,
                           const struct reference *reference, const struct source_options *options,
                           struct arena *arena);
void registry_client_end(struct registry_client *client);

/* After a fork: a connection of one's own. */
void registry_client_renew(struct registry_client *client);

/*
 * GET base/v2/REPOSITORY/PATH, whole; authenticates when it is asked to. The status of the answer
 * is in the response; registry_refusal puts one that is no success into words.
 */
MUST_CHECK struct error *registry_get(struct registry_client *client, slice path,
                                      const char *accept, uint64_t limit,
                                      struct http_response *response, slice *body);

/* The same, streamed: `request` has the range and what is expected. */
MUST_CHECK struct error *registry_stream(struct registry_client *client, slice path,
                                         struct http_request *request, http_sink *sink,
                                         void *context, struct http_response *response);

MUST_CHECK struct error *registry_refusal(const struct registry_client *client, const char *what,
                                          const struct http_response *response, slice body);

/* Answers a 401: gets what its challenge (WWW-Authenticate) asks for into client->authorization. */
MUST_CHECK struct error *registry_authenticate(struct registry_client *client, slice challenge);

#endif
