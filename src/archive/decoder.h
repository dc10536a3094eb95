/*
 * Unpacks what is packed within an image's files, as far as that goes: damage is no error here but
 * a problem to be told of, once what came before it was looked at. (A layer's own compression is
 * stream_unpack's, which refuses what is damaged.)
 */
#ifndef PLIMSOLL_ARCHIVE_DECODER_H
#define PLIMSOLL_ARCHIVE_DECODER_H

#include "archive/stream.h"

enum decoder_method {
    DECODE_STORED,
    DECODE_DEFLATE,       /* RFC 1951, of a length that is known */
    DECODE_DEFLATE_EXACT, /* the same, and not a byte behind its end is taken */
    DECODE_GZIP,          /* RFC 1952 */
    DECODE_ZSTD,          /* RFC 8878 */
    DECODE_BZIP2,
    DECODE_XZ,
    DECODE_LZMA, /* with a header of 13 bytes, as files ".lzma" have it */
};

enum {
    DECODER_MAGIC = 18,       /* bytes by which decoder_recognise knows all of them */
    DECODER_LZMA_HEADER = 13, /* the properties' byte, the dictionary's size, the content's */
};

struct decoder;

/* *memory counts bytes of windows and dictionaries of all decoders that share it: together they
 * have no more than LIMIT_SECRET_UNPACK_MEMORY. */
struct decoder *decoder_new(uint64_t *memory);
void decoder_free(struct decoder *decoder);

/* Which of those that stand in files by themselves begins so; false for none. */
bool decoder_recognise(slice head, enum decoder_method *method);
/* "gzip" */
const char *decoder_name(enum decoder_method method);

/*
 * Begins with what stands on `below` (the caller's): of `packed` bytes, or up to its own end with
 * UINT64_MAX. Of DECODE_LZMA `header` stands in front of what is below; empty for others. With
 * `single` it ends with the first stream of those that may stand one behind the other.
 */
void decoder_begin(struct decoder *decoder, enum decoder_method method, struct stream *below,
                   uint64_t packed, bool single, slice header);

/* The next piece, until the next call; empty at the end. An error is that of the stream below. */
MUST_CHECK struct error *decoder_next(void *decoder, slice *piece);

/* Whether the last piece was shown, and then what was wrong; NULL: nothing. */
bool decoder_ended(const struct decoder *decoder);
const char *decoder_problem(const struct decoder *decoder);
/* Bytes of the packed ones that were not taken, when it began with a number of them. */
uint64_t decoder_left(const struct decoder *decoder);
/* Bytes so far. */
uint64_t decoder_taken(const struct decoder *decoder);
uint64_t decoder_made(const struct decoder *decoder);
uint32_t decoder_sum(const struct decoder *decoder); /* CRC-32 of those that were made */

#endif
