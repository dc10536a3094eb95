/* gzip (RFC 1952) and zstd (RFC 8878) on top of a stream, and the streams below. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "archive/stream.h"
#include "base/buffer.h"
#include "base/limits.h"

#include <sys/mman.h>
#include <zlib.h>
#include <zstd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NEW_BUFFER(name) CLEANUP_BUFFER struct buffer name = {0}

static void add_le(struct buffer *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        buffer_add_byte(out, (char)(number >> 8 * i));
}

static void add_deflated(struct buffer *out, slice content, int level)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, level, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, content.len);
    z.next_in = (unsigned char *)(uintptr_t)content.ptr;
    z.avail_in = (unsigned)content.len;
    z.next_out = (unsigned char *)buffer_reserve(out, room);
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->len += z.total_out;
    deflateEnd(&z);
}

enum { FHCRC = 2, FEXTRA = 4, FNAME = 8, FCOMMENT = 16 };

/* One member; `flags` adds the fields of that name. */
static void add_gzip(struct buffer *out, slice content, int level, int flags)
{
    size_t start = out->len;
    buffer_add(out, SLICE("\x1f\x8b\x08"));
    buffer_add_byte(out, (char)flags);
    buffer_add(out, SLICE("\1\2\3\4\0\xff"));
    if (flags & FEXTRA)
        buffer_add(out, SLICE("\7\0AB\3\0abc"));
    if (flags & FNAME)
        buffer_add(out, SLICE("layer.tar\0"));
    if (flags & FCOMMENT)
        buffer_add(out, SLICE("a comment\0"));
    if (flags & FHCRC)
        add_le(out,
               crc32(0, (unsigned char *)out->bytes + start, (unsigned)(out->len - start)) & 0xffff,
               2);
    add_deflated(out, content, level);
    add_le(out, crc32(0, (const unsigned char *)content.ptr, (unsigned)content.len), 4);
    add_le(out, content.len, 4);
}

static void add_zstd(struct buffer *out, slice content, int checksum)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum);
    char *at = buffer_reserve(out, ZSTD_compressBound(content.len));
    size_t length = ZSTD_compress2(context, at, out->room - out->len, content.ptr, content.len);
    assert_false(ZSTD_isError(length));
    out->len += length;
    ZSTD_freeCCtx(context);
}

/* The tests run twice: once more with gzip's checksums computed apart. */
static bool later;

/* Unpacks; up to `keep` bytes of what comes out are kept, all are counted. */
static struct error *unpack(slice bytes, struct buffer *out, const char **name, uint64_t *total)
{
    enum { KEEP = 1 << 20 };
    struct stream *stream = stream_from_memory(bytes);
    slice window;
    *total = 0;
    struct error *error = stream_unpack(&stream, stream, name);
    if (!error && later)
        stream_check_later(stream);
    while (!error && !(error = stream_some(stream, &window)) && window.len) {
        *total += window.len;
        if (out->len < KEEP)
            buffer_add(out, window);
        stream_take(stream, window.len);
        assert_true(stream->position == *total);
    }
    if (!error)
        error = stream_check(stream);
    stream_close(stream);
    return error;
}

static void expect(const struct buffer *packed, const char *name, slice content)
{
    NEW_BUFFER(out);
    const char *found;
    uint64_t total;
    CLEANUP_ERROR struct error *error = unpack(buffer_slice(packed), &out, &found, &total);
    if (error)
        fail_msg("%s", error->message);
    assert_string_equal(found, name);
    assert_true(total == content.len);
    assert_true(slice_equal(buffer_slice(&out), content));
}

static void expect_refused(const struct buffer *packed, enum error_kind kind, const char *part)
{
    NEW_BUFFER(out);
    const char *name;
    uint64_t total;
    CLEANUP_ERROR struct error *error = unpack(buffer_slice(packed), &out, &name, &total);
    if (!error)
        fail_msg("taken, with %llu bytes, where \"%s\" was expected", (unsigned long long)total,
                 part);
    if (error->kind != kind || !strstr(error->message, part))
        fail_msg("\"%s\", where \"%s\" was expected", error->message, part);
}

static const slice text =
    SLICE("the same words again, the same words again, and once more the same");

