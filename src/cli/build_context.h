/*
 * What a build sends to its builder: a folder, without what an ignore file leaves out. That is
 * Dockerfile.dockerignore beside the Dockerfile, of whatever name, or else the folder's
 * .dockerignore. The builder reads the Dockerfile and that file themselves, left out or not.
 */
#ifndef PLIMSOLL_CLI_BUILD_CONTEXT_H
#define PLIMSOLL_CLI_BUILD_CONTEXT_H

#include "policy/dockerignore.h"

/* How a file with a secret can be kept from the builder. */
enum context_remedy {
    REMEDY_LINE,        /* a line of the ignore file leaves it out */
    REMEDY_DOCKERFILE,  /* none does: the value has to go from the Dockerfile … */
    REMEDY_IGNORE_FILE, /* … or from the ignore file */
    REMEDY_NAME         /* no line can name it */
};

struct context_file {
    slice path;   /* below the folder */
    bool outside; /* the Dockerfile that was named, which is not in the folder */
    enum context_remedy remedy;
};

struct build_context {
    struct arena *arena;
    const char *folder;
    const char *dockerfile;  /* NULL: there is none */
    bool dockerfile_given;   /* by name */
    const char *ignore_path; /* of the ignore file that counts, whether there is one or not */
    slice ignore_text;
    /* The paths of the two below the folder, and where they are links of what they lead to; empty
     * for what is outside. */
    slice dockerfile_below[2], ignore_below[2];
    struct dockerignore ignore;
    struct list files; /* of struct context_file: those with secrets */
    struct list lines; /* of slice: what the ignore file should have at its end */
};

/* `dockerfile` NULL: Dockerfile or Containerfile in the folder. */
MUST_CHECK struct error *build_context_open(struct build_context *context, const char *folder,
                                            const char *dockerfile, struct arena *arena);

/* Whether a builder gets to see a file. */
MUST_CHECK struct error *build_context_sends(struct build_context *context, slice path,
                                             bool *sends);

/* Notes a file that has a secret; returns its number among `files`. */
size_t build_context_add_file(struct build_context *context, slice path, bool outside);

/* Finds the lines that leave out the noted files, each tried as a builder would read it. */
MUST_CHECK struct error *build_context_find_lines(struct build_context *context);

/* Adds the lines at the end of the ignore file, where nothing after them takes them back. */
MUST_CHECK struct error *build_context_write(const struct build_context *context);

/* What to do about a file that no line leaves out. */
extern const char *const context_advice[];

#endif
