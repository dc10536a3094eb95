/*
 * The layer record: what one layer adds and takes away, as far as plimsoll cares. A worker builds
 * it; it travels to the parent in one versioned form (which will be the cache's form too), and the
 * inventory merges the records of all layers.
 *
 * All slices and arrays of a record live in the arena it was built or read with.
 */
#ifndef PLIMSOLL_LAYER_RECORD_H
#define PLIMSOLL_LAYER_RECORD_H

#include "base/buffer.h"
#include "base/error.h"
#include "secret/secret.h"
#include "secret/unopened.h"

/* Raised whenever the serialised form or what an analyzer writes into it changes. */
#define RECORD_FORMAT 8

/* A package as an analyzer read it. Names are in the ecosystem's normal form. */
struct package {
    slice type; /* purl type: "deb", "pypi", "conda" */
    slice name;
    slice version;                     /* whole: "epoch:version-release" */
    slice arch;                        /* or empty */
    slice source_name, source_version; /* of the source package, or empty */
    slice maintainer;                  /* who made the package, as it says itself, or empty */
    slice license;
    slice build; /* conda build string and the like, or empty */
};

/* A thing that an analyzer learnt of a file and that is no package: ("installer", "pip"). */
struct fact {
    slice key, value;
};

/* What one analyzer read from one file. */
struct evidence {
    slice path;   /* where the file really lies */
    slice place;  /* the path that it was read in the place of; else empty */
    bool dormant; /* read only because a hard link elsewhere is another name of the file */
    slice analyzer;
    struct list packages; /* of struct package */
    struct list facts;    /* of struct fact */
    struct list owned;    /* of slice: paths (as entries have them) that the file's package owns */
};

/* Sorted slice_hash() values of paths, to ask whether the layer has an entry of that name. */
struct path_set {
    const uint64_t *hashes;
    size_t count;
};

/* The files that a package of the distribution brought, but for its configuration. */
struct brought_files {
    slice package;
    uint64_t written; /* its list, seconds since 1970: what is younger was changed */
    struct path_set files;
};

struct whiteout {
    slice path;
    bool opaque; /* takes away what lower layers have under `path`, not `path` itself */
};

struct link {
    slice path, target; /* target as in struct entry */
    bool hard;
};

/* A layer's instruction, in which secrets were found, without them. */
struct masked_text {
    uint64_t layer;
    slice text;
};

/* Something in the layer that could not be read; the scan goes on, the gate does not pass. */
struct problem {
    slice path; /* or empty: the layer as a whole */
    slice message;
};

struct record_statistics {
    uint64_t bytes_read;     /* from the image, as stored */
    uint64_t bytes_unpacked; /* walked over, skipped ones included */
    uint64_t entries;
    uint64_t entries_read; /* whose content an analyzer asked for */
    uint64_t peak_memory;  /* bytes, of the worker */
    uint64_t cpu_microseconds;
    bool digest_skipped; /* seeked through, so not hashed */
    slice compression;
    slice digest, diff_id; /* as computed from the bytes that were read; empty: not computed */
};

struct record {
    struct list evidence;  /* of struct evidence */
    struct list whiteouts; /* of struct whiteout */
    struct list links;     /* of struct link: symlinks, and hard links that an analyzer asked for */
    struct list problems;  /* of struct problem */
    struct list secrets;   /* of struct secret */
    struct list brought;   /* of struct brought_files; only where secrets are looked for */
    struct list unopened;  /* of struct unopened, by path */
    struct list masked;    /* of struct masked_text */
    struct path_set files; /* entries that are no folders */
    struct path_set folders;
    struct record_statistics statistics;
};

/* Adds a problem of the layer as a whole; takes the error, which may be NULL. */
void record_add_problem(struct record *record, struct arena *arena, struct error *error);

/* An error when a digest that was found is not the one that the image names; either may be empty.
 */
MUST_CHECK struct error *record_check_digest(slice found, slice named, const char *what);

/* Sorts them by path, each once: so their order does not depend on who found them. record_read does
 * so. */
void record_sort_problems(struct record *record);
/*
 * Adds what a helper found in the same layer: its secrets, where they would stand if one worker had
 * found all, its problems, and what it cost. Slices are shared.
 */
void record_add_helper(struct record *record, const struct record *helper, struct arena *arena);

/* Serialises; the form ends in a checksum, so that half a record is never taken for a whole one. */
void record_write(const struct record *record, struct buffer *out);

/*
 * Reads one back. `bytes` come from a worker that hostile input may have taken over: everything is
 * checked. Slices point into `bytes`, arrays are in the arena.
 */
MUST_CHECK struct error *record_read(slice bytes, struct arena *arena, struct record *record);

/* A set of native-endian 64-bit hashes, in any order, as they lie in memory. */
struct path_set path_set_make(struct arena *arena, slice hashes);
bool path_set_has(const struct path_set *set, uint64_t hash);

#endif
