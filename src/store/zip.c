#include "store/zip.h"

#include "base/file.h"
#include "base/limits.h"

#include <sys/stat.h>
#include <zlib.h>

/* APPNOTE.TXT 6.3.10, sections 4.3.7 (local header), 4.3.12 (directory), 4.3.14 to 4.3.16 (ends).
 */
enum {
    LOCAL_BYTES = 30,
    DIRECTORY_BYTES = 46,
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR64_BYTES = 20,
    COMMENT_BYTES = 65535,
    METHOD_STORED = 0,
    METHOD_DEFLATE = 8,
    FLAG_ENCRYPTED = 1,
    EXTRA_ZIP64 = 1,
    INPUT_BYTES = 64 * 1024
};
#define LOCAL_MAGIC 0x04034b50
#define DIRECTORY_MAGIC 0x02014b50
#define END_MAGIC 0x06054b50
#define END64_MAGIC 0x06064b50
#define LOCATOR64_MAGIC 0x07064b50
#define IN_ZIP64 0xffffffff

/* More than an entry of the directory takes on average, with room for long names. */
#define LARGEST_DIRECTORY (LIMIT_FEED_ENTRIES * 512ULL)

struct zip_entry {
    slice name;
    uint64_t offset, packed, unpacked;
    uint64_t end; /* where the next entry or the directory starts */
    uint32_t crc;
    uint16_t method, flags;
};

struct zip {
    const char *path;
    int file;
    uint64_t size;
    struct arena arena; /* the directory and the entries */
    struct zip_entry *entries;
    size_t count;
    char *bytes; /* the entry last read */
    size_t room;
    uint8_t *input;
    z_stream inflate;
    bool inflate_ready;
    uint64_t unpacked_so_far, packed_so_far;
    bool over_limit;
};

/* --- little-endian numbers at a place in the file --------------------------------------------- */

static uint16_t number16(const char *at)
{
    const uint8_t *byte = (const uint8_t *)at;
    return (uint16_t)(byte[0] | byte[1] << 8);
}

static uint32_t number32(const char *at)
{
    return number16(at) | (uint32_t)number16(at + 2) << 16;
}

static uint64_t number64(const char *at)
{
    return number32(at) | (uint64_t)number32(at + 4) << 32;
}

static struct error *read_at(const struct zip *zip, void *bytes, size_t count, uint64_t offset)
{
    size_t got = 0;
    TRY(error_wrap(file_read_at(zip->file, bytes, count, offset, &got), "%s", zip->path));
    if (got < count)
        return error_make(ERROR_INPUT, "%s ends too early: fetch it again", zip->path);
    return NULL;
}

/* --- the directory ---------------------------------------------------------------------------- */

struct directory {
    uint64_t offset, bytes, entries;
};

static struct error *no_zip(const struct zip *zip, const char *why)
{
    return error_make(ERROR_INPUT, "%s is not a whole zip file (%s): fetch it again", zip->path,
                      why);
}

/* The end record is the last one whose comment reaches exactly to the file's end. */
static struct error *find_end(const struct zip *zip, char end[END_BYTES], uint64_t *offset)
{
    uint64_t tail = zip->size < END_BYTES + COMMENT_BYTES ? zip->size : END_BYTES + COMMENT_BYTES;
    CLEANUP_FREE char *bytes = memory_alloc((size_t)tail);
    TRY(read_at(zip, bytes, (size_t)tail, zip->size - tail));
    for (uint64_t back = END_BYTES; back <= tail; back++) {
        const char *at = bytes + tail - back;
        if (number32(at) != END_MAGIC || number16(at + 20) != back - END_BYTES)
            continue;
        memcpy(end, at, END_BYTES);
        *offset = zip->size - back;
        return NULL;
    }
    return no_zip(zip, "it has no directory at its end");
}

