/*
 * SBOMs that are attached to an image: BuildKit's attestations, which lie in the image's index
 * (docs.docker.com, "Image attestation storage"), and what refers to it in a registry (OCI
 * distribution specification 1.1, "Listing Referrers"; cosign's tags).
 */
#ifndef PLIMSOLL_SOURCE_ATTACHED_H
#define PLIMSOLL_SOURCE_ATTACHED_H

#include "source/manifest.h"

/* A manifest in an index that speaks of another one. */
struct attachment {
    slice digest;
    slice of; /* the digest of the manifest it speaks of, or empty */
};

/*
 * Sets image->sbom and image->sbom_from to the first SBOM that is found; leaves them empty when
 * there is none. `attached`: of struct attachment. An error: one is there and cannot be had.
 */
MUST_CHECK struct error *attached_sbom_find(struct image *image, struct blob_store *store,
                                            const struct list *attached, bool verify,
                                            struct arena *arena);

#endif
