/*
 * A zip in which secrets are looked for: as it is, or made here of the members that the input
 * names, with one field of a header or of the directory as the input has it. A secret in a member
 * is found, or something about the zip is told; the spill file is given back.
 */
#undef NDEBUG
#include "archive/zip_header.h"
#include "base/buffer.h"
#include "base/limits.h"
#include "secret/finder.h"
#include "password_scanner.h"

#include <assert.h>
#include <sys/mman.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MEMBERS_MOST = 8, STEP = 6 };

/* A line with a secret: made here, so that none stands in the repository. */
static slice planted(void)
{
    static char line[64];
    static const char letters[] = "kT4vQ9xZw7Lm2Rb8Hc5Jn3Gp6Ds";
    if (!line[0]) {
        size_t at = (size_t)snprintf(line, sizeof(line), "password = \"");
        for (size_t i = 0; i < 18; i++)
            line[at++] = letters[i * 11 % (sizeof(letters) - 1)];
        snprintf(line + at, sizeof(line) - at, "\"\n");
    }
    return slice_from_text(line);
}

/* Whether something was found, or told. */
static bool look(slice zip, struct spill *spill)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct list found = {0}, unopened = {0};
    const struct secret_finds into = {&arena, &found, &unopened, spill};
    CLEANUP_STREAM struct stream *stream = stream_from_memory(zip);
    CLEANUP_ERROR struct error *error =
        secret_find_in_file(password_scanner(), stream, zip.len, SLICE("x.zip"), &into);
    assert(!error && spill->used == 0);
    const struct secret *secrets = found.items;
    for (size_t i = 0; i < found.count; i++)
        assert(slice_starts(secrets[i].path, SLICE("x.zip")) &&
               slice_equal(secrets[i].file, SLICE("x.zip")));
    const struct unopened *told = unopened.items;
    for (size_t i = 0; i < unopened.count; i++)
        assert(slice_starts(told[i].path, SLICE("x.zip")) && told[i].why.len);
    return found.count || unopened.count;
}

/* -- a zip of what the input names ----------------------------------------------------------------
 */

struct making {
    struct buffer zip, directory;
    bool has_secret;
    bool named_secret; /* in a member that the directory names */
    size_t count;
};

static void add_little(struct buffer *out, uint64_t number, size_t width)
{
    for (size_t i = 0; i < width; i++, number >>= 8)
        buffer_add_byte(out, (char)(number & 0xff));
}

static void add_sizes(struct buffer *out, uint32_t sum, size_t packed, size_t size)
{
    add_little(out, sum, 4);
    add_little(out, packed, 4);
    add_little(out, size, 4);
}

