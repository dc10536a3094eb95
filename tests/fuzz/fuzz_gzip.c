/*
 * The unpacking stream. What it gives must not depend on how much is taken at once, and an input
 * cut short must never give more than the whole one, nor anything else.
 */
#undef NDEBUG
#include "archive/stream.h"
#include "base/buffer.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Enough to see everything; a small input must not keep the fuzzer busy for minutes. */
#define BYTES_MAX (16u << 20)

/* Whether all of it was unpacked without an error. */
static bool unpack(slice bytes, bool stepwise, struct buffer *out, const char **name)
{
    struct stream *stream = stream_from_memory(bytes);
    CLEANUP_ERROR struct error *error = stream_unpack(&stream, stream, name);
    slice window;
    while (!error && out->len < BYTES_MAX) {
        error = stepwise ? stream_need(stream, 3000, &window) : stream_some(stream, &window);
        if (error || window.len == 0)
            break;
        buffer_add(out, window);
        stream_take(stream, window.len);
    }
    if (error)
        assert(error->message[0] && error->kind != ERROR_USAGE);
    stream_close(stream);
    return error == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BUFFER struct buffer all = {0};
    CLEANUP_BUFFER struct buffer stepwise = {0};
    CLEANUP_BUFFER struct buffer cut = {0};
    const char *name, *other;
    slice input = slice_make(data, size);
    bool whole = unpack(input, false, &all, &name);
    bool whole_stepwise = unpack(input, true, &stepwise, &other);
    assert(strcmp(name, other) == 0);
    if (all.len >= BYTES_MAX || stepwise.len >= BYTES_MAX)
        return 0;
    assert(whole == whole_stepwise);
    if (whole)
        assert(slice_equal(buffer_slice(&all), buffer_slice(&stepwise)));
    if (strcmp(name, "none") == 0)
        assert(whole && slice_equal(buffer_slice(&all), input));
    if (whole && size) {
        unpack(slice_first(input, size - 1), false, &cut, &other);
        if (strcmp(name, other) == 0)
            assert(slice_starts(buffer_slice(&all), buffer_slice(&cut)));
    }
    return 0;
}
