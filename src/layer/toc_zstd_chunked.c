/* zstd:chunked (containers/storage, pkg/chunked): the manifest says where its TOC lies. */
#include "layer/toc.h"
#include "base/digest.h"
#include "base/limits.h"

static struct error *check_position(const struct layer_toc *where, uint64_t length)
{
    if (where->length == 0 || where->offset > length || where->length > length - where->offset)
        return error_make(ERROR_INPUT,
                          "the manifest says that its table of contents lies at bytes %llu to "
                          "%llu, but the layer has %llu: read it whole (--no-lazy)",
                          (unsigned long long)where->offset,
                          (unsigned long long)(where->offset + where->length),
                          (unsigned long long)length);
    if (where->length > LIMIT_TOC_BYTES || where->unpacked > LIMIT_TOC_BYTES)
        return error_make(ERROR_LIMIT,
                          "its table of contents has %llu bytes, %llu unpacked, more than the "
                          "limit of %llu",
                          (unsigned long long)where->length, (unsigned long long)where->unpacked,
                          (unsigned long long)LIMIT_TOC_BYTES);
    return NULL;
}

static struct error *wrong_size(uint64_t expected)
{
    return error_make(ERROR_INPUT, "it does not unpack to the %llu bytes that the manifest names",
                      (unsigned long long)expected);
}

static struct error *read_all(struct stream *stream, uint64_t size, struct buffer *json)
{
    if (size) /* at once: growing by doubling would take twice the limit */
        buffer_reserve(json, (size_t)size);
    for (;;) {
        slice window;
        TRY(stream_some(stream, &window));
        if (window.len > size - json->len || (window.len == 0 && json->len < size))
            return wrong_size(size);
        if (window.len == 0)
            return NULL;
        buffer_add(json, window);
        stream_take(stream, window.len);
    }
}

static struct error *compare(slice found, slice expected)
{
    if (slice_equal(found, expected))
        return NULL;
    return error_make(ERROR_INPUT,
                      "its digest is %.*s, but the manifest names %.*s: it was changed or damaged "
                      "on its way; fetch the image again",
                      SLICE_ARG(found), SLICE_ARG(expected));
}

static struct error *unpack(struct stream *below, const struct layer_toc *where,
                            struct buffer *json)
{
    CLEANUP_STREAM struct stream *stream = NULL;
    CLEANUP_ARENA struct arena arena = {0};
    const char *name;
    stream_hash(below, where->digest, NULL);
    TRY(stream_unpack(&stream, below, &name));
    bool known = slice_equal(slice_from_text(name), SLICE("zstd"));
    struct error *error = known ? read_all(stream, where->unpacked, json)
                                : error_make(ERROR_INPUT, "it is not compressed with zstd");
    /* That it was changed on its way is the cause of all else that is wrong with it. */
    struct error *cut = stream_drain(below);
    struct error *changed = cut ? cut : compare(stream_digest(below, &arena), where->digest);
    if (!changed)
        return error;
    error_free(error);
    return changed;
}

struct error *toc_read_zstd_chunked(struct ranges_ahead *ahead, const struct layer_toc *where,
                                    struct buffer *json, struct toc *toc)
{
    struct stream *below;
    TRY(check_position(where, ahead->bytes->length));
    TRY(ranges_want(ahead, (struct layer_range){where->offset, where->length}));
    TRY(ranges_ask(ahead));
    TRY(ranges_open(ahead, where->offset, &below));
    TRY(error_wrap(unpack(below, where, json), "its table of contents"));
    *toc = (struct toc){.json = buffer_slice(json), .data_end = where->offset};
    return NULL;
}
