#include "base/glob.h"
#include "base/limits.h"

/* What is matched next when a pattern is used up: the rest behind a brace. */
struct after {
    slice pattern;
    const struct after *next;
};

struct matching {
    size_t steps;
    unsigned depth;
};

/* Where in the pattern: the byte before tells whether "**" is a part of its own. */
struct place {
    slice pattern;
    char before;
    const struct after *after;
};

enum { DEPTH = 64 };

static bool match(struct matching *at, struct place place, slice text);

/* The length of "[…]" at the front, 0 when it is not closed. "]" as the first byte is one of it. */
static size_t class_length(slice pattern)
{
    size_t at = 1;
    if (at < pattern.len && (pattern.ptr[at] == '!' || pattern.ptr[at] == '^'))
        at++;
    if (at < pattern.len && pattern.ptr[at] == ']')
        at++;
    while (at < pattern.len && pattern.ptr[at] != ']')
        at += pattern.ptr[at] == '\\' ? 2 : 1;
    return at < pattern.len ? at + 1 : 0;
}

/* `members` is what stands between the brackets, without the "!". */
static bool class_has(slice members, char byte)
{
    unsigned char wanted = (unsigned char)byte;
    for (size_t i = 0; i < members.len; i++) {
        if (members.ptr[i] == '\\' && i + 1 < members.len)
            i++;
        unsigned char low = (unsigned char)members.ptr[i], high = low;
        if (i + 2 < members.len && members.ptr[i + 1] == '-') {
            high = (unsigned char)members.ptr[i + 2];
            i += 2;
        }
        if (wanted >= low && wanted <= high)
            return true;
    }
    return false;
}

static bool match_class(slice class, char byte)
{
    slice members = slice_make(class.ptr + 1, class.len - 2);
    bool negated = members.len && (members.ptr[0] == '!' || members.ptr[0] == '^');
    return byte != '/' && class_has(slice_from(members, negated), byte) != negated;
}

/* Where the brace at the front closes, or the first comma of it lies; 0 when it is not closed. */
static size_t brace_part(slice pattern, size_t from, char *end)
{
    unsigned depth = 0;
    for (size_t at = from; at < pattern.len; at++) {
        char byte = pattern.ptr[at];
        if (byte == '\\')
            at++;
        else if (byte == '{')
            depth++;
        else if (byte == '[' && class_length(slice_from(pattern, at)))
            at += class_length(slice_from(pattern, at)) - 1;
        else if (depth == 0 && (byte == ',' || byte == '}')) {
            *end = byte;
            return at;
        } else if (byte == '}')
            depth--;
    }
    return 0;
}

static bool match_brace(struct matching *at, struct place place, slice text)
{
    char end = ',';
    size_t from = 1;
    while (end == ',') { /* where it ends, first: what stands behind it follows every choice */
        size_t comma = brace_part(place.pattern, from, &end);
        if (!comma)
            return false;
        from = comma + 1;
    }
    struct after rest = {slice_from(place.pattern, from), place.after};
    for (end = ',', from = 1; end == ',';) {
        size_t comma = brace_part(place.pattern, from, &end);
        slice choice = slice_first(slice_from(place.pattern, from), comma - from);
        if (match(at, (struct place){choice, place.before, &rest}, text))
            return true;
        from = comma + 1;
    }
    return false;
}

static bool ends_part(slice rest, const struct after *after)
{
    for (; rest.len == 0 && after; after = after->next)
        rest = after->pattern;
    return rest.len == 0 || rest.ptr[0] == '/';
}

/* "**" goes over slashes where it is a part of its own, and then also stands for no part at all. */
static bool match_stars(struct matching *at, struct place place, slice text)
{
    slice rest = place.pattern;
    while (rest.len && rest.ptr[0] == '*')
        rest = slice_from(rest, 1);
    bool over_slashes = place.pattern.len > 1 && place.pattern.ptr[1] == '*' &&
                        place.before == '/' && ends_part(rest, place.after);
    if (over_slashes && rest.len && rest.ptr[0] == '/' &&
        match(at, (struct place){slice_from(rest, 1), '/', place.after}, text))
        return true;
    for (size_t i = 0;; i++) {
        if (match(at, (struct place){rest, '*', place.after}, slice_from(text, i)))
            return true;
        if (i == text.len || (!over_slashes && text.ptr[i] == '/'))
            return false;
    }
}

/* One byte of the text for one item of the pattern, whose length is handed back; 0: no match. */
static size_t match_item(slice pattern, char byte)
{
    switch (pattern.ptr[0]) {
    case '?':
        return byte != '/';
    case '[': {
        size_t length = class_length(pattern);
        return length && match_class(slice_first(pattern, length), byte) ? length : 0;
    }
    case '\\':
        return pattern.len > 1 && pattern.ptr[1] == byte ? 2 : 0;
    default:
        return pattern.ptr[0] == byte;
    }
}

static bool match_here(struct matching *at, struct place place, slice text)
{
    for (;;) {
        if (at->steps++ > LIMIT_GLOB_STEPS)
            return false;
        if (place.pattern.len == 0) {
            if (!place.after)
                return text.len == 0;
            place.pattern = place.after->pattern;
            place.after = place.after->next;
            continue;
        }
        if (place.pattern.ptr[0] == '*')
            return match_stars(at, place, text);
        if (place.pattern.ptr[0] == '{')
            return match_brace(at, place, text);
        size_t used = text.len ? match_item(place.pattern, text.ptr[0]) : 0;
        if (!used)
            return false;
        place.before = place.pattern.ptr[used - 1];
        place.pattern = slice_from(place.pattern, used);
        text = slice_from(text, 1);
    }
}

static bool match(struct matching *at, struct place place, slice text)
{
    if (at->depth >= DEPTH)
        return false;
    at->depth++;
    bool matches = match_here(at, place, text);
    at->depth--;
    return matches;
}

bool glob_match(slice pattern, slice text)
{
    struct matching at = {0};
    return match(&at, (struct place){pattern, '/', NULL}, text);
}

bool glob_valid(slice pattern)
{
    unsigned braces = 0;
    for (size_t at = 0; at < pattern.len; at++) {
        char byte = pattern.ptr[at];
        size_t length = byte == '[' ? class_length(slice_from(pattern, at)) : 1;
        if (length == 0 || (byte == '\\' && at + 1 == pattern.len) || (byte == '}' && !braces))
            return false;
        braces += byte == '{';
        braces -= byte == '}';
        at += byte == '\\' ? 1 : length - 1;
    }
    return braces == 0;
}
