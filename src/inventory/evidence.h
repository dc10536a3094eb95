/*
 * The evidence that is left when all layers are stacked: each surviving file that an analyzer read,
 * with the origin of each package in it. Between the records and the inventory.
 */
#ifndef PLIMSOLL_INVENTORY_EVIDENCE_H
#define PLIMSOLL_INVENTORY_EVIDENCE_H

#include "inventory/tree.h"

struct live {
    const struct evidence *evidence;
    slice path;      /* where it lies in the image; for a hard link that link's path */
    slice place;     /* the path by which its analyzer knows it */
    size_t layer;    /* whose file it is */
    size_t *origins; /* for each package: the layer with which it came at this version */
    bool alive;
    size_t gone_in;   /* the layer that took it away; SIZE_MAX: none */
    bool overwritten; /* while merging: the layer at hand has an entry at its path */
};

/* A hard link at a path that an analyzer asks for, to a file whose content none has read. */
struct lost_link {
    slice path, target;
    size_t layer;
};

/* In the order of layers and of entries in them; those not alive are to be passed over. */
struct evidence_set {
    struct list items; /* of struct live * */
    struct list lost;  /* of struct lost_link */
};

void evidence_merge(struct evidence_set *set, const struct tree *tree);

#endif
