/*
 * Git's objects where they come as a stream: loose ones (gitformat-loose), and those of a pack
 * that is not put together (git_pack.c does that). What was committed once stays in them, also when
 * no branch has it any more.
 */
#include "secret/git_delta.h"
#include "secret/git_index.h"
#include "secret/git_stored.h"
#include "secret/kinds.h"
#include "base/limits.h"

enum { ANNOUNCED_MOST = 32 }; /* bytes of "blob 27" and its NUL */

struct inflating {
    struct stream *stream;
    z_stream z;
    bool ended, damaged;
    bool is_delta;
    struct git_delta_added added;
    slice first; /* unpacked already, and not shown yet */
    uint64_t unpacked;
    char piece[GIT_PIECE];
};

static struct inflating *inflating_new(struct stream *stream)
{
    struct inflating *inflating = memory_alloc(sizeof(*inflating));
    memset(inflating, 0, offsetof(struct inflating, piece));
    inflating->stream = stream;
    if (inflateInit(&inflating->z) != Z_OK)
        memory_exhausted();
    return inflating;
}

static void inflating_free(struct inflating *inflating)
{
    inflateEnd(&inflating->z);
    free(inflating);
}

/* Damage ends the object: what could be read of it is looked at all the same. */
static struct error *next_inflated(struct inflating *inflating, slice *piece)
{
    z_stream *z = &inflating->z;
    z->next_out = (unsigned char *)inflating->piece;
    z->avail_out = GIT_PIECE;
    while (!inflating->ended && z->avail_out) {
        slice packed;
        TRY(stream_some(inflating->stream, &packed));
        packed = slice_first(packed, GIT_PIECE);
        z->next_in = (unsigned char *)(uintptr_t)packed.ptr;
        z->avail_in = (unsigned)packed.len;
        int code = inflate(z, Z_NO_FLUSH);
        stream_take(inflating->stream, packed.len - z->avail_in);
        inflating->damaged =
            packed.len == 0 || (code != Z_OK && code != Z_BUF_ERROR && code != Z_STREAM_END);
        inflating->ended = inflating->damaged || code == Z_STREAM_END;
    }
    *piece = slice_make(inflating->piece, GIT_PIECE - z->avail_out);
    inflating->unpacked += piece->len;
    return NULL;
}

static struct error *next_content(void *context, slice *piece)
{
    struct inflating *inflating = context;
    *piece = inflating->first;
    inflating->first = SLICE_EMPTY;
    while (piece->len == 0 && !inflating->ended) {
        TRY(next_inflated(inflating, piece));
        if (inflating->is_delta)
            *piece = slice_first(
                *piece, git_delta_keep_added(&inflating->added, inflating->piece, piece->len));
    }
    return NULL;
}

/* -- loose ----------------------------------------------------------------------------------------
 */

static bool is_hex_name(slice name, size_t length)
{
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_digit(name.ptr[i]) && (name.ptr[i] < 'a' || name.ptr[i] > 'f'))
            return false;
    return name.len == length;
}

/* RFC 1950, 2.2: deflate, a window that it allows, no dictionary, and a check of all that. */
static bool is_zlib(slice head)
{
    unsigned method = head.len > 1 ? (unsigned char)head.ptr[0] : 0;
    unsigned flags = head.len > 1 ? (unsigned char)head.ptr[1] : 0;
    return (method & 0x0f) == 8 && method >> 4 <= 7 && !(flags & 0x20) &&
           (method << 8 | flags) % 31 == 0;
}

/* ".git/objects/ab/cdef…", of SHA-1 or SHA-256; what is in it has the same path, and is none. */
static bool is_object(const struct secret_look *look, slice head)
{
    slice name = slice_basename(look->path), folder = slice_dirname(look->path);
    return is_zlib(head) && !(look->depth && look->depth == look->loose_depth) &&
           (is_hex_name(name, 38) || is_hex_name(name, 62)) &&
           is_hex_name(slice_basename(folder), 2) &&
           slice_equal(slice_basename(slice_dirname(folder)), SLICE("objects"));
}

