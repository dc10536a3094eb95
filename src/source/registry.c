/* Images in a registry: OCI distribution specification 1.1, Docker registry HTTP API v2. */
#include "base/digest.h"
#include "base/limits.h"
#include "base/progress.h"
#include "archive/layer_range.h"
#include "source/manifest.h"
#include "source/places.h"
#include "source/registry_client.h"
#include "source/sources.h"

#define ACCEPT_MANIFESTS                                                                           \
    "Accept: application/vnd.oci.image.index.v1+json, "                                            \
    "application/vnd.oci.image.manifest.v1+json, "                                                 \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.docker.distribution.manifest.v2+json"

struct registry {
    struct blob_store store;
    struct image_remote remote;
    struct registry_client client;
    struct source_options options;
    slice digest, text; /* of what the name leads to: the first thing that was fetched */
};

static struct registry *registry_of(struct image_remote *remote)
{
    return (struct registry *)(void *)((char *)remote - offsetof(struct registry, remote));
}

static struct error *has_blob(struct blob_store *store, slice digest, bool *present)
{
    (void)store;
    (void)digest;
    *present = true;
    return NULL;
}

static struct error *read_blob(struct blob_store *store, slice digest, bool manifest,
                               const char *what, slice *text)
{
    struct registry *registry = (struct registry *)store;
    struct registry_client *client = &registry->client;
    struct http_response response;
    if (slice_equal(digest, registry->digest)) {
        *text = registry->text;
        return NULL;
    }
    /* By digest, and checked against it: wherever it comes from. */
    const struct source_memory *memory = registry->options.memory;
    slice key = arena_format(client->arena, "blob %.*s", SLICE_ARG(digest));
    if (memory && memory->get(memory->context, key, client->arena, text) &&
        digest_matches(*text, digest))
        return NULL;
    slice path =
        arena_format(client->arena, "%s/%.*s", manifest ? "manifests" : "blobs", SLICE_ARG(digest));
    TRY(error_wrap(registry_get(client, path, manifest ? ACCEPT_MANIFESTS : NULL,
                                manifest ? LIMIT_MANIFEST_BYTES : LIMIT_CONFIG_BYTES, &response,
                                text),
                   "%s", what));
    if (response.status != 200)
        return registry_refusal(client, what, &response, *text);
    if (memory && digest_matches(*text, digest))
        memory->put(memory->context, key, *text);
    return NULL;
}

static struct error *read_large(struct blob_store *store, slice digest, const char *what,
                                slice *text)
{
    struct registry_client *client = &((struct registry *)store)->client;
    struct http_response response;
    slice path = arena_format(client->arena, "blobs/%.*s", SLICE_ARG(digest));
    TRY(error_wrap(registry_get(client, path, NULL, LIMIT_SBOM_BYTES, &response, text), "%s",
                   what));
    return response.status == 200 ? NULL : registry_refusal(client, what, &response, *text);
}

/*
 * The referrers API (distribution specification 1.1, "Listing Referrers"), the tag that stands for
 * it where a registry has none, and those that cosign uses.
 */
static struct error *referrers(struct blob_store *store, slice digest, size_t way, slice *text,
                               bool *more)
{
    static const char *const tags[] = {NULL, "", ".sbom", ".att"};
    struct registry_client *client = &((struct registry *)store)->client;
    struct http_response response;
    slice algorithm, digits;
    *text = SLICE_EMPTY;
    *more = way < sizeof(tags) / sizeof(tags[0]) && slice_split(digest, ':', &algorithm, &digits);
    if (!*more)
        return NULL;
    slice path = tags[way] ? arena_format(client->arena, "manifests/%.*s-%.*s%s",
                                          SLICE_ARG(algorithm), SLICE_ARG(digits), tags[way])
                           : arena_format(client->arena, "referrers/%.*s", SLICE_ARG(digest));
    TRY(registry_get(client, path, ACCEPT_MANIFESTS, LIMIT_MANIFEST_BYTES, &response, text));
    if (response.status != 200)
        *text = SLICE_EMPTY; /* many registries have neither */
    return NULL;
}

static struct error *find_layer(struct blob_store *store, struct image_layer *layer, uint64_t size)
{
    (void)store;
    layer->remote = true;
    layer->size = size;
    return NULL;
}

/* -- fetching, in a process of its own ------------------------------------------------------------
 */

static struct error *fetch_part(struct registry_client *client, const struct image_layer *layer,
                                int output, const struct layer_range *range)
{
    struct http_request request = {.expected = layer->size};
    struct http_response response;
    slice path = arena_format(client->arena, "blobs/%.*s", SLICE_ARG(layer->digest));
    if (range) {
        request.ranged = true;
        request.from = range->offset;
        request.count = range->count;
    }
    /* A worker that has ended takes no more, and tells why itself. */
    TRY(registry_stream(client, path, &request, http_sink_to_file, &output, &response));
    if (response.status == 200 || response.status == 206)
        return NULL;
    return registry_refusal(client, "the layer", &response, response.refusal);
}

static struct error *fetch(struct image_remote *remote, const struct image_layer *layer, int output,
                           int requests)
{
    struct registry_client *client = &registry_of(remote)->client;
    struct layer_range range;
    registry_client_renew(client);
    if (requests < 0)
        return fetch_part(client, layer, output, NULL);
    for (;;) {
        bool more;
        TRY(layer_range_next(requests, layer->size, &range, &more));
        if (!more)
            return NULL;
        TRY(fetch_part(client, layer, output, &range));
    }
}

