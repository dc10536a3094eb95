#include "base/buffer.h"

char *buffer_reserve(struct buffer *buffer, size_t more)
{
    size_t need;
    if (__builtin_add_overflow(buffer->len, more, &need) || need > SIZE_MAX / 2)
        memory_exhausted();
    if (need > buffer->room) {
        size_t room = buffer->room ? buffer->room * 2 : 256;
        buffer->room = room < need ? need : room;
        buffer->bytes = memory_resize(buffer->bytes, buffer->room);
    }
    return buffer->bytes + buffer->len;
}

void buffer_add(struct buffer *buffer, slice s)
{
    if (s.len == 0)
        return;
    memcpy(buffer_reserve(buffer, s.len), s.ptr, s.len);
    buffer->len += s.len;
}

void buffer_add_byte(struct buffer *buffer, char byte)
{
    if (buffer->len == buffer->room)
        buffer_reserve(buffer, 1);
    buffer->bytes[buffer->len++] = byte;
}

void buffer_format(struct buffer *buffer, const char *format, ...)
{
    enum { MOST_ARE_SHORTER = 120 };
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    char *at = buffer_reserve(buffer, MOST_ARE_SHORTER);
    size_t room = buffer->room - buffer->len;
    int length = vsnprintf(at, room, format, args);
    if (length >= 0 && (size_t)length >= room)
        vsnprintf(buffer_reserve(buffer, (size_t)length + 1), (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    if (length < 0)
        memory_exhausted();
    buffer->len += (size_t)length;
}

void buffer_add_percent(struct buffer *buffer, slice s, const char *plain)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (byte_is_alpha(c) || byte_is_digit(c) || (c && strchr(plain, c)))
            buffer_add_byte(buffer, c);
        else
            buffer_format(buffer, "%%%02X", (unsigned char)c);
    }
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct buffer){0};
}

void buffer_add_number(struct buffer *buffer, uint64_t number)
{
    while (number >= 0x80) {
        buffer_add_byte(buffer, (char)(number | 0x80));
        number >>= 7;
    }
    buffer_add_byte(buffer, (char)number);
}

void buffer_add_string(struct buffer *buffer, slice s)
{
    buffer_add_number(buffer, s.len);
    buffer_add(buffer, s);
}

bool slice_pull_number(slice *rest, uint64_t *number)
{
    uint64_t sum = 0;
    for (unsigned shift = 0; rest->len && shift < 64; shift += 7) {
        uint64_t byte = (unsigned char)rest->ptr[0];
        *rest = slice_from(*rest, 1);
        if (shift == 63 && byte > 1)
            return false;
        sum |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *number = sum;
            return true;
        }
    }
    return false;
}

bool slice_pull_bytes(slice *rest, size_t count, slice *bytes)
{
    if (count > rest->len)
        return false;
    *bytes = slice_first(*rest, count);
    *rest = slice_from(*rest, count);
    return true;
}

bool slice_pull_string(slice *rest, slice *string)
{
    uint64_t length;
    return slice_pull_number(rest, &length) && slice_pull_bytes(rest, length, string);
}
