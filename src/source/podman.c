/*
 * Images that Podman has (also Buildah, CRI-O, skopeo's containers-storage): read in place from
 * containers/storage where it keeps them for overlayfs, else exported over Podman's socket.
 */
#include "base/base64.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/progress.h"
#include "source/engine.h"
#include "source/overlay_layers.h"
#include "source/sources.h"

#include <fcntl.h>

#define SYSTEM_STORAGE "/var/lib/containers/storage"

/* -- where it is ----------------------------------------------------------------------------------
 */

/* `graphroot = "/path"` of storage.conf (TOML, of which this is all that is needed). */
static slice graph_root_in(const char *path, struct arena *arena)
{
    slice text, line, key, value;
    if (access(path, R_OK) < 0)
        return SLICE_EMPTY;
    CLEANUP_ERROR struct error *error =
        file_read_whole(arena, AT_FDCWD, path, LIMIT_CONFIG_BYTES, &text);
    while (!error && slice_pull_line(&text, &line)) {
        if (!slice_split(line, '=', &key, &value) ||
            !slice_equal(slice_trim(key), SLICE("graphroot")))
            continue;
        value = slice_trim(value);
        if (value.len > 2 && value.ptr[0] == '"')
            return slice_first(slice_from(value, 1), slice_find(slice_from(value, 1), '"'));
    }
    return SLICE_EMPTY;
}

static slice storage_root(struct arena *arena)
{
    const char *named = getenv("CONTAINERS_STORAGE_CONF"), *home = getenv("HOME");
    const char *data = getenv("XDG_DATA_HOME"), *config = getenv("XDG_CONFIG_HOME");
    bool root = geteuid() == 0;
    const char *files[3] = {named && *named ? named : NULL};
    if (!root && config && *config)
        files[1] = arena_format(arena, "%s/containers/storage.conf", config).ptr;
    else if (!root && home)
        files[1] = arena_format(arena, "%s/.config/containers/storage.conf", home).ptr;
    files[2] = root ? "/etc/containers/storage.conf" : NULL;
    for (size_t i = 0; i < 3; i++) {
        slice found = files[i] ? graph_root_in(files[i], arena) : SLICE_EMPTY;
        if (found.len)
            return found;
    }
    if (root || !home)
        return SLICE(SYSTEM_STORAGE);
    if (data && *data)
        return arena_format(arena, "%s/containers/storage", data);
    return arena_format(arena, "%s/.local/share/containers/storage", home);
}

static slice socket_address(struct arena *arena)
{
    const char *named = getenv("CONTAINER_HOST"), *runtime = getenv("XDG_RUNTIME_DIR");
    if (named && *named)
        return slice_from_text(named);
    if (geteuid() != 0 && runtime)
        return arena_format(arena, "unix://%s/podman/podman.sock", runtime);
    return SLICE("unix:///run/podman/podman.sock");
}

/* -- in place: containers/storage -----------------------------------------------------------------
 */

static struct error *read_list(slice root, const char *name, struct arena *arena, json_t **list)
{
    slice text;
    const char *path = arena_format(arena, "%.*s/%s", SLICE_ARG(root), name).ptr;
    TRY(file_read_whole(arena, AT_FDCWD, path, LIMIT_STORAGE_LIST_BYTES, &text));
    TRY(json_read(list, text, path));
    return json_is_array(*list) ? NULL : error_make(ERROR_INPUT, "%s is no list", path);
}

static bool has_name(const json_t *entry, slice wanted, struct arena *arena)
{
    const json_t *names = json_object_get(entry, "names");
    slice id = json_get_slice(entry, "id", arena);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name && source_name_matches(wanted, slice_from_text(name)))
            return true;
    }
    if (slice_starts(wanted, SLICE("sha256:")))
        wanted = slice_from(wanted, 7);
    return wanted.len >= 12 && slice_starts(id, wanted);
}

static const json_t *find_layer(const json_t *list, slice wanted)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *id = json_object_get(json_array_get(list, i), "id");
        if (json_is_string(id) && slice_equal(json_slice(id), wanted))
            return json_array_get(list, i);
    }
    return NULL;
}

/* It becomes part of a path. */
static bool is_layer_id(slice id)
{
    for (size_t i = 0; i < id.len; i++)
        if (!byte_is_alpha(id.ptr[i]) && !byte_is_digit(id.ptr[i]))
            return false;
    return id.len > 0;
}