/* -- opening --------------------------------------------------------------------------------------
 */

/*
 * Registries speak https. One on this machine, or any with --insecure, may speak http: asked once
 * over TLS, it does not understand.
 */
static slice choose_scheme(slice host, const struct source_options *options, struct arena *arena)
{
    slice secure = arena_format(arena, "https://%.*s", SLICE_ARG(host));
    struct http_options once = options->http;
    struct http_response response;
    struct http_request request = {.url = arena_format(arena, "%.*s/v2/", SLICE_ARG(secure)).ptr};
    slice body;
    if (!options->http.insecure && !reference_is_loopback(host))
        return secure;
    once.retries = 0;
    once.insecure = true; /* nothing is sent or believed yet */
    struct http_client *client = http_client_new(&once);
    CLEANUP_ERROR struct error *error =
        http_fetch(client, &request, LIMIT_HTTP_REFUSAL_BYTES, arena, &response, &body);
    http_client_free(client);
    return error && response.no_tls ? arena_format(arena, "http://%.*s", SLICE_ARG(host)) : secure;
}

/* What the name leads to: an index or a manifest, with its digest. */
static struct error *fetch_first(struct registry *registry, bool *absent)
{
    struct registry_client *client = &registry->client;
    const struct reference *reference = &client->reference;
    struct http_response response;
    slice name = reference->digest.len ? reference->digest : reference->tag;
    slice path = arena_format(client->arena, "manifests/%.*s", SLICE_ARG(name));
    TRY(registry_get(client, path, ACCEPT_MANIFESTS, LIMIT_MANIFEST_BYTES, &response,
                     &registry->text));
    *absent = response.status == 404;
    if (response.status != 200)
        return registry_refusal(client, arena_text(client->arena, name), &response, registry->text);
    registry->digest =
        reference->digest.len ? reference->digest : digest_of(registry->text, client->arena);
    if (registry->options.verify && response.content_digest.len && reference->digest.len == 0 &&
        slice_starts(response.content_digest, SLICE("sha256:")) &&
        !slice_equal(response.content_digest, registry->digest))
        return error_make(ERROR_INPUT,
                          "the manifest that came from %.*s has the digest %.*s, but the registry "
                          "names %.*s: it was changed on its way",
                          SLICE_ARG(client->host), SLICE_ARG(registry->digest),
                          SLICE_ARG(slice_first(response.content_digest, 100)));
    return NULL;
}

static struct error *open_at(struct image *image, struct registry *registry, slice base, slice host,
                             const struct reference *reference, struct arena *arena, bool *absent)
{
    image->tags.count = 0;
    registry_client_start(&registry->client, base, host, reference, &registry->options, arena);
    TRY(fetch_first(registry, absent));
    registry->store = (struct blob_store){.has = has_blob,
                                          .read = read_blob,
                                          .find_layer = find_layer,
                                          .read_large = read_large,
                                          .referrers = referrers,
                                          .remote = true};
    registry->remote.fetch = fetch;
    image->remote = &registry->remote;
    image->taken_from = arena_format(arena, "the registry %.*s", SLICE_ARG(host));
    *(slice *)list_add(&image->tags, arena, sizeof(slice)) = reference_text(reference, arena);
    return error_wrap(
        manifest_open(image, &registry->store, &registry->options, arena, registry->digest),
        "%.*s/%.*s", SLICE_ARG(host), SLICE_ARG(reference->repository));
}

/* The address of the next mirror of the registry, out of "HOST=URL,HOST=URL…". */
static bool next_mirror(slice *mirrors, slice registry, slice *address)
{
    slice entry, host;
    while (slice_pull(mirrors, ',', &entry))
        if (slice_split(slice_trim(entry), '=', &host, address) && slice_equal(host, registry))
            return true;
    return false;
}

/* Without a user and password before it, which are shown to nobody. */
static slice host_of(slice address)
{
    size_t scheme = slice_find(address, ':') + 3;
    slice rest = slice_from(address, scheme);
    slice host = slice_first(rest, slice_find(rest, '/'));
    size_t at = slice_find_last(host, '@');
    return at < host.len ? slice_from(host, at + 1) : host;
}

struct error *registry_open(struct image *image, slice name, const struct source_options *options,
                            struct arena *arena, bool *absent)
{
    struct reference reference;
    struct registry *registry = ARENA_NEW(arena, struct registry);
    registry->options = *options;
    *absent = false;
    TRY(reference_parse(&reference, name, arena));
    slice mirrors = slice_from_text(options->mirrors ? options->mirrors : ""), address;
    while (next_mirror(&mirrors, reference.registry, &address)) {
        while (slice_ends(address, SLICE("/")))
            address = slice_first(address, address.len - 1);
        struct error *error =
            open_at(image, registry, address, host_of(address), &reference, arena, absent);
        registry_client_end(&registry->client);
        if (!error)
            return NULL;
        remark("the mirror %.*s is passed over: %s", SLICE_ARG(host_of(address)), error->message);
        error_free(error);
    }
    slice host = slice_equal(reference.registry, SLICE("docker.io")) ? SLICE("registry-1.docker.io")
                                                                     : reference.registry;
    slice base = choose_scheme(host, options, arena);
    struct error *error =
        open_at(image, registry, base, reference.registry, &reference, arena, absent);
    registry_client_end(&registry->client);
    return error;
}