static void fill(struct buffer *out, size_t count)
{
    uint32_t random = 1;
    for (size_t i = 0; i < count; i++) {
        random = random * 1664525 + 1013904223;
        buffer_add_byte(out, (char)(random >> 30 ? 'a' + (random >> 24) % 16 : ' '));
    }
}

static void test_gzip_fields(void **state)
{
    (void)state;
    for (int flags = 0; flags < 32; flags += 2) {
        for (int level = 0; level <= 9; level += 3) {
            NEW_BUFFER(packed);
            add_gzip(&packed, text, level, flags);
            expect(&packed, "gzip", text);
            /* FTEXT says nothing of the form. */
            packed.bytes[3] |= 1;
            if (!(flags & FHCRC))
                expect(&packed, "gzip", text);
        }
    }
    NEW_BUFFER(large);
    NEW_BUFFER(packed);
    fill(&large, 3 << 18);
    add_gzip(&packed, buffer_slice(&large), 6, FNAME);
    expect(&packed, "gzip", buffer_slice(&large));
}

static void test_gzip_members(void **state)
{
    (void)state;
    NEW_BUFFER(packed);
    NEW_BUFFER(content);
    for (int i = 0; i < 200; i++) {
        slice part = slice_first(text, (size_t)i % text.len);
        add_gzip(&packed, part, i % 10, i % 3 ? 0 : FNAME | FHCRC);
        buffer_add(&content, part);
    }
    expect(&packed, "gzip", buffer_slice(&content));
    NEW_BUFFER(nothing);
    add_gzip(&nothing, SLICE_EMPTY, 6, 0);
    add_gzip(&nothing, SLICE_EMPTY, 6, 0);
    expect(&nothing, "gzip", SLICE_EMPTY);
}

static void test_gzip_what_follows(void **state)
{
    (void)state;
    NEW_BUFFER(packed);
    add_gzip(&packed, text, 6, 0);
    size_t length = packed.len;
    for (size_t zeros = 1; zeros < 300000; zeros = zeros * 7) {
        packed.len = length;
        memset(buffer_reserve(&packed, zeros), 0, zeros);
        packed.len += zeros;
        expect(&packed, "gzip", text);
        buffer_add_byte(&packed, 'x');
        expect_refused(&packed, ERROR_INPUT, "follow");
    }
    static const slice tails[] = {SLICE("x"),
                                  SLICE("\x1f"),
                                  SLICE("\0\x1f\x8b"),
                                  SLICE("\x1f\x8c"),
                                  SLICE("\x28\xb5\x2f\xfd"),
                                  SLICE("\n")};
    for (size_t i = 0; i < COUNT(tails); i++) {
        packed.len = length;
        buffer_add(&packed, tails[i]);
        expect_refused(&packed, ERROR_INPUT, "follow");
    }
    /* The beginning of another member that is cut. */
    NEW_BUFFER(second);
    add_gzip(&second, text, 6, 0);
    for (size_t cut = 2; cut < length; cut++) {
        packed.len = length;
        buffer_add(&packed, slice_first(buffer_slice(&second), cut));
        expect_refused(&packed, ERROR_INPUT, "cut");
    }
}

static void test_gzip_cut_at_every_byte(void **state)
{
    (void)state;
    static const int flags[] = {0, FHCRC | FEXTRA | FNAME | FCOMMENT};
    for (size_t i = 0; i < COUNT(flags); i++) {
        for (int level = 0; level <= 6; level += 3) {
            NEW_BUFFER(packed);
            add_gzip(&packed, text, level, flags[i]);
            for (size_t length = 2; length < packed.len; length++) {
                struct buffer cut = {.bytes = packed.bytes, .len = length};
                expect_refused(&cut, ERROR_INPUT, "cut");
            }
        }
    }
}

