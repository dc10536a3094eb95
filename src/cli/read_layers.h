/*
 * Reads an image's layers: from the cache where their records are, else by workers, each on the
 * shortest way to its bytes.
 */
#ifndef PLIMSOLL_CLI_READ_LAYERS_H
#define PLIMSOLL_CLI_READ_LAYERS_H

#include "cli/options.h"
#include "cli/secrets.h"
#include "layer/cache.h"
#include "layer/worker.h"
#include "source/image.h"

/* The layers of a packed archive, read while it came by, before it was known which layers they are.
 */
struct caught_layers {
    struct list layers; /* of struct caught_layer (read_layers.c) */
    struct arena *arena;
    struct worker *worker;
    const struct options *options;
    struct secrets *secrets; /* or NULL: not looked for */
    int64_t deadline_ms;
};

struct layer_reading {
    const struct options *options;
    struct arena *arena;
    struct image *image;
    slice made_by;                /* layer_makers */
    struct layer_cache *cache;    /* or NULL */
    struct caught_layers *caught; /* or NULL */
    struct secrets *secrets;      /* or NULL: not looked for */
    int64_t deadline_ms;          /* or 0 */
    const struct redirect *redirects;
    size_t redirect_count;
    /* Read before with the first so many redirects, into the same outcomes: only those layers are
     * read again that have what the others lead to. SIZE_MAX: nothing was read before. */
    size_t known_redirects;
    struct layer_outcome *outcomes; /* one a layer: filled here */
    bool *from_cache;               /* one a layer: filled here */
};

/* The visitor that catches the layers of a packed archive; it and `caught` go on living. */
struct bundle_visitor catch_layers(struct caught_layers *caught);

void read_layers(struct layer_reading *reading);

/*
 * Whether the layer is read by its table of contents: not with --no-lazy, and not when secrets are
 * asked for by name, since those may stand anywhere in it.
 */
bool layer_is_lazy(const struct options *options, const struct image_layer *layer);

/* Looks through the image's config for secrets, likewise; the outcome is empty when none are looked
 * for, or there is no config. */
void read_config(struct layer_reading *reading, struct layer_outcome *outcome);

/* The first layer with the same bytes: it is read once, and its record counts for both. */
size_t layer_first_alike(const struct image *image, size_t index);

#endif
