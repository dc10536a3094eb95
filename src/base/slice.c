#include "base/slice.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

int slice_compare(slice a, slice b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool slice_equal_nocase(slice a, slice b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (byte_lower(a.ptr[i]) != byte_lower(b.ptr[i]))
            return false;
    return true;
}

size_t slice_find(slice s, char byte)
{
    const char *at = s.len ? memchr(s.ptr, byte, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

size_t slice_find_last(slice s, char byte)
{
    const char *at = s.len ? memrchr(s.ptr, byte, s.len) : NULL;
    return at ? (size_t)(at - s.ptr) : SIZE_MAX;
}

bool slice_contains(slice s, slice part)
{
    return part.len == 0 || (s.len >= part.len && memmem(s.ptr, s.len, part.ptr, part.len));
}

slice slice_trim(slice s)
{
    while (s.len && byte_is_space(s.ptr[0]))
        s = slice_from(s, 1);
    while (s.len && byte_is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool slice_pull(slice *rest, char separator, slice *part)
{
    if (rest->ptr == NULL)
        return false;
    size_t at = slice_find(*rest, separator);
    if (at == SIZE_MAX) {
        *part = *rest;
        *rest = (slice){NULL, 0};
    } else {
        *part = slice_first(*rest, at);
        *rest = slice_from(*rest, at + 1);
    }
    return true;
}

bool slice_pull_line(slice *rest, slice *line)
{
    if (rest->len == 0)
        return false;
    if (!slice_pull(rest, '\n', line))
        return false;
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

bool slice_split(slice s, char separator, slice *before, slice *after)
{
    size_t at = slice_find(s, separator);
    if (at == SIZE_MAX)
        return false;
    *before = slice_first(s, at);
    *after = slice_from(s, at + 1);
    return true;
}

slice slice_basename(slice path)
{
    size_t at = slice_find_last(path, '/');
    return at == SIZE_MAX ? path : slice_from(path, at + 1);
}

slice slice_dirname(slice path)
{
    size_t at = slice_find_last(path, '/');
    return at == SIZE_MAX ? slice_first(path, 0) : slice_first(path, at);
}

bool slice_to_u64(slice s, uint64_t *value)
{
    uint64_t sum = 0;
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (!byte_is_digit(s.ptr[i]) || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(s.ptr[i] - '0'), &sum))
            return false;
    }
    *value = sum;
    return true;
}

uint64_t slice_hash(slice s)
{
    return XXH3_64bits(s.len ? s.ptr : "", s.len);
}

bool slice_is_among(slice s, const char *words)
{
    slice rest = slice_from_text(words), word;
    while (rest.len && slice_pull(&rest, ' ', &word))
        if (slice_equal(s, word))
            return true;
    return false;
}
