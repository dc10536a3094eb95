/* Images that Docker has: read in place where its overlay2 folders are readable, else exported. */
#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/progress.h"
#include "source/engine.h"
#include "source/overlay_layers.h"
#include "source/sources.h"

#include <fcntl.h>

#define DEFAULT_SOCKET "/var/run/docker.sock"
#define LONGEST_DEPTH 256

/* -- where it is: DOCKER_HOST, else the context, else its usual socket ----------------------------
 */

static slice config_folder(struct arena *arena)
{
    const char *folder = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    if (folder && *folder)
        return slice_from_text(folder);
    return arena_format(arena, "%s/.docker", home ? home : "");
}

/* A file of Docker's that may be missing; NULL then. */
static json_t *read_settings(slice path, struct arena *arena)
{
    slice text;
    json_t *json = NULL;
    const char *name = arena_text(arena, path);
    if (access(name, F_OK) < 0)
        return NULL;
    CLEANUP_ERROR struct error *error =
        file_read_whole(arena, AT_FDCWD, name, LIMIT_CONFIG_BYTES, &text);
    if (!error)
        error = json_read_secret(&json, text, name);
    if (error)
        remark("%s is not used: %s", name, error->message);
    return json;
}

/* The context's address and certificates; contexts lie under the digest of their name. */
static struct error *use_context(slice context, struct arena *arena, slice *address,
                                 const char **certificates)
{
    slice folder = config_folder(arena);
    slice id = slice_from(digest_of(context, arena), strlen("sha256:"));
    CLEANUP_JSON json_t *meta = read_settings(
        arena_format(arena, "%.*s/contexts/meta/%.*s/meta.json", SLICE_ARG(folder), SLICE_ARG(id)),
        arena);
    const json_t *endpoint = json_object_get(json_object_get(meta, "Endpoints"), "docker");
    *address = json_get_slice(endpoint, "Host", arena);
    if (address->len == 0)
        return error_make(ERROR_INPUT, "the context %.*s is not there", SLICE_ARG(context));
    const char *tls =
        arena_format(arena, "%.*s/contexts/tls/%.*s/docker", SLICE_ARG(folder), SLICE_ARG(id)).ptr;
    if (access(tls, F_OK) == 0)
        *certificates = tls;
    return NULL;
}

static slice context_name(struct arena *arena)
{
    const char *named = getenv("DOCKER_CONTEXT");
    if (named && *named)
        return slice_from_text(named);
    CLEANUP_JSON json_t *config = read_settings(
        arena_format(arena, "%.*s/config.json", SLICE_ARG(config_folder(arena))), arena);
    return json_get_slice(config, "currentContext", arena);
}

static slice usual_socket(struct arena *arena)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    const char *own = runtime ? arena_format(arena, "%s/docker.sock", runtime).ptr : "";
    if (access(DEFAULT_SOCKET, F_OK) < 0 && *own && access(own, F_OK) == 0)
        return arena_format(arena, "unix://%s", own);
    return SLICE("unix://" DEFAULT_SOCKET);
}

static struct error *find_engine(struct engine *engine, const struct source_options *options,
                                 struct arena *arena)
{
    const char *host = getenv("DOCKER_HOST"), *verify = getenv("DOCKER_TLS_VERIFY");
    const char *folder = getenv("DOCKER_CERT_PATH"), *certificates = NULL;
    slice address, context = SLICE_EMPTY;
    if (host && *host) {
        address = slice_from_text(host);
        if (verify && *verify)
            certificates = folder && *folder ? folder : config_folder(arena).ptr;
    } else {
        context = context_name(arena);
        if (context.len && !slice_equal(context, SLICE("default")))
            TRY(use_context(context, arena, &address, &certificates));
        else
            address = usual_socket(arena);
    }
    return engine_address(engine, "Docker", address, certificates, options, arena);
}

/* -- in place -------------------------------------------------------------------------------------
 */

/* The folders of the layers, topmost first; LowerDir has all but that. */
static size_t list_folders(const json_t *data, slice *folders, struct arena *arena)
{
    slice lower = json_get_slice(data, "LowerDir", arena), folder;
    size_t count = 0;
    folders[count++] = json_get_slice(data, "UpperDir", arena);
    while (slice_pull(&lower, ':', &folder) && count < LIMIT_LAYERS)
        if (folder.len)
            folders[count++] = folder;
    return count;
}

static struct error *open_in_place(struct image *image, const json_t *inspected,
                                   struct arena *arena)
{
    const json_t *driver = json_object_get(inspected, "GraphDriver");
    const json_t *data = json_object_get(driver, "Data");
    slice name = json_get_slice(driver, "Name", arena);
    slice id = json_get_slice(inspected, "Id", arena);
    slice upper = json_get_slice(data, "UpperDir", arena);
    slice *folders = arena_array(arena, LIMIT_LAYERS + 1, sizeof(slice));
    const char *at = strstr(arena_text(arena, upper), "/overlay2/");
    if (!slice_equal(name, SLICE("overlay2")) || !at || !digest_valid(id))
        return error_make(ERROR_INPUT, "its storage driver is %.*s",
                          SLICE_ARG(name.len ? name : SLICE("not told")));
    slice root = slice_first(upper, upper.len - strlen(at));
    const char *config = arena_format(arena, "%.*s/image/overlay2/imagedb/content/sha256/%.*s",
                                      SLICE_ARG(root), SLICE_ARG(slice_from(id, 7)))
                             .ptr;
    size_t count = list_folders(data, folders, arena);
    TRY(overlay_layers_open(image, config, id, folders, count, arena));
    image->taken_from = arena_format(arena, "Docker's overlay2 folders in %.*s", SLICE_ARG(root));
    return NULL;
}

struct error *docker_open(struct image *image, slice name, const struct source_options *options,
                          struct arena *arena, bool *absent)
{
    struct engine engine;
    CLEANUP_JSON json_t *inspected = NULL;
    *absent = true;
    TRY(find_engine(&engine, options, arena));
    TRY(engine_inspect(&engine, name, arena, &inspected, absent));
    CLEANUP_ERROR struct error *elsewhere = NULL;
    if (engine.local && !options->platform.len) {
        elsewhere = open_in_place(image, inspected, arena);
        if (!elsewhere) {
            source_note_tags(image, json_object_get(inspected, "RepoTags"), arena);
            return NULL;
        }
        remark_detail("Docker's files cannot be read in place: %s", elsewhere->message);
    }
    return engine_export(&engine, image, name, json_get_slice(inspected, "Id", arena), options,
                         arena);
}
