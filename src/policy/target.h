/*
 * What the image that is scanned is called: by the patterns in ignore files, and as the product of
 * VEX statements.
 */
#ifndef PLIMSOLL_POLICY_TARGET_H
#define PLIMSOLL_POLICY_TARGET_H

#include "sbom/purl.h"
#include "source/image.h"

struct target {
    const struct image *image;
    struct list names;      /* of slice: as asked for, its tags short and in full, its digests */
    struct list references; /* of struct reference */
    slice purl;             /* pkg:oci/…; pkg:generic/… for what is no image */
    struct purl parsed;
};

/* In the arena. */
void target_make(struct target *target, const struct image *image, struct arena *arena);

/* Whether it is called that: "app:1", "docker.io/library/app:1", "sha256:…", "name@sha256:…". */
bool target_is_called(const struct target *target, slice name);

/*
 * Whether a package URL is for it: of type oci or docker, with its digest; or with its name, and
 * with its tag, repository and architecture where they stand there.
 */
bool target_is_purl(const struct target *target, const struct purl *purl);

#endif
