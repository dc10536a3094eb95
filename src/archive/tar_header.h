/*
 * The parts of a tar that are parsed without a stream: header blocks, pax records, sparse maps.
 * Used by archive/tar.c; a fuzz target of their own each.
 */
#ifndef PLIMSOLL_ARCHIVE_TAR_HEADER_H
#define PLIMSOLL_ARCHIVE_TAR_HEADER_H

#include "archive/entry.h"
#include "archive/tar.h"

enum { TAR_BLOCK = 512, TAR_MAX_EXTENSIONS = 16 };

enum tar_extension_kind {
    TAR_NOT_AN_EXTENSION,
    TAR_PAX,        /* 'x': records for the next entry */
    TAR_PAX_GLOBAL, /* 'g' */
    TAR_LONG_NAME,  /* 'L' */
    TAR_LONG_LINK,  /* 'K' */
    TAR_IGNORED     /* 'V', 'M', 'N' and the like: GNU tar's own notes */
};

struct tar_header {
    enum tar_extension_kind extension;
    enum entry_kind kind;
    bool folder_by_name; /* a regular file whose name ends in '/' is a folder (v7) */
    bool header_only;    /* a kind without content, whatever its size says */
    bool gnu_sparse;     /* old GNU sparse: type 'S' */
    slice name, link;    /* into the block, or into name_space */
    uint64_t size;
    unsigned mode;
    char name_space[256]; /* ustar's prefix and name put together */
};

/* What extension headers say of the entry that follows them. */
struct tar_extension {
    slice path, linkpath;
    bool has_linkpath, has_size;
    uint64_t size;
    bool sparse, sparse_map_in_data;
    uint64_t real_size;
    struct list regions; /* of struct tar_region */
    bool region_open;    /* GNU.sparse.offset seen, its numbytes not yet */
    uint64_t region_offset;
};

/* The 0 … 511 bytes that fill `size` up to whole blocks. */
static inline uint64_t tar_padding(uint64_t size)
{
    return (TAR_BLOCK - size % TAR_BLOCK) % TAR_BLOCK;
}

/* Parses one 512-byte block; checks its checksum. */
MUST_CHECK struct error *tar_header_parse(slice block, struct tar_header *header);

/* Adds the content of an extension header. */
MUST_CHECK struct error *tar_extension_add(struct arena *arena, struct tar_extension *extension,
                                           enum tar_extension_kind kind, slice content);

/* Old GNU sparse: the map in the header, and in each block behind it while *more. */
MUST_CHECK struct error *tar_gnu_sparse_header(struct arena *arena, slice block,
                                               struct tar_extension *extension, bool *more);
MUST_CHECK struct error *tar_gnu_sparse_block(struct arena *arena, slice block,
                                              struct tar_extension *extension, bool *more);

/* GNU.sparse 1.0: numbers a line; fed a block at a time until complete. */
struct tar_sparse_map_reader {
    bool complete;
    bool have_count;
    uint64_t numbers_left;
    uint64_t number;
    unsigned digits;
};
MUST_CHECK struct error *tar_sparse_map_add(struct arena *arena,
                                            struct tar_sparse_map_reader *reader, slice block,
                                            struct tar_extension *extension);

/* Regions must be in order, apart, within the file, and as long together as what is stored. */
MUST_CHECK struct error *tar_check_regions(const struct tar_region *regions, size_t count,
                                           uint64_t stored, uint64_t real_size);

#endif
