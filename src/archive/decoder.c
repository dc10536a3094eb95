#include "archive/decoder.h"
#include "base/limits.h"

#define ZSTD_STATIC_LINKING_ONLY /* for ZSTD_getFrameHeader */
#include <bzlib.h>
#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

enum {
    /* Room for all that igzip holds back, so that none of it is lost at damage. */
    PIECE = 128 * 1024,
    BZIP2_MEMORY = 4 * 1024 * 1024, /* of the largest block (bzip2's manual, 2.3) */
    TAKEN_AT_ONCE = 1 << 30,
};

enum progress { GOES_ON, STREAM_ENDS, IS_DAMAGED };

static const char damaged_data[] = "damaged: its packed data make no sense";
static const char damaged_sum[] = "damaged: a checksum that does not match";
static const char cut_short[] = "damaged: it ends before its own end";
static const char bytes_follow[] = "bytes of another kind follow its end";
static const char much_memory[] =
    "unpacking it takes more memory than LIMIT_SECRET_UNPACK_MEMORY allows";
static const char bomb_gzip[] =
    "a decompression bomb: it unpacks to more than LIMIT_RATIO_GZIP times its size";
static const char bomb_zstd[] =
    "a decompression bomb: it unpacks to more than LIMIT_RATIO_ZSTD times its size";
static const char bomb_xz[] =
    "a decompression bomb: it unpacks to more than LIMIT_RATIO_XZ times its size";

struct codec {
    const char *name;
    bool (*begins)(slice head); /* NULL: not known by its first bytes */
    /* Gets ready for a stream that begins with these bytes. */
    enum progress (*begin)(struct decoder *decoder, slice head);
    /* Unpacks into `bytes`; says how much of the window was used, and what came of it. */
    enum progress (*run)(struct decoder *decoder, slice window, size_t *used, size_t *made);
    uint64_t ratio; /* 0: any */
    const char *bomb;
    bool joined; /* several may stand one behind the other, with zeros between them */
};

struct decoder {
    const struct codec *codec;
    struct stream *below;
    uint64_t left; /* packed bytes that may be taken; UINT64_MAX: all that come */
    bool limited;
    bool single, begun, in_stream, ended;
    const char *problem;
    uint64_t taken, made;
    uint32_t sum;
    slice header; /* comes before the bytes below */
    char header_bytes[DECODER_LZMA_HEADER];
    uint64_t *memory, counted;
    ZSTD_DStream *zstd;
    lzma_stream lzma;
    bz_stream bzip2;
    bool bzip2_open;
    z_stream zlib;
    bool zlib_open;
    struct inflate_state inflate;
    char bytes[PIECE];
};

/* False when all together would have too much. */
static bool count_memory(struct decoder *decoder, uint64_t now)
{
    *decoder->memory += now - decoder->counted;
    decoder->counted = now;
    return *decoder->memory <= LIMIT_SECRET_UNPACK_MEMORY;
}

static enum progress fail(struct decoder *decoder, const char *problem)
{
    decoder->problem = problem;
    return IS_DAMAGED;
}

/* -- stored ---------------------------------------------------------------------------------------
 */

static enum progress begin_stored(struct decoder *decoder, slice head)
{
    (void)decoder, (void)head;
    return GOES_ON;
}

/* -- deflate and gzip -----------------------------------------------------------------------------
 */

static enum progress begin_igzip(struct decoder *decoder, slice head)
{
    (void)head;
    isal_inflate_init(&decoder->inflate);
    return GOES_ON;
}

static enum progress begin_gzip(struct decoder *decoder, slice head)
{
    begin_igzip(decoder, head);
    decoder->inflate.crc_flag = ISAL_GZIP;
    return GOES_ON;
}