/* The folders of the layers along the chain of parents, topmost first. */
static struct error *list_folders(slice root, slice top, struct arena *arena, slice *folders,
                                  size_t *count)
{
    CLEANUP_JSON json_t *layers = NULL;
    TRY(read_list(root, "overlay-layers/layers.json", arena, &layers));
    *count = 0;
    for (slice id = top; id.len;) {
        const json_t *layer = find_layer(layers, id);
        if (!layer || *count == LIMIT_LAYERS || !is_layer_id(id))
            return error_make(ERROR_INPUT, "the layer %.*s is not in its storage", SLICE_ARG(id));
        folders[(*count)++] =
            arena_format(arena, "%.*s/overlay/%.*s/diff", SLICE_ARG(root), SLICE_ARG(id));
        id = json_get_slice(layer, "parent", arena);
    }
    return NULL;
}

/* Where the storage keeps an image's config: under "=" and the base64 of its digest. */
static const char *config_path(slice root, slice id, struct arena *arena)
{
    slice digest = arena_format(arena, "sha256:%.*s", SLICE_ARG(id));
    return arena_format(arena, "%.*s/overlay-images/%.*s/=%.*s", SLICE_ARG(root), SLICE_ARG(id),
                        SLICE_ARG(base64_encode(digest, arena)))
        .ptr;
}

static struct error *open_in_place(struct image *image, slice root, const json_t *entry,
                                   struct arena *arena)
{
    slice *folders = arena_array(arena, LIMIT_LAYERS + 1, sizeof(slice));
    slice id = json_get_slice(entry, "id", arena);
    slice digest = arena_format(arena, "sha256:%.*s", SLICE_ARG(id));
    size_t count;
    if (!digest_valid(digest))
        return error_make(ERROR_INPUT, "its id is none");
    TRY(list_folders(root, json_get_slice(entry, "layer", arena), arena, folders, &count));
    TRY(overlay_layers_open(image, config_path(root, id, arena), digest, folders, count, arena));
    image->taken_from = arena_format(arena, "containers/storage in %.*s", SLICE_ARG(root));
    source_note_tags(image, json_object_get(entry, "names"), arena);
    return NULL;
}

static struct error *open_storage(struct image *image, slice name,
                                  const struct source_options *options, struct arena *arena,
                                  bool *absent)
{
    slice root = storage_root(arena);
    CLEANUP_JSON json_t *images = NULL;
    const json_t *entry = NULL;
    *absent = true;
    if (access(arena_format(arena, "%.*s/overlay-images/images.json", SLICE_ARG(root)).ptr, F_OK) <
        0)
        return error_make(ERROR_INPUT, "there is no overlay storage in %.*s", SLICE_ARG(root));
    TRY(read_list(root, "overlay-images/images.json", arena, &images));
    for (size_t i = 0; i < json_array_size(images) && !entry; i++)
        if (has_name(json_array_get(images, i), name, arena))
            entry = json_array_get(images, i);
    if (!entry)
        return error_make(ERROR_INPUT, "there is no such image in %.*s", SLICE_ARG(root));
    *absent = false;
    TRY(open_in_place(image, root, entry, arena));
    if (options->platform.len && !platform_matches(options->platform, image->platform))
        return error_make(ERROR_INPUT, "it holds the image for %.*s, not for %.*s",
                          SLICE_ARG(image->platform), SLICE_ARG(options->platform));
    return NULL;
}

static struct error *open_socket(struct image *image, slice name,
                                 const struct source_options *options, struct arena *arena,
                                 bool *absent)
{
    struct engine engine;
    CLEANUP_JSON json_t *inspected = NULL;
    *absent = true;
    TRY(engine_address(&engine, "Podman", socket_address(arena), NULL, options, arena));
    TRY(engine_inspect(&engine, name, arena, &inspected, absent));
    return engine_export(&engine, image, name, json_get_slice(inspected, "Id", arena), options,
                         arena);
}

struct error *podman_open(struct image *image, slice name, const struct source_options *options,
                          struct arena *arena, bool *absent)
{
    /* Without being root some files in the storage belong to others, whom only Podman can be. */
    place_open *const ways[2] = {geteuid() == 0 ? open_storage : open_socket,
                                 geteuid() == 0 ? open_socket : open_storage};
    bool absent_first, absent_then;
    CLEANUP_ERROR struct error *first = ways[0](image, name, options, arena, &absent_first);
    *absent = false;
    if (!first)
        return NULL;
    /* What the first way has opened is not left open behind the second. */
    image_close(image);
    image->layer_count = image->tags.count = 0;
    image->bundle = NULL;
    struct error *then = ways[1](image, name, options, arena, &absent_then);
    if (!then) {
        remark_detail("Podman's first way was not there: %s", first->message);
        return NULL;
    }
    *absent = absent_first && absent_then;
    struct error *both = error_make(then->kind, "%s; %s", first->message, then->message);
    error_free(then);
    return both;
}
