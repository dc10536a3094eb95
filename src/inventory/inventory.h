/*
 * The inventory: what is in the image as it stands, merged from the records of its layers, each
 * component with its origin. Given the outcomes of the layer walk, it hands components on to match.
 *
 * Everything in it lives in the arena it was built with.
 */
#ifndef PLIMSOLL_INVENTORY_INVENTORY_H
#define PLIMSOLL_INVENTORY_INVENTORY_H

#include "base/severity.h"
#include "layer/walk.h"
#include "layer/worker.h"
#include "source/image.h"

/* A name under which an ecosystem's advisories know what a component holds. */
struct identity {
    slice type, name, version;
    bool bundled; /* a copy inside it ("setuptools/_vendor/…"): listed, not judged */
};

/* What an SBOM says of a component's bytes. */
struct component_hash {
    slice algorithm, digits; /* "SHA-256", hexadecimal */
};

struct component {
    slice ref;  /* unique in the report */
    slice type; /* purl type */
    slice name, version, arch;
    slice purl;
    size_t layer;                      /* with which this package came at this version */
    struct list locations;             /* of slice: the files that say so, sorted */
    slice source_name, source_version; /* or empty */
    slice maintainer, license, build, channel, installer, direct_url;
    slice cpe; /* from an SBOM, or empty */
    /* Of which distribution and release an SBOM says it is ("debian", "12"); or empty. */
    slice distribution, distribution_release;
    struct list hashes;   /* of struct component_hash; from an SBOM */
    struct list contains; /* of struct identity: Python distributions that it owns */
    /* For a Python distribution that a package of the distribution's package manager owns: */
    struct component *owner;
    bool owner_is_vendor; /* … which did not come from the distribution itself */
};

struct os {
    bool found; /* there is an os-release */
    slice id, version_id, name, codename, id_like;
};

/* Where a secret may stand, the most telling first. */
enum secret_stand { IN_FILE, IN_CONFIG, IN_HISTORY };

/* One of the places in which a secret stands. */
struct secret_place {
    const struct secret *secret; /* as it was found there, by whichever rule */
    enum secret_stand stand;
    size_t layer;      /* SIZE_MAX: no layer's, but the config's */
    size_t deleted_in; /* the layer that takes it away or writes over it; SIZE_MAX: it is there */
    size_t order;      /* among the places of the secret */
    /* Set by what is known of the place, and by policy: */
    slice suppressed_reason; /* empty: it counts */
    slice suppressed_by, suppressed_until;
    bool excepted; /* by an entry of an ignore file */
};

/* A secret in the image: one value, wherever it stands. */
struct image_secret {
    /* By the surest rule that found it, at its first place; `more` of all its files. */
    struct secret *secret;
    slice title;
    enum severity severity;   /* the highest of those rules */
    slice advice;             /* what to do about it */
    struct list places;       /* of struct secret_place, those that count first; never empty */
    struct list fingerprints; /* of slice: by each rule that found it, the secret's own first */
    size_t layer, deleted_in; /* of the first place */
    /* Set by policy, and when all places are: */
    slice suppressed_reason; /* empty: not suppressed */
    slice suppressed_by, suppressed_until;
    bool excepted; /* by entries of an ignore file */
};

struct inventory_problem {
    size_t layer;
    slice path; /* or empty */
    slice message;
};

/* An archive that could not be looked into for secrets. */
struct image_unopened {
    const struct unopened *unopened;
    size_t layer;
    bool is_test_data; /* of an installed package: everyone has it */
};

struct inventory {
    struct list components; /* of struct component *, sorted by type, name, version, arch, layer */
    struct os os;
    bool os_without_id;    /* there is an os-release, but it names no distribution */
    struct list databases; /* of slice: kinds of package databases that are there but not read */
    struct list problems;  /* of struct inventory_problem */
    struct list secrets;   /* of struct image_secret, as they first turn up: config, then layers */
    struct list unopened;  /* of struct image_unopened, in the order of layers */
    /* Files to be read as well, since links lead to them from places that analyzers know by heart:
     * of struct redirect. Not empty: walk the layers again with them, then build again. */
    struct list redirects;
};

/*
 * Merges the outcomes (one a layer, bottom first). Layers that could not be read are problems of
 * the inventory; the others count.
 */
void inventory_build(struct inventory *inventory, struct arena *arena, const struct image *image,
                     const struct layer_outcome *outcomes);

struct secret_rules;

/*
 * Adds the secrets that records hold to the inventory: those of the layers, and of the image's
 * config (its outcome; NULL: not looked at). What a later layer deletes is still in the image. What
 * has the same value is one secret with several places, whatever rules found it.
 */
void inventory_add_secrets(struct inventory *inventory, struct arena *arena,
                           const struct image *image, const struct layer_outcome *outcomes,
                           const struct layer_outcome *config, const struct secret_rules *rules);

/* Takes the secrets apart again, for who judges files: each place is a secret of its own. */
void inventory_part_secrets(struct inventory *inventory, struct arena *arena);

/*
 * To be called when places of a secret were suppressed: those that count come first, and the secret
 * is told by the first. Where none counts, it is suppressed for the reason of the first.
 */
void image_secret_settle(struct image_secret *found);

/* Whether it belongs to a distribution's package manager; else to a programming language's. */
static inline bool component_is_of_system(const struct component *component)
{
    return slice_equal(component->type, SLICE("deb")) ||
           slice_equal(component->type, SLICE("rpm")) || slice_equal(component->type, SLICE("apk"));
}

/* Whether two releases are one: tools differ in how much of it they write ("12", "12.5"). */
bool release_is_same(slice a, slice b);

/* Orders components as they stand in the inventory. */
int component_compare(const struct component *a, const struct component *b);

#endif
