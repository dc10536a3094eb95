/* `plimsoll image --plan`: what a scan would fetch or read, without doing it. */
#ifndef PLIMSOLL_CLI_PLAN_H
#define PLIMSOLL_CLI_PLAN_H

#include "cli/options.h"
#include "layer/cache.h"
#include "cli/secrets.h"
#include "source/image.h"

/* Prints it, or writes it to --output; closes the image. */
MUST_CHECK struct error *plan_print(const struct options *options, struct image *image,
                                    struct layer_cache *cache, struct secrets *secrets,
                                    struct arena *arena);

#endif
