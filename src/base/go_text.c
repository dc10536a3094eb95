#include "base/go_text.h"
#include "base/text.h"

uint32_t go_pull_rune(slice *text)
{
    size_t length = utf8_length(*text);
    uint32_t rune = length ? utf8_decode(*text, length) : GO_REPLACEMENT;
    *text = slice_from(*text, length ? length : 1);
    return rune;
}

uint32_t go_first_rune(slice text)
{
    return go_pull_rune(&text);
}

/* Unicode's White_Space. */
static bool is_space(uint32_t rune)
{
    return rune == ' ' || (rune >= '\t' && rune <= '\r') || rune == 0x85 || rune == 0xa0 ||
           rune == 0x1680 || (rune >= 0x2000 && rune <= 0x200a) || rune == 0x2028 ||
           rune == 0x2029 || rune == 0x202f || rune == 0x205f || rune == 0x3000;
}

/* Bytes of the white space at the end, which takes at most three; 0 when there is none. */
static size_t space_at_end(slice text)
{
    for (size_t length = 1; length <= 3 && length <= text.len; length++) {
        slice last = slice_from(text, text.len - length);
        if (utf8_length(last) == length)
            return is_space(utf8_decode(last, length)) ? length : 0;
    }
    return 0;
}

slice go_trim_space(slice text)
{
    slice rest = text;
    size_t space;
    while (rest.len && is_space(go_pull_rune(&rest)))
        text = rest;
    while ((space = space_at_end(text)) > 0)
        text.len -= space;
    return text;
}

slice go_clean_path(slice path, struct arena *arena)
{
    bool rooted = slice_starts(path, SLICE("/"));
    char *clean = arena_alloc(arena, path.len + 1);
    size_t used = 0, floor = rooted; /* where ".." does not go further up */
    slice part;
    if (rooted)
        clean[used++] = '/';
    while (slice_pull(&path, '/', &part)) {
        bool up = slice_equal(part, SLICE(".."));
        if (part.len == 0 || slice_equal(part, SLICE(".")))
            continue;
        if (up && used > floor) {
            do
                used--;
            while (used > floor && clean[used] != '/');
        } else if (!up || !rooted) {
            if (used > rooted)
                clean[used++] = '/';
            memcpy(clean + used, part.ptr, part.len);
            used += part.len;
            if (up)
                floor = used;
        }
    }
    return used ? slice_make(clean, used) : SLICE(".");
}

/* Pulls the stars off the front, and what stands before the next one. */
static void pull_chunk(slice *pattern, bool *star, slice *chunk)
{
    bool in_class = false;
    size_t at = 0;
    for (*star = false; slice_starts(*pattern, SLICE("*")); *star = true)
        *pattern = slice_from(*pattern, 1);
    for (; at < pattern->len && (in_class || pattern->ptr[at] != '*'); at++) {
        char byte = pattern->ptr[at];
        if (byte == '\\' && at + 1 < pattern->len)
            at++;
        else if (byte == '[' || byte == ']')
            in_class = byte == '[';
    }
    *chunk = slice_first(*pattern, at);
    *pattern = slice_from(*pattern, at);
}

/* One end of a range in a class; false when there is none, or nothing after it. */
static bool pull_class_end(slice *chunk, uint32_t *rune)
{
    if (slice_starts(*chunk, SLICE("-")) || slice_starts(*chunk, SLICE("]")))
        return false;
    if (slice_starts(*chunk, SLICE("\\")))
        *chunk = slice_from(*chunk, 1);
    if (chunk->len == 0 || utf8_length(*chunk) == 0)
        return false;
    *rune = go_pull_rune(chunk);
    return chunk->len > 0;
}

/* The class whose "[" is pulled already, and whether "." is in it; false when it is malformed. */
static bool pull_class(slice *chunk, bool *has_dot)
{
    bool negated = slice_starts(*chunk, SLICE("^")), inside = false;
    *chunk = slice_from(*chunk, negated);
    for (size_t ranges = 0; ranges == 0 || !slice_starts(*chunk, SLICE("]")); ranges++) {
        uint32_t low, high;
        if (!pull_class_end(chunk, &low))
            return false;
        high = low;
        if (slice_starts(*chunk, SLICE("-"))) {
            *chunk = slice_from(*chunk, 1);
            if (!pull_class_end(chunk, &high))
                return false;
        }
        inside |= low <= '.' && '.' <= high;
    }
    *chunk = slice_from(*chunk, 1);
    *has_dot = inside != negated;
    return true;
}

/* Whether a chunk matches "." (*dot) or nothing, and whether the dot is left; false: malformed. */
static bool try_chunk(slice chunk, bool *dot, bool *matches)
{
    *matches = true;
    while (chunk.len) {
        bool same = true;
        if (slice_starts(chunk, SLICE("["))) {
            chunk = slice_from(chunk, 1);
            if (!pull_class(&chunk, &same))
                return false;
        } else {
            bool any = slice_starts(chunk, SLICE("?"));
            chunk = slice_from(chunk, slice_starts(chunk, SLICE("\\")));
            if (chunk.len == 0)
                return false;
            same = any || chunk.ptr[0] == '.';
            chunk = slice_from(chunk, 1);
        }
        *matches = *matches && *dot && same;
        *dot = false;
    }
    return true;
}

bool go_pattern_is_bad(slice pattern)
{
    bool left = true; /* the "." is not matched yet */
    while (pattern.len) {
        bool star, matches, dot = left;
        slice chunk;
        pull_chunk(&pattern, &star, &chunk);
        if (star && chunk.len == 0)
            return false;
        if (!try_chunk(chunk, &dot, &matches))
            return true;
        if (!matches || (dot && pattern.len == 0)) {
            if (!star || !left)
                return false;
            dot = false; /* the star takes it */
            if (!try_chunk(chunk, &dot, &matches))
                return true;
            if (!matches)
                return false;
        }
        left = dot;
    }
    return false;
}
