/* eStargz (containerd/stargz-snapshotter, docs/estargz.md): where its TOC lies stands in a footer.
 */
#include "layer/toc.h"
#include "archive/tar.h"
#include "base/digest.h"
#include "base/limits.h"

enum { FOOTER_BYTES = 51, OFFSET_AT = 16, OFFSET_DIGITS = 16 };

/* An empty gzip member, its extra field "SG", 22 bytes long: 16 hex digits and "STARGZ". */
#define FOOTER_HEAD SLICE("SG\x16\0")
enum { HEAD_AT = 12 };
#define FOOTER_MARK SLICE("STARGZ")

static bool hex_to_u64(slice digits, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < digits.len; i++) {
        char c = byte_lower(digits.ptr[i]);
        if (!byte_is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
        *value = *value << 4 | (uint64_t)(byte_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    return true;
}

static bool parse_footer(slice footer, uint64_t *offset)
{
    return footer.len == FOOTER_BYTES && slice_starts(footer, SLICE("\x1f\x8b")) &&
           slice_starts(slice_from(footer, HEAD_AT), FOOTER_HEAD) &&
           slice_starts(slice_from(footer, OFFSET_AT + OFFSET_DIGITS), FOOTER_MARK) &&
           hex_to_u64(slice_first(slice_from(footer, OFFSET_AT), OFFSET_DIGITS), offset);
}

/* A stretch that is read now, with none ahead of it. */
static struct error *open_now(struct ranges_ahead *ahead, struct layer_range range,
                              struct stream **stream)
{
    TRY(ranges_want(ahead, range));
    TRY(ranges_ask(ahead));
    return ranges_open(ahead, range.offset, stream);
}

static struct error *find_toc(struct ranges_ahead *ahead, struct layer_range *range)
{
    CLEANUP_STREAM struct stream *stream = NULL;
    uint64_t length = ahead->bytes->length;
    slice footer = SLICE_EMPTY;
    if (length > FOOTER_BYTES) {
        TRY(open_now(ahead, (struct layer_range){length - FOOTER_BYTES, FOOTER_BYTES}, &stream));
        TRY(stream_need(stream, FOOTER_BYTES, &footer));
    }
    if (!parse_footer(footer, &range->offset))
        return error_make(ERROR_INPUT, "it does not end in the footer that eStargz has; it was "
                                       "changed or cut on its way: fetch the image again");
    if (range->offset >= length - FOOTER_BYTES)
        return error_make(ERROR_INPUT,
                          "its footer says that its table of contents lies at byte %llu, which is "
                          "not in the layer: read it whole (--no-lazy)",
                          (unsigned long long)range->offset);
    range->count = length - FOOTER_BYTES - range->offset;
    if (range->count > LIMIT_TOC_BYTES)
        return error_make(ERROR_LIMIT,
                          "its table of contents has %llu bytes, more than the limit of %llu",
                          (unsigned long long)range->count, (unsigned long long)LIMIT_TOC_BYTES);
    return NULL;
}

static struct error *read_file(struct tar *tar, struct buffer *json)
{
    const struct entry *entry;
    TRY(tar_next(tar, &entry));
    if (!entry || entry->kind != ENTRY_FILE || !slice_equal(entry->path, TOC_NAME))
        return error_make(ERROR_INPUT, "where the footer points to, no stargz.index.json is");
    if (entry->size > LIMIT_TOC_BYTES)
        return error_make(ERROR_LIMIT, "it has %llu bytes, more than the limit of %llu",
                          (unsigned long long)entry->size, (unsigned long long)LIMIT_TOC_BYTES);
    if (entry->size) /* at once: growing by doubling would take twice the limit */
        buffer_reserve(json, (size_t)entry->size);
    for (;;) {
        slice piece;
        TRY(tar_read(tar, &piece));
        if (piece.len == 0)
            return NULL;
        buffer_add(json, piece);
    }
}

static struct error *read_tar(struct ranges_ahead *ahead, struct layer_range range,
                              struct buffer *json)
{
    CLEANUP_STREAM struct stream *stream = NULL;
    struct stream *below;
    const char *name;
    struct tar tar;
    TRY(open_now(ahead, range, &below));
    TRY(stream_unpack(&stream, below, &name));
    if (!slice_equal(slice_from_text(name), SLICE("gzip")))
        return error_make(ERROR_INPUT, "where the footer points to, no gzip is");
    tar_start(&tar, stream);
    struct error *error = read_file(&tar, json);
    tar_free(&tar);
    return error;
}

struct error *toc_read_estargz(struct ranges_ahead *ahead, const struct layer_toc *where,
                               struct buffer *json, struct toc *toc)
{
    struct layer_range range = {0};
    TRY(find_toc(ahead, &range));
    TRY(error_wrap(read_tar(ahead, range, json), "its table of contents"));
    *toc = (struct toc){.json = buffer_slice(json), .data_end = range.offset, .in_tar = true};
    return digest_check(toc->json, where->digest, "its table of contents");
}