static void deflate_into(struct buffer *out, slice content)
{
    z_stream z = {0};
    assert(deflateInit2(&z, 9, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t room = deflateBound(&z, content.len);
    z.next_in = (unsigned char *)(uintptr_t)content.ptr;
    z.avail_in = (unsigned)content.len;
    z.next_out = (unsigned char *)buffer_reserve(out, room);
    z.avail_out = (unsigned)room;
    assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
    out->len += z.total_out;
    deflateEnd(&z);
}

/* What a member is like: bits of the input's first byte for it. */
enum { DEFLATED = 1, SIZES_BEHIND = 2, UNNAMED = 4, SECRET = 8, NO_MAGIC = 32 };

static void add_member(struct making *making, unsigned like, slice name, slice content)
{
    CLEANUP_BUFFER struct buffer packed = {0};
    unsigned flags = like & SIZES_BEHIND ? ZIP_DESCRIPTOR : 0;
    uint32_t sum = (uint32_t)crc32(0, (const unsigned char *)content.ptr, (unsigned)content.len);
    size_t at = making->zip.len;
    if (like & DEFLATED)
        deflate_into(&packed, content);
    else
        buffer_add(&packed, content);
    for (int list = 0; list < (like & UNNAMED ? 1 : 2); list++) {
        struct buffer *out = list ? &making->directory : &making->zip;
        bool later = !list && flags;
        buffer_add(out, list ? ZIP_DIRECTORY_MAGIC : ZIP_LOCAL_MAGIC);
        add_little(out, 20, list ? 4 : 2);
        add_little(out, flags, 2);
        add_little(out, like & DEFLATED ? ZIP_DEFLATED : ZIP_STORED, 2);
        add_little(out, 0, 4);
        add_sizes(out, later ? 0 : sum, later ? 0 : packed.len, later ? 0 : content.len);
        add_little(out, name.len, 2);
        add_little(out, 0, list ? 12 : 2);
        if (list)
            add_little(out, at, 4);
        buffer_add(out, name);
    }
    buffer_add(&making->zip, buffer_slice(&packed));
    if (flags && !(like & NO_MAGIC && like & DEFLATED))
        buffer_add(&making->zip, ZIP_DESCRIPTOR_MAGIC);
    if (flags)
        add_sizes(&making->zip, sum, packed.len, content.len);
    making->count += !(like & UNNAMED);
}

static void end_zip(struct making *making, slice comment)
{
    size_t at = making->zip.len, size = making->directory.len;
    buffer_add(&making->zip, buffer_slice(&making->directory));
    buffer_add(&making->zip, ZIP_END_MAGIC);
    add_little(&making->zip, 0, 4);
    add_little(&making->zip, making->count, 2);
    add_little(&making->zip, making->count, 2);
    add_little(&making->zip, size, 4);
    add_little(&making->zip, at, 4);
    add_little(&making->zip, comment.len, 2);
    buffer_add(&making->zip, comment);
}

/* Members as the input has them, six bytes for each and what stands between. */
static void make(struct making *making, slice *input)
{
    static const char *const fronts[] = {"", "#!x\n", "MZ", ""};
    buffer_text(&making->zip, fronts[(unsigned char)input->ptr[0] & 3]);
    size_t count = (unsigned char)input->ptr[0] >> 2 & (MEMBERS_MOST - 1);
    *input = slice_from(*input, 1);
    for (size_t i = 0; i <= count && input->len >= STEP; i++) {
        CLEANUP_BUFFER struct buffer content = {0};
        const unsigned char *bytes = (const unsigned char *)input->ptr;
        unsigned like = bytes[0];
        char name[] = {(char)('a' + bytes[1] % 26), bytes[1] & 128 ? '/' : '.', 'b'};
        size_t length = bytes[2], between = bytes[3] & 15;
        *input = slice_from(*input, STEP);
        if (like & SECRET)
            buffer_add(&content, planted());
        making->has_secret |= (like & SECRET) != 0;
        making->named_secret |= (like & SECRET) && !(like & UNNAMED);
        /* Text, of which nothing else is to be thought. */
        for (size_t j = 0; j < length && j < input->len; j++)
            buffer_add_byte(&content, (char)(' ' + (input->ptr[j] & 0x3f)));
        *input = slice_from(*input, length);
        if (i == 0 && *fronts[0] == '\0' && making->zip.len == 0)
            between = 0;
        buffer_add(&making->zip, slice_first(*input, between));
        add_member(making, like, slice_make(name, sizeof(name)), buffer_slice(&content));
    }
}

/* One byte. With another magic in front it is no zip, and without its own header there is no member
 * that nothing else names; or the secret itself may be changed. */
static void change(struct making *making, slice *input)
{
    struct buffer *zip = &making->zip;
    if (input->len < 4 || zip->len == 0)
        return;
    const unsigned char *bytes = (const unsigned char *)input->ptr;
    size_t at = ((size_t)bytes[0] << 8 | bytes[1]) % zip->len;
    slice secret = planted();
    size_t start = at >= secret.len ? at - secret.len : 0;
    slice near = slice_first(slice_from(buffer_slice(zip), start), 2 * secret.len);
    making->has_secret = making->named_secret && at >= 4 && !slice_contains(near, secret);
    zip->bytes[at] ^= (char)bytes[2];
    *input = slice_from(*input, 4);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct making making = {0};
    struct spill memory = {.fd = -1}, file = {.fd = memfd_create("spill", MFD_CLOEXEC)};
    if (size < 2) {
        close(file.fd);
        return 0;
    }
    slice input = slice_make(data + 1, size - 1), zip = input;
    if (data[0] & 1) {
        make(&making, &input);
        end_zip(&making, data[0] & 2 ? slice_first(input, 20) : SLICE_EMPTY);
        if (data[0] & 4)
            change(&making, &input);
        if (data[0] & 8 && input.len >= 2)
            making.zip.len -= ((size_t)(unsigned char)input.ptr[0] << 2) % (making.zip.len + 1);
        making.has_secret &= !(data[0] & 8);
        zip = buffer_slice(&making.zip);
    }
    assert(look(zip, &memory) || !making.has_secret);
    look(zip, &file);
    close(file.fd);
    buffer_free(&making.zip);
    buffer_free(&making.directory);
    return 0;
}
