/*
 * Reads tar from a stream: v7, ustar (POSIX.1-1988), pax (POSIX.1-2001: path, linkpath, size and
 * GNU.sparse.* of extended headers) and GNU (long names and links, old sparse, base-256 numbers).
 * Where GNU tar, bsdtar, Go and Python would read one archive differently, what Go's archive/tar
 * does counts, since container runtimes unpack with it; where no sense is left, it is an error.
 */
#ifndef PLIMSOLL_ARCHIVE_TAR_H
#define PLIMSOLL_ARCHIVE_TAR_H

#include "archive/entry.h"
#include "archive/stream.h"

struct tar_region {
    uint64_t offset, length;
};

struct tar {
    struct stream *stream;
    struct arena arena; /* of the entry at hand */
    struct entry entry;
    uint64_t stored;  /* bytes of the entry's data not yet read, holes not counted */
    uint64_t padding; /* to the next 512 */
    uint64_t logical; /* where in the file's content the next byte stands */
    const struct tar_region *regions; /* of a sparse file; NULL when it is whole */
    size_t region_count, region_at;
    bool ended;       /* the end was reached … */
    bool end_marked;  /* … at two blocks of zeros, not merely where the stream ends */
    bool short_holes; /* of a hole in a sparse file one piece is shown, however large it is */
    bool odd_path;    /* the entry's path climbs above the root */
};

void tar_start(struct tar *tar, struct stream *stream);

/* The next entry, valid until the next call; NULL at the end. Data not read is passed over. */
MUST_CHECK struct error *tar_next(struct tar *tar, const struct entry **entry);

/* The next piece of the entry's content, valid until the next call; empty at its end. */
MUST_CHECK struct error *tar_read(struct tar *tar, slice *piece);

/* Passes over `count` bytes of the entry's content: of those that are stored, so not in a sparse
 * file. */
MUST_CHECK struct error *tar_skip(struct tar *tar, uint64_t count);

/* Offset in the stream of the entry's content as stored. */
uint64_t tar_content_offset(const struct tar *tar);

void tar_free(struct tar *tar);

#endif