static struct error *read_end64(const struct zip *zip, uint64_t end_offset, struct directory *found,
                                uint64_t *directory_end)
{
    char locator[LOCATOR64_BYTES] = {0}, end[END64_BYTES] = {0};
    if (end_offset < LOCATOR64_BYTES)
        return no_zip(zip, "its zip64 directory is missing");
    TRY(read_at(zip, locator, sizeof(locator), end_offset - LOCATOR64_BYTES));
    if (number32(locator) != LOCATOR64_MAGIC)
        return no_zip(zip, "its zip64 directory is missing");
    TRY(read_at(zip, end, sizeof(end), number64(locator + 8)));
    if (number32(end) != END64_MAGIC)
        return no_zip(zip, "its zip64 directory is not where it should be");
    *found = (struct directory){
        .entries = number64(end + 32), .bytes = number64(end + 40), .offset = number64(end + 48)};
    *directory_end = number64(locator + 8);
    return NULL;
}

static struct error *find_directory(const struct zip *zip, struct directory *found)
{
    char end[END_BYTES] = {0};
    uint64_t directory_end = 0;
    if (zip->size < END_BYTES)
        return no_zip(zip, "it is too short");
    TRY(find_end(zip, end, &directory_end));
    *found = (struct directory){
        .entries = number16(end + 10), .bytes = number32(end + 12), .offset = number32(end + 16)};
    if (found->entries == 0xffff || found->bytes == IN_ZIP64 || found->offset == IN_ZIP64)
        TRY(read_end64(zip, directory_end, found, &directory_end));
    if (found->offset > directory_end || directory_end - found->offset != found->bytes)
        return no_zip(zip, "its directory does not end where it should");
    if (found->entries > LIMIT_FEED_ENTRIES || found->bytes > LARGEST_DIRECTORY)
        return error_make(ERROR_LIMIT, "%s has more than %d entries (limit on feed entries)",
                          zip->path, LIMIT_FEED_ENTRIES);
    return NULL;
}

/* Sizes and offset that do not fit stand in the extra field of id 1, in this order. */
static bool read_extra64(slice extra, struct zip_entry *entry)
{
    uint64_t *wanted[3];
    size_t wanted_count = 0;
    if (entry->unpacked == IN_ZIP64)
        wanted[wanted_count++] = &entry->unpacked;
    if (entry->packed == IN_ZIP64)
        wanted[wanted_count++] = &entry->packed;
    if (entry->offset == IN_ZIP64)
        wanted[wanted_count++] = &entry->offset;
    if (wanted_count == 0)
        return true;
    while (extra.len >= 4) {
        uint16_t id = number16(extra.ptr), size = number16(extra.ptr + 2);
        extra = slice_from(extra, 4);
        if (size > extra.len)
            return false;
        if (id == EXTRA_ZIP64) {
            if (size < wanted_count * 8)
                return false;
            for (size_t i = 0; i < wanted_count; i++)
                *wanted[i] = number64(extra.ptr + i * 8);
            return true;
        }
        extra = slice_from(extra, size);
    }
    return false;
}

/* Pulls one entry off the front of the directory. */
static bool pull_entry(slice *rest, struct zip_entry *entry)
{
    if (rest->len < DIRECTORY_BYTES || number32(rest->ptr) != DIRECTORY_MAGIC)
        return false;
    const char *at = rest->ptr;
    size_t name = number16(at + 28), extra = number16(at + 30), comment = number16(at + 32);
    *entry = (struct zip_entry){
        .flags = number16(at + 8),
        .method = number16(at + 10),
        .crc = number32(at + 16),
        .packed = number32(at + 20),
        .unpacked = number32(at + 24),
        .offset = number32(at + 42),
    };
    *rest = slice_from(*rest, DIRECTORY_BYTES);
    if (rest->len < name + extra + comment)
        return false;
    entry->name = slice_first(*rest, name);
    slice extra_field = slice_first(slice_from(*rest, name), extra);
    *rest = slice_from(*rest, name + extra + comment);
    return read_extra64(extra_field, entry);
}

