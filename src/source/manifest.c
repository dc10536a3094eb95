#include "source/manifest.h"
#include "base/buffer.h"
#include "base/digest.h"
#include "base/limits.h"
#include "source/attached.h"
#include "source/sources.h"
#include "source/strict_json.h"

/* A manifest that an index leads to. */
struct candidate {
    slice digest;
    uint64_t size;
    slice platform; /* as its descriptor has it, or empty */
    slice name;     /* of the annotations on the way to it, or empty */
    bool selected;  /* it, or an index on the way to it, is what --image asked for */
    bool present;   /* its blob is there */
    bool artifact;  /* its config is not that of an image */
};

struct search {
    struct blob_store *store;
    const struct source_options *options;
    struct arena *arena;
    struct list candidates; /* of struct candidate */
    size_t attestations;
    struct list attached; /* of struct attachment: what the index says of its images */
    size_t looked_into;   /* manifests that were fetched for their platform */
    size_t listed;        /* manifests and indexes that indexes have named, each time */
    uint64_t bytes_read;
};

struct way {
    slice name;
    bool selected;
    unsigned depth;
};

static slice name_of(const json_t *descriptor, struct arena *arena)
{
    static const char *const keys[] = {"io.containerd.image.name",
                                       "org.opencontainers.image.ref.name"};
    const json_t *annotations = json_object_get(descriptor, "annotations");
    for (size_t i = 0; i < 2; i++) {
        slice name = json_get_slice(annotations, keys[i], arena);
        if (name.len)
            return name;
    }
    return SLICE_EMPTY;
}

static bool annotation_is(const json_t *descriptor, const char *key, slice wanted,
                          struct arena *arena)
{
    slice value = json_get_slice(json_object_get(descriptor, "annotations"), key, arena);
    return value.len && slice_equal(value, wanted);
}

/* Asked for by a name of it, or by (the beginning of) its digest. */
static bool is_selected(const json_t *descriptor, const struct search *search)
{
    slice wanted = search->options->select;
    slice digest = json_get_slice(descriptor, "digest", search->arena);
    if (wanted.len == 0)
        return false;
    const json_t *annotations = json_object_get(descriptor, "annotations");
    return source_name_matches(
               wanted,
               json_get_slice(annotations, "org.opencontainers.image.ref.name", search->arena)) ||
           source_name_matches(
               wanted, json_get_slice(annotations, "io.containerd.image.name", search->arena)) ||
           (wanted.len >= 12 && slice_starts(digest, wanted)) ||
           (wanted.len >= 12 && slice_starts(slice_from(digest, 7), wanted));
}

/* BuildKit's provenance and SBOMs ride along as manifests of no platform. */
static bool is_attestation(const json_t *descriptor, slice platform, struct arena *arena)
{
    return annotation_is(descriptor, "vnd.docker.reference.type", SLICE("attestation-manifest"),
                         arena) ||
           slice_starts(platform, SLICE("unknown/"));
}

static struct error *read_blob(struct search *search, slice digest, bool manifest, const char *what,
                               slice *text)
{
    if (!digest_valid(digest))
        return error_make(ERROR_INPUT, "the digest of %s is none: \"%.*s\"", what,
                          SLICE_ARG(digest));
    /* One blob can be named thousands of times. */
    if (search->bytes_read > LIMIT_MANIFESTS_BYTES)
        return error_make(ERROR_LIMIT,
                          "its indexes, manifests and configs have more than %llu MiB, the limit",
                          (unsigned long long)(LIMIT_MANIFESTS_BYTES / LIMIT_MIB));
    TRY(search->store->read(search->store, digest, manifest, what, text));
    search->bytes_read += text->len;
    return search->options->verify ? digest_check(*text, digest, what) : NULL;
}

static struct error *search_index(struct search *search, slice text, struct way way);

static bool is_index(slice media_type)
{
    return slice_equal(media_type, SLICE("application/vnd.oci.image.index.v1+json")) ||
           slice_equal(media_type,
                       SLICE("application/vnd.docker.distribution.manifest.list.v2+json"));
}