static enum progress run_igzip(struct decoder *decoder, slice window, size_t *used, size_t *made)
{
    struct inflate_state *state = &decoder->inflate;
    state->next_in = (uint8_t *)(uintptr_t)window.ptr;
    state->avail_in = (uint32_t)window.len;
    state->next_out = (uint8_t *)decoder->bytes;
    state->avail_out = PIECE;
    int code = isal_inflate(state);
    /* It may give back bytes that it was given with the window before. */
    *used = state->avail_in < window.len ? window.len - state->avail_in : 0;
    *made = PIECE - state->avail_out;
    bool finished = state->block_state == ISAL_BLOCK_FINISH;
    /* It took whole bytes that stand behind the end, of which nothing is to be lost. */
    size_t held = state->read_in_length > 0 ? (size_t)state->read_in_length / 8 : 0;
    if (finished && state->crc_flag == ISAL_DEFLATE && held <= *used)
        *used -= held;
    if (code == ISAL_INCORRECT_CHECKSUM) {
        decoder->problem = damaged_sum;
        return STREAM_ENDS;
    }
    if (code < 0)
        return fail(decoder, damaged_data);
    return finished ? STREAM_ENDS : GOES_ON;
}

static bool begins_gzip(slice head)
{
    return slice_starts(head, SLICE("\x1f\x8b\x08"));
}

static enum progress begin_zlib(struct decoder *decoder, slice head)
{
    (void)head;
    if (decoder->zlib_open)
        inflateReset(&decoder->zlib);
    else if (inflateInit2(&decoder->zlib, -15) != Z_OK)
        memory_exhausted();
    decoder->zlib_open = true;
    return GOES_ON;
}

static enum progress run_zlib(struct decoder *decoder, slice window, size_t *used, size_t *made)
{
    z_stream *z = &decoder->zlib;
    z->next_in = (unsigned char *)(uintptr_t)window.ptr;
    z->avail_in = (unsigned)window.len;
    z->next_out = (unsigned char *)decoder->bytes;
    z->avail_out = PIECE;
    int code = inflate(z, Z_NO_FLUSH);
    *used = window.len - z->avail_in;
    *made = PIECE - z->avail_out;
    if (code == Z_STREAM_END)
        return STREAM_ENDS;
    return code == Z_OK || code == Z_BUF_ERROR ? GOES_ON : fail(decoder, damaged_data);
}

/* -- zstd -----------------------------------------------------------------------------------------
 */

/* A frame, or one to be passed over (RFC 8878, 3.1.2), which pzstd puts first. */
static bool begins_zstd(slice head)
{
    bool skippable = head.len >= 4 && ((unsigned char)head.ptr[0] & 0xf0) == 0x50 &&
                     slice_starts(slice_from(head, 1), SLICE("\x2a\x4d\x18"));
    return skippable || slice_starts(head, SLICE("\x28\xb5\x2f\xfd"));
}

static enum progress begin_zstd(struct decoder *decoder, slice head)
{
    ZSTD_frameHeader header = {0};
    if (!decoder->zstd && !(decoder->zstd = ZSTD_createDStream()))
        memory_exhausted();
    size_t code = ZSTD_getFrameHeader(&header, head.ptr, head.len);
    if (ZSTD_isError(code))
        return fail(decoder, damaged_data);
    if (code == 0 && header.windowSize > 1ULL << LIMIT_ZSTD_WINDOW_LOG)
        return fail(decoder, much_memory);
    /* It keeps the largest window that it ever had. */
    if (code == 0 && header.frameType == ZSTD_frame && header.windowSize > decoder->counted &&
        !count_memory(decoder, header.windowSize))
        return fail(decoder, much_memory);
    ZSTD_DCtx_reset(decoder->zstd, ZSTD_reset_session_only);
    ZSTD_DCtx_setParameter(decoder->zstd, ZSTD_d_windowLogMax, LIMIT_ZSTD_WINDOW_LOG);
    return GOES_ON;
}

static enum progress run_zstd(struct decoder *decoder, slice window, size_t *used, size_t *made)
{
    ZSTD_inBuffer in = {window.ptr, window.len, 0};
    ZSTD_outBuffer out = {decoder->bytes, PIECE, 0};
    size_t code = ZSTD_decompressStream(decoder->zstd, &out, &in);
    *used = in.pos;
    *made = out.pos;
    if (ZSTD_isError(code))
        return fail(decoder, ZSTD_getErrorCode(code) == ZSTD_error_checksum_wrong ? damaged_sum
                                                                                  : damaged_data);
    return code == 0 ? STREAM_ENDS : GOES_ON;
}

/* -- bzip2 ----------------------------------------------------------------------------------------
 */

