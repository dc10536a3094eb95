/* gzip and zstd on top of a stream: stream_unpack of archive/stream.h. */
#include "base/limits.h"
#include "archive/stream.h"

#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_d_forceIgnoreChecksum */
#include <isa-l/igzip_lib.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum { UNPACK_BUFFER = 256 * 1024 };

struct unpack_stream {
    struct stream stream;
    struct stream *below;
    const char *name;
    uint64_t ratio_limit;
    uint64_t produced;
    bool in_member;    /* a gzip member or zstd frame has begun and not ended */
    bool in_header;    /* of a gzip member, which is read by itself when the checksum is left out */
    bool check_later;  /* gzip's checksums are computed elsewhere */
    uint32_t expected; /* of all members together, as they say */
    uint64_t member_start; /* `produced` when the member began */
    struct inflate_state inflate;
    ZSTD_DStream *zstd;
};

static struct error *check_ratio(const struct unpack_stream *unpack)
{
    uint64_t packed = unpack->below->position ? unpack->below->position : 1;
    if (unpack->produced > LIMIT_LAYER_BYTES)
        return error_make(ERROR_LIMIT, "it unpacks to more than %llu bytes, the limit of a layer",
                          (unsigned long long)LIMIT_LAYER_BYTES);
    if (unpack->produced > LIMIT_RATIO_FROM && unpack->produced / packed > unpack->ratio_limit)
        return error_make(ERROR_LIMIT,
                          "it unpacks to more than %llu times its size (the limit for %s): this "
                          "is a decompression bomb",
                          (unsigned long long)unpack->ratio_limit, unpack->name);
    return NULL;
}

static struct error *unpacked(struct unpack_stream *unpack, size_t count)
{
    unpack->produced += count;
    return check_ratio(unpack);
}

static struct error *cut_short(const struct unpack_stream *unpack)
{
    return error_make(ERROR_INPUT,
                      "the %s stream ends after %llu bytes, before its own end; it was cut on its "
                      "way: fetch the image again",
                      unpack->name, (unsigned long long)unpack->below->position);
}

static const char *inflate_failure(int code)
{
    static const struct {
        int code;
        const char *meaning;
    } table[] = {
        {ISAL_INVALID_BLOCK, "a block of no known kind"},
        {ISAL_INVALID_SYMBOL, "a code that stands for nothing"},
        {ISAL_INVALID_LOOKBACK, "a reference to before its start"},
        {ISAL_INVALID_WRAPPER, "a wrong header"},
        {ISAL_UNSUPPORTED_METHOD, "a method that is not deflate"},
        {ISAL_INCORRECT_CHECKSUM, "a checksum that does not match"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].code == code)
            return table[i].meaning;
    return "damaged data";
}

/*
 * What follows a member: another one, nothing, or zero padding as tape-minded tools leave it.
 * Anything else is refused, since readers disagree on whether it counts.
 */
static struct error *next_member(struct unpack_stream *unpack, bool *more)
{
    slice window;
    TRY(stream_need(unpack->below, 4, &window));
    *more = slice_starts(window, SLICE("\x1f\x8b"));
    if (*more && window.len == 4 && ((unsigned char)window.ptr[3] & 0xe0))
        return error_make(ERROR_INPUT, "the gzip stream's header has flags that RFC 1952 reserves");
    if (*more)
        return NULL;
    for (;;) {
        TRY(stream_some(unpack->below, &window));
        if (window.len == 0)
            return NULL;
        for (size_t i = 0; i < window.len; i++)
            if (window.ptr[i] != 0)
                return error_make(ERROR_INPUT, "bytes that are not gzip follow the gzip stream");
        stream_take(unpack->below, window.len);
    }
}

static struct error *damaged(const struct unpack_stream *unpack, const char *why)
{
    return error_make(ERROR_INPUT, "the gzip stream is damaged near byte %llu: %s",
                      (unsigned long long)unpack->below->position, why);
}

static void begin_member(struct unpack_stream *unpack)
{
    struct inflate_state *state = &unpack->inflate;
    isal_inflate_reset(state);
    state->crc_flag = unpack->check_later ? ISAL_DEFLATE : ISAL_GZIP;
    unpack->in_member = true;
    unpack->in_header = unpack->check_later;
    unpack->member_start = unpack->produced;
}