static struct error *search_descriptor(struct search *search, const json_t *descriptor,
                                       struct way way)
{
    struct arena *arena = search->arena;
    slice digest = json_get_slice(descriptor, "digest", arena);
    slice name = name_of(descriptor, arena);
    slice platform = config_platform(json_object_get(descriptor, "platform"), arena);
    bool present;
    way.selected |= is_selected(descriptor, search);
    way.name = name.len ? name : way.name;
    if (is_attestation(descriptor, platform, arena) ||
        json_object_get(descriptor, "artifactType")) {
        search->attestations++;
        *(struct attachment *)list_add(&search->attached, arena, sizeof(struct attachment)) =
            (struct attachment){digest, json_get_slice(json_object_get(descriptor, "annotations"),
                                                       "vnd.docker.reference.digest", arena)};
        return NULL;
    }
    if (!digest_valid(digest))
        return error_make(ERROR_INPUT, "an index names a manifest without a digest");
    TRY(search->store->has(search->store, digest, &present));
    if (is_index(json_get_slice(descriptor, "mediaType", arena)) && present) {
        slice text;
        TRY(read_blob(search, digest, true, "an index", &text));
        way.depth++;
        return search_index(search, text, way);
    }
    struct candidate *candidate = list_add(&search->candidates, arena, sizeof(*candidate));
    *candidate = (struct candidate){.digest = digest,
                                    .platform = platform,
                                    .name = way.name,
                                    .selected = way.selected,
                                    .present = present};
    return NULL;
}

static struct error *search_index(struct search *search, slice text, struct way way)
{
    CLEANUP_JSON json_t *index = NULL;
    if (way.depth > LIMIT_INDEX_DEPTH)
        return error_make(ERROR_LIMIT, "indexes lie in indexes, more than %d deep",
                          LIMIT_INDEX_DEPTH);
    TRY(strict_json_read(&index, text, "an image index"));
    const json_t *manifests = json_object_get(index, "manifests");
    if (!json_is_array(manifests))
        return error_make(ERROR_INPUT, "an image index lists no manifests");
    search->listed += json_array_size(manifests);
    if (search->listed > LIMIT_MANIFESTS)
        return error_make(ERROR_LIMIT, "the image indexes list more than %d manifests",
                          LIMIT_MANIFESTS);
    for (size_t i = 0; i < json_array_size(manifests); i++)
        TRY(search_descriptor(search, json_array_get(manifests, i), way));
    return NULL;
}

static struct candidate *candidate_at(const struct search *search, size_t i)
{
    return (struct candidate *)search->candidates.items + i;
}

static slice list_candidates(const struct search *search)
{
    CLEANUP_BUFFER struct buffer text = {0};
    for (size_t i = 0; i < search->candidates.count && i < 20; i++) {
        const struct candidate *candidate = candidate_at(search, i);
        buffer_format(&text, "%s%.*s%s%.*s%s", i ? ", " : "",
                      SLICE_ARG(candidate->name.len ? candidate->name : candidate->digest),
                      candidate->platform.len ? " for " : "", SLICE_ARG(candidate->platform),
                      candidate->present ? "" : " (its blobs are not there)");
    }
    if (text.len == 0)
        buffer_text(&text, "nothing");
    return arena_copy(search->arena, buffer_slice(&text));
}

/* Signatures, SBOMs and other artifacts are manifests with a config of another type. */
static bool is_image_config(const json_t *manifest, struct arena *arena)
{
    slice type = json_get_slice(json_object_get(manifest, "config"), "mediaType", arena);
    return type.len == 0 || slice_equal(type, SLICE("application/vnd.oci.image.config.v1+json")) ||
           slice_equal(type, SLICE("application/vnd.docker.container.image.v1+json"));
}

/* Descriptors often leave the platform out; the config has it. */
static void find_platform(struct search *search, struct candidate *candidate)
{
    slice text;
    CLEANUP_JSON json_t *manifest = NULL;
    CLEANUP_JSON json_t *config = NULL;
    if (!candidate->present || (search->store->remote && candidate->platform.len))
        return;
    if (search->store->remote && search->looked_into++ >= LIMIT_MANIFESTS_FETCHED)
        return;
    CLEANUP_ERROR struct error *error =
        read_blob(search, candidate->digest, true, "a manifest", &text);
    if (!error)
        error = strict_json_read(&manifest, text, "a manifest");
    candidate->artifact = !error && !is_image_config(manifest, search->arena);
    if (!error)
        error = read_blob(
            search, json_get_slice(json_object_get(manifest, "config"), "digest", search->arena),
            false, "a config", &text);
    if (!error)
        error = strict_json_read(&config, text, "a config");
    if (!error && candidate->platform.len == 0)
        candidate->platform = config_platform(config, search->arena);
}

