/* Protocol Buffers, message in message. */
#undef NDEBUG
#include "source/protobuf.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(slice message, unsigned depth)
{
    struct protobuf_field field;
    slice rest = message;
    for (size_t left = rest.len; protobuf_pull(&rest, &field); left = rest.len) {
        assert(rest.len < left && rest.ptr + rest.len == message.ptr + message.len);
        assert(field.bytes.len <= left);
        if (depth && field.bytes.len)
            walk(field.bytes, depth - 1);
    }
    for (uint64_t number = 0; number < 6; number++)
        assert(protobuf_find(message, number).len <= message.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BUFFER struct buffer message = {0};
    slice input = slice_make(data, size);
    walk(input, 4);
    protobuf_add(&message, 15, SLICE("x"));
    protobuf_add(&message, 5, input);
    assert(slice_equal(protobuf_find(buffer_slice(&message), 5), input) || input.len == 0);
    return 0;
}
