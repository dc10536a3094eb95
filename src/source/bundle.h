/*
 * A bundle of named members in which an image lies: a tar, a compressed tar, or a folder. The
 * sources (docker-archive, OCI layout) find their manifests, configs and layers in one.
 */
#ifndef PLIMSOLL_SOURCE_BUNDLE_H
#define PLIMSOLL_SOURCE_BUNDLE_H

#include "archive/feeder.h"

struct bundle;

struct bundle_member {
    slice path; /* normal form: no leading "/" or "./" */
    uint64_t size;
    int fd; /* the member's bytes are [offset, offset + size) of it; -1 in a packed bundle */
    uint64_t offset;
    slice content; /* of a packed bundle: what was kept of a small member */
    bool kept;
    slice target; /* of a symlink or hard link: where it leads; else empty */
};

/* What to do with the members of a packed bundle as they come by. */
struct bundle_visitor {
    /* Whether this member's bytes are wanted; then follow bytes() and end(). */
    bool (*begin)(void *context, slice path, uint64_t size);
    void (*bytes)(void *context, slice bytes);
    void (*end)(void *context);
    void *context;
};

/* A place to keep what was learnt for the next time, under a key that says all it depends on. */
struct source_memory {
    bool (*get)(void *context, slice key, struct arena *arena, slice *bytes);
    void (*put)(void *context, slice key, slice bytes);
    void *context;
};

struct bundle_options {
    const struct bundle_visitor *visitor; /* or NULL */
    const struct source_memory *memory;   /* or NULL */
    slice key;                            /* of a feed: what names its bytes; empty: nothing does */
};

/*
 * Opens the file or folder at `path`. The bundle and all it gives live in the arena; file handles
 * until bundle_close. A packed bundle is gone through here: what can be no manifest is shown to the
 * visitor; unless the memory has its index. Errors: not there, not readable, neither a tar nor a
 * folder, damaged.
 */
MUST_CHECK struct error *bundle_open(struct bundle **bundle, struct arena *arena, const char *path,
                                     const struct bundle_options *options);

/* The same of a tar that comes out of a process (a daemon's export), which is packed in this sense.
 */
MUST_CHECK struct error *bundle_open_feed(struct bundle **bundle, struct arena *arena,
                                          const struct feed *feed,
                                          const struct bundle_options *options);
void bundle_close(struct bundle *bundle);

/* A member by name, links followed; NULL when there is none. */
MUST_CHECK struct error *bundle_find(struct bundle *bundle, slice path,
                                     const struct bundle_member **member);

/* A member's bytes, into the arena; more than `limit` is an error. */
MUST_CHECK struct error *bundle_read(struct bundle *bundle, const struct bundle_member *member,
                                     uint64_t limit, slice *bytes);

/* Whether layers can only be had by going through the whole bundle once more: bundle_replay. */
bool bundle_is_packed(const struct bundle *bundle);

MUST_CHECK struct error *bundle_replay(struct bundle *bundle, const struct bundle_visitor *visitor);

/* Bytes of the file (0 for a folder), and those read so far of a tar's index or a packed bundle. */
uint64_t bundle_size(const struct bundle *bundle);
uint64_t bundle_bytes_read(const struct bundle *bundle);

#endif