/* Drops the candidates for which keep() is false, unless that would leave none. */
static bool narrow(struct search *search, bool (*keep)(const struct candidate *, slice),
                   slice wanted)
{
    size_t kept = 0;
    for (size_t i = 0; i < search->candidates.count; i++)
        kept += keep(candidate_at(search, i), wanted);
    if (kept == 0)
        return false;
    kept = 0;
    for (size_t i = 0; i < search->candidates.count; i++)
        if (keep(candidate_at(search, i), wanted))
            *candidate_at(search, kept++) = *candidate_at(search, i);
    search->candidates.count = kept;
    return true;
}

static bool keep_selected(const struct candidate *candidate, slice wanted)
{
    (void)wanted;
    return candidate->selected;
}

static bool keep_platform(const struct candidate *candidate, slice wanted)
{
    return platform_matches(wanted, candidate->platform);
}

static bool keep_present(const struct candidate *candidate, slice wanted)
{
    (void)wanted;
    return candidate->present;
}

static bool keep_image(const struct candidate *candidate, slice wanted)
{
    (void)wanted;
    return !candidate->artifact;
}

static bool all_one_digest(const struct search *search)
{
    for (size_t i = 1; i < search->candidates.count; i++)
        if (!slice_equal(candidate_at(search, i)->digest, candidate_at(search, 0)->digest))
            return false;
    return search->candidates.count > 0;
}

/*
 * One manifest: of the image that is asked for; for the platform that is asked for, which must be
 * there; else, where there is a choice, for this machine's, of those whose blobs are there.
 */
static struct error *choose(struct search *search, struct image *image)
{
    const struct source_options *options = search->options;
    slice all = list_candidates(search);
    if (search->candidates.count == 0)
        return error_make(ERROR_INPUT, "its index lists no image%s",
                          search->attestations ? ", only attestations" : "");
    if (options->select.len && !narrow(search, keep_selected, SLICE_EMPTY))
        return error_make(ERROR_INPUT, "there is no image %.*s in it; there is %.*s",
                          SLICE_ARG(options->select), SLICE_ARG(all));
    bool choice = !all_one_digest(search);
    if (choice || options->platform.len)
        for (size_t i = 0; i < search->candidates.count; i++)
            find_platform(search, candidate_at(search, i));
    narrow(search, keep_image, SLICE_EMPTY);
    choice = choice && !all_one_digest(search);
    all = list_candidates(search);
    if (options->platform.len && !narrow(search, keep_platform, options->platform))
        return error_make(ERROR_INPUT, "there is no image for %.*s in it; there is %.*s",
                          SLICE_ARG(options->platform), SLICE_ARG(all));
    if (choice && !options->platform.len) {
        narrow(search, keep_present, SLICE_EMPTY);
        narrow(search, keep_platform, platform_of_host());
    }
    if (!all_one_digest(search))
        return error_make(ERROR_INPUT,
                          "there are several images in it: choose with --image NAME or --platform "
                          "OS/ARCHITECTURE, of %.*s",
                          SLICE_ARG(all));
    if (choice && candidate_at(search, 0)->platform.len)
        image->remark =
            arena_format(search->arena, "of several images in it the one for %.*s is read",
                         SLICE_ARG(candidate_at(search, 0)->platform));
    return NULL;
}

static bool is_layer_type(slice type)
{
    return type.len == 0 || slice_starts(type, SLICE("application/vnd.oci.image.layer.")) ||
           slice_starts(type, SLICE("application/vnd.docker.image.rootfs."));
}

static bool is_foreign(slice type)
{
    return slice_contains(type, SLICE("nondistributable")) ||
           slice_contains(type, SLICE(".foreign."));
}

/* "1024:512:8192:1": where, stored size, unpacked size, kind of zstd:chunked's manifest. */
static void read_chunked_position(struct layer_toc *toc, slice position)
{
    uint64_t *const fields[] = {&toc->offset, &toc->length, &toc->unpacked};
    slice part;
    for (size_t i = 0; i < 3; i++)
        if (!slice_pull(&position, ':', &part) || !slice_to_u64(part, fields[i]))
            return;
    toc->kind = TOC_ZSTD_CHUNKED;
}

