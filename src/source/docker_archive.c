/*
 * docker-archive: what `docker save` writes. manifest.json lists images, each with its config, its
 * tags and its layers by path: ID/layer.tar in the old layout, blobs/sha256/… since Docker 25.
 */
#include "base/buffer.h"
#include "base/digest.h"
#include "base/limits.h"
#include "source/sources.h"

#define MANIFEST SLICE("manifest.json")

static struct error *recognise(struct bundle *bundle, bool *is)
{
    const struct bundle_member *member;
    TRY(bundle_find(bundle, MANIFEST, &member));
    *is = member != NULL;
    if (*is)
        return NULL;
    TRY(bundle_find(bundle, SLICE("repositories"), &member));
    const struct bundle_member *index;
    TRY(bundle_find(bundle, SLICE("index.json"), &index));
    if (member && !index)
        return error_make(ERROR_INPUT, "this archive has no manifest.json: it was made by a Docker "
                                       "older than 1.10; save the image again with a newer one");
    return NULL;
}

static bool has_tag(const json_t *entry, slice wanted)
{
    const json_t *tags = json_object_get(entry, "RepoTags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        if (json_is_string(tag) && source_name_matches(wanted, json_slice(tag)))
            return true;
    }
    return false;
}

/* The hex digits in a config's path: "abc….json", "blobs/sha256/abc…", "sha256:abc…". */
static slice config_hex(slice path)
{
    slice name = slice_basename(path);
    if (slice_starts(name, SLICE("sha256:")))
        name = slice_from(name, strlen("sha256:"));
    return slice_ends(name, SLICE(".json")) ? slice_first(name, name.len - 5) : name;
}

static bool has_digest(const json_t *entry, slice wanted, struct arena *arena)
{
    slice hex = config_hex(json_get_slice(entry, "Config", arena));
    if (slice_starts(wanted, SLICE("sha256:")))
        wanted = slice_from(wanted, 7);
    return wanted.len >= 12 && slice_starts(hex, wanted);
}

static slice list_images(const json_t *manifest, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer names = {0};
    for (size_t i = 0; i < json_array_size(manifest); i++) {
        const json_t *entry = json_array_get(manifest, i);
        const json_t *tags = json_object_get(entry, "RepoTags");
        const char *tag = json_string_value(json_array_get(tags, 0));
        slice config = config_hex(json_get_slice(entry, "Config", arena));
        buffer_text(&names, i ? ", " : "");
        if (tag)
            buffer_text(&names, tag);
        else
            buffer_format(&names, "sha256:%.*s", SLICE_ARG(config));
    }
    return arena_copy(arena, buffer_slice(&names));
}

/* One image under several tags can be listed once for each. */
static bool is_same_image(const json_t *a, const json_t *b, struct arena *arena)
{
    return slice_equal(json_get_slice(a, "Config", arena), json_get_slice(b, "Config", arena)) &&
           json_equal(json_object_get(a, "Layers"), json_object_get(b, "Layers"));
}

/* The one that is asked for, or the only one there is (a config listed twice is one image). */
static struct error *choose(const json_t *manifest, const struct source_options *options,
                            struct arena *arena, const json_t **chosen)
{
    size_t count = json_array_size(manifest);
    *chosen = NULL;
    for (size_t i = 0; i < count; i++) {
        const json_t *entry = json_array_get(manifest, i);
        if (options->select.len && !has_tag(entry, options->select) &&
            !has_digest(entry, options->select, arena))
            continue;
        if (*chosen && !is_same_image(*chosen, entry, arena))
            return error_make(
                ERROR_INPUT,
                "there are several images in it: choose one with --image NAME, of %.*s",
                SLICE_ARG(list_images(manifest, arena)));
        if (!*chosen)
            *chosen = entry;
    }
    if (*chosen)
        return NULL;
    if (count == 0)
        return error_make(ERROR_INPUT, "its manifest.json lists no image");
    return error_make(ERROR_INPUT, "there is no image %.*s in it; there is %.*s",
                      SLICE_ARG(options->select), SLICE_ARG(list_images(manifest, arena)));
}

slice blob_digest(struct arena *arena, slice path)
{
    slice prefix = SLICE("blobs/");
    slice algorithm, hex;
    if (!slice_starts(path, prefix) ||
        !slice_split(slice_from(path, prefix.len), '/', &algorithm, &hex))
        return SLICE_EMPTY;
    slice digest = arena_format(arena, "%.*s:%.*s", SLICE_ARG(algorithm), SLICE_ARG(hex));
    return digest_valid(digest) ? digest : SLICE_EMPTY;
}

