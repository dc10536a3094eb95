#include "source/attached.h"
#include "base/digest.h"
#include "base/limits.h"
#include "source/sources.h"
#include "source/strict_json.h"

struct finder {
    struct image *image;
    struct blob_store *store;
    struct arena *arena;
    bool verify;
    size_t fetched;
};

/* Media types, artifact types and predicate types of SBOMs all name their format. */
static bool is_sbom_type(slice type)
{
    if (slice_contains(type, SLICE("vex")))
        return false; /* https://cyclonedx.org/vex */
    return slice_contains(type, SLICE("spdx")) || slice_contains(type, SLICE("cyclonedx")) ||
           slice_contains(type, SLICE("syft"));
}

static bool may_hold_sbom(slice type)
{
    return type.len == 0 || is_sbom_type(type) || slice_contains(type, SLICE("in-toto")) ||
           slice_contains(type, SLICE("dsse"));
}

static struct error *take_layer(struct finder *finder, const json_t *layer, slice inherited,
                                const char *from)
{
    const json_t *annotations = json_object_get(layer, "annotations");
    slice digest = json_get_slice(layer, "digest", finder->arena);
    slice type = json_get_slice(layer, "mediaType", finder->arena);
    slice predicate = json_get_slice(annotations, "in-toto.io/predicate-type", finder->arena);
    if (predicate.len == 0)
        predicate = json_get_slice(annotations, "predicateType", finder->arena);
    if (!is_sbom_type(type) && !is_sbom_type(predicate) && !is_sbom_type(inherited))
        return NULL;
    if (!digest_valid(digest))
        return error_make(ERROR_INPUT, "the digest of the attached SBOM is none");
    TRY(finder->store->read_large(finder->store, digest, "the attached SBOM",
                                  &finder->image->sbom));
    if (finder->verify)
        TRY(digest_check(finder->image->sbom, digest, "the attached SBOM"));
    finder->image->sbom_from = slice_from_text(from);
    return NULL;
}

static struct error *look_through(struct finder *finder, const json_t *manifest, slice inherited,
                                  const char *from)
{
    size_t i;
    const json_t *layer;
    slice artifact = json_get_slice(manifest, "artifactType", finder->arena);
    json_array_foreach(json_object_get(manifest, "layers"), i, layer)
    {
        TRY(take_layer(finder, layer, artifact.len ? artifact : inherited, from));
        if (finder->image->sbom.len)
            return NULL;
    }
    return NULL;
}

static struct error *look_into(struct finder *finder, slice digest, slice inherited,
                               const char *from)
{
    CLEANUP_JSON json_t *manifest = NULL;
    slice text;
    if (!digest_valid(digest) || finder->fetched++ >= LIMIT_MANIFESTS_FETCHED)
        return NULL;
    TRY(finder->store->read(finder->store, digest, true, "an attestation's manifest", &text));
    if (finder->verify)
        TRY(digest_check(text, digest, "an attestation's manifest"));
    TRY(strict_json_read(&manifest, text, "an attestation's manifest"));
    return look_through(finder, manifest, inherited, from);
}

/* What refers to the image: a list of manifests, or (cosign's tags) one of them. */
static struct error *look_through_referrers(struct finder *finder, slice text)
{
    CLEANUP_JSON json_t *index = NULL;
    size_t i;
    const json_t *descriptor;
    TRY(strict_json_read(&index, text, "the list of what refers to the image"));
    if (!json_is_array(json_object_get(index, "manifests")))
        return look_through(finder, index, SLICE_EMPTY, "a tag beside the image");
    json_array_foreach(json_object_get(index, "manifests"), i, descriptor)
    {
        slice type = json_get_slice(descriptor, "artifactType", finder->arena);
        if (finder->image->sbom.len == 0 && may_hold_sbom(type))
            TRY(look_into(finder, json_get_slice(descriptor, "digest", finder->arena), type,
                          "the registry's referrers"));
    }
    return NULL;
}

struct error *attached_sbom_find(struct image *image, struct blob_store *store,
                                 const struct list *attached, bool verify, struct arena *arena)
{
    struct finder finder = {image, store, arena, verify, 0};
    const struct attachment *attachments = attached->items;
    if (!store->read_large)
        return NULL;
    for (size_t i = 0; i < attached->count && image->sbom.len == 0; i++)
        if (slice_equal(attachments[i].of, image->digest))
            TRY(look_into(&finder, attachments[i].digest, SLICE_EMPTY,
                          "an attestation in the image's index"));
    bool more = store->referrers != NULL;
    for (size_t way = 0; more && image->sbom.len == 0; way++) {
        slice text;
        TRY(store->referrers(store, image->digest, way, &text, &more));
        if (text.len)
            TRY(look_through_referrers(&finder, text));
    }
    return NULL;
}
