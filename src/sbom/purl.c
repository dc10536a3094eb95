#include "sbom/purl.h"

static int digit_of(char byte)
{
    return byte_is_digit(byte)                        ? byte - '0'
           : (byte | 32) >= 'a' && (byte | 32) <= 'f' ? (byte | 32) - 'a' + 10
                                                      : -1;
}

static slice decoded(slice text, struct arena *arena)
{
    if (slice_find(text, '%') == SIZE_MAX)
        return text;
    char *bytes = arena_alloc(arena, text.len);
    size_t len = 0;
    for (size_t at = 0; at < text.len; at++) {
        int high = text.ptr[at] == '%' && at + 2 < text.len ? digit_of(text.ptr[at + 1]) : -1;
        int low = high >= 0 ? digit_of(text.ptr[at + 2]) : -1;
        bytes[len++] = low >= 0 ? (char)(high * 16 + low) : text.ptr[at];
        at += low >= 0 ? 2 : 0;
    }
    return slice_make(bytes, len);
}

static slice lowered(slice text, struct arena *arena)
{
    char *bytes = arena_text(arena, text);
    for (size_t i = 0; i < text.len; i++)
        bytes[i] = byte_lower(bytes[i]);
    return slice_make(bytes, text.len);
}

bool purl_parse(struct purl *purl, slice text, struct arena *arena)
{
    slice rest;
    *purl = (struct purl){0};
    text = slice_trim(text);
    if (!slice_starts(text, SLICE("pkg:")))
        return false;
    text = slice_from(text, 4);
    while (text.len && *text.ptr == '/')
        text = slice_from(text, 1);
    slice_split(text, '#', &text, &rest);
    slice_split(text, '?', &text, &purl->qualifiers);
    if (!slice_split(text, '/', &purl->type, &text) || purl->type.len == 0)
        return false;
    purl->type = lowered(purl->type, arena);
    size_t at = slice_find_last(text, '@'), slash = slice_find_last(text, '/');
    /* The "@" of npm's scopes stands before the last "/", where it was not encoded. */
    if (at != SIZE_MAX && at > 0 && (slash == SIZE_MAX || at > slash)) {
        purl->version = decoded(slice_from(text, at + 1), arena);
        text = slice_first(text, at);
    }
    while (text.len && text.ptr[text.len - 1] == '/')
        text.len--;
    purl->name = decoded(slice_basename(text), arena);
    purl->space = decoded(slice_dirname(text), arena);
    return purl->name.len > 0;
}

slice purl_qualifier(const struct purl *purl, const char *key, struct arena *arena)
{
    slice rest = purl->qualifiers, part, name, value;
    while (rest.len && slice_pull(&rest, '&', &part))
        if (slice_split(part, '=', &name, &value) && slice_equal_nocase(name, slice_from_text(key)))
            return decoded(value, arena);
    return SLICE_EMPTY;
}
