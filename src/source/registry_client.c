#include "source/registry_client.h"
#include "base/json_read.h"
#include "base/limits.h"

/* Where Docker keeps the certificates for a registry. */
#define CERTIFICATES "/etc/docker/certs.d"

static void use_certificates(struct registry_client *client)
{
    struct http_options *options = &client->http_options;
    slice folder = arena_format(client->arena, CERTIFICATES "/%.*s", SLICE_ARG(client->host));
    const char *authority = arena_format(client->arena, "%.*s/ca.crt", SLICE_ARG(folder)).ptr;
    const char *certificate =
        arena_format(client->arena, "%.*s/client.cert", SLICE_ARG(folder)).ptr;
    const char *key = arena_format(client->arena, "%.*s/client.key", SLICE_ARG(folder)).ptr;
    if (!options->ca_file && access(authority, R_OK) == 0)
        options->ca_file = authority;
    if (!options->client_certificate && access(certificate, R_OK) == 0 && access(key, R_OK) == 0) {
        options->client_certificate = certificate;
        options->client_key = key;
    }
}

void registry_client_start(struct registry_client *client, slice base, slice host,
                           const struct reference *reference, const struct source_options *options,
                           struct arena *arena)
{
    *client = (struct registry_client){.arena = arena,
                                       .http_options = options->http,
                                       .options = options,
                                       .reference = *reference,
                                       .base = base,
                                       .host = host};
    use_certificates(client);
    client->http = http_client_new(&client->http_options);
}

void registry_client_end(struct registry_client *client)
{
    http_client_free(client->http);
    client->http = NULL;
}

void registry_client_renew(struct registry_client *client)
{
    /* The parent's connection is left alone: closing it here would say goodbye in its name. */
    client->http = http_client_new(&client->http_options);
}

static slice url_of(const struct registry_client *client, slice path)
{
    return arena_format(client->arena, "%.*s/v2/%.*s/%.*s", SLICE_ARG(client->base),
                        SLICE_ARG(client->reference.repository), SLICE_ARG(path));
}

enum { MOST_CHALLENGES = 2 }; /* the first, and one more when a token has run out */

struct error *registry_get(struct registry_client *client, slice path, const char *accept,
                           uint64_t limit, struct http_response *response, slice *body)
{
    const char *headers[] = {accept, NULL};
    struct http_request request = {.url = url_of(client, path).ptr,
                                   .headers = accept ? headers : NULL};
    for (unsigned challenges = 0;; challenges++) {
        request.authorization = client->authorization.len ? client->authorization.ptr : NULL;
        TRY(http_fetch(client->http, &request, limit, client->arena, response, body));
        if (response->status != 401 || response->elsewhere || challenges == MOST_CHALLENGES)
            return NULL;
        TRY(registry_authenticate(client, response->authenticate));
    }
}

/* Counts what went through, to go on from there with a new token. */
struct counted {
    http_sink *sink;
    void *context;
    uint64_t count;
};

static bool count_sink(void *context, slice bytes)
{
    struct counted *counted = context;
    counted->count += bytes.len;
    return counted->sink(counted->context, bytes);
}

struct error *registry_stream(struct registry_client *client, slice path,
                              struct http_request *request, http_sink *sink, void *context,
                              struct http_response *response)
{
    struct http_request rest = *request;
    struct counted counted = {sink, context, 0};
    rest.url = url_of(client, path).ptr;
    for (unsigned challenges = 0;; challenges++) {
        rest.authorization = client->authorization.len ? client->authorization.ptr : NULL;
        rest.from = request->from + counted.count;
        rest.count = request->count ? request->count - counted.count : 0;
        rest.ranged = request->ranged || counted.count;
        TRY(http_stream(client->http, &rest, count_sink, &counted, client->arena, response));
        if (response->status != 401 || response->elsewhere || challenges == MOST_CHALLENGES ||
            (request->count && counted.count >= request->count))
            return NULL;
        TRY(registry_authenticate(client, response->authenticate));
    }
}

/* The registry's own words: {"errors":[{"code":…,"message":…}]}. */
static slice words_of(slice body, struct arena *arena)
{
    CLEANUP_JSON json_t *json = NULL;
    CLEANUP_ERROR struct error *error = json_read(&json, body, "an answer");
    const json_t *first = json_array_get(json_object_get(json, "errors"), 0);
    slice message = json_get_slice(first, "message", arena);
    return message.len ? message : json_get_slice(first, "code", arena);
}

struct error *registry_refusal(const struct registry_client *client, const char *what,
                               const struct http_response *response, slice body)
{
    slice words = slice_first(words_of(body, client->arena), 300);
    slice said = words.len ? arena_format(client->arena, ": %.*s", SLICE_ARG(words)) : SLICE_EMPTY;
    slice host = client->host;
    switch (response->status) {
    case 401:
    case 403:
        return error_make(ERROR_INPUT,
                          "%.*s does not let %s be read (status %ld)%.*s. Either it is not there, "
                          "or it needs other credentials: `docker login %.*s`, or --username and "
                          "--password",
                          SLICE_ARG(host), what, response->status, SLICE_ARG(said),
                          SLICE_ARG(host));
    case 404:
        return error_make(ERROR_INPUT, "%s is not in %.*s/%.*s (status 404)%.*s", what,
                          SLICE_ARG(host), SLICE_ARG(client->reference.repository),
                          SLICE_ARG(said));
    case 429:
        return error_make(ERROR_INPUT,
                          "%.*s has had too many requests (status 429)%.*s. Try again later, or "
                          "log in: registries let known users read more",
                          SLICE_ARG(host), SLICE_ARG(said));
    default:
        return error_make(ERROR_INPUT, "%.*s answers with status %ld when asked for %s%.*s",
                          SLICE_ARG(host), response->status, what, SLICE_ARG(said));
    }
}
