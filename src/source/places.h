/*
 * The places where an image of a name is looked for: registries, and what runs containers on this
 * machine. One table in resolve.c.
 */
#ifndef PLIMSOLL_SOURCE_PLACES_H
#define PLIMSOLL_SOURCE_PLACES_H

#include "source/source.h"

/*
 * Opens the image of that name. *absent: it is not there, or the place itself is not (no daemon, no
 * storage): the next place may have it. Any other error means that it is there and cannot be read.
 */
typedef struct error *place_open(struct image *image, slice name,
                                 const struct source_options *options, struct arena *arena,
                                 bool *absent);

place_open registry_open;
place_open docker_open;
place_open podman_open;
place_open containerd_open;

#endif
