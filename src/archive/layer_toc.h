/*
 * What a layer's descriptor says of a table of contents in it (annotations): eStargz
 * (containerd/stargz-snapshotter, docs/estargz.md) and zstd:chunked (containers/storage).
 */
#ifndef PLIMSOLL_ARCHIVE_LAYER_TOC_H
#define PLIMSOLL_ARCHIVE_LAYER_TOC_H

#include "base/slice.h"

enum layer_toc_kind { TOC_NONE, TOC_ESTARGZ, TOC_ZSTD_CHUNKED };

struct layer_toc {
    enum layer_toc_kind kind;
    slice digest; /* eStargz: of the TOC's JSON, unpacked; zstd:chunked: of the TOC as stored */
    uint64_t offset, length; /* zstd:chunked: where the TOC lies as stored (manifest-position) … */
    uint64_t unpacked;       /* … and its size unpacked; eStargz: 0, its footer tells */
};

#endif