/* "BZh", the size of its blocks, and the first block's magic or, in an empty one, the end's. */
static bool begins_bzip2(slice head)
{
    slice block = slice_from(head, 4);
    return slice_starts(head, SLICE("BZh")) && head.len > 4 && head.ptr[3] >= '1' &&
           head.ptr[3] <= '9' &&
           (slice_starts(block, SLICE("\x31\x41\x59\x26\x53\x59")) ||
            slice_starts(block, SLICE("\x17\x72\x45\x38\x50\x90")));
}

static enum progress begin_bzip2(struct decoder *decoder, slice head)
{
    (void)head;
    if (decoder->bzip2_open)
        BZ2_bzDecompressEnd(&decoder->bzip2);
    decoder->bzip2 = (bz_stream){0};
    decoder->bzip2_open = false;
    if (!count_memory(decoder, BZIP2_MEMORY))
        return fail(decoder, much_memory);
    if (BZ2_bzDecompressInit(&decoder->bzip2, 0, 0) != BZ_OK)
        memory_exhausted();
    decoder->bzip2_open = true;
    return GOES_ON;
}

static enum progress run_bzip2(struct decoder *decoder, slice window, size_t *used, size_t *made)
{
    bz_stream *bzip2 = &decoder->bzip2;
    bzip2->next_in = (char *)(uintptr_t)window.ptr;
    bzip2->avail_in = (unsigned)window.len;
    bzip2->next_out = decoder->bytes;
    bzip2->avail_out = PIECE;
    int code = BZ2_bzDecompress(bzip2);
    *used = window.len - bzip2->avail_in;
    *made = PIECE - bzip2->avail_out;
    if (code == BZ_MEM_ERROR)
        memory_exhausted();
    if (code == BZ_STREAM_END)
        return STREAM_ENDS;
    /* The manual calls a wrong checksum what it calls other damage. */
    return code == BZ_OK ? GOES_ON : fail(decoder, damaged_data);
}

/* -- xz and lzma ----------------------------------------------------------------------------------
 */

static bool begins_xz(slice head)
{
    return slice_starts(head, SLICE("\xfd"
                                    "7zXZ\0"));
}

/*
 * Files ".lzma" have no magic. What encoders write: the usual properties (lc 3, lp 0, pb 2), a
 * dictionary of 2^n or 2^n + 2^(n-1) bytes of at least 64 KiB, a size that is not known or below
 * 256 GiB, and a range coder's first byte, which is 0.
 */
static bool begins_lzma(slice head)
{
    enum { PROPERTIES = 0x5d, SIZE_AT = 5, SIZE_BITS_MOST = 38 };
    uint64_t dictionary = 0, size = 0;
    if (head.len <= DECODER_LZMA_HEADER || head.ptr[0] != PROPERTIES ||
        head.ptr[DECODER_LZMA_HEADER] != 0)
        return false;
    for (size_t i = SIZE_AT; i-- > 1;)
        dictionary = dictionary << 8 | (unsigned char)head.ptr[i];
    for (size_t i = DECODER_LZMA_HEADER; i-- > SIZE_AT;)
        size = size << 8 | (unsigned char)head.ptr[i];
    uint64_t low = dictionary & -dictionary, rest = dictionary - low;
    return dictionary >= 64 * LIMIT_KIB && (rest == 0 || rest == 2 * low) &&
           (size == UINT64_MAX || size >> SIZE_BITS_MOST == 0);
}

/* What is left for it, with what it has already. */
static uint64_t memory_for(const struct decoder *decoder)
{
    uint64_t others = *decoder->memory - decoder->counted;
    return others < LIMIT_SECRET_UNPACK_MEMORY ? LIMIT_SECRET_UNPACK_MEMORY - others : 1;
}

static enum progress begin_liblzma(struct decoder *decoder, lzma_ret code)
{
    if (code == LZMA_MEM_ERROR)
        memory_exhausted();
    return code == LZMA_OK ? GOES_ON : fail(decoder, damaged_data);
}

static enum progress begin_xz(struct decoder *decoder, slice head)
{
    (void)head;
    return begin_liblzma(decoder, lzma_stream_decoder(&decoder->lzma, memory_for(decoder), 0));
}

static enum progress begin_lzma(struct decoder *decoder, slice head)
{
    (void)head;
    return begin_liblzma(decoder, lzma_alone_decoder(&decoder->lzma, memory_for(decoder)));
}

