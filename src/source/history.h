/* Which Dockerfile instruction made which layer, from the config's history. */
#ifndef PLIMSOLL_SOURCE_HISTORY_H
#define PLIMSOLL_SOURCE_HISTORY_H

#include "base/json_read.h"
#include "source/image.h"

/*
 * Sets each layer's instruction, and guesses where the base image ends. History entries without
 * `empty_layer` belong to the layers in order (OCI image specification, config.md, history); where
 * their count is not that of the layers, nothing is known and nothing is set.
 */
void history_apply(struct image *image, const json_t *history, struct arena *arena);

/*
 * The Dockerfile line of a history entry's created_by: of the legacy builder ("/bin/sh -c #(nop)
 * COPY …", "/bin/sh -c apt-get …", "|1 A=b /bin/sh -c …") and of BuildKit ("RUN /bin/sh -c … #
 * buildkit").
 */
slice history_instruction(slice created_by, struct arena *arena);

#endif
