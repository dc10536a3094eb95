/*
 * A slice is a pointer and a length: the only string that parsers see.
 *
 * Text from an image, a registry or a feed may hold NUL bytes, may not be UTF-8, and does not end
 * where C expects it to. A slice never owns its bytes: they live as long as the arena, buffer or
 * literal they came from. Parsers are written as a list of pulls off the front of a slice.
 */
#ifndef PLIMSOLL_BASE_SLICE_H
#define PLIMSOLL_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct slice {
    const char *ptr;
    size_t len;
} slice;

/* A slice of a string literal, without its NUL. */
#define SLICE(literal) ((slice){(literal), sizeof(literal) - 1})
#define SLICE_EMPTY ((slice){"", 0})
/* For printf: printf("%.*s", SLICE_ARG(s)). Lengths over INT_MAX are cut. */
#define SLICE_ARG(s) (int)((s).len > INT32_MAX ? INT32_MAX : (s).len), ((s).len ? (s).ptr : "")

static inline slice slice_make(const void *ptr, size_t len)
{
    return (slice){(const char *)ptr, len};
}

static inline slice slice_from_text(const char *text)
{
    return (slice){text, text ? strlen(text) : 0};
}

/* The slice from byte `from` on; empty when there are fewer bytes. */
static inline slice slice_from(slice s, size_t from)
{
    if (s.len == 0)
        return s; /* its pointer may be NULL, to which not even 0 may be added */
    if (from >= s.len)
        return (slice){s.ptr + s.len, 0};
    return (slice){s.ptr + from, s.len - from};
}

/* The first `count` bytes, or all when there are fewer. */
static inline slice slice_first(slice s, size_t count)
{
    return (slice){s.ptr, count < s.len ? count : s.len};
}

static inline bool slice_equal(slice a, slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool slice_starts(slice s, slice prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool slice_ends(slice s, slice suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* Order by bytes, a shorter prefix first: <0, 0, >0. */
int slice_compare(slice a, slice b);

/* Equal without regard to the case of ASCII letters. */
bool slice_equal_nocase(slice a, slice b);

/* Whether it is one of the words, which have a space between them; NULL: there are none. */
bool slice_is_among(slice s, const char *words);

/* Offset of the first (last) `byte`, or SIZE_MAX when there is none. */
size_t slice_find(slice s, char byte);
size_t slice_find_last(slice s, char byte);
bool slice_contains(slice s, slice part);

/* Without the given bytes (or ASCII white space) at both ends. */
slice slice_trim(slice s);

/*
 * Pulls the part before the next `separator` off the front of *rest and steps over the separator.
 * The last part is what is left. Returns false when *rest is used up (ptr is then NULL), so that
 *     while (slice_pull(&rest, '\n', &line)) …
 * sees every part, also an empty last one.
 */
bool slice_pull(slice *rest, char separator, slice *part);

/* The same for lines: "\n" and "\r\n" both end one; no empty line after the last line end. */
bool slice_pull_line(slice *rest, slice *line);

/* Splits at the first `separator`; false (and nothing set) when there is none. */
bool slice_split(slice s, char separator, slice *before, slice *after);

/* What stands after the last '/', and what stands before it (empty when there is none). */
slice slice_basename(slice path);
slice slice_dirname(slice path);

/* Decimal digits only, whole slice, no sign; false on anything else or on overflow. */
bool slice_to_u64(slice s, uint64_t *value);

/* 64-bit hash for tables and path sets (XXH3); the same in every process and on every machine. */
uint64_t slice_hash(slice s);

static inline bool byte_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool byte_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline char byte_lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

static inline bool byte_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

#endif