static int compare_offsets(const void *a, const void *b)
{
    const struct zip_entry *left = a, *right = b;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

/*
 * Each entry takes at least its local header, its name and its packed bytes; the next one must not
 * start within. That is what makes a small file of many large entries impossible.
 */
static struct error *refuse_overlaps(const struct zip *zip, uint64_t directory_offset)
{
    for (size_t i = 0; i < zip->count; i++) {
        struct zip_entry *entry = &zip->entries[i];
        uint64_t next = i + 1 < zip->count ? zip->entries[i + 1].offset : directory_offset;
        uint64_t least = LOCAL_BYTES + entry->name.len;
        if (entry->offset > next || next - entry->offset < least ||
            next - entry->offset - least < entry->packed)
            return error_make(ERROR_INPUT,
                              "%s is refused: its entry %.*s overlaps with another, as in a zip "
                              "bomb; fetch the feed again from its publisher",
                              zip->path, SLICE_ARG(slice_first(entry->name, 200)));
        entry->end = next;
    }
    return NULL;
}

static struct error *read_directory(struct zip *zip)
{
    struct directory directory = {0};
    TRY(find_directory(zip, &directory));
    /* The count says how many entries there are room for, so the bytes must bear it out. */
    if (directory.entries > directory.bytes / DIRECTORY_BYTES)
        return no_zip(zip, "its directory is shorter than its number of entries");
    char *bytes = arena_alloc(&zip->arena, (size_t)directory.bytes);
    TRY(read_at(zip, bytes, (size_t)directory.bytes, directory.offset));
    zip->count = (size_t)directory.entries;
    zip->entries = arena_array(&zip->arena, zip->count, sizeof(*zip->entries));
    slice rest = slice_make(bytes, (size_t)directory.bytes);
    for (size_t i = 0; i < zip->count; i++)
        if (!pull_entry(&rest, &zip->entries[i]))
            return no_zip(zip, "its directory is damaged");
    if (rest.len)
        return no_zip(zip, "its directory holds more than its number of entries");
    if (zip->count)
        qsort(zip->entries, zip->count, sizeof(*zip->entries), compare_offsets);
    return refuse_overlaps(zip, directory.offset);
}

/* --- opening ---------------------------------------------------------------------------------- */

struct error *zip_open(struct zip **zip, int file, const char *path)
{
    struct zip *opened = memory_alloc(sizeof(*opened));
    struct stat status;
    *opened = (struct zip){.path = path, .file = file};
    *zip = NULL;
    struct error *error = NULL;
    if (fstat(file, &status) != 0)
        error = error_errno("cannot read %s", path);
    else {
        opened->size = (uint64_t)status.st_size;
        error = read_directory(opened);
    }
    if (error) {
        zip_close(opened);
        return error;
    }
    opened->input = memory_alloc(INPUT_BYTES);
    *zip = opened;
    return NULL;
}

void zip_close(struct zip *zip)
{
    if (!zip)
        return;
    if (zip->inflate_ready)
        inflateEnd(&zip->inflate);
    close(zip->file);
    free(zip->bytes);
    free(zip->input);
    arena_free(&zip->arena);
    free(zip);
}

size_t zip_count(const struct zip *zip)
{
    return zip->count;
}

slice zip_name(const struct zip *zip, size_t index)
{
    return zip->entries[index].name;
}

bool zip_is_over_limit(const struct zip *zip)
{
    return zip->over_limit;
}

/* --- reading an entry ------------------------------------------------------------------------- */

static struct error *damaged(const char *why)
{
    return error_make(ERROR_INPUT, "%s", why);
}

/* The local header must say what the directory says: a reader of either sees the same entry. */
static struct error *find_data(const struct zip *zip, const struct zip_entry *entry,
                               uint64_t *offset)
{
    char header[LOCAL_BYTES] = {0};
    TRY(read_at(zip, header, sizeof(header), entry->offset));
    if (number32(header) != LOCAL_MAGIC)
        return damaged("its local header is not where the directory says");
    size_t name = number16(header + 26), extra = number16(header + 28);
    if (name != entry->name.len || number16(header + 8) != entry->method)
        return damaged("its local header contradicts the directory");
    CLEANUP_FREE char *local_name = memory_alloc(name);
    TRY(read_at(zip, local_name, name, entry->offset + LOCAL_BYTES));
    if (!slice_equal(slice_make(local_name, name), entry->name))
        return damaged("its local header has another name than the directory");
    *offset = entry->offset + LOCAL_BYTES + name + extra;
    if (*offset > entry->end || entry->end - *offset < entry->packed)
        return damaged("its data reaches into the next entry");
    return NULL;
}

static struct error *check_limits(struct zip *zip, const struct zip_entry *entry)
{
    if (entry->unpacked > LIMIT_ADVISORY_BYTES)
        return error_make(ERROR_LIMIT, "it unpacks to more than %llu MiB (limit on an advisory)",
                          LIMIT_ADVISORY_BYTES / LIMIT_MIB);
    zip->unpacked_so_far += entry->unpacked;
    zip->packed_so_far += entry->packed;
    bool swells = zip->unpacked_so_far > LIMIT_RATIO_FROM &&
                  zip->unpacked_so_far / LIMIT_FEED_RATIO > zip->packed_so_far;
    zip->over_limit = zip->over_limit || swells || zip->unpacked_so_far > LIMIT_FEED_BYTES;
    if (!zip->over_limit)
        return NULL;
    return error_make(ERROR_LIMIT,
                      "%s unpacks to more than %llu GiB or %d times its size (limit on a feed): it "
                      "is no feed that is known here",
                      zip->path, LIMIT_FEED_BYTES / LIMIT_GIB, LIMIT_FEED_RATIO);
}

static struct error *prepare_inflate(struct zip *zip)
{
    if (zip->inflate_ready) {
        inflateReset(&zip->inflate);
        return NULL;
    }
    zip->inflate = (z_stream){0};
    if (inflateInit2(&zip->inflate, -MAX_WBITS) != Z_OK)
        memory_exhausted();
    zip->inflate_ready = true;
    return NULL;
}

static struct error *inflate_entry(struct zip *zip, const struct zip_entry *entry, uint64_t offset)
{
    uint64_t left = entry->packed;
    int code = Z_OK;
    TRY(prepare_inflate(zip));
    z_stream *stream = &zip->inflate;
    stream->next_out = (Bytef *)zip->bytes;
    /* One byte more than is promised: an entry that is longer shows itself. */
    stream->avail_out = (uInt)(entry->unpacked + 1);
    while (code == Z_OK && left) {
        size_t count = left < INPUT_BYTES ? (size_t)left : INPUT_BYTES;
        TRY(read_at(zip, zip->input, count, offset));
        stream->next_in = zip->input;
        stream->avail_in = (uInt)count;
        offset += count;
        left -= count;
        code = inflate(stream, Z_NO_FLUSH);
        if (code == Z_OK && stream->avail_in)
            return damaged("it unpacks to more than the directory says");
    }
    if (code == Z_MEM_ERROR)
        memory_exhausted();
    if (code != Z_STREAM_END || left || stream->avail_in)
        return damaged("its compressed data is damaged or cut");
    if (stream->avail_out != 1)
        return damaged("it unpacks to another size than the directory says");
    return NULL;
}

struct error *zip_read(struct zip *zip, size_t index, slice *bytes)
{
    const struct zip_entry *entry = &zip->entries[index];
    uint64_t offset = 0;
    *bytes = SLICE_EMPTY;
    TRY(check_limits(zip, entry));
    if (entry->flags & FLAG_ENCRYPTED)
        return damaged("it is encrypted");
    TRY(find_data(zip, entry, &offset));
    size_t size = (size_t)entry->unpacked;
    if (zip->room < size + 1) {
        zip->room = size * 2 + INPUT_BYTES;
        zip->bytes = memory_resize(zip->bytes, zip->room);
    }
    if (entry->method == METHOD_STORED) {
        if (entry->packed != entry->unpacked)
            return damaged("it is stored in another size than the directory says");
        TRY(read_at(zip, zip->bytes, size, offset));
    } else if (entry->method == METHOD_DEFLATE) {
        TRY(inflate_entry(zip, entry, offset));
    } else {
        return error_make(ERROR_INPUT,
                          "it is compressed by method %u: only stored and deflate are "
                          "known here",
                          entry->method);
    }
    if (crc32_z(0, (const Bytef *)zip->bytes, size) != entry->crc)
        return damaged("its bytes do not match their CRC-32");
    *bytes = slice_make(zip->bytes, size);
    return NULL;
}
