/*
 * Git's objects (gitformat-loose, gitformat-pack): what was committed once stays in them, also when
 * no branch has it any more. Deltas are looked through as they are stored: what they add stands in
 * them in full.
 */
#include "secret/kinds.h"
#include "base/limits.h"

#include <zlib.h>

enum { PIECE = 64 * 1024, OFS_DELTA = 6, REF_DELTA = 7, PACK_HEADER = 12, NAME_BYTES = 20 };

struct inflating {
    struct stream *stream;
    z_stream z;
    bool ended;
    bool at_header; /* of a loose object: "blob 27" and a NUL, by which text would look binary */
    char piece[PIECE];
};

static struct error *next_inflated(void *context, slice *piece)
{
    struct inflating *inflating = context;
    z_stream *z = &inflating->z;
    *piece = SLICE_EMPTY;
    z->next_out = (unsigned char *)inflating->piece;
    z->avail_out = PIECE;
    while (!inflating->ended && z->avail_out == PIECE) {
        slice packed;
        TRY(stream_some(inflating->stream, &packed));
        z->next_in = (unsigned char *)(uintptr_t)packed.ptr;
        z->avail_in = (unsigned)packed.len;
        int code = inflate(z, Z_NO_FLUSH);
        stream_take(inflating->stream, packed.len - z->avail_in);
        inflating->ended = code == Z_STREAM_END;
        if (!inflating->ended && ((code != Z_OK && code != Z_BUF_ERROR) || packed.len == 0))
            return error_make(ERROR_INPUT, "a git object is damaged");
    }
    *piece = slice_make(inflating->piece, PIECE - z->avail_out);
    return NULL;
}

/* The content without the header that a loose object begins with (gitformat-loose). */
static struct error *next_content(void *context, slice *piece)
{
    enum { LONGEST_HEADER = 32 };
    struct inflating *inflating = context;
    TRY(next_inflated(context, piece));
    if (!inflating->at_header || piece->len == 0)
        return NULL;
    inflating->at_header = false;
    size_t end = slice_find(slice_first(*piece, LONGEST_HEADER), '\0');
    if (end == SIZE_MAX)
        return NULL;
    *piece = slice_from(*piece, end + 1);
    return piece->len ? NULL : next_inflated(context, piece);
}

/* Reads the object's zlib stream to its end, whatever the look needed of it. */
static struct error *look_at_object(struct secret_look *look, struct stream *stream, slice name)
{
    struct inflating *inflating = memory_alloc(sizeof(*inflating));
    memset(inflating, 0, offsetof(struct inflating, piece));
    inflating->stream = stream;
    if (inflateInit(&inflating->z) != Z_OK)
        memory_exhausted();
    inflating->at_header = name.len == 0;
    struct error *error = secret_look_inside(look, name, next_content, inflating);
    slice rest = {"", 1};
    while (!error && rest.len)
        error = next_inflated(inflating, &rest);
    inflateEnd(&inflating->z);
    free(inflating);
    return error;
}

static bool is_hex_name(slice name, size_t length)
{
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_digit(name.ptr[i]) && (name.ptr[i] < 'a' || name.ptr[i] > 'f'))
            return false;
    return name.len == length;
}

/* ".git/objects/ab/cdef…", of SHA-1 or SHA-256 */
static bool is_object(const struct secret_look *look, slice head)
{
    slice name = slice_basename(look->path), folder = slice_dirname(look->path);
    return head.len > 2 && ((unsigned char)head.ptr[0] & 0x0f) == 8 &&
           (is_hex_name(name, 38) || is_hex_name(name, 62)) &&
           is_hex_name(slice_basename(folder), 2) &&
           slice_equal(slice_basename(slice_dirname(folder)), SLICE("objects"));
}

static struct error *look_at_loose(struct secret_look *look, struct stream *stream)
{
    return look_at_object(look, stream, SLICE_EMPTY);
}

static bool is_pack(const struct secret_look *look, slice head)
{
    (void)look;
    return head.len >= PACK_HEADER && slice_starts(head, SLICE("PACK\0\0\0")) &&
           (head.ptr[7] == 2 || head.ptr[7] == 3);
}

static struct error *take_byte(struct stream *stream, unsigned char *byte)
{
    slice window;
    TRY(stream_need(stream, 1, &window));
    if (window.len == 0)
        return error_make(ERROR_INPUT, "a git pack ends within an object");
    *byte = (unsigned char)window.ptr[0];
    stream_take(stream, 1);
    return NULL;
}

/* Type and size, and of a delta what it is based on; the size is not needed. */
static struct error *pass_object_header(struct stream *stream)
{
    unsigned char byte = 0;
    TRY(take_byte(stream, &byte));
    unsigned type = byte >> 4 & 7;
    while (byte & 0x80)
        TRY(take_byte(stream, &byte));
    if (type == REF_DELTA)
        return stream_skip(stream, NAME_BYTES);
    if (type != OFS_DELTA)
        return NULL;
    do
        TRY(take_byte(stream, &byte));
    while (byte & 0x80);
    return NULL;
}

static struct error *look_at_pack(struct secret_look *look, struct stream *stream)
{
    slice head;
    TRY(stream_need(stream, PACK_HEADER, &head));
    uint32_t count = 0;
    for (size_t i = 8; i < PACK_HEADER; i++)
        count = count << 8 | (unsigned char)head.ptr[i];
    stream_take(stream, PACK_HEADER);
    for (uint32_t i = 0; i < count; i++) {
        CLEANUP_ARENA struct arena scratch = {0};
        slice name = arena_format(&scratch, "object at %llu", (unsigned long long)stream->position);
        if (i == LIMIT_SECRET_ARCHIVE_MEMBERS)
            return error_make(ERROR_LIMIT, "a git pack has more than %d objects",
                              LIMIT_SECRET_ARCHIVE_MEMBERS);
        TRY(pass_object_header(stream));
        TRY(look_at_object(look, stream, name));
    }
    return NULL;
}

const struct secret_kind secret_kind_git_object = {"git object", is_object, look_at_loose};
const struct secret_kind secret_kind_git_pack = {"git pack", is_pack, look_at_pack};