static enum progress run_liblzma(struct decoder *decoder, slice window, size_t *used, size_t *made)
{
    lzma_stream *lzma = &decoder->lzma;
    lzma->next_in = (const uint8_t *)window.ptr;
    lzma->avail_in = window.len;
    lzma->next_out = (uint8_t *)decoder->bytes;
    lzma->avail_out = PIECE;
    /* Others may have taken memory since. */
    if (lzma_memlimit_set(lzma, memory_for(decoder)) != LZMA_OK)
        return fail(decoder, much_memory);
    lzma_ret code = lzma_code(lzma, LZMA_RUN);
    *used = window.len - lzma->avail_in;
    *made = PIECE - lzma->avail_out;
    count_memory(decoder, lzma_memusage(lzma));
    if (code == LZMA_MEM_ERROR)
        memory_exhausted();
    if (code == LZMA_STREAM_END)
        return STREAM_ENDS;
    if (code == LZMA_MEMLIMIT_ERROR)
        return fail(decoder, much_memory);
    return code == LZMA_OK || code == LZMA_BUF_ERROR ? GOES_ON : fail(decoder, damaged_data);
}

/* -- all of them ----------------------------------------------------------------------------------
 */

static const struct codec codecs[] = {
    [DECODE_STORED] = {"stored", NULL, begin_stored, NULL, 0, NULL, false},
    [DECODE_DEFLATE] = {"deflate", NULL, begin_igzip, run_igzip, 0, NULL, false},
    [DECODE_DEFLATE_EXACT] = {"deflate", NULL, begin_zlib, run_zlib, 0, NULL, false},
    [DECODE_GZIP] = {"gzip", begins_gzip, begin_gzip, run_igzip, LIMIT_RATIO_GZIP, bomb_gzip, true},
    [DECODE_ZSTD] = {"zstd", begins_zstd, begin_zstd, run_zstd, LIMIT_RATIO_ZSTD, bomb_zstd, true},
    [DECODE_BZIP2] = {"bzip2", begins_bzip2, begin_bzip2, run_bzip2, LIMIT_RATIO_XZ, bomb_xz, true},
    [DECODE_XZ] = {"xz", begins_xz, begin_xz, run_liblzma, LIMIT_RATIO_XZ, bomb_xz, true},
    [DECODE_LZMA] = {"lzma", begins_lzma, begin_lzma, run_liblzma, LIMIT_RATIO_XZ, bomb_xz, false},
};

bool decoder_recognise(slice head, enum decoder_method *method)
{
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        *method = (enum decoder_method)i;
        if (codecs[i].begins && codecs[i].begins(head))
            return true;
    }
    return false;
}

const char *decoder_name(enum decoder_method method)
{
    return codecs[method].name;
}

struct decoder *decoder_new(uint64_t *memory)
{
    struct decoder *decoder = memory_alloc(sizeof(*decoder));
    memset(decoder, 0, offsetof(struct decoder, inflate));
    decoder->memory = memory;
    return decoder;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    if (decoder->bzip2_open)
        BZ2_bzDecompressEnd(&decoder->bzip2);
    if (decoder->zlib_open)
        inflateEnd(&decoder->zlib);
    lzma_end(&decoder->lzma);
    ZSTD_freeDStream(decoder->zstd);
    count_memory(decoder, 0);
    free(decoder);
}

void decoder_begin(struct decoder *decoder, enum decoder_method method, struct stream *below,
                   uint64_t packed, bool single, slice header)
{
    decoder->codec = &codecs[method];
    decoder->below = below;
    decoder->left = packed;
    decoder->limited = packed != UINT64_MAX;
    decoder->single = single;
    decoder->begun = decoder->in_stream = decoder->ended = false;
    decoder->problem = NULL;
    decoder->taken = decoder->made = 0;
    decoder->sum = 0;
    decoder->header = slice_first(header, sizeof(decoder->header_bytes));
    if (header.len)
        memcpy(decoder->header_bytes, header.ptr, decoder->header.len);
    decoder->header.ptr = decoder->header_bytes;
}

