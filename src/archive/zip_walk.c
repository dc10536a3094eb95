#include "archive/zip_walk.h"
#include "base/limits.h"

#include <isa-l/crc.h>

enum {
    HEADER_MOST = STREAM_WINDOW,
    DESCRIPTOR = 16, /* its magic, the checksum and two sizes */
};

/* How the part at hand ends. */
enum way {
    WAY_NONE,
    WAY_DECODED,  /* where its decoder ends */
    WAY_SEARCHED, /* where a descriptor fits: stored, of a size that is told behind it */
    WAY_BETWEEN,  /* where a member begins */
};

struct zip_walk {
    struct stream *below;
    struct decoder *decoder;
    uint64_t size;
    struct zip_entry entry;
    enum way way;
    bool sized, ended;
    bool met_member, met_directory;
    const char *problem;
    uint64_t searched; /* of WAY_SEARCHED: bytes, and their CRC-32 */
    uint32_t sum;
    size_t name_length;
    char name[LIMIT_PATH_BYTES];
};

struct zip_walk *zip_walk_open(struct stream *below, uint64_t size, struct decoder *decoder)
{
    struct zip_walk *walk = memory_alloc(sizeof(*walk));
    memset(walk, 0, offsetof(struct zip_walk, name));
    walk->below = below;
    walk->size = size;
    walk->decoder = decoder;
    return walk;
}

void zip_walk_close(struct zip_walk *walk)
{
    free(walk);
}

/* -- a member begins ------------------------------------------------------------------------------
 */

/* A stream that is too short is no error here: what follows will say so. */
static struct error *pass_over(struct zip_walk *walk, uint64_t count)
{
    uint64_t position = walk->below->position;
    uint64_t left = position < walk->size ? walk->size - position : 0;
    struct error *error = stream_skip(walk->below, count < left ? count : left);
    if (!error || walk->below->broken || !walk->below->missing)
        return error;
    error_free(error);
    return NULL;
}

static struct error *read_name(struct zip_walk *walk)
{
    slice bytes;
    size_t count = walk->entry.name;
    walk->name_length = count < sizeof(walk->name) ? count : sizeof(walk->name);
    TRY(stream_need(walk->below, walk->name_length, &bytes));
    walk->name_length = bytes.len;
    memcpy(walk->name, bytes.ptr, bytes.len);
    return pass_over(walk, count);
}

static struct error *read_extra(struct zip_walk *walk)
{
    slice bytes;
    size_t count = walk->entry.extra;
    if (walk->entry.packed == UINT32_MAX || walk->entry.size == UINT32_MAX) {
        TRY(stream_need(walk->below, count < HEADER_MOST ? count : HEADER_MOST, &bytes));
        zip_read_extra(&walk->entry, bytes, true);
    }
    return pass_over(walk, count);
}

static struct error *begin_decoding(struct zip_walk *walk, enum decoder_method method)
{
    char header[DECODER_LZMA_HEADER];
    slice bytes = SLICE_EMPTY;
    uint64_t packed = walk->sized ? walk->entry.packed : UINT64_MAX;
    if (method == DECODE_LZMA) {
        TRY(stream_need(walk->below, ZIP_LZMA_PROPERTIES, &bytes));
        size_t length = zip_lzma_header(&walk->entry, bytes, header);
        stream_take(walk->below, length);
        packed -= walk->sized && length <= packed ? length : 0;
        bytes = slice_make(header, length ? sizeof(header) : 0);
    }
    decoder_begin(walk->decoder, method, walk->below, packed, !walk->sized, bytes);
    walk->way = WAY_DECODED;
    return NULL;
}

static struct error *begin_member(struct zip_walk *walk, slice header)
{
    enum decoder_method method;
    zip_read_local(&walk->entry, header);
    stream_take(walk->below, ZIP_LOCAL_HEADER);
    TRY(read_name(walk));
    TRY(read_extra(walk));
    const struct zip_entry *entry = &walk->entry;
    walk->sized = !(entry->flags & ZIP_DESCRIPTOR) || entry->packed != 0;
    bool empty = walk->sized && entry->packed == 0;
    bool known = zip_decoder(empty ? ZIP_STORED : entry->method, !walk->sized, &method);
    if (entry->flags & ZIP_ENCRYPTED)
        walk->problem = "encrypted";
    else if (!known)
        walk->problem = "packed by a method that is not known here";
    if (!walk->problem && !walk->sized && method == DECODE_STORED)
        walk->way = WAY_SEARCHED;
    else if (!walk->problem)
        TRY(begin_decoding(walk, method));
    /* Where one ends whose size is not known either is where the next begins. */
    return walk->problem && walk->sized ? pass_over(walk, entry->packed) : NULL;
}

/* -- its content ----------------------------------------------------------------------------------
 */

static void note(struct zip_walk *walk, const char *problem)
{
    if (!walk->problem)
        walk->problem = problem;
}

/*
 * Shows bytes up to the next magic, whose first two bytes are "PK"; at least one, and of the
 * stream's last ones all. They are not taken yet.
 */
static struct error *show_up_to(struct zip_walk *walk, slice magic, slice *piece)
{
    TRY(stream_some(walk->below, piece));
    if (piece->len < magic.len)
        TRY(stream_need(walk->below, magic.len, piece));
    if (piece->len < magic.len)
        return NULL;
    size_t found = zip_find(slice_from(*piece, 1), magic);
    piece->len = found == SIZE_MAX ? piece->len - (magic.len - 1) : found + 1;
    return NULL;
}