static void test_gzip_damage(void **state)
{
    (void)state;
    NEW_BUFFER(packed);
    add_gzip(&packed, text, 6, FHCRC | FNAME);
    /* Every bit of it counts, but for those that fill deflate's last byte. */
    size_t unused = 0;
    for (size_t bit = 16; bit < packed.len * 8; bit++) {
        NEW_BUFFER(out);
        const char *name;
        uint64_t total;
        packed.bytes[bit / 8] ^= (char)(1 << bit % 8);
        CLEANUP_ERROR struct error *error = unpack(buffer_slice(&packed), &out, &name, &total);
        if (error)
            assert_int_equal(error->kind, ERROR_INPUT);
        else if (++unused > 7 || !slice_equal(buffer_slice(&out), text))
            fail_msg("bit %zu of byte %zu is not missed", bit % 8, bit / 8);
        packed.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    expect(&packed, "gzip", text);
    /* Flags that RFC 1952 reserves, which no reader can know the meaning of. */
    for (int flag = 0x20; flag < 0x100; flag <<= 1) {
        NEW_BUFFER(reserved);
        add_gzip(&reserved, text, 6, flag);
        expect_refused(&reserved, ERROR_INPUT, "gzip");
    }
    NEW_BUFFER(method);
    add_gzip(&method, text, 6, 0);
    method.bytes[2] = 7;
    expect_refused(&method, ERROR_INPUT, "damaged");
}

static void test_zstd_frames(void **state)
{
    (void)state;
    NEW_BUFFER(packed);
    NEW_BUFFER(content);
    NEW_BUFFER(large);
    fill(&large, 3 << 18);
    static const slice skippable = SLICE("\x50\x2a\x4d\x18\3\0\0\0abc");
    static const slice last_skippable = SLICE("\x5f\x2a\x4d\x18\0\0\0\0");
    buffer_add(&packed, skippable);
    for (int i = 0; i < 4; i++) {
        slice part = i == 1 ? buffer_slice(&large) : i == 2 ? SLICE_EMPTY : text;
        add_zstd(&packed, part, i % 2);
        buffer_add(&packed, last_skippable);
        buffer_add(&content, part);
    }
    assert_true(content.len < 1 << 20);
    expect(&packed, "zstd", buffer_slice(&content));
    NEW_BUFFER(only_skippable);
    buffer_add(&only_skippable, skippable);
    expect(&only_skippable, "zstd", SLICE_EMPTY);
}

static void test_zstd_cut_at_every_byte(void **state)
{
    (void)state;
    NEW_BUFFER(packed);
    add_zstd(&packed, text, 1);
    size_t one = packed.len;
    buffer_add(&packed, SLICE("\x50\x2a\x4d\x18\3\0\0\0abc"));
    size_t two = packed.len;
    add_zstd(&packed, text, 0);
    for (size_t length = 4; length < packed.len; length++) {
        struct buffer cut = {.bytes = packed.bytes, .len = length};
        if (length == one || length == two)
            expect(&cut, "zstd", text);
        else
            expect_refused(&cut, ERROR_INPUT, "cut");
    }
}

/* A wrong checksum is refused, unless digests say that all is right. */
static void expect_by_digests(struct buffer *packed, size_t wrong, const char *kind)
{
    packed->bytes[wrong] ^= 1;
    expect_refused(packed, ERROR_INPUT, kind);
    const char *name;
    slice window;
    CLEANUP_STREAM struct stream *stream = stream_from_memory(buffer_slice(packed));
    assert_null(stream_unpack(&stream, stream, &name));
    stream_check_by_digests(stream);
    for (slice left = text; left.len; left = slice_from(left, window.len)) {
        assert_null(stream_some(stream, &window));
        assert_true(window.len && slice_starts(left, window));
        stream_take(stream, window.len);
    }
    assert_null(stream_some(stream, &window));
    assert_int_equal(window.len, 0);
    assert_null(stream_check(stream));
}

static void test_checked_by_digests(void **state)
{
    (void)state;
    NEW_BUFFER(zstd);
    add_zstd(&zstd, text, 1);
    expect_by_digests(&zstd, zstd.len - 1, "zstd");
    NEW_BUFFER(gzip);
    add_gzip(&gzip, text, 6, 0);
    expect_by_digests(&gzip, gzip.len - 5, "gzip");
}

static void test_zstd_damage(void **state)
{
    (void)state;
    NEW_BUFFER(packed);
    add_zstd(&packed, text, 1);
    for (size_t bit = 32; bit < packed.len * 8; bit++) {
        NEW_BUFFER(out);
        const char *name;
        uint64_t total;
        packed.bytes[bit / 8] ^= (char)(1 << bit % 8);
        CLEANUP_ERROR struct error *error = unpack(buffer_slice(&packed), &out, &name, &total);
        /* What unpacks all the same (an unused bit) is the same content. */
        if (!error)
            assert_true(slice_equal(buffer_slice(&out), text));
        packed.bytes[bit / 8] ^= (char)(1 << bit % 8);
    }
    static const slice tails[] = {SLICE("x"), SLICE("\0\0\0\0"), SLICE("\x1f\x8b\x08")};
    for (size_t i = 0; i < COUNT(tails); i++) {
        size_t length = packed.len;
        buffer_add(&packed, tails[i]);
        expect_refused(&packed, ERROR_INPUT, "zstd");
        packed.len = length;
    }
    /* A frame that needs a dictionary. */
    NEW_BUFFER(dictionary);
    buffer_add(&dictionary, SLICE("\x28\xb5\x2f\xfd\x21\x07\x02\x11\0\0hi"));
    expect_refused(&dictionary, ERROR_INPUT, "zstd");
}

/* A frame of `count` blocks that repeat one byte 128 KiB long, with that window. */
static void add_repeats(struct buffer *out, unsigned char window, size_t count, size_t raw_every)
{
    enum { REPEAT = 128 << 10 };
    buffer_add(out, SLICE("\x28\xb5\x2f\xfd\0"));
    buffer_add_byte(out, (char)window);
    for (size_t i = 0; i < count; i++) {
        bool last = i + 1 == count;
        if (raw_every && i % raw_every == 0 && !last) {
            add_le(out, 64 << 3, 3);
            for (int j = 0; j < 64; j++)
                buffer_add_byte(out, 'r');
            continue;
        }
        add_le(out, (uint64_t)REPEAT << 3 | 1 << 1 | last, 3);
        buffer_add_byte(out, '\0');
    }
}

static void test_window_limit(void **state)
{
    (void)state;
    NEW_BUFFER(allowed);
    add_repeats(&allowed, 17 << 3, 1, 0); /* 2^27 */
    NEW_BUFFER(out);
    const char *name;
    uint64_t total;
    CLEANUP_ERROR struct error *error = unpack(buffer_slice(&allowed), &out, &name, &total);
    assert_null(error);
    assert_true(total == 128 << 10);
    static const unsigned char above[] = {17 << 3 | 1, 18 << 3, 21 << 3, 31 << 3 | 7};
    for (size_t i = 0; i < COUNT(above); i++) {
        NEW_BUFFER(packed);
        add_repeats(&packed, above[i], 1, 0);
        expect_refused(&packed, ERROR_LIMIT, "window");
    }
    /* One segment: then the content's size is the window. */
    NEW_BUFFER(segment);
    buffer_add(&segment, SLICE("\x28\xb5\x2f\xfd\xa0"));
    add_le(&segment, (1u << 27) + 1, 4);
    expect_refused(&segment, ERROR_LIMIT, "window");
}

static void test_ratio_limit(void **state)
{
    (void)state;
    NEW_BUFFER(out);
    const char *name;
    uint64_t total;
    /* 32,768 : 1. Below LIMIT_RATIO_FROM nothing is said; above it is refused soon. */
    NEW_BUFFER(small);
    add_repeats(&small, 10 << 3, LIMIT_RATIO_FROM >> 17, 0);
    assert_null(unpack(buffer_slice(&small), &out, &name, &total));
    assert_true(total == LIMIT_RATIO_FROM);
    NEW_BUFFER(bomb);
    add_repeats(&bomb, 10 << 3, 8 * LIMIT_RATIO_FROM >> 17, 0);
    CLEANUP_ERROR struct error *error = unpack(buffer_slice(&bomb), &out, &name, &total);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_LIMIT);
    assert_non_null(strstr(error->message, "zstd"));
    assert_true(total < LIMIT_RATIO_FROM + LIMIT_MIB);
    /* Many frames of some bytes each are one bomb, too. */
    NEW_BUFFER(frames);
    for (size_t i = 0; i < 2 * LIMIT_RATIO_FROM >> 17; i++)
        add_repeats(&frames, 10 << 3, 1, 0);
    expect_refused(&frames, ERROR_LIMIT, "bomb");
    /* Just below the ratio: 128 KiB in 4 bytes, and so many of 67 that it stays under 5,000. */
    NEW_BUFFER(honest);
    add_repeats(&honest, 10 << 3, 4 * LIMIT_RATIO_FROM >> 17, 2);
    CLEANUP_ERROR struct error *fine = unpack(buffer_slice(&honest), &out, &name, &total);
    assert_null(fine);
    assert_true(total > LIMIT_RATIO_FROM && total / honest.len < LIMIT_RATIO_ZSTD);
}