/*
 * A table of contents counts where the descriptor has its digest: it could be anyone's otherwise.
 * Annotations outlive a layer that was packed anew, so its media type has to agree; and what
 * stargz-snapshotter packs as zstd:chunked has those of both, by older names.
 */
static void read_toc(struct image_layer *layer, const json_t *descriptor, struct arena *arena)
{
    static const char *const chunked[][2] = {
        {"io.github.containers.zstd-chunked.manifest-checksum",
         "io.github.containers.zstd-chunked.manifest-position"},
        {"io.containers.zstd-chunked.manifest-checksum",
         "io.containers.zstd-chunked.manifest-position"},
    };
    const json_t *notes = json_object_get(descriptor, "annotations");
    bool gzip = slice_ends(layer->media_type, SLICE("gzip"));
    bool zstd = slice_ends(layer->media_type, SLICE("zstd"));
    slice estargz = json_get_slice(notes, "containerd.io/snapshot/stargz/toc.digest", arena);
    if (gzip && digest_valid(estargz))
        layer->toc = (struct layer_toc){.kind = TOC_ESTARGZ, .digest = estargz};
    for (size_t i = 0; zstd && i < 2 && layer->toc.kind == TOC_NONE; i++) {
        slice digest = json_get_slice(notes, chunked[i][0], arena);
        if (!digest_valid(digest))
            continue;
        layer->toc.digest = digest;
        read_chunked_position(&layer->toc, json_get_slice(notes, chunked[i][1], arena));
    }
}

static struct error *read_layer(struct search *search, struct image_layer *layer,
                                const json_t *descriptor)
{
    struct arena *arena = search->arena;
    const json_t *size = json_object_get(descriptor, "size");
    json_int_t bytes = json_is_integer(size) ? json_integer_value(size) : 0;
    layer->digest = json_get_slice(descriptor, "digest", arena);
    layer->media_type = json_get_slice(descriptor, "mediaType", arena);
    if (!digest_valid(layer->digest))
        return error_make(ERROR_INPUT, "the manifest gives layer %zu no digest", layer->index);
    if (!is_layer_type(layer->media_type))
        return error_make(
            ERROR_INPUT,
            "layer %zu is of type %.*s, which is no file system: this is an artifact, "
            "not a container image",
            layer->index, SLICE_ARG(layer->media_type));
    read_toc(layer, descriptor, arena);
    bool present = false;
    if (is_foreign(layer->media_type) && !search->store->remote)
        TRY(search->store->has(search->store, layer->digest, &present));
    if (is_foreign(layer->media_type) && !present) {
        layer->problem =
            SLICE("it is a foreign layer, which is not in the image but on its vendor's "
                  "server: it cannot be judged");
        return NULL;
    }
    TRY(search->store->find_layer(search->store, layer, bytes > 0 ? (uint64_t)bytes : 0));
    if (layer_is_there(layer) && search->options->verify && json_is_integer(size) &&
        bytes != (json_int_t)layer->size)
        layer->problem =
            arena_format(arena,
                         "its blob has %llu bytes, but the manifest names %lld for this "
                         "digest: it was cut or changed on its way; fetch the image "
                         "again",
                         (unsigned long long)layer->size, (long long)bytes);
    return NULL;
}

/* How many layers a manifest in this layout has, when all of them are the image's lowest. */
static size_t shared_layers(struct search *search, const struct image *image, slice digest)
{
    slice text;
    CLEANUP_JSON json_t *manifest = NULL;
    CLEANUP_ERROR struct error *error =
        digest_valid(digest) && !search->store->remote
            ? read_blob(search, digest, true, "the base image", &text)
            : error_make(ERROR_INPUT, "no digest");
    if (!error)
        error = strict_json_read(&manifest, text, "the base image's manifest");
    const json_t *layers = error ? NULL : json_object_get(manifest, "layers");
    size_t count = json_array_size(layers);
    if (count == 0 || count > image->layer_count)
        return 0;
    for (size_t i = 0; i < count; i++)
        if (!slice_equal(json_get_slice(json_array_get(layers, i), "digest", search->arena),
                         image->layers[i].digest))
            return 0;
    return count;
}