/* What is there of the packed bytes; at least `want`, if there are so many. */
static struct error *show(struct decoder *decoder, size_t want, slice *window)
{
    *window = decoder->header;
    if (window->len)
        return NULL;
    if (want > 1)
        TRY(stream_need(decoder->below, want, window));
    else
        TRY(stream_some(decoder->below, window));
    *window = slice_first(*window, TAKEN_AT_ONCE);
    if (decoder->limited && window->len > decoder->left)
        window->len = (size_t)decoder->left;
    return NULL;
}

static void take(struct decoder *decoder, size_t count)
{
    if (decoder->header.len) {
        decoder->header = slice_from(decoder->header, count);
        return;
    }
    stream_take(decoder->below, count);
    decoder->taken += count;
    decoder->left -= decoder->limited ? count : 0;
}

static void end(struct decoder *decoder, const char *problem)
{
    decoder->ended = true;
    if (problem && !decoder->problem)
        decoder->problem = problem;
}

/* Between two streams, and before the first. Zeros may follow, as tools for tapes leave them. */
static struct error *begin_stream(struct decoder *decoder)
{
    const struct codec *codec = decoder->codec;
    slice head;
    TRY(show(decoder, DECODER_MAGIC, &head));
    while (decoder->begun && head.len && head.ptr[0] == 0) {
        size_t zeros = 0;
        while (zeros < head.len && head.ptr[zeros] == 0)
            zeros++;
        take(decoder, zeros);
        TRY(show(decoder, DECODER_MAGIC, &head));
    }
    if (decoder->begun && head.len == 0) {
        end(decoder, NULL);
        return NULL;
    }
    if (decoder->begun && !codec->begins(head)) {
        end(decoder, bytes_follow);
        return NULL;
    }
    decoder->begun = decoder->in_stream = true;
    if (codec->begin(decoder, head) == IS_DAMAGED)
        end(decoder, damaged_data);
    return NULL;
}

/* As many as there are: it says itself how long it is. */
static struct error *next_stored(struct decoder *decoder, slice *piece)
{
    TRY(show(decoder, 1, piece));
    take(decoder, piece->len);
    decoder->made += piece->len;
    decoder->sum = crc32_gzip_refl(decoder->sum, (const unsigned char *)piece->ptr, piece->len);
    if (piece->len == 0)
        end(decoder, decoder->limited && decoder->left ? cut_short : NULL);
    return NULL;
}

static struct error *run(struct decoder *decoder, slice *piece)
{
    const struct codec *codec = decoder->codec;
    slice window;
    size_t used = 0, made = 0;
    TRY(show(decoder, 1, &window));
    enum progress progress = codec->run(decoder, window, &used, &made);
    take(decoder, used);
    *piece = slice_make(decoder->bytes, made);
    decoder->made += made;
    decoder->sum = crc32_gzip_refl(decoder->sum, (const unsigned char *)decoder->bytes, made);
    if (progress == STREAM_ENDS) {
        decoder->in_stream = false;
        if (!codec->joined || decoder->single)
            end(decoder, NULL);
    } else if (progress == IS_DAMAGED) {
        end(decoder, damaged_data);
    } else if (window.len == 0 && made == 0) {
        end(decoder, cut_short);
    }
    uint64_t taken = decoder->taken ? decoder->taken : 1;
    if (codec->ratio && decoder->made > LIMIT_RATIO_FROM && decoder->made / taken > codec->ratio)
        end(decoder, codec->bomb);
    return NULL;
}

struct error *decoder_next(void *context, slice *piece)
{
    struct decoder *decoder = context;
    *piece = SLICE_EMPTY;
    while (piece->len == 0 && !decoder->ended) {
        if (decoder->codec->run == NULL)
            TRY(next_stored(decoder, piece));
        else if (!decoder->in_stream)
            TRY(begin_stream(decoder));
        else
            TRY(run(decoder, piece));
    }
    return NULL;
}

bool decoder_ended(const struct decoder *decoder)
{
    return decoder->ended;
}

const char *decoder_problem(const struct decoder *decoder)
{
    return decoder->problem;
}

uint64_t decoder_left(const struct decoder *decoder)
{
    return decoder->limited ? decoder->left : 0;
}

uint64_t decoder_taken(const struct decoder *decoder)
{
    return decoder->taken;
}

uint64_t decoder_made(const struct decoder *decoder)
{
    return decoder->made;
}

uint32_t decoder_sum(const struct decoder *decoder)
{
    return decoder->sum;
}
