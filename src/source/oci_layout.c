/*
 * OCI layout (image-layout.md of the OCI image specification), in a folder or a tar: index.json
 * lists manifests or further indexes; blobs lie under blobs/.
 */
#include "base/limits.h"
#include "source/manifest.h"
#include "source/sources.h"

#define INDEX SLICE("index.json")

struct layout {
    struct blob_store store;
    struct bundle *bundle;
    struct arena *arena;
};

static struct error *recognise(struct bundle *bundle, bool *is)
{
    const struct bundle_member *member;
    TRY(bundle_find(bundle, INDEX, &member));
    *is = member != NULL;
    return NULL;
}

static struct error *has_blob(struct blob_store *store, slice digest, bool *present)
{
    struct layout *layout = (struct layout *)store;
    const struct bundle_member *member;
    TRY(bundle_find(layout->bundle, blob_path(layout->arena, digest), &member));
    *present = member != NULL;
    return NULL;
}

static struct error *read_blob(struct blob_store *store, slice digest, bool manifest,
                               const char *what, slice *text)
{
    struct layout *layout = (struct layout *)store;
    const struct bundle_member *member;
    TRY(source_require(layout->bundle, blob_path(layout->arena, digest), what, &member));
    return bundle_read(layout->bundle, member, manifest ? LIMIT_MANIFEST_BYTES : LIMIT_CONFIG_BYTES,
                       text);
}

static struct error *read_large(struct blob_store *store, slice digest, const char *what,
                                slice *text)
{
    struct layout *layout = (struct layout *)store;
    const struct bundle_member *member;
    TRY(source_require(layout->bundle, blob_path(layout->arena, digest), what, &member));
    return bundle_read(layout->bundle, member, LIMIT_SBOM_BYTES, text);
}

static struct error *find_layer(struct blob_store *store, struct image_layer *layer, uint64_t size)
{
    struct layout *layout = (struct layout *)store;
    (void)size;
    return source_find_layer(layout->bundle, blob_path(layout->arena, layer->digest), layout->arena,
                             layer);
}

static struct layout layout_of(struct bundle *bundle, struct arena *arena)
{
    return (struct layout){
        {.has = has_blob, .read = read_blob, .find_layer = find_layer, .read_large = read_large},
        bundle,
        arena};
}

static struct error *open_layout(struct image *image, struct bundle *bundle,
                                 const struct source_options *options, struct arena *arena)
{
    const struct bundle_member *member;
    slice text;
    struct layout layout = layout_of(bundle, arena);
    TRY(source_require(bundle, INDEX, "the list of images", &member));
    TRY(bundle_read(bundle, member, LIMIT_MANIFEST_BYTES, &text));
    return manifest_open_index(image, &layout.store, options, arena, text);
}

struct error *oci_layout_open_digest(struct image *image, struct bundle *bundle,
                                     const struct source_options *options, struct arena *arena,
                                     slice digest)
{
    struct layout layout = layout_of(bundle, arena);
    return manifest_open(image, &layout.store, options, arena, digest);
}

const struct source_kind source_oci_layout = {
    .name = "oci-layout",
    .recognise = recognise,
    .open = open_layout,
};
