/* The headers of a zip (PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.3.16, 4.4 and 4.5.3). */
#ifndef PLIMSOLL_ARCHIVE_ZIP_HEADER_H
#define PLIMSOLL_ARCHIVE_ZIP_HEADER_H

#include "archive/decoder.h"

enum {
    ZIP_LOCAL_HEADER = 30,
    ZIP_DIRECTORY_HEADER = 46,
    ZIP_END = 22,
    ZIP_END64 = 56,
    ZIP_LOCATOR = 20,
    ZIP_DESCRIPTOR_MOST = 24,

    ZIP_ENCRYPTED = 1,
    ZIP_LZMA_ENDS = 2, /* a mark at the end of lzma (4.4.4) */
    ZIP_DESCRIPTOR = 8,

    ZIP_STORED = 0,
    ZIP_DEFLATED = 8,
};

#define ZIP_LOCAL_MAGIC SLICE("PK\3\4")
#define ZIP_DIRECTORY_MAGIC SLICE("PK\1\2")
#define ZIP_END_MAGIC SLICE("PK\5\6")
#define ZIP_END64_MAGIC SLICE("PK\6\6")
#define ZIP_LOCATOR_MAGIC SLICE("PK\6\7")
#define ZIP_DESCRIPTOR_MAGIC SLICE("PK\7\10")

/* What a header says of a member. */
struct zip_entry {
    unsigned flags, method;
    uint32_t sum;
    uint64_t packed, size;
    uint64_t offset; /* of its local header; 0 in that one */
    unsigned disk;
    size_t name, extra, comment; /* bytes of each, behind the header */
};

uint64_t zip_number(slice bytes, size_t at, size_t size);

/* Of a header's fixed part, which is all there. */
void zip_read_local(struct zip_entry *entry, slice header);
void zip_read_directory(struct zip_entry *entry, slice header);
/* Sizes and the offset that did not fit, from the extra data (4.5.3). */
void zip_read_extra(struct zip_entry *entry, slice extra, bool local);

/* Whether bytes begin with a local header as somebody would write it: those of data that look like
 * the magic by chance do not. */
bool zip_is_local(slice bytes);

/* Whether bytes begin with any of the magics. */
bool zip_is_part(slice bytes);

/* Where a magic stands in bytes; SIZE_MAX for nowhere. Its third byte, which texts do not have, is
 * looked for. */
size_t zip_find(slice bytes, slice magic);

/* How to unpack it; false for a method that is not known here. Lzma has a header of its own. */
bool zip_decoder(unsigned method, bool exact, enum decoder_method *decoder);
/* Makes of what stands in front of lzma's data (5.8.8) what its decoder asks for. Returns how many
 * bytes of `bytes` that takes, or 0. */
enum { ZIP_LZMA_PROPERTIES = 9 };
size_t zip_lzma_header(const struct zip_entry *entry, slice bytes,
                       char header[DECODER_LZMA_HEADER]);

/* What follows a member's data (4.3.9): how many of the bytes are its descriptor, which says this;
 * 0 when none does. Some writers leave the magic out. */
size_t zip_descriptor(slice bytes, uint32_t sum, uint64_t packed, uint64_t size);

/* Whether the last ZIP_END bytes of a file are the end of a zip: its end record, without a
 * comment. */
bool zip_ends(slice tail, uint64_t file_size);

#endif
