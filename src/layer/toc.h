/*
 * A layer's table of contents (TOC), as eStargz (containerd/stargz-snapshotter, docs/estargz.md)
 * and zstd:chunked (containers/storage, pkg/chunked) have it: one JSON form with small differences.
 * It is hostile until its digest is checked and no better afterwards, since whoever made the image
 * wrote it. It is never built in memory: cursors go over its text, one item at a time.
 *
 * Used by walk_lazy.c; runs in the worker.
 */
#ifndef PLIMSOLL_LAYER_TOC_H
#define PLIMSOLL_LAYER_TOC_H

#include "archive/entry.h"
#include "archive/layer_toc.h"
#include "base/buffer.h"
#include "base/json_scan.h"
#include "layer/ranges_ahead.h"

/* The TOC as read, its digest checked. */
struct toc {
    slice json;
    uint64_t data_end; /* all chunks lie before this byte of the layer */
    bool in_tar;       /* a reader of the whole layer sees it as a file: stargz.index.json */
};
#define TOC_NAME SLICE("stargz.index.json")

/*
 * One item: an entry, and the first chunk of its content where it has any; or a further chunk of
 * the file before it.
 */
struct toc_item {
    bool further; /* only a chunk */
    enum entry_kind kind;
    slice name, link; /* as written */
    unsigned mode;
    uint64_t size; /* of the file */
    /* The chunk. It lies at `inside` in what is unpacked of the stretch that begins at `offset`. */
    uint64_t offset, inside;
    uint64_t end;                      /* of all the file's chunks, where the TOC says so; else 0 */
    uint64_t chunk_offset, chunk_size; /* in the file; of size 0: there is no chunk */
    slice digest;                      /* of the chunk; or empty */
    bool zeros;                        /* it is nothing but zeros, which need not be read */
};

struct toc_cursor {
    struct json_scan scan;
    struct arena arena; /* of the item at hand */
    struct toc_item item;
    bool ended;         /* there is no further item */
    uint64_t version;   /* 0: not come by yet */
    uint64_t file_size; /* of the file that further chunks belong to … */
    uint64_t file_end;  /* … the end of its chunks … */
    uint64_t file_name; /* … and a hash of its name */
    bool in_file;
};

/*
 * Checks the whole of it: its form, that chunks lie in order before data_end, apart from each
 * other, and that they add up to their files. *unpacked is the sum of the files' sizes.
 */
MUST_CHECK struct error *toc_check(const struct toc *toc, uint64_t *unpacked);

/* Goes over the items of a TOC; toc_next fills `item`, or sets `ended`. */
MUST_CHECK struct error *toc_start(struct toc_cursor *cursor, const struct toc *toc);
MUST_CHECK struct error *toc_next(struct toc_cursor *cursor);
void toc_end(struct toc_cursor *cursor);

/* Find the TOC in a layer, check its digest, unpack it. Its text is in `json`, the caller's. */
MUST_CHECK struct error *toc_read_estargz(struct ranges_ahead *ahead, const struct layer_toc *where,
                                          struct buffer *json, struct toc *toc);
MUST_CHECK struct error *toc_read_zstd_chunked(struct ranges_ahead *ahead,
                                               const struct layer_toc *where, struct buffer *json,
                                               struct toc *toc);

#endif
