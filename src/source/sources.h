/* The kinds of source that there are, and what they share. */
#ifndef PLIMSOLL_SOURCE_SOURCES_H
#define PLIMSOLL_SOURCE_SOURCES_H

#include "base/json_read.h"
#include "source/source.h"

extern const struct source_kind source_docker_archive;
extern const struct source_kind source_oci_layout;

/* The strings of a JSON list, as names of the image. */
void source_note_tags(struct image *image, const json_t *names, struct arena *arena);

/* An error when a socket cannot be connected to, in fewer words than libcurl has for it. */
MUST_CHECK struct error *source_check_socket(const char *path);

/* Opens what is in image->bundle, by the first kind that recognises it. */
MUST_CHECK struct error *source_open_bundle(struct image *image,
                                            const struct source_options *options,
                                            struct arena *arena);

/* The image of a manifest or index in a folder that holds blobs/, without its index.json:
 * containerd's content store. */
MUST_CHECK struct error *oci_layout_open_digest(struct image *image, struct bundle *bundle,
                                                const struct source_options *options,
                                                struct arena *arena, slice digest);

/*
 * Reads an image's config (OCI image specification, config.md): platform, diff IDs, history. Makes
 * image->layers with their diff IDs and instructions.
 */
MUST_CHECK struct error *config_read(struct image *image, slice text, struct arena *arena);

/* Only its platform, for choosing. */
slice config_platform(const json_t *config, struct arena *arena);

/* A member that must be there; the error names it. */
MUST_CHECK struct error *source_require(struct bundle *bundle, slice path, const char *what,
                                        const struct bundle_member **member);

/* Whether two names mean one image, as Docker reads them: "app" is docker.io/library/app:latest. */
bool source_name_matches(slice wanted, slice name);

/* Sets a layer's member and size; where it is not there, its problem: the other layers still count.
 */
MUST_CHECK struct error *source_find_layer(struct bundle *bundle, slice path, struct arena *arena,
                                           struct image_layer *layer);

/* "blobs/sha256/abc…" of "sha256:abc…", and back (empty when it is no such path). */
slice blob_path(struct arena *arena, slice digest);
slice blob_digest(struct arena *arena, slice path);

#endif
