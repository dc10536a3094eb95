/*
 * From an index or a manifest to an image (image-index.md, manifest.md and descriptor.md of the OCI
 * image specification; Docker's "v2 schema 2" alike), wherever the blobs lie: an OCI layout, a
 * registry, containerd's content store. Chooses the platform, passes over attestations and other
 * artifacts, reads the config, and describes the layers.
 */
#ifndef PLIMSOLL_SOURCE_MANIFEST_H
#define PLIMSOLL_SOURCE_MANIFEST_H

#include "base/json_read.h"
#include "source/source.h"

/* Where blobs are found by digest; what is given is in the arena of the image. */
struct blob_store {
    struct error *(*has)(struct blob_store *store, slice digest, bool *present);
    /* A manifest or index, or (`manifest` false) a config; bounded by the store. */
    struct error *(*read)(struct blob_store *store, slice digest, bool manifest, const char *what,
                          slice *text);
    /* Sets the layer's way to its bytes, or its problem. `size`: what the manifest says, or 0. */
    struct error *(*find_layer)(struct blob_store *store, struct image_layer *layer, uint64_t size);
    /* A blob of any size up to LIMIT_SBOM_BYTES. */
    struct error *(*read_large)(struct blob_store *store, slice digest, const char *what,
                                slice *text);
    /*
     * An index or a manifest of what refers to that digest, from one of several places: `way`
     * counts from 0; *more is false when there is no such way. Empty where nothing is there. Or
     * NULL.
     */
    struct error *(*referrers)(struct blob_store *store, slice digest, size_t way, slice *text,
                               bool *more);
    bool remote; /* each read is a request: none that is not needed */
};

/* The image in an index whose text is at hand. */
MUST_CHECK struct error *manifest_open_index(struct image *image, struct blob_store *store,
                                             const struct source_options *options,
                                             struct arena *arena, slice text);

/* The image under a digest: of a manifest, or of an index. */
MUST_CHECK struct error *manifest_open(struct image *image, struct blob_store *store,
                                       const struct source_options *options, struct arena *arena,
                                       slice digest);

#endif
