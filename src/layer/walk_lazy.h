/*
 * The walk of a layer that has a table of contents (TOC): eStargz (containerd/stargz-snapshotter,
 * docs/estargz.md) and zstd:chunked (containers/storage, docs/containers-storage-zstd-chunked.md).
 * Only the TOC and the chunks that analyzers ask for are read. The TOC is checked against the
 * digest that the manifest gives it, and every chunk that is read against the digest in the TOC.
 *
 * Runs in the worker.
 */
#ifndef PLIMSOLL_LAYER_WALK_LAZY_H
#define PLIMSOLL_LAYER_WALK_LAZY_H

#include "archive/layer_toc.h"
#include "layer/layer_bytes.h"
#include "layer/walk.h"

/*
 * As walk_tar. An error (a TOC that is not there, damaged, of another digest; a chunk that is not
 * what the TOC says) means that the walk ended early.
 */
MUST_CHECK struct error *walk_lazy(struct layer_bytes *bytes, const struct layer_toc *toc,
                                   const struct walk_options *options, struct arena *arena,
                                   struct record *record);

#endif
