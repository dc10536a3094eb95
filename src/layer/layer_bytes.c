#include "layer/layer_bytes.h"
#include "base/file.h"

#include <errno.h>

/* What is asked for comes from a table of contents: the layer's end is the last word on it. */
static struct error *check_range(const struct layer_bytes *bytes, struct layer_range range)
{
    if (range.count && range.offset <= bytes->length && range.count <= bytes->length - range.offset)
        return NULL;
    return error_make(ERROR_INPUT,
                      "%llu bytes at %llu were to be read, but the layer has %llu bytes",
                      (unsigned long long)range.count, (unsigned long long)range.offset,
                      (unsigned long long)bytes->length);
}

struct error *layer_bytes_ask(struct layer_bytes *bytes, struct layer_range range)
{
    TRY(check_range(bytes, range));
    if (bytes->requests < 0)
        return NULL;
    return error_wrap(file_write_all(bytes->requests, slice_make(&range, sizeof(range))),
                      "cannot ask for bytes of the layer");
}

static struct error *read_file(struct layer_bytes *bytes, const struct layer_range *range,
                               void *into, size_t room, size_t *got)
{
    if (bytes->offset > INT64_MAX || range->offset > INT64_MAX - bytes->offset)
        return error_make(ERROR_INPUT, "the layer lies beyond the end of any file");
    return file_read_at(bytes->fd, into, room, bytes->offset + range->offset, got);
}

static struct error *read_answer(struct layer_bytes *bytes, void *into, size_t room, size_t *got)
{
    for (;;) {
        ssize_t count = read(bytes->fd, into, room);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_errno("cannot read the layer");
        *got = (size_t)count;
        return NULL;
    }
}

struct error *layer_bytes_read(struct layer_bytes *bytes, struct layer_range *range, void *into,
                               size_t room, size_t *got)
{
    TRY(check_range(bytes, *range));
    if (room > range->count)
        room = (size_t)range->count;
    if (bytes->requests < 0)
        TRY(read_file(bytes, range, into, room, got));
    else
        TRY(read_answer(bytes, into, room, got));
    if (*got == 0)
        return error_make(ERROR_INPUT,
                          "it ends at byte %llu, before its own end; it was cut on its way: fetch "
                          "the image again",
                          (unsigned long long)range->offset);
    range->offset += *got;
    range->count -= *got;
    bytes->bytes_in += *got;
    return NULL;
}

struct error *layer_bytes_pass(struct layer_bytes *bytes, struct layer_range *range, uint64_t count)
{
    char unwanted[4096];
    if (bytes->requests < 0) {
        range->offset += count;
        range->count -= count;
        return NULL;
    }
    while (count) {
        size_t got;
        TRY(layer_bytes_read(bytes, range, unwanted,
                             count < sizeof(unwanted) ? (size_t)count : sizeof(unwanted), &got));
        count -= got;
    }
    return NULL;
}
