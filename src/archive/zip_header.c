#include "archive/zip_header.h"

enum { ZIP64_FIELD = 1 };

uint64_t zip_number(slice bytes, size_t at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = size; i-- > 0;)
        value = value << 8 | (unsigned char)bytes.ptr[at + i];
    return value;
}

void zip_read_local(struct zip_entry *entry, slice header)
{
    *entry = (struct zip_entry){
        .flags = (unsigned)zip_number(header, 6, 2),
        .method = (unsigned)zip_number(header, 8, 2),
        .sum = (uint32_t)zip_number(header, 14, 4),
        .packed = zip_number(header, 18, 4),
        .size = zip_number(header, 22, 4),
        .name = zip_number(header, 26, 2),
        .extra = zip_number(header, 28, 2),
    };
}

void zip_read_directory(struct zip_entry *entry, slice header)
{
    enum { MADE_BY = 2 }; /* bytes that a local header has not: the rest is the same */
    zip_read_local(entry, slice_from(header, MADE_BY));
    entry->comment = zip_number(header, 32, 2);
    entry->disk = (unsigned)zip_number(header, 34, 2);
    entry->offset = zip_number(header, 42, 4);
}

/* They stand there in this order, each only if its place in the header is full; in a local header
 * both sizes always. */
static void read_zip64(struct zip_entry *entry, slice field, bool local)
{
    uint64_t *const numbers[] = {&entry->size, &entry->packed, &entry->offset};
    bool both = local && (entry->size == UINT32_MAX || entry->packed == UINT32_MAX);
    for (size_t i = 0; i < 3; i++) {
        bool full = *numbers[i] == UINT32_MAX;
        if ((!full && !(both && i < 2)) || field.len < 8)
            continue;
        if (full)
            *numbers[i] = zip_number(field, 0, 8);
        field = slice_from(field, 8);
    }
}

void zip_read_extra(struct zip_entry *entry, slice extra, bool local)
{
    while (extra.len >= 4) {
        size_t size = (size_t)zip_number(extra, 2, 2);
        if (zip_number(extra, 0, 2) == ZIP64_FIELD)
            read_zip64(entry, slice_first(slice_from(extra, 4), size), local);
        extra = slice_from(extra, 4 + size);
    }
}

bool zip_is_local(slice bytes)
{
    enum { FLAGS_RESERVED = 0xd780, VERSION_MOST = 100, METHOD_MOST = 99 };
    if (bytes.len < ZIP_LOCAL_HEADER || !slice_starts(bytes, ZIP_LOCAL_MAGIC))
        return false;
    return zip_number(bytes, 4, 1) <= VERSION_MOST && !(zip_number(bytes, 6, 2) & FLAGS_RESERVED) &&
           zip_number(bytes, 8, 2) <= METHOD_MOST && zip_number(bytes, 26, 2) > 0;
}

bool zip_is_part(slice bytes)
{
    const slice magics[] = {ZIP_LOCAL_MAGIC, ZIP_DIRECTORY_MAGIC, ZIP_END_MAGIC,
                            ZIP_END64_MAGIC, ZIP_LOCATOR_MAGIC,   ZIP_DESCRIPTOR_MAGIC};
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
        if (slice_starts(bytes, magics[i]))
            return true;
    return false;
}

size_t zip_find(slice bytes, slice magic)
{
    enum { RARE = 2 };
    for (size_t at = RARE; at < bytes.len; at++) {
        const char *found = memchr(bytes.ptr + at, magic.ptr[RARE], bytes.len - at);
        if (!found)
            break;
        at = (size_t)(found - bytes.ptr);
        if (slice_starts(slice_from(bytes, at - RARE), magic))
            return at - RARE;
    }
    return SIZE_MAX;
}

bool zip_decoder(unsigned method, bool exact, enum decoder_method *decoder)
{
    static const struct {
        unsigned method;
        enum decoder_method decoder, exact;
    } table[] = {
        {ZIP_STORED, DECODE_STORED, DECODE_STORED},
        {ZIP_DEFLATED, DECODE_DEFLATE, DECODE_DEFLATE_EXACT},
        {12, DECODE_BZIP2, DECODE_BZIP2},
        {14, DECODE_LZMA, DECODE_LZMA},
        {20, DECODE_ZSTD, DECODE_ZSTD}, /* what 93 was at first (4.4.5) */
        {93, DECODE_ZSTD, DECODE_ZSTD},
        {95, DECODE_XZ, DECODE_XZ},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        *decoder = exact ? table[i].exact : table[i].decoder;
        if (table[i].method == method)
            return true;
    }
    return false;
}

size_t zip_lzma_header(const struct zip_entry *entry, slice bytes, char header[DECODER_LZMA_HEADER])
{
    enum { SIZE_AT = 2, PROPERTIES_AT = 4, PROPERTIES = 5 };
    if (bytes.len < ZIP_LZMA_PROPERTIES || zip_number(bytes, SIZE_AT, 2) != PROPERTIES)
        return 0;
    uint64_t size = entry->flags & (ZIP_LZMA_ENDS | ZIP_DESCRIPTOR) ? UINT64_MAX : entry->size;
    memcpy(header, bytes.ptr + PROPERTIES_AT, PROPERTIES);
    for (size_t i = PROPERTIES; i < DECODER_LZMA_HEADER; i++, size >>= 8)
        header[i] = (char)(size & 0xff);
    return ZIP_LZMA_PROPERTIES;
}

static bool tells(slice bytes, size_t width, uint32_t sum, uint64_t packed, uint64_t size)
{
    return bytes.len >= 4 + 2 * width && zip_number(bytes, 0, 4) == sum &&
           zip_number(bytes, 4, width) == packed && zip_number(bytes, 4 + width, width) == size;
}

size_t zip_descriptor(slice bytes, uint32_t sum, uint64_t packed, uint64_t size)
{
    size_t magic = slice_starts(bytes, ZIP_DESCRIPTOR_MAGIC) ? ZIP_DESCRIPTOR_MAGIC.len : 0;
    slice behind = slice_from(bytes, magic);
    if (tells(behind, 4, sum, packed, size))
        return magic + 12;
    if (tells(behind, 8, sum, packed, size))
        return magic + 20;
    return 0;
}

bool zip_ends(slice tail, uint64_t file_size)
{
    enum { FILES_MOST = 1000 };
    if (tail.len != ZIP_END || !slice_starts(tail, ZIP_END_MAGIC))
        return false;
    uint64_t disk = zip_number(tail, 4, 2), size = zip_number(tail, 12, 4);
    uint64_t offset = zip_number(tail, 16, 4);
    /* The last of several files may have no more than the end of the directory. */
    bool fits = (disk > 0 && disk < FILES_MOST) || size == UINT32_MAX || offset == UINT32_MAX ||
                (disk == 0 && size + offset <= file_size);
    return fits && zip_number(tail, 10, 2) > 0 && zip_number(tail, 20, 2) == 0;
}
