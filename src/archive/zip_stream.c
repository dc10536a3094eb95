#include "archive/zip_stream.h"
#include "base/limits.h"

#include <zlib.h>

enum {
    LOCAL_HEADER = 30,
    PIECE = 64 * 1024,
    FLAG_ENCRYPTED = 1,
    FLAG_DESCRIPTOR = 8,
    METHOD_STORED = 0,
    METHOD_DEFLATED = 8,
};

struct zip_stream {
    struct stream *below;
    struct zip_member member;
    char name[STREAM_WINDOW];
    unsigned method;
    bool sized;    /* `left` is known beforehand */
    uint64_t left; /* packed bytes of the member that were not taken yet */
    bool open;     /* the member's content has not ended */
    bool descriptor;
    z_stream inflate;
    bool inflating;
    char piece[PIECE];
};

static uint32_t number(slice bytes, size_t at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | (unsigned char)bytes.ptr[at + i];
    return value;
}

struct zip_stream *zip_stream_open(struct stream *below)
{
    struct zip_stream *zip = memory_alloc(sizeof(*zip));
    memset(zip, 0, sizeof(*zip));
    zip->below = below;
    return zip;
}

void zip_stream_close(struct zip_stream *zip)
{
    if (!zip)
        return;
    if (zip->inflating)
        inflateEnd(&zip->inflate);
    free(zip);
}

/* The zip64 field (header id 1) of a member's extra data: unpacked, then packed size. */
static void read_zip64(struct zip_stream *zip, slice extra)
{
    while (extra.len >= 4) {
        uint32_t id = number(extra, 0, 2), size = number(extra, 2, 2);
        slice field = slice_first(slice_from(extra, 4), size);
        if (id == 1 && field.len >= 16)
            zip->left = (uint64_t)number(field, 12, 4) << 32 | number(field, 8, 4);
        extra = slice_from(extra, 4 + (size_t)size);
    }
}

static struct error *begin_inflating(struct zip_stream *zip)
{
    if (zip->inflating)
        inflateReset(&zip->inflate);
    else if (inflateInit2(&zip->inflate, -15) != Z_OK)
        memory_exhausted();
    zip->inflating = true;
    return NULL;
}

/* Reads the header that is next; its fixed part stands in `head`. */
static struct error *begin_member(struct zip_stream *zip, slice head)
{
    unsigned flags = number(head, 6, 2);
    size_t name = number(head, 26, 2), extra = number(head, 28, 2);
    zip->method = number(head, 8, 2);
    zip->left = number(head, 18, 4);
    bool wide = zip->left == UINT32_MAX;
    zip->descriptor = flags & FLAG_DESCRIPTOR;
    stream_take(zip->below, LOCAL_HEADER);
    TRY(stream_need(zip->below, name, &head));
    if (head.len < name)
        return error_make(ERROR_INPUT, "the zip ends within a member's name");
    memcpy(zip->name, head.ptr, name);
    stream_take(zip->below, name);
    TRY(stream_need(zip->below, extra, &head));
    if (head.len < extra)
        return error_make(ERROR_INPUT, "the zip ends within a member's header");
    if (wide)
        read_zip64(zip, head);
    stream_take(zip->below, extra);
    zip->sized = zip->left != 0 || !zip->descriptor;
    zip->member = (struct zip_member){
        .name = slice_make(zip->name, name),
        .encrypted = (flags & FLAG_ENCRYPTED) ||
                     (zip->method != METHOD_STORED && zip->method != METHOD_DEFLATED),
        .packed = zip->left,
    };
    zip->open = true;
    if (zip->member.encrypted || (zip->method == METHOD_STORED && !zip->sized)) {
        /* Where it ends is not to be known without its size. */
        if (!zip->sized)
            return error_make(ERROR_INPUT,
                              "the zip has a member whose end cannot be found without the "
                              "directory at its end");
        zip->member.encrypted = true;
    }
    return zip->method == METHOD_DEFLATED ? begin_inflating(zip) : NULL;
}

/* Passes over what is left of the member at hand, and what tells its sizes behind it. */
static struct error *end_member(struct zip_stream *zip)
{
    slice piece, head;
    if (zip->sized) {
        TRY(stream_skip(zip->below, zip->left));
        zip->left = 0;
        zip->open = false;
    }
    while (zip->open) {
        TRY(zip_stream_read(zip, &piece));
        if (piece.len == 0)
            break;
    }
    if (!zip->descriptor)
        return NULL;
    zip->descriptor = false;
    TRY(stream_need(zip->below, 24, &head));
    size_t start = slice_starts(head, SLICE("PK\7\10")) ? 4 : 0;
    /* Of 12 bytes, or of 20 with zip64: the next header tells which. */
    bool narrow = slice_starts(slice_from(head, start + 12), SLICE("PK"));
    return stream_skip(zip->below, start + (narrow || head.len < 24 ? 12 : 20));
}

struct error *zip_stream_next(struct zip_stream *zip, const struct zip_member **member)
{
    slice head;
    *member = NULL;
    if (zip->member.name.ptr)
        TRY(end_member(zip));
    TRY(stream_need(zip->below, LOCAL_HEADER, &head));
    if (head.len < LOCAL_HEADER || !slice_starts(head, SLICE("PK\3\4")))
        return NULL;
    TRY(begin_member(zip, head));
    *member = &zip->member;
    return NULL;
}

static struct error *read_stored(struct zip_stream *zip, slice *piece)
{
    TRY(stream_some(zip->below, piece));
    if (piece->len > zip->left)
        piece->len = (size_t)zip->left;
    if (piece->len == 0 && zip->left)
        return error_make(ERROR_INPUT, "the zip ends within a member");
    /* Taken now, shown until the next call: the stream's buffer stays until it is filled again. */
    stream_take(zip->below, piece->len);
    zip->left -= piece->len;
    return NULL;
}

static struct error *read_deflated(struct zip_stream *zip, slice *piece)
{
    z_stream *z = &zip->inflate;
    z->next_out = (unsigned char *)zip->piece;
    z->avail_out = sizeof(zip->piece);
    while (z->avail_out == sizeof(zip->piece)) {
        slice packed;
        TRY(stream_some(zip->below, &packed));
        if (zip->sized && packed.len > zip->left)
            packed.len = (size_t)zip->left;
        z->next_in = (unsigned char *)(uintptr_t)packed.ptr;
        z->avail_in = (unsigned)packed.len;
        int code = inflate(z, Z_NO_FLUSH);
        size_t taken = packed.len - z->avail_in;
        stream_take(zip->below, taken);
        zip->left -= zip->sized ? taken : 0;
        if (code == Z_STREAM_END) {
            zip->open = false;
            break;
        }
        if ((code != Z_OK && code != Z_BUF_ERROR) || packed.len == 0)
            return error_make(ERROR_INPUT, "a member of the zip is damaged");
    }
    *piece = slice_make(zip->piece, sizeof(zip->piece) - z->avail_out);
    return NULL;
}

struct error *zip_stream_read(void *context, slice *piece)
{
    struct zip_stream *zip = context;
    *piece = SLICE_EMPTY;
    if (!zip->open || zip->member.encrypted)
        return NULL;
    if (zip->method == METHOD_DEFLATED)
        return read_deflated(zip, piece);
    TRY(read_stored(zip, piece));
    zip->open = zip->left > 0;
    return NULL;
}