/* The annotations that builders leave: the base image's name and digest. */
static void note_base(struct search *search, struct image *image, const json_t *manifest)
{
    const json_t *annotations = json_object_get(manifest, "annotations");
    image->base_name =
        json_get_slice(annotations, "org.opencontainers.image.base.name", search->arena);
    image->base_digest =
        json_get_slice(annotations, "org.opencontainers.image.base.digest", search->arena);
    size_t base = shared_layers(search, image, image->base_digest);
    for (size_t i = 0; base && i < image->layer_count; i++)
        image->layers[i].base = i < base ? BASE_YES : BASE_NO;
}

static struct error *read_manifest(struct search *search, struct image *image)
{
    struct arena *arena = search->arena;
    slice text, config;
    CLEANUP_JSON json_t *manifest = NULL;
    image->digest = candidate_at(search, 0)->digest;
    for (size_t i = 0; i < search->candidates.count; i++)
        if (candidate_at(search, i)->name.len)
            *(slice *)list_add(&image->tags, arena, sizeof(slice)) = candidate_at(search, i)->name;
    TRY(read_blob(search, image->digest, true, "the image's manifest", &text));
    TRY(strict_json_read(&manifest, text, "the image's manifest"));
    const json_t *layers = json_object_get(manifest, "layers");
    if (!json_is_array(layers))
        return error_make(ERROR_INPUT, "its manifest lists no layers%s",
                          json_object_get(manifest, "fsLayers")
                              ? ": it has the form \"schema 1\", which is long out of use"
                              : "");
    image->config_digest = json_get_slice(json_object_get(manifest, "config"), "digest", arena);
    TRY(read_blob(search, image->config_digest, false, "the image's config", &config));
    struct error *error = config_read(image, config, arena);
    if (error && json_object_get(manifest, "artifactType"))
        return error_wrap(error, "it is an artifact of type %.*s, not a container image",
                          SLICE_ARG(json_get_slice(manifest, "artifactType", arena)));
    TRY(error);
    if (json_array_size(layers) != image->layer_count)
        return error_make(ERROR_INPUT,
                          "its manifest lists %zu layers, its config %zu: they do not belong "
                          "together; fetch the image again",
                          json_array_size(layers), image->layer_count);
    for (size_t i = 0; i < image->layer_count; i++)
        TRY(read_layer(search, &image->layers[i], json_array_get(layers, i)));
    note_base(search, image, manifest);
    return NULL;
}

/* What the chosen manifest leads to, and what the user should know of the choice. */
static struct error *open_chosen(struct search *search, struct image *image)
{
    TRY(choose(search, image));
    TRY(read_manifest(search, image));
    slice wanted = search->options->platform;
    if (wanted.len && !platform_matches(wanted, image->platform))
        return error_make(ERROR_INPUT, "it holds the image for %.*s, not for %.*s",
                          SLICE_ARG(image->platform), SLICE_ARG(wanted));
    if (image->remark.len == 0 && image->platform.len &&
        !platform_matches(platform_of_host(), image->platform))
        image->remark =
            arena_format(search->arena, "the image is for %.*s", SLICE_ARG(image->platform));
    if (search->options->attached_sbom)
        TRY(attached_sbom_find(image, search->store, &search->attached, search->options->verify,
                               search->arena));
    return NULL;
}

struct error *manifest_open_index(struct image *image, struct blob_store *store,
                                  const struct source_options *options, struct arena *arena,
                                  slice text)
{
    struct search search = {.store = store, .options = options, .arena = arena};
    TRY(search_index(&search, text, (struct way){0}));
    return open_chosen(&search, image);
}

struct error *manifest_open(struct image *image, struct blob_store *store,
                            const struct source_options *options, struct arena *arena, slice digest)
{
    struct source_options plain = *options;
    struct search search = {.store = store, .options = &plain, .arena = arena};
    CLEANUP_JSON json_t *json = NULL;
    slice text;
    plain.select = SLICE_EMPTY; /* the name has led here already */
    TRY(read_blob(&search, digest, true, "the image's manifest", &text));
    TRY(strict_json_read(&json, text, "the image's manifest"));
    if (json_is_array(json_object_get(json, "manifests"))) {
        TRY(search_index(&search, text, (struct way){0}));
    } else {
        struct candidate *candidate = list_add(&search.candidates, arena, sizeof(*candidate));
        *candidate = (struct candidate){.digest = digest, .present = true};
    }
    return open_chosen(&search, image);
}
