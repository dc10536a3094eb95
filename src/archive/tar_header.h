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
    TAR_IGNORED     /* 'V': GNU tar's volume label */
};

struct tar_header {
    enum tar_extension_kind extension;
    enum entry_kind kind;
    bool folder_by_name; /* v7: a file whose name ends in '/' is a folder */
    bool header_only;    /* a kind without content, whatever its size says */
    bool gnu_sparse;     /* old GNU sparse: type 'S' */
    slice name, link;    /* into the block, or into name_space */
    uint64_t size;
    unsigned mode;
    uint64_t modified;    /* seconds since 1970; 0: not known */
    char name_space[256]; /* ustar's prefix and name put together */
};

enum tar_sparse { TAR_NOT_SPARSE, TAR_SPARSE_MAP_IN_HEADER, TAR_SPARSE_MAP_IN_DATA };

/*
 * What extension headers say of the entry that follows them. As in Go: a pax header replaces the
 * one before it, a global one ends what stood before, and GNU's long names go before pax's paths.
 */
struct tar_extension {
    slice long_name, long_link; /* GNU: 'L' and 'K' */
    slice path, linkpath;       /* pax, from here on */
    bool has_size;
    uint64_t size;
    slice sparse_name, sparse_major, sparse_minor, sparse_map, sparse_blocks;
    slice sparse_size, sparse_real_size;
    struct list sparse_numbers; /* of slice: offset and numbytes in turn (0.0) */
    /* Made of them once the entry is there: */
    enum tar_sparse sparse;
    bool has_real_size;
    uint64_t real_size;
    struct list regions; /* of struct tar_region */
    bool region_open;    /* an offset seen, its length not yet */
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

/* Once all extensions of an entry are there: whether it is sparse, by which form, and its map. */
MUST_CHECK struct error *tar_extension_finish(struct arena *arena, struct tar_extension *extension);

/* The entry's name and link target, whoever says them. */
slice tar_extension_name(const struct tar_extension *extension, const struct tar_header *fields);
slice tar_extension_link(const struct tar_extension *extension, const struct tar_header *fields);

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
