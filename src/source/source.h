/*
 * Sources: where an image comes from. A source turns a path (later: a name) into a struct image.
 *
 * To add a kind: a file in this folder with a recogniser and an opener, and a line in the table in
 * source.c.
 */
#ifndef PLIMSOLL_SOURCE_SOURCE_H
#define PLIMSOLL_SOURCE_SOURCE_H

#include "http/http.h"
#include "source/image.h"

/* Texts are the caller's and outlive the image. */
struct source_options {
    slice platform; /* "os/arch[/variant]" asked for, or empty: this machine's where there is a
                       choice */
    slice select;   /* which of several images: a tag, a digest; empty: there must be only one */
    bool attached_sbom; /* look for an SBOM that is attached to the image */
    bool verify;        /* check the digests of manifest and config */
    struct http_options http;
    const char *username, *password; /* for the registry; NULL: those that docker or podman keep */
    const char *registry_token;      /* a bearer token; or NULL */
    const char *mirrors;             /* "HOST=URL,HOST=URL": asked before the registry HOST */
    const char *order;               /* "docker,podman,…": where a name is looked for; or NULL */
    const char *containerd_address, *containerd_namespace;
    const struct bundle_visitor *stream; /* is shown the members of a packed archive as they come */
    const struct source_memory *memory;  /* or NULL */
};

struct source_kind {
    const char *name; /* "docker-archive", "oci-layout" */
    /* Whether the bundle is of this kind. */
    struct error *(*recognise)(struct bundle *bundle, bool *is);
    struct error *(*open)(struct image *image, struct bundle *bundle,
                          const struct source_options *options, struct arena *arena);
};

/* Opens the image in the file or folder at `path`. On an error there is nothing to close. */
MUST_CHECK struct error *source_open(struct image **image, struct arena *arena, const char *path,
                                     const struct source_options *options);

/* A path without the word that other tools put in front of one ("docker-archive:", "oci:", …): what
 * it is is seen from its content. Points into `text`. */
const char *source_without_word(const char *text);

/*
 * Opens the image that `name` says: a path that exists, "docker:NAME" and the like, or a name that
 * is looked for in Docker, Podman, containerd and its registry, in this order or that of the
 * options.
 */
MUST_CHECK struct error *source_open_name(struct image **image, struct arena *arena,
                                          const char *name, const struct source_options *options);

/* Opens a folder as the root file system of an image without layers. */
/* A folder that is no root file system, a file, or with "-" what comes through stdin: one layer, of
 * which nothing but its bytes is known. */
MUST_CHECK struct error *source_open_plain(struct image **image, struct arena *arena,
                                           const char *path);

MUST_CHECK struct error *source_open_folder(struct image **image, struct arena *arena,
                                            const char *path);

/*
 * Says which layers come from the base image: those with which `base` begins, when `image` begins
 * with all of them. An error when it does not.
 */
MUST_CHECK struct error *source_mark_base(struct image *image, const struct image *base);

#endif
