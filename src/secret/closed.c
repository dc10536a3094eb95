/* Archives and compressed files that nothing here opens: known by their magic and the fields behind
 * it, told, and looked at as the bytes that they are. */
#include "secret/kinds.h"

enum {
    HEADER_BYTES = 64 * 1024, /* of those whose content cannot be read without unpacking it */
};

static unsigned byte_at(slice head, size_t at)
{
    return at < head.len ? (unsigned char)head.ptr[at] : 0;
}

/* Version 1, no reserved bit (LZ4's frame format, 1.6.x). */
static bool is_lz4_frame(slice head)
{
    return (byte_at(head, 4) & 0xc2) == 0x40 && !(byte_at(head, 5) & 0x8f) &&
           byte_at(head, 5) >> 4 >= 4;
}

/* Codes of up to 9 to 16 bits, in blocks. */
static bool is_compress(slice head)
{
    return byte_at(head, 2) >= 0x89 && byte_at(head, 2) <= 0x90;
}

/* A dictionary of 4 KiB to 512 MiB. */
static bool is_lzip(slice head)
{
    unsigned bits = byte_at(head, 5) & 0x1f;
    return byte_at(head, 4) == 1 && bits >= 12 && bits <= 29;
}

/* Reserved fields are 0; version 1.3. */
static bool is_cabinet(slice head)
{
    return slice_starts(slice_from(head, 12), SLICE("\0\0\0\0")) && byte_at(head, 24) == 3 &&
           byte_at(head, 25) == 1;
}

static bool is_rpm(slice head)
{
    return byte_at(head, 4) == 3 && byte_at(head, 6) == 0 && byte_at(head, 7) <= 1;
}

static bool is_squashfs(slice head)
{
    return slice_starts(slice_from(head, 28), SLICE("\4\0\0\0"));
}

static const struct format {
    slice magic;
    bool (*holds)(slice head); /* or NULL */
    const char *why;
    uint64_t most; /* bytes that are looked at */
} formats[] = {
    {{"7z\xbc\xaf\x27\x1c\0", 7}, NULL, "7z is not opened", HEADER_BYTES},
    {{"Rar!\x1a\x07\0", 7}, NULL, "rar is not opened", UINT64_MAX},
    {{"Rar!\x1a\x07\1\0", 8}, NULL, "rar is not opened", UINT64_MAX},
    {{"\x04\x22\x4d\x18", 4}, is_lz4_frame, "lz4 is not opened", UINT64_MAX},
    {{"\x1f\x9d", 2}, is_compress, "what compress packed is not opened", UINT64_MAX},
    {{"LZIP", 4}, is_lzip, "lzip is not opened", UINT64_MAX},
    {{"\x89LZO\0\r\n\x1a\n", 9}, NULL, "lzop is not opened", UINT64_MAX},
    {{"\xff\x06\0\0sNaPpY", 10}, NULL, "snappy is not opened", UINT64_MAX},
    {{"MSCF\0\0\0\0", 8}, is_cabinet, "cab is not opened", UINT64_MAX},
    {{"\xed\xab\xee\xdb", 4}, is_rpm, "rpm is not opened", UINT64_MAX},
    {{"hsqs", 4}, is_squashfs, "squashfs is not opened", UINT64_MAX},
};

static const struct format *find(slice head)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (slice_starts(head, formats[i].magic) && (!formats[i].holds || formats[i].holds(head)))
            return &formats[i];
    return NULL;
}

static bool is_closed(const struct secret_look *look, slice head)
{
    (void)look;
    return find(head) != NULL;
}

static struct error *look_at_closed(struct secret_look *look, struct stream *stream)
{
    slice head;
    TRY(stream_need(stream, SECRET_HEAD, &head));
    const struct format *format = find(head);
    if (!format)
        return NULL;
    secret_look_unopened(look, format->why);
    return secret_look_plain(look, stream, SECRET_BYTES, format->most);
}

const struct secret_kind secret_kind_closed = {"closed", is_closed, look_at_closed};
