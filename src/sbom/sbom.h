/*
 * SBOMs, read: CycloneDX (JSON, XML), SPDX 2 (JSON, tag-value), SPDX 3 (JSON-LD) and Syft's JSON,
 * by whoever wrote them, also inside an in-toto statement. What comes out is an inventory and as
 * much of an image as the SBOM tells of: it is judged and reported as an image would be.
 */
#ifndef PLIMSOLL_SBOM_SBOM_H
#define PLIMSOLL_SBOM_SBOM_H

#include "base/json_read.h"
#include "inventory/inventory.h"

struct sbom {
    slice format; /* "CycloneDX 1.6" */
    struct inventory inventory;
    struct image *image;
    /* What its maker says of the SBOM itself, for its score; empty: nothing. */
    slice created, tool, author;
    struct list subjects; /* of slice: SHA-256 of what a statement around it is about */
    size_t relations;     /* "depends on", "contains" */
    struct list problems; /* of slice: what its maker could not read, as it says */
    struct list faults;   /* of slice: where it is not as its specification has it */
};

/*
 * Reads an SBOM; `name` is that of its file. Everything lives in the arena. An error: it is none,
 * of a version not known, or beyond a limit.
 */
MUST_CHECK struct error *sbom_read(struct sbom *sbom, struct arena *arena, const char *name,
                                   slice bytes);

/*
 * Adds what is in `other` to `sbom`, the layers behind its own; the same component in both is one.
 * An error: they are of two distributions, by one of which all would be judged.
 */
MUST_CHECK struct error *sbom_merge(struct sbom *sbom, struct arena *arena,
                                    const struct sbom *other);

/* Whether it is about the image of that digest: a statement around it does not name others only. */
bool sbom_is_about(const struct sbom *sbom, slice digest);

/*
 * Counts the components' layers by those of `image`, of which the SBOM speaks: the layer of the
 * same diff ID; the lowest, where the SBOM does not tell.
 */
void sbom_place_in(struct sbom *sbom, const struct image *image);

/* What an SBOM should tell, by the NTIA's minimum elements, and two more. */
struct sbom_element {
    const char *name;
    size_t has, of;  /* of so many components; or 1 of 1 for the document as a whole */
    bool is_minimum; /* one of NTIA's */
};
enum { SBOM_ELEMENTS = 9 };
struct sbom_score {
    struct sbom_element elements[SBOM_ELEMENTS];
    unsigned percent; /* all elements weigh the same */
};
struct sbom_score sbom_score(const struct sbom *sbom);

/* Whether a JSON document that has a member of that name is of a kind that is read. */
bool sbom_is_known_by(slice member);

/* Whether the first bytes look like an SBOM of any kind, not like an image. */
bool sbom_is_likely(slice bytes);

#endif
