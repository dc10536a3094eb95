/* Protocol Buffers: fields come one after the other, none longer than the message. */
#undef NDEBUG
#include "source/protobuf.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(slice message, unsigned depth)
{
    struct protobuf_field field;
    size_t before = message.len;
    while (protobuf_pull(&message, &field)) {
        assert(message.len < before && field.bytes.len <= before);
        before = message.len;
        if (field.bytes.len && depth < 8)
            walk(field.bytes, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BUFFER struct buffer out = {0};
    slice input = slice_make(data, size);
    walk(input, 0);
    protobuf_find(protobuf_find(input, 1), 3);
    protobuf_add(&out, 7, input);
    if (size)
        assert(slice_equal(protobuf_find(buffer_slice(&out), 7), input));
    return 0;
}
