/*
 * What plimsoll knows and the formats of SBOMs have no field for, as names and values: which layer
 * a component came with, the source package it was built from, who owns it. Written into every
 * format and read back from it, so that an SBOM is judged as the image was.
 */
#ifndef PLIMSOLL_SBOM_PROPERTIES_H
#define PLIMSOLL_SBOM_PROPERTIES_H

#include "inventory/inventory.h"

#define SBOM_PROPERTY_PREFIX "plimsoll:"

struct sbom_property {
    const char *name; /* with the prefix */
    slice value;
};

/* The properties of one component: a list of struct sbom_property in the arena, in fixed order.
 * `locations`: also the files that say so, for formats that have no place for them. */
struct list sbom_component_properties(const struct component *component, bool locations,
                                      struct arena *arena);
/* Those of the image as a whole: its layers, its distribution, and what could not be read
 * (`errors`, a list of slice). */
struct list sbom_image_properties(const struct image *image, const struct inventory *inventory,
                                  const struct list *errors, struct arena *arena);

/* The properties as text, a line each ("name: value", with \n and \\ escaped), and back. */
slice sbom_properties_to_text(const struct list *properties, struct arena *arena);
/* Pulls one off the front of *text; false at its end. Lines that are no property are left out. */
bool sbom_property_pull(slice *text, struct arena *arena, slice *name, slice *value);

#endif