static struct error *read_config(struct image *image, const json_t *entry,
                                 const struct source_options *options, struct arena *arena)
{
    const struct bundle_member *member;
    slice text, path = json_get_slice(entry, "Config", arena);
    if (path.len == 0)
        return error_make(ERROR_INPUT, "its manifest.json names no config");
    TRY(source_require(image->bundle, path, "the image's config", &member));
    TRY(bundle_read(image->bundle, member, LIMIT_CONFIG_BYTES, &text));
    slice digest = arena_format(arena, "sha256:%.*s", SLICE_ARG(config_hex(path)));
    if (!digest_valid(digest))
        digest = digest_of(text, arena);
    else if (options->verify)
        TRY(digest_check(text, digest, "the image's config"));
    image->digest = image->config_digest = digest;
    return config_read(image, text, arena);
}

/* By its path: blobs/sha256/HEX, or HEX.tar (skopeo, podman), HEX.tar.gz (go-containerregistry). */
static slice layer_digest(struct arena *arena, slice path)
{
    static const char *const endings[] = {".tar", ".tar.gz"};
    slice name = slice_basename(path);
    for (size_t i = 0; i < 2; i++) {
        slice ending = slice_from_text(endings[i]);
        if (!slice_ends(name, ending))
            continue;
        slice digest =
            arena_format(arena, "sha256:%.*s", SLICE_ARG(slice_first(name, name.len - ending.len)));
        if (digest_valid(digest))
            return digest;
    }
    return blob_digest(arena, path);
}

static struct error *find_layers(struct image *image, const json_t *entry, struct arena *arena)
{
    const json_t *paths = json_object_get(entry, "Layers");
    if (json_array_size(paths) != image->layer_count)
        return error_make(ERROR_INPUT,
                          "its manifest.json lists %zu layers, the image's config %zu: they do not "
                          "belong together; save the image again",
                          json_array_size(paths), image->layer_count);
    for (size_t i = 0; i < image->layer_count; i++) {
        struct image_layer *layer = &image->layers[i];
        const json_t *path = json_array_get(paths, i);
        if (!json_is_string(path))
            return error_make(ERROR_INPUT, "layer %zu in its manifest.json is no path", i);
        slice text = json_slice(path);
        TRY(source_find_layer(image->bundle, text, arena, layer));
        if (layer->member)
            layer->digest = layer_digest(arena, layer->member->path);
    }
    return NULL;
}

static struct error *open_archive(struct image *image, struct bundle *bundle,
                                  const struct source_options *options, struct arena *arena)
{
    const struct bundle_member *member, *index;
    const json_t *entry;
    slice text;
    CLEANUP_JSON json_t *manifest = NULL;
    TRY(source_require(bundle, MANIFEST, "the list of images", &member));
    TRY(bundle_read(bundle, member, LIMIT_MANIFEST_BYTES, &text));
    TRY(json_read(&manifest, text, "manifest.json"));
    if (!json_is_array(manifest))
        return error_make(ERROR_INPUT, "its manifest.json is not what `docker save` writes (a list "
                                       "of images)");
    /* Saved from containerd's store it is an OCI layout as well, which knows of all platforms. */
    TRY(bundle_find(bundle, SLICE("index.json"), &index));
    if (json_array_size(manifest) == 0 && index)
        return source_oci_layout.open(image, bundle, options, arena);
    struct error *error = choose(manifest, options, arena, &entry);
    if (error && index && json_array_size(manifest) > 1) {
        /* An entry for each platform of one tag: the OCI index tells them apart. */
        error_free(error);
        return source_oci_layout.open(image, bundle, options, arena);
    }
    TRY(error);
    TRY(read_config(image, entry, options, arena));
    if (options->platform.len && !platform_matches(options->platform, image->platform)) {
        if (index)
            return source_oci_layout.open(image, bundle, options, arena);
        return error_make(ERROR_INPUT, "it holds the image for %.*s, not for %.*s",
                          SLICE_ARG(image->platform), SLICE_ARG(options->platform));
    }
    for (size_t i = 0; i < json_array_size(manifest); i++)
        if (is_same_image(entry, json_array_get(manifest, i), arena))
            source_note_tags(image, json_object_get(json_array_get(manifest, i), "RepoTags"),
                             arena);
    return find_layers(image, entry, arena);
}

const struct source_kind source_docker_archive = {
    .name = "docker-archive",
    .recognise = recognise,
    .open = open_archive,
};