/* The member's header (RFC 1952, 2.3), as far as it is at hand. */
static struct error *read_header(struct unpack_stream *unpack)
{
    struct inflate_state *state = &unpack->inflate;
    struct isal_gzip_header header;
    slice window;
    TRY(stream_some(unpack->below, &window));
    if (window.len == 0)
        return cut_short(unpack);
    isal_gzip_header_init(&header);
    state->next_in = (uint8_t *)(uintptr_t)window.ptr;
    state->avail_in = (uint32_t)window.len;
    int code = isal_read_gzip_header(state, &header);
    stream_take(unpack->below, window.len - state->avail_in);
    if (code < 0 || code > ISAL_END_INPUT)
        return damaged(unpack, inflate_failure(code));
    unpack->in_header = code == ISAL_END_INPUT;
    return NULL;
}

/* The checksum, which is kept for later, and the member's length. Some of these bytes may have been
 * taken in with the last bits of the data. */
static struct error *read_trailer(struct unpack_stream *unpack)
{
    enum { TRAILER = 8, LENGTH_AT = 4 };
    uint64_t produced = unpack->produced - unpack->member_start;
    const struct inflate_state *state = &unpack->inflate;
    char trailer[TRAILER];
    size_t held = state->read_in_length > 0 ? (size_t)state->read_in_length / 8 : 0;
    uint64_t bits = state->read_in >> (state->read_in_length % 8);
    uint32_t length = 0, sum = 0;
    slice window;
    for (size_t i = 0; i < held && i < TRAILER; i++)
        trailer[i] = (char)(bits >> 8 * i);
    TRY(stream_need(unpack->below, TRAILER - held, &window));
    if (window.len < TRAILER - held)
        return cut_short(unpack);
    memcpy(trailer + held, window.ptr, TRAILER - held);
    stream_take(unpack->below, TRAILER - held);
    for (size_t i = TRAILER; i-- > LENGTH_AT;)
        length = length << 8 | (unsigned char)trailer[i];
    for (size_t i = LENGTH_AT; i-- > 0;)
        sum = sum << 8 | (unsigned char)trailer[i];
    unpack->expected = (uint32_t)crc32_combine(unpack->expected, sum, (z_off_t)produced);
    return length == (uint32_t)produced ? NULL : damaged(unpack, "a length that does not match");
}

static struct error *gzip_read(struct stream *stream, char *bytes, size_t room, size_t *got)
{
    struct unpack_stream *unpack = (struct unpack_stream *)stream;
    struct inflate_state *state = &unpack->inflate;
    *got = 0;
    for (;;) {
        if (!unpack->in_member) {
            bool more;
            TRY(next_member(unpack, &more));
            if (!more)
                return NULL;
            begin_member(unpack);
        }
        if (unpack->in_header) {
            TRY(read_header(unpack));
            continue;
        }
        slice window;
        TRY(stream_some(unpack->below, &window));
        if (window.len > UINT32_MAX / 2)
            window.len = UINT32_MAX / 2;
        state->next_in = (uint8_t *)(uintptr_t)window.ptr;
        state->avail_in = (uint32_t)window.len;
        state->next_out = (uint8_t *)bytes;
        state->avail_out = (uint32_t)room;
        int code = isal_inflate(state);
        stream_take(unpack->below, window.len - state->avail_in);
        if (code < 0)
            return damaged(unpack, inflate_failure(code));
        *got = room - state->avail_out;
        TRY(unpacked(unpack, *got));
        unpack->in_member = state->block_state != ISAL_BLOCK_FINISH;
        if (!unpack->in_member && unpack->check_later)
            TRY(read_trailer(unpack));
        if (*got)
            return NULL;
        if (window.len == 0 && unpack->in_member)
            return cut_short(unpack);
    }
}

static struct error *zstd_read(struct stream *stream, char *bytes, size_t room, size_t *got)
{
    struct unpack_stream *unpack = (struct unpack_stream *)stream;
    *got = 0;
    for (;;) {
        slice window;
        TRY(stream_some(unpack->below, &window));
        if (window.len == 0 && !unpack->in_member)
            return NULL;
        ZSTD_inBuffer in = {window.ptr, window.len, 0};
        ZSTD_outBuffer out = {bytes, room, 0};
        size_t code = ZSTD_decompressStream(unpack->zstd, &out, &in);
        stream_take(unpack->below, in.pos);
        if (ZSTD_isError(code) &&
            ZSTD_getErrorCode(code) == ZSTD_error_frameParameter_windowTooLarge)
            return error_make(ERROR_LIMIT, "its zstd window is larger than the limit of 2^%d bytes",
                              LIMIT_ZSTD_WINDOW_LOG);
        if (ZSTD_isError(code))
            return error_make(ERROR_INPUT, "the zstd stream is damaged near byte %llu: %s",
                              (unsigned long long)unpack->below->position, ZSTD_getErrorName(code));
        unpack->in_member = code != 0;
        *got = out.pos;
        TRY(unpacked(unpack, out.pos));
        if (out.pos)
            return NULL;
        if (window.len == 0)
            return cut_short(unpack);
    }
}

