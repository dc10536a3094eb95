#include "base/text.h"

size_t utf8_length(slice s)
{
    if (s.len == 0)
        return 0;
    const unsigned char *p = (const unsigned char *)s.ptr;
    unsigned char low = 0x80, high = 0xbf;
    size_t length;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] <= 0xdf) {
        length = 2;
    } else if (p[0] >= 0xe0 && p[0] <= 0xef) {
        length = 3;
        low = p[0] == 0xe0 ? 0xa0 : 0x80;
        high = p[0] == 0xed ? 0x9f : 0xbf; /* no surrogates */
    } else if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        length = 4;
        low = p[0] == 0xf0 ? 0x90 : 0x80;
        high = p[0] == 0xf4 ? 0x8f : 0xbf;
    } else {
        return 0;
    }
    if (s.len < length || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return length;
}

uint32_t utf8_decode(slice s, size_t length)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    if (length == 1)
        return p[0];
    uint32_t code = p[0] & (0x7f >> length);
    for (size_t i = 1; i < length; i++)
        code = code << 6 | (p[i] & 0x3f);
    return code;
}

struct code_range {
    uint32_t first, last;
};

static bool in_ranges(uint32_t code, const struct code_range *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Control characters, and those format characters that change how their neighbours are shown. */
static const struct code_range unsafe_codes[] = {
    {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
    {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
    {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
};

/* East Asian wide and emoji blocks: near enough to line up a table. */
static const struct code_range wide_codes[] = {
    {0x1100, 0x115f}, {0x2e80, 0x303e}, {0x3041, 0xa4cf}, {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f}, {0xff00, 0xff60}, {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd},
};

static const struct code_range combining_codes[] = {
    {0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f},
};

#define IN(code, table) in_ranges((code), (table), sizeof(table) / sizeof((table)[0]))

bool text_is_unsafe(uint32_t code)
{
    return IN(code, unsafe_codes);
}

size_t text_plain_run(slice s, const char *stop)
{
    size_t count = 0;
    for (; count < s.len; count++) {
        char byte = s.ptr[count];
        if (byte < 0x20 || byte > 0x7e)
            break;
        const char *at = stop;
        while (*at && *at != byte)
            at++;
        if (*at)
            break;
    }
    return count;
}

void text_add_safe(struct buffer *out, slice s)
{
    while (s.len) {
        size_t plain = text_plain_run(s, "");
        buffer_add(out, slice_first(s, plain));
        s = slice_from(s, plain);
        if (s.len == 0)
            break;
        size_t length = utf8_length(s);
        if (length == 0) {
            buffer_format(out, "\\x%02x", (unsigned char)s.ptr[0]);
            length = 1;
        } else {
            uint32_t code = utf8_decode(s, length);
            if (!text_is_unsafe(code))
                buffer_add(out, slice_first(s, length));
            else
                buffer_format(out, code < 0x100 ? "\\x%02x" : "\\u%04x", code);
        }
        s = slice_from(s, length);
    }
}

slice text_safe(struct arena *arena, slice s)
{
    CLEANUP_BUFFER struct buffer safe = {0};
    text_add_safe(&safe, s);
    return arena_copy(arena, buffer_slice(&safe));
}

static size_t character_width(slice s, size_t length)
{
    uint32_t code = utf8_decode(s, length);
    if (IN(code, combining_codes))
        return 0;
    return code >= 0x1100 && IN(code, wide_codes) ? 2 : 1;
}

size_t text_width(slice s)
{
    size_t width = 0;
    while (s.len) {
        size_t length = utf8_length(s);
        width += length ? character_width(s, length) : 1;
        s = slice_from(s, length ? length : 1);
    }
    return width;
}

size_t text_add_cut(struct buffer *out, slice s, size_t width)
{
    size_t whole = text_width(s);
    if (whole <= width) {
        buffer_add(out, s);
        return whole;
    }
    if (width == 0)
        return 0;
    size_t used = 0;
    while (s.len) {
        size_t length = utf8_length(s);
        size_t wide = length ? character_width(s, length) : 1;
        if (used + wide > width - 1)
            break;
        buffer_add(out, slice_first(s, length ? length : 1));
        used += wide;
        s = slice_from(s, length ? length : 1);
    }
    buffer_text(out, "…");
    return used + 1;
}

slice text_size(struct arena *arena, uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t unit = 0;
    double amount = (double)bytes;
    while (amount >= 1024 && unit < sizeof(units) / sizeof(units[0]) - 1) {
        amount /= 1024;
        unit++;
    }
    return arena_format(arena, unit && amount < 10 ? "%.1f %s" : "%.0f %s", amount, units[unit]);
}

void text_add_utf8(struct buffer *out, slice s)
{
    for (size_t at = 0, length; at < s.len; at += length) {
        slice rest = slice_from(s, at);
        unsigned char byte = (unsigned char)s.ptr[at];
        length = utf8_length(rest);
        if (length == 0 || (byte < 0x20 && byte != '\n' && byte != '\t'))
            buffer_text(out, "\xEF\xBF\xBD");
        else
            buffer_add(out, slice_first(rest, length));
        length = length ? length : 1;
    }
}
