/*
 * Images that containerd has (also Kubernetes nodes): its API (gRPC: HTTP/2 and Protocol Buffers)
 * says which digest a name leads to, and the blobs are read in place from its content store.
 */
#include "base/digest.h"
#include "base/limits.h"
#include "source/places.h"
#include "source/protobuf.h"
#include "source/reference.h"
#include "source/sources.h"

#define DEFAULT_SOCKET "/run/containerd/containerd.sock"
#define IMAGES "containerd.services.images.v1.Images/Get"
#define NAMESPACES "containerd.services.namespaces.v1.Namespaces/List"
#define PLUGINS "containerd.services.introspection.v1.Introspection/Plugins"

enum { GRPC_NOT_FOUND = 5, FRAME_HEAD = 5 };

struct containerd {
    struct http_client *client;
    const char *socket;
    struct arena *arena;
};

/* One call; *found false when it says that there is no such thing. */
static struct error *call(const struct containerd *containerd, const char *method, slice namespace,
                          slice message, slice *answer, bool *found)
{
    CLEANUP_BUFFER struct buffer frame = {0};
    struct arena *arena = containerd->arena;
    const char *headers[] = {
        "Content-Type: application/grpc", "TE: trailers",
        arena_format(arena, "containerd-namespace: %.*s", SLICE_ARG(namespace)).ptr, NULL};
    struct http_request request = {.url = arena_format(arena, "http://localhost/%s", method).ptr,
                                   .headers = headers};
    struct http_response response;
    slice body;
    for (int shift = 32; shift >= 0; shift -= 8)
        buffer_add_byte(&frame, shift == 32 ? 0 : (char)(unsigned char)(message.len >> shift));
    buffer_add(&frame, message);
    request.body = buffer_slice(&frame);
    TRY(http_fetch(containerd->client, &request, LIMIT_MANIFEST_BYTES, arena, &response, &body));
    uint64_t status = UINT64_MAX;
    *found = false;
    if (slice_to_u64(response.grpc_status, &status) && status == GRPC_NOT_FOUND)
        return NULL;
    if (status != 0 || body.len < FRAME_HEAD)
        return error_make(ERROR_INPUT, "containerd refuses %s: %.*s", method,
                          SLICE_ARG(response.grpc_message));
    *found = true;
    *answer = slice_from(body, FRAME_HEAD);
    return NULL;
}

/* Image.target.digest of the image of exactly that name. */
static struct error *get_image(const struct containerd *containerd, slice namespace, slice name,
                               slice *digest)
{
    CLEANUP_BUFFER struct buffer message = {0};
    slice answer;
    bool found;
    *digest = SLICE_EMPTY;
    protobuf_add(&message, 1, name);
    TRY(call(containerd, IMAGES, namespace, buffer_slice(&message), &answer, &found));
    if (found)
        *digest = protobuf_find(protobuf_find(protobuf_find(answer, 1), 3), 2);
    return NULL;
}

/* As it is written, and in full. */
static struct error *find_image(const struct containerd *containerd, slice namespace, slice name,
                                slice *digest)
{
    struct reference reference;
    TRY(get_image(containerd, namespace, name, digest));
    CLEANUP_ERROR struct error *no_name = reference_parse(&reference, name, containerd->arena);
    if (digest->len || no_name)
        return NULL;
    return get_image(containerd, namespace, reference_text(&reference, containerd->arena), digest);
}

/* In the namespace that is asked for, else in each that there is. */
static struct error *find_everywhere(const struct containerd *containerd, slice namespace,
                                     slice name, slice *digest)
{
    slice answer;
    struct protobuf_field field;
    bool found;
    if (namespace.len)
        return find_image(containerd, namespace, name, digest);
    TRY(call(containerd, NAMESPACES, SLICE("default"), SLICE_EMPTY, &answer, &found));
    *digest = SLICE_EMPTY;
    while (digest->len == 0 && found && protobuf_pull(&answer, &field))
        if (field.number == 1)
            TRY(find_image(containerd, protobuf_find(field.bytes, 1), name, digest));
    return NULL;
}

/* The folder of the content store, which its plugin tells ("root" of its exports). */
static struct error *find_content(const struct containerd *containerd, slice *root)
{
    CLEANUP_BUFFER struct buffer message = {0};
    slice answer, plugin;
    struct protobuf_field field;
    bool found;
    *root = SLICE("/var/lib/containerd/io.containerd.content.v1.content");
    protobuf_add(&message, 1, SLICE("type==io.containerd.content.v1"));
    TRY(call(containerd, PLUGINS, SLICE("default"), buffer_slice(&message), &answer, &found));
    plugin = found ? protobuf_find(answer, 1) : SLICE_EMPTY;
    while (protobuf_pull(&plugin, &field))
        if (field.number == 5 && slice_equal(protobuf_find(field.bytes, 1), SLICE("root")))
            *root = protobuf_find(field.bytes, 2);
    return NULL;
}

static struct error *open_content(const struct containerd *containerd, struct image *image,
                                  slice digest, const struct source_options *options)
{
    slice root;
    struct arena *arena = containerd->arena;
    if (!digest_valid(digest))
        return error_make(ERROR_INPUT, "containerd gives no digest for it");
    TRY(find_content(containerd, &root));
    TRY(error_wrap(bundle_open(&image->bundle, arena, arena_text(arena, root), NULL),
                   "containerd's content store"));
    image->taken_from = arena_format(arena, "containerd's content store in %.*s", SLICE_ARG(root));
    return error_wrap(oci_layout_open_digest(image, image->bundle, options, arena, digest),
                      "containerd's content store in %.*s", SLICE_ARG(root));
}

static struct error *find_and_open(const struct containerd *containerd, struct image *image,
                                   slice name, const struct source_options *options, bool *absent)
{
    const char *variable = getenv("CONTAINERD_NAMESPACE");
    const char *namespace = options->containerd_namespace ? options->containerd_namespace
                            : variable                    ? variable
                                                          : "";
    slice digest;
    *absent = true;
    TRY(error_wrap(find_everywhere(containerd, slice_from_text(namespace), name, &digest),
                   "%s does not answer", containerd->socket));
    if (digest.len == 0)
        return error_make(ERROR_INPUT, "it has no such image%s%s",
                          *namespace ? " in namespace " : "", namespace);
    *absent = false;
    *(slice *)list_add(&image->tags, containerd->arena, sizeof(slice)) =
        arena_copy(containerd->arena, name);
    return open_content(containerd, image, digest, options);
}

struct error *containerd_open(struct image *image, slice name, const struct source_options *options,
                              struct arena *arena, bool *absent)
{
    const char *variable = getenv("CONTAINERD_ADDRESS");
    const char *socket = options->containerd_address ? options->containerd_address
                         : variable && *variable     ? variable
                                                     : DEFAULT_SOCKET;
    struct http_options http = {
        .unix_socket = socket, .http2_only = true, .deadline_ms = options->http.deadline_ms};
    *absent = true;
    TRY(source_check_socket(socket));
    struct containerd containerd = {http_client_new(&http), socket, arena};
    struct error *error = find_and_open(&containerd, image, name, options, absent);
    http_client_free(containerd.client);
    return error;
}
