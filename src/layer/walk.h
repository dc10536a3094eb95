/*
 * The layer walk: goes over the entries of one layer, hands each to the analyzers that ask for it,
 * and builds the layer record. Runs in the worker. Bytes that nobody asks for are passed over.
 */
#ifndef PLIMSOLL_LAYER_WALK_H
#define PLIMSOLL_LAYER_WALK_H

#include "archive/stream.h"
#include "layer/claims.h"
#include "layer/record.h"
#include "secret/scanner.h"

/*
 * Look at what lies at `from` as if it lay at `as`: where links lead from a well-known place to
 * another (see analyzer.places). With `folder`, at all that lies below it.
 */
struct redirect {
    slice from, as;
    bool folder;
    bool hard; /* `as` is a hard link to `from`: what is read is evidence of that link alone */
};

static inline bool redirect_equal(const struct redirect *a, const struct redirect *b)
{
    return slice_equal(a->from, b->from) && slice_equal(a->as, b->as);
}

struct walk_options {
    const struct redirect *redirects;
    size_t redirect_count;
    int spill; /* an empty file that may be written to, for what is larger than memory; or -1 */
    struct secret_scanner *secrets; /* or NULL: they are not looked for */
    bool plain_folder;              /* no root file system: none of its folders is the kernel's */
    struct claims *claims; /* which files' secrets are left to others; NULL: there are no others */
    bool helper;           /* another worker walks the layer; this one looks for secrets only */
};

/*
 * Walks a layer's tar. Problems of single files are in the record. An error means that the walk
 * ended early; the record then holds what was found up to there.
 */
MUST_CHECK struct error *walk_tar(struct stream *stream, const struct walk_options *options,
                                  struct arena *arena, struct record *record, bool *end_marked);

/*
 * Walks one layer as overlayfs keeps it (Linux, filesystems/overlayfs: whiteouts are character
 * devices 0:0, opaque folders have the attribute trusted.overlay.opaque; for others than root it is
 * user.overlay.opaque).
 */
MUST_CHECK struct error *walk_overlay(int folder, const struct walk_options *options,
                                      struct arena *arena, struct record *record);

/* A single file, or what comes through a pipe, in which only secrets are looked for. */
MUST_CHECK struct error *walk_single_file(int fd, slice name, const struct walk_options *options,
                                          struct arena *arena, struct record *record);

/*
 * Looks through an image's config for secrets: environment, labels, commands and history
 * ("config:Env", "history:3"); and through the layers' instructions, which are added to
 * record->masked where they have any. Without options->secrets nothing is done.
 */
MUST_CHECK struct error *walk_config(slice config, const slice *instructions, size_t count,
                                     const struct walk_options *options, struct arena *arena,
                                     struct record *record);

/* Walks a root file system in a folder, without following links and without /proc, /sys, /dev. */
MUST_CHECK struct error *walk_folder(int folder, const struct walk_options *options,
                                     struct arena *arena, struct record *record);

#endif
