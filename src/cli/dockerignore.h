/* .dockerignore: what of a folder is not sent to a builder (docs.docker.com, "Build context"). */
#ifndef PLIMSOLL_CLI_DOCKERIGNORE_H
#define PLIMSOLL_CLI_DOCKERIGNORE_H

#include "base/error.h"

struct dockerignore {
    struct list patterns; /* of struct dockerignore_pattern (dockerignore.c) */
    struct arena *arena;
};

/* Reads the text of one; no text leaves out nothing. */
void dockerignore_read(struct dockerignore *ignore, slice text, struct arena *arena);

/* Whether a file at `path` (relative to the folder) is left out: the last line that matches it, or
 * a folder that it is in, decides. */
bool dockerignore_leaves_out(const struct dockerignore *ignore, slice path);

#endif
