/* What the files of this folder share while an inventory is being built. */
#ifndef PLIMSOLL_INVENTORY_INTERNAL_H
#define PLIMSOLL_INVENTORY_INTERNAL_H

#include "inventory/evidence.h"
#include "inventory/inventory.h"

struct assembly {
    struct inventory *inventory;
    struct arena *arena;
    const struct image *image;
    struct tree tree;
    struct evidence_set evidence;
    struct map components; /* identity, layer and owner → struct component */
    struct map conda;      /* path of a conda record → struct component */
};

static inline const struct live *assembly_live(const struct assembly *assembly, size_t i)
{
    return ((struct live **)assembly->evidence.items.items)[i];
}

static inline bool live_is_of(const struct live *live, const char *analyzer)
{
    return live->alive && slice_equal(live->evidence->analyzer, slice_from_text(analyzer));
}

/* The value of a fact, or empty. */
slice evidence_fact(const struct evidence *evidence, const char *key);

/*
 * The component for a package with that origin, made on first use; notes where it stands. What
 * another package owns (`owner`, or NULL) is never one with what nobody owns: the owner may speak
 * for its own copy, not for others.
 */
struct component *assembly_add(struct assembly *assembly, const struct package *package,
                               size_t layer, slice location, struct component *owner);

/* Notes something that could not be read. */
void assembly_problem(struct assembly *assembly, size_t layer, slice path, slice message);

/* Each adds its kind's components; in this order. */
void assemble_os(struct assembly *assembly);
void assemble_dpkg(struct assembly *assembly);
void assemble_conda(struct assembly *assembly);
void assemble_python(struct assembly *assembly);

/* Who owns which metadata file of a Python distribution: path → struct component. */
struct owners {
    struct map by_path;
};
void owners_from_dpkg(struct assembly *assembly, struct owners *owners);
void owners_from_conda(struct assembly *assembly, struct owners *owners);

/* The component's package URL (purl specification 1.0). */
slice component_purl(const struct component *component, const struct os *os, struct arena *arena);

/* Redirects for links that lead from well-known places elsewhere. */
void find_redirects(struct assembly *assembly);

#endif