/* Takes "blob 27" and the NUL behind it off the front; of anything else nothing. */
static bool pull_announced(slice *piece, slice *type, uint64_t *size)
{
    slice number, rest, head = slice_first(*piece, ANNOUNCED_MOST);
    if (!slice_split(head, '\0', &head, &rest) || !slice_split(head, ' ', type, &number) ||
        !slice_is_among(*type, "blob commit tag tree") || !slice_to_u64(number, size))
        return false;
    *piece = slice_from(*piece, head.len + 1);
    return true;
}

static struct error *look_at_content(struct secret_look *look, struct inflating *inflating)
{
    slice type;
    uint64_t size;
    TRY(next_inflated(inflating, &inflating->first));
    bool announced = pull_announced(&inflating->first, &type, &size);
    uint64_t before = inflating->unpacked - inflating->first.len;
    if (announced && slice_equal(type, SLICE("tree")))
        return NULL; /* names and ids */
    look->loose_depth = look->depth + 1;
    TRY(secret_look_inside(look, SLICE_EMPTY, next_content, inflating));
    if (inflating->damaged)
        secret_look_unopened(look, "damaged: not all of it can be unpacked");
    else if (inflating->ended && announced && inflating->unpacked - before != size)
        secret_look_unopened(look, "damaged: it has not the size that it says");
    return NULL;
}

static struct error *look_at_loose(struct secret_look *look, struct stream *stream)
{
    struct inflating *inflating = inflating_new(stream);
    struct error *error = look_at_content(look, inflating);
    inflating_free(inflating);
    return error;
}

/* -- of a pack, as they are stored ----------------------------------------------------------------
 */

static struct error *look_at_packed(struct secret_look *look, struct inflating *inflating,
                                    enum git_type type, slice name)
{
    inflateReset(&inflating->z);
    inflating->ended = false;
    inflating->is_delta = type >= GIT_OFFSET_DELTA;
    inflating->added = (struct git_delta_added){0};
    if (type != GIT_TREE)
        TRY(secret_look_inside(look, name, next_content, inflating));
    /* Nothing else tells where the next one begins. */
    while (!inflating->ended) {
        slice piece;
        TRY(next_inflated(inflating, &piece));
    }
    return NULL;
}

static struct error *look_at_all(struct secret_look *look, struct inflating *inflating,
                                 uint64_t offset, uint64_t count, size_t id_bytes)
{
    struct stream *stream = inflating->stream;
    look->packed_depth = look->depth + 1;
    for (uint64_t i = 0; i < count; i++) {
        CLEANUP_ARENA struct arena scratch = {0};
        struct git_header header;
        slice bytes, name;
        if (i == LIMIT_SECRET_ARCHIVE_MEMBERS) {
            secret_look_many_members(look);
            return NULL;
        }
        uint64_t at = offset + stream->position;
        TRY(stream_need(stream, GIT_HEADER_MOST, &bytes));
        inflating->damaged = !git_header_read(bytes, id_bytes, &header);
        if (!inflating->damaged) {
            stream_take(stream, header.length);
            name = arena_format(&scratch, "object at %llu", (unsigned long long)at);
            TRY(look_at_packed(look, inflating, header.type, name));
        }
        if (inflating->damaged) {
            slice why = arena_format(&scratch,
                                     "damaged at byte %llu: %llu of its objects are not "
                                     "looked through",
                                     (unsigned long long)at, (unsigned long long)(count - i));
            secret_look_unopened(look, why.ptr);
            return NULL;
        }
    }
    return NULL;
}

struct error *git_look_at_stored(struct secret_look *look, struct stream *stream, uint64_t offset,
                                 uint64_t count, size_t id_bytes)
{
    struct inflating *inflating = inflating_new(stream);
    struct error *error = look_at_all(look, inflating, offset, count, id_bytes);
    inflating_free(inflating);
    return error;
}

const struct secret_kind secret_kind_git_object = {"git object", is_object, look_at_loose};