static struct error *read_between(struct zip_walk *walk, slice *piece)
{
    slice bytes;
    TRY(stream_need(walk->below, ZIP_LOCAL_HEADER, &bytes));
    if (zip_is_local(bytes)) {
        walk->way = WAY_NONE;
        return NULL;
    }
    TRY(show_up_to(walk, ZIP_LOCAL_MAGIC, piece));
    stream_take(walk->below, piece->len);
    return NULL;
}

/* Where a descriptor's checksum and sizes are those of the bytes before it. */
static struct error *read_searched(struct zip_walk *walk, slice *piece)
{
    slice bytes;
    TRY(stream_need(walk->below, ZIP_DESCRIPTOR_MOST, &bytes));
    size_t length = slice_starts(bytes, ZIP_DESCRIPTOR_MAGIC)
                        ? zip_descriptor(bytes, walk->sum, walk->searched, walk->searched)
                        : 0;
    if (length) {
        stream_take(walk->below, length);
        walk->way = WAY_NONE;
        walk->met_member = true;
        return NULL;
    }
    TRY(show_up_to(walk, ZIP_DESCRIPTOR_MAGIC, piece));
    stream_take(walk->below, piece->len);
    walk->searched += piece->len;
    walk->sum = crc32_gzip_refl(walk->sum, (const unsigned char *)piece->ptr, piece->len);
    if (piece->len == 0) {
        note(walk, "damaged: where it ends cannot be found");
        walk->way = WAY_NONE;
    }
    return NULL;
}

static struct error *end_decoded(struct zip_walk *walk)
{
    slice bytes;
    const struct decoder *decoder = walk->decoder;
    uint32_t sum = walk->entry.sum;
    walk->way = WAY_NONE;
    if (decoder_problem(decoder))
        note(walk, decoder_problem(decoder));
    TRY(pass_over(walk, decoder_left(decoder)));
    if (walk->entry.flags & ZIP_DESCRIPTOR) {
        uint64_t lzma = walk->entry.method == 14 ? ZIP_LZMA_PROPERTIES : 0;
        TRY(stream_need(walk->below, ZIP_DESCRIPTOR_MOST, &bytes));
        size_t length = zip_descriptor(bytes, decoder_sum(decoder), decoder_taken(decoder) + lzma,
                                       decoder_made(decoder));
        stream_take(walk->below, length);
        if (length)
            sum = decoder_sum(decoder);
    }
    if (sum != decoder_sum(decoder))
        note(walk, "damaged: a checksum that does not match");
    walk->met_member |= !walk->problem;
    return NULL;
}

struct error *zip_walk_read(void *context, slice *piece)
{
    struct zip_walk *walk = context;
    *piece = SLICE_EMPTY;
    if (walk->way == WAY_BETWEEN)
        return read_between(walk, piece);
    if (walk->way == WAY_SEARCHED)
        return read_searched(walk, piece);
    if (walk->way != WAY_DECODED)
        return NULL;
    TRY(decoder_next(walk->decoder, piece));
    return piece->len ? NULL : end_decoded(walk);
}

/* Past what is left of the part at hand. */
static struct error *finish(struct zip_walk *walk)
{
    slice piece;
    bool unread = walk->way == WAY_DECODED && walk->sized && !decoder_ended(walk->decoder);
    if (unread) {
        walk->way = WAY_NONE;
        TRY(pass_over(walk, decoder_left(walk->decoder)));
        TRY(stream_need(walk->below, DESCRIPTOR, &piece));
        if (walk->entry.flags & ZIP_DESCRIPTOR && slice_starts(piece, ZIP_DESCRIPTOR_MAGIC))
            stream_take(walk->below, piece.len);
        return NULL;
    }
    while (walk->way != WAY_NONE) {
        TRY(zip_walk_read(walk, &piece));
        if (piece.len == 0)
            walk->way = WAY_NONE;
    }
    return NULL;
}

struct error *zip_walk_next(struct zip_walk *walk, enum zip_part *part)
{
    slice bytes;
    *part = ZIP_NOTHING_MORE;
    TRY(finish(walk));
    walk->problem = NULL;
    walk->searched = 0;
    walk->sum = 0;
    TRY(stream_need(walk->below, ZIP_LOCAL_HEADER, &bytes));
    if (bytes.len == 0)
        return NULL;
    if (zip_is_local(bytes)) {
        *part = ZIP_MEMBER;
        return begin_member(walk, bytes);
    }
    *part = ZIP_BETWEEN;
    walk->way = WAY_BETWEEN;
    walk->met_directory |= slice_starts(bytes, ZIP_DIRECTORY_MAGIC) ||
                           slice_starts(bytes, ZIP_END_MAGIC) ||
                           slice_starts(bytes, ZIP_END64_MAGIC);
    return NULL;
}

slice zip_walk_name(const struct zip_walk *walk)
{
    return slice_make(walk->name, walk->name_length);
}

const char *zip_walk_problem(const struct zip_walk *walk)
{
    return walk->problem;
}

bool zip_walk_met_member(const struct zip_walk *walk)
{
    return walk->met_member;
}

bool zip_walk_met_directory(const struct zip_walk *walk)
{
    return walk->met_directory;
}
