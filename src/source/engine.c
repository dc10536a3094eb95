#include "source/engine.h"
#include "base/digest.h"
#include "base/limits.h"
#include "source/sources.h"

struct error *engine_address(struct engine *engine, const char *name, slice address,
                             const char *certificates, const struct source_options *options,
                             struct arena *arena)
{
    slice scheme, rest;
    *engine = (struct engine){.name = name, .address = address};
    engine->http = (struct http_options){.deadline_ms = options->http.deadline_ms};
    if (!slice_split(address, ':', &scheme, &rest) || !slice_starts(rest, SLICE("//")))
        return error_make(ERROR_INPUT, "\"%.*s\" is no address of %s", SLICE_ARG(address), name);
    rest = slice_from(rest, 2);
    if (slice_equal(scheme, SLICE("unix"))) {
        engine->http.unix_socket = arena_text(arena, rest);
        engine->base = SLICE("http://localhost");
        engine->local = true;
        return NULL;
    }
    if (!slice_equal(scheme, SLICE("tcp")) && !slice_equal(scheme, SLICE("http")) &&
        !slice_equal(scheme, SLICE("https")))
        return error_make(ERROR_INPUT,
                          "%s is to be reached by \"%.*s\", which plimsoll does not do; `docker "
                          "save -o FILE IMAGE` makes a file that it reads",
                          name, SLICE_ARG(address));
    bool secure = certificates || slice_equal(scheme, SLICE("https"));
    engine->base = arena_format(arena, "%s://%.*s", secure ? "https" : "http", SLICE_ARG(rest));
    if (certificates) {
        engine->http.ca_file = arena_format(arena, "%s/ca.pem", certificates).ptr;
        engine->http.client_certificate = arena_format(arena, "%s/cert.pem", certificates).ptr;
        engine->http.client_key = arena_format(arena, "%s/key.pem", certificates).ptr;
    }
    return NULL;
}

static slice url_of(const struct engine *engine, slice name, const char *what, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer url = {0};
    buffer_format(&url, "%.*s/images/", SLICE_ARG(engine->base));
    buffer_add_percent(&url, name, "/:@._-");
    buffer_format(&url, "/%s", what);
    return arena_format(arena, "%.*s", SLICE_ARG(buffer_slice(&url)));
}

struct error *engine_inspect(const struct engine *engine, slice name, struct arena *arena,
                             json_t **json, bool *absent)
{
    struct http_request request = {.url = url_of(engine, name, "json", arena).ptr};
    struct http_response response;
    slice body;
    *json = NULL;
    *absent = true;
    if (engine->http.unix_socket)
        TRY(source_check_socket(engine->http.unix_socket));
    struct http_client *client = http_client_new(&engine->http);
    struct error *error = http_fetch(client, &request, LIMIT_CONFIG_BYTES, arena, &response, &body);
    http_client_free(client);
    if (error)
        return error_wrap(error, "%.*s does not answer", SLICE_ARG(engine->address));
    if (response.status == 404)
        return error_make(ERROR_INPUT, "it has no such image");
    if (response.status != 200)
        return error_make(ERROR_INPUT, "%.*s answers with status %ld", SLICE_ARG(engine->address),
                          response.status);
    *absent = false;
    return error_wrap(json_read(json, body, "its answer"), "%s", engine->name);
}

/* -- export: in a process of its own --------------------------------------------------------------
 */

struct export
{
    struct engine engine;
    slice url;
};

static struct error *run_export(void *context, size_t index, int output, int requests)
{
    struct export *export = context;
    CLEANUP_ARENA struct arena arena = {0};
    struct http_request request = {.url = export->url.ptr, .method = "GET"};
    struct http_response response;
    (void)index;
    (void)requests;
    struct http_client *client = http_client_new(&export->engine.http);
    struct error *error =
        http_stream(client, &request, http_sink_to_file, &output, &arena, &response);
    http_client_free(client);
    if (!error && response.status != 200)
        error = error_make(ERROR_INPUT, "%s answers with status %ld: %.*s", export->engine.name,
                           response.status, SLICE_ARG(slice_first(response.refusal, 300)));
    return error;
}

struct error *engine_export(const struct engine *engine, struct image *image, slice name, slice id,
                            const struct source_options *options, struct arena *arena)
{
    struct bundle_options bundle = {.visitor = options->stream, .memory = options->memory};
    struct export *export = ARENA_NEW(arena, struct export);
    struct source_options plain = *options;
    *export = (struct export){*engine, url_of(engine, name, "get", arena)};
    struct feed feed = {run_export, export};
    plain.select = SLICE_EMPTY; /* the name has led here already */
    /* The names are in the export, too; and what one engine says of an id is no word on another's.
     */
    if (digest_valid(id))
        bundle.key = arena_format(arena, "export %.*s %.*s %.*s", SLICE_ARG(engine->address),
                                  SLICE_ARG(id), SLICE_ARG(name));
    TRY(error_wrap(bundle_open_feed(&image->bundle, arena, &feed, &bundle), "%s's export of %.*s",
                   engine->name, SLICE_ARG(name)));
    image->taken_from =
        arena_format(arena, "%s's export (%.*s)", engine->name, SLICE_ARG(engine->address));
    return error_wrap(source_open_bundle(image, &plain, arena), "%s's export of %.*s", engine->name,
                      SLICE_ARG(name));
}
