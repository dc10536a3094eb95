/*
 * Layers that a container engine has unpacked into folders for overlayfs, read where they lie: the
 * fastest way, when this user may read them.
 */
#ifndef PLIMSOLL_SOURCE_OVERLAY_LAYERS_H
#define PLIMSOLL_SOURCE_OVERLAY_LAYERS_H

#include "source/image.h"

/*
 * Reads the image's config at `path`, whose digest must be `digest`, and opens a folder for each of
 * its layers: `folders`, topmost first. An error leaves nothing open: another way may do.
 */
MUST_CHECK struct error *overlay_layers_open(struct image *image, const char *path, slice digest,
                                             const slice *folders, size_t count,
                                             struct arena *arena);

#endif
