#include "source/protobuf.h"

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static bool pull_varint(slice *rest, uint64_t *value)
{
    *value = 0;
    for (unsigned shift = 0; shift < 64 && rest->len; shift += 7) {
        unsigned char byte = (unsigned char)rest->ptr[0];
        *rest = slice_from(*rest, 1);
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static bool pull_count(slice *rest, uint64_t count, slice *bytes)
{
    if (count > rest->len)
        return false;
    *bytes = slice_first(*rest, (size_t)count);
    *rest = slice_from(*rest, (size_t)count);
    return true;
}

static bool pull_field(slice *rest, struct protobuf_field *field)
{
    uint64_t tag, count;
    slice skipped;
    *field = (struct protobuf_field){.bytes = SLICE_EMPTY};
    if (!pull_varint(rest, &tag))
        return false;
    field->number = tag >> 3;
    switch (tag & 7) {
    case WIRE_VARINT:
        return pull_varint(rest, &field->value);
    case WIRE_64:
        return pull_count(rest, 8, &skipped);
    case WIRE_32:
        return pull_count(rest, 4, &skipped);
    case WIRE_BYTES:
        return pull_varint(rest, &count) && pull_count(rest, count, &field->bytes);
    default:
        return false;
    }
}

bool protobuf_pull(slice *rest, struct protobuf_field *field)
{
    slice before = *rest;
    if (pull_field(rest, field))
        return true;
    *rest = before;
    return false;
}

slice protobuf_find(slice message, uint64_t number)
{
    struct protobuf_field field;
    while (protobuf_pull(&message, &field))
        if (field.number == number && field.bytes.len)
            return field.bytes;
    return SLICE_EMPTY;
}

static void add_varint(struct buffer *message, uint64_t value)
{
    for (; value > 0x7f; value >>= 7)
        buffer_add_byte(message, (char)(unsigned char)((value & 0x7f) | 0x80));
    buffer_add_byte(message, (char)value);
}

void protobuf_add(struct buffer *message, unsigned number, slice text)
{
    add_varint(message, (uint64_t)number << 3 | WIRE_BYTES);
    add_varint(message, text.len);
    buffer_add(message, text);
}
