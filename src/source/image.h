/*
 * An image: what a source hands to the layer walk. Manifest and config are read and checked; of
 * each layer there is what is known of it and a way to its bytes.
 *
 * Everything in an image lives in the arena it was opened with; its file handles until image_close.
 */
#ifndef PLIMSOLL_SOURCE_IMAGE_H
#define PLIMSOLL_SOURCE_IMAGE_H

#include "archive/layer_toc.h"
#include "source/bundle.h"

enum base_state {
    BASE_UNKNOWN,
    BASE_YES, /* known to come from the base image */
    BASE_NO
};

/* What stands in the place of an image when there is none. */
enum root_kind {
    ROOT_FILE_SYSTEM, /* /proc, /sys and /dev in it are left out */
    ROOT_FOLDER,      /* any folder */
    ROOT_FILE         /* a file, or what comes through a pipe */
};

struct image_layer {
    size_t index;  /* from 0, bottom first */
    slice digest;  /* of the bytes as stored; empty where nothing names it */
    slice diff_id; /* of the bytes unpacked, from the config */
    slice media_type;
    uint64_t size;     /* as stored */
    slice instruction; /* Dockerfile line or history text; empty: not known */
    enum base_state base;
    /* Its bytes: one of these three; none where they are not there, or for a root folder. */
    const struct bundle_member *member; /* in the image's bundle */
    int folder;                         /* its files as a runtime unpacked them, whiteouts as
                                           overlayfs has them; a handle, or -1 */
    bool remote;                        /* fetched by image->remote */
    struct layer_toc toc;
    slice problem; /* what is wrong with it before a byte was read; or empty */
};

/* Where layers are fetched from, by a process of its own for each (layer/feeder.h). */
struct image_remote {
    /*
     * Writes the layer's bytes as stored to `output`; or, with `requests` not -1, reads struct
     * layer_range from there until its end and writes the bytes of each range. Runs in a child.
     */
    struct error *(*fetch)(struct image_remote *remote, const struct image_layer *layer, int output,
                           int requests);
};

struct image {
    slice name;       /* as asked for */
    struct list tags; /* of slice: the names that the archive gives it */
    slice digest;     /* of the manifest, else of the config; empty for a root folder */
    slice config_digest;
    slice config;   /* its JSON; empty for a root folder */
    slice created;  /* as the config says it; or empty */
    slice platform; /* "linux/amd64", "linux/arm64/v8"; empty: not known */
    struct image_layer *layers;
    size_t layer_count;
    /* How many layers the history suggests to be the base image's: a guess, SIZE_MAX for none. */
    size_t guessed_base_layers;
    slice base_name;   /* org.opencontainers.image.base.name, or empty */
    slice base_digest; /* org.opencontainers.image.base.digest, or empty */
    slice sbom;        /* that is attached to it, where it was asked for and is there; else empty */
    slice sbom_from;   /* where it was found, in words */
    slice remark;      /* something the user should know of the choice that was made, or empty */
    struct bundle *bundle;
    struct image_remote *remote; /* or NULL */
    slice taken_from; /* "Docker's overlay2 folders", "the registry docker.io", for --verbose */
    int root_folder;  /* of a root file system, a plain folder or a single file: its fd; else -1 */
    enum root_kind root_kind;
};

/* "linux/arm64/v8" and "linux/arm64" are one; so is a variant that was not asked for. */
bool platform_matches(slice wanted, slice platform);
/* "linux/amd64" and the like, of this machine. */
slice platform_of_host(void);

/* Whether there is a way to the layer's bytes. */
static inline bool layer_is_there(const struct image_layer *layer)
{
    return layer->member || layer->folder >= 0 || layer->remote;
}

/* An image of which only the name is known; in the arena. */
struct image *image_new(struct arena *arena, const char *name);

void image_close(struct image *image);

#endif