void stream_check_later(struct stream *stream)
{
    if (stream->read == gzip_read)
        ((struct unpack_stream *)stream)->check_later = stream->summed = true;
}

void stream_check_by_digests(struct stream *stream)
{
    struct unpack_stream *unpack = (struct unpack_stream *)stream;
    if (stream->read == gzip_read)
        unpack->check_later = true; /* which is never, since it is not summed */
    if (stream->read == zstd_read)
        ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_forceIgnoreChecksum, ZSTD_d_ignoreChecksum);
}

struct error *stream_check(struct stream *stream)
{
    const struct unpack_stream *unpack = (const struct unpack_stream *)stream;
    if (!stream->summed)
        return NULL;
    stream_wait(stream);
    return stream->sum == unpack->expected
               ? NULL
               : damaged(unpack, inflate_failure(ISAL_INCORRECT_CHECKSUM));
}

static void unpack_close(struct stream *stream)
{
    struct unpack_stream *unpack = (struct unpack_stream *)stream;
    ZSTD_freeDStream(unpack->zstd);
    stream_close(unpack->below);
}

static struct unpack_stream *unpack_new(struct stream *below)
{
    struct unpack_stream *unpack = memory_alloc(sizeof(*unpack));
    memset(unpack, 0, offsetof(struct unpack_stream, inflate));
    unpack->zstd = NULL;
    unpack->below = below;
    unpack->stream.room = UNPACK_BUFFER;
    unpack->stream.buffer = memory_alloc(UNPACK_BUFFER);
    unpack->stream.fill = stream_fill_by_read;
    unpack->stream.close = unpack_close;
    return unpack;
}

static struct error *begin_gzip(struct unpack_stream *unpack)
{
    unpack->ratio_limit = LIMIT_RATIO_GZIP;
    unpack->stream.read = gzip_read;
    isal_inflate_init(&unpack->inflate);
    return NULL;
}

static struct error *begin_zstd(struct unpack_stream *unpack)
{
    unpack->ratio_limit = LIMIT_RATIO_ZSTD;
    unpack->stream.read = zstd_read;
    unpack->zstd = ZSTD_createDStream();
    if (!unpack->zstd)
        memory_exhausted();
    ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax, LIMIT_ZSTD_WINDOW_LOG);
    return NULL;
}

static struct error *refuse(struct unpack_stream *unpack)
{
    return error_make(ERROR_INPUT,
                      "it is compressed with %s, which no image specification has for layers; "
                      "save the image again with gzip or zstd",
                      unpack->name);
}

/* Compressions by their first bytes; only the low nibble of zstd's skippable magic varies. */
static const struct compression {
    const char *name;
    const char *magic;
    size_t magic_len;
    struct error *(*begin)(struct unpack_stream *);
} compressions[] = {
    {"gzip", "\x1f\x8b", 2, begin_gzip},
    {"zstd", "\x28\xb5\x2f\xfd", 4, begin_zstd},
    {"xz",
     "\xfd"
     "7zXZ\0",
     6, refuse},
    {"bzip2", "BZh", 3, refuse},
    {"lz4", "\x04\x22\x4d\x18", 4, refuse},
    {"compress", "\x1f\x9d", 2, refuse},
};

static const struct compression *recognise(slice head)
{
    for (size_t i = 0; i < sizeof(compressions) / sizeof(compressions[0]); i++)
        if (slice_starts(head, slice_make(compressions[i].magic, compressions[i].magic_len)))
            return &compressions[i];
    bool skippable = head.len >= 4 && ((unsigned char)head.ptr[0] & 0xf0) == 0x50 &&
                     slice_starts(slice_from(head, 1), SLICE("\x2a\x4d\x18"));
    return skippable ? &compressions[1] : NULL;
}

bool stream_is_packed(slice head)
{
    return recognise(head) != NULL;
}

struct error *stream_unpack(struct stream **stream, struct stream *below, const char **name)
{
    slice head;
    *stream = below;
    *name = "none";
    TRY(stream_need(below, STREAM_MAGIC, &head));
    const struct compression *compression = recognise(head);
    if (!compression)
        return NULL;
    struct unpack_stream *unpack = unpack_new(below);
    *stream = &unpack->stream;
    *name = unpack->name = compression->name;
    return compression->begin(unpack);
}
