/*
 * The file system that a stack of layers makes, as far as the records know it: which layer a path
 * comes from, what hides it, where symlinks lead. Follows the OCI image specification, layer.md:
 * whiteouts and opaque folders act on lower layers only, wherever they stand in their tar; a file
 * takes the place of a folder with all that was in it, and the other way round.
 */
#ifndef PLIMSOLL_INVENTORY_TREE_H
#define PLIMSOLL_INVENTORY_TREE_H

#include "base/map.h"
#include "layer/record.h"

struct tree_layer {
    const struct record *record; /* NULL: could not be read */
    struct path_set gone;        /* paths of plain whiteouts */
    struct path_set emptied;     /* paths of opaque folders */
};

struct tree {
    struct arena *arena;
    struct tree_layer *layers;
    size_t count;
    struct map symlinks; /* path → struct tree_symlink, the topmost first */
};

struct tree_symlink {
    size_t layer;
    slice target;
    struct tree_symlink *below;
};

void tree_build(struct tree *tree, struct arena *arena, const struct record *const *records,
                size_t count);

/* Whether the layer takes away what lower layers have at `path` (not counting what it puts there).
 */
bool tree_removes(const struct tree *tree, size_t layer, slice path);

/* Whether the layer itself has an entry at `path`, of any kind. */
bool tree_has(const struct tree *tree, size_t layer, slice path);

/* Whether a file (no folder) is at `path` in the stack up to and with `top`; *layer: whose. */
bool tree_find_file(const struct tree *tree, size_t top, slice path, size_t *layer);

/*
 * The path with symlinks followed as they are in the stack up to and with `top`: those on the way,
 * and with `last` the one it may itself be. False when links lead in a circle.
 */
bool tree_resolve(const struct tree *tree, size_t top, slice path, bool last, slice *resolved);

#endif