/* deflate reaches 1,032 : 1 with nothing but zeros; what is a little less dense is let through. */
static void test_dense_gzip(void **state)
{
    (void)state;
    NEW_BUFFER(zeros);
    NEW_BUFFER(bomb);
    NEW_BUFFER(dense);
    NEW_BUFFER(out);
    const char *name;
    uint64_t total;
    memset(buffer_reserve(&zeros, 80 << 20), 0, 80 << 20);
    zeros.len = 80 << 20;
    add_gzip(&bomb, buffer_slice(&zeros), 9, 0);
    assert_true(zeros.len / bomb.len > LIMIT_RATIO_GZIP);
    expect_refused(&bomb, ERROR_LIMIT, "bomb");
    for (size_t at = 0; at < zeros.len; at += 1 << 20)
        for (size_t i = 0; i < 300; i++)
            zeros.bytes[at + i] = (char)(i * i * i % 251);
    add_gzip(&dense, buffer_slice(&zeros), 9, 0);
    assert_true(zeros.len / dense.len > LIMIT_RATIO_GZIP / 2);
    CLEANUP_ERROR struct error *error = unpack(buffer_slice(&dense), &out, &name, &total);
    if (error)
        fail_msg("%s", error->message);
    assert_true(total == zeros.len);
}

static void test_other_compressions(void **state)
{
    (void)state;
    static const struct {
        slice head;
        const char *name;
    } rows[] = {
        {SLICE("\xfd"
               "7zXZ\0rest"),
         "xz"},
        {SLICE("BZh91AY"), "bzip2"},
        {SLICE("\x04\x22\x4d\x18rest"), "lz4"},
        {SLICE("\x1f\x9d\x90rest"), "compress"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        NEW_BUFFER(packed);
        buffer_add(&packed, rows[i].head);
        expect_refused(&packed, ERROR_INPUT, rows[i].name);
    }
    static const slice plain[] = {SLICE(""),
                                  SLICE("a"),
                                  SLICE("\x1f"),
                                  SLICE("\x28\xb5\x2f"),
                                  SLICE("\x60\x2a\x4d\x18\0\0\0\0"),
                                  SLICE("\x4f\x2a\x4d\x18"),
                                  SLICE("BZ"),
                                  SLICE("plain text")};
    for (size_t i = 0; i < COUNT(plain); i++) {
        NEW_BUFFER(packed);
        buffer_add(&packed, plain[i]);
        expect(&packed, "none", plain[i]);
    }
}

/* --- the streams below --------------------------------------------------------------------------
 */

static struct stream *open_stream(size_t kind, int fd, slice bytes)
{
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return kind == 0   ? stream_from_memory(bytes)
           : kind == 1 ? stream_from_range(fd, 0, bytes.len)
                       : stream_from_pipe(fd, 0);
}

/* Any mix of looking, taking and skipping shows the same bytes at the same places. */
static void test_streams(void **state)
{
    (void)state;
    NEW_BUFFER(content);
    fill(&content, 700000);
    slice bytes = buffer_slice(&content);
    CLEANUP_CLOSE int fd = memfd_create("stream", 0);
    assert_true(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len);
    for (size_t kind = 0; kind < 3; kind++) {
        for (uint32_t seed = 1; seed < 60; seed++) {
            struct stream *stream = open_stream(kind, fd, bytes);
            uint32_t random = seed;
            uint64_t at = 0;
            while (at < bytes.len) {
                slice window;
                random = random * 1664525 + 1013904223;
                size_t want = (random >> 8) % (random & 1 ? 600 : STREAM_WINDOW) + 1;
                assert_null(stream_need(stream, want, &window));
                assert_true(slice_equal(window, slice_first(slice_from(bytes, at), want)));
                size_t take = window.len / (1 + (random >> 4) % 3);
                stream_take(stream, take);
                uint64_t skip = random >> 30 ? 0 : (random >> 5) % 100000;
                at += take;
                if (skip > bytes.len - at)
                    skip = bytes.len - at;
                assert_null(stream_skip(stream, skip));
                at += skip;
                assert_true(stream->position == at);
                assert_null(stream_some(stream, &window));
                assert_true(slice_starts(slice_from(bytes, at), window));
                assert_true(window.len > 0 || at == bytes.len);
            }
            CLEANUP_ERROR struct error *error = stream_skip(stream, 1);
            assert_non_null(error);
            assert_int_equal(error->kind, ERROR_INPUT);
            stream_close(stream);
        }
    }
}

static void test_skips_behind_the_end(void **state)
{
    (void)state;
    CLEANUP_CLOSE int fd = memfd_create("stream", 0);
    assert_true(write(fd, "0123456789", 10) == 10);
    static const uint64_t skips[] = {11, 1000, 1ULL << 32, INT64_MAX, UINT64_MAX};
    for (size_t kind = 0; kind < 3; kind++) {
        for (size_t i = 0; i < COUNT(skips); i++) {
            struct stream *stream = open_stream(kind, fd, SLICE("0123456789"));
            CLEANUP_ERROR struct error *error = stream_skip(stream, skips[i]);
            assert_non_null(error);
            assert_int_equal(error->kind, ERROR_INPUT);
            stream_close(stream);
        }
    }
    /* A range that the file does not have. */
    struct stream *stream = stream_from_range(fd, 0, 100);
    CLEANUP_ERROR struct error *error = stream_drain(stream);
    assert_non_null(error);
    assert_int_equal(error->kind, ERROR_INPUT);
    stream_close(stream);
}

#define SHA256_OF_DIGITS "sha256:84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"

/* A digest is of all bytes, also of those that were skipped, or looked at before it was asked for.
 */
static void test_stream_digest(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_CLOSE int fd = memfd_create("stream", 0);
    assert_true(write(fd, "0123456789", 10) == 10);
    for (size_t kind = 0; kind < 3; kind++) {
        struct stream *stream = open_stream(kind, fd, SLICE("0123456789"));
        slice window;
        assert_null(stream_need(stream, 4, &window));
        stream_hash(stream, SLICE(SHA256_OF_DIGITS), NULL);
        assert_null(stream_skip(stream, 8));
        assert_null(stream_drain(stream));
        assert_true(slice_equal(stream_digest(stream, &arena), SLICE(SHA256_OF_DIGITS)));
        assert_int_equal(stream_digest(stream, &arena).len, 0);
        stream_close(stream);
    }
    /* Far more than what a stream that is not hashed would seek over. */
    NEW_BUFFER(content);
    fill(&content, 1000000);
    assert_true(ftruncate(fd, 0) == 0 && pwrite(fd, content.bytes, content.len, 0) == 1000000);
    struct digest *digest = digest_start(SLICE(SHA256_OF_DIGITS));
    digest_add(digest, content.bytes, content.len);
    slice expected = digest_finish(digest, &arena);
    for (size_t kind = 0; kind < 3; kind++) {
        struct stream *stream = open_stream(kind, fd, buffer_slice(&content));
        stream_hash(stream, expected, NULL);
        assert_null(stream_skip(stream, 900000));
        assert_null(stream_drain(stream));
        assert_true(slice_equal(stream_digest(stream, &arena), expected));
        stream_close(stream);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gzip_fields),
        cmocka_unit_test(test_gzip_members),
        cmocka_unit_test(test_gzip_what_follows),
        cmocka_unit_test(test_gzip_cut_at_every_byte),
        cmocka_unit_test(test_gzip_damage),
        cmocka_unit_test(test_zstd_frames),
        cmocka_unit_test(test_zstd_cut_at_every_byte),
        cmocka_unit_test(test_zstd_damage),
        cmocka_unit_test(test_checked_by_digests),
        cmocka_unit_test(test_window_limit),
        cmocka_unit_test(test_ratio_limit),
        cmocka_unit_test(test_dense_gzip),
        cmocka_unit_test(test_other_compressions),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_skips_behind_the_end),
        cmocka_unit_test(test_stream_digest),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    later = true;
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
