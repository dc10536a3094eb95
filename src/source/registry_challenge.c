#include "source/registry_challenge.h"

/* One `key="value"` or `key=value` off the front; a backslash in quotes takes the next byte as it
 * is (RFC 9110, quoted-string). */
static bool pull_parameter(slice *rest, slice *key, slice *value, struct arena *arena)
{
    while (rest->len && (rest->ptr[0] == ',' || byte_is_space(rest->ptr[0])))
        *rest = slice_from(*rest, 1);
    if (!slice_split(*rest, '=', key, rest))
        return false;
    *key = slice_trim(*key);
    if (rest->len == 0 || rest->ptr[0] != '"') {
        size_t end = slice_find(*rest, ',');
        *value = slice_trim(slice_first(*rest, end));
        *rest = slice_from(*rest, end);
        return true;
    }
    char *text = arena_alloc(arena, rest->len);
    size_t length = 0, at = 1;
    for (; at < rest->len && rest->ptr[at] != '"'; at++) {
        if (rest->ptr[at] == '\\' && at + 1 < rest->len)
            at++;
        text[length++] = rest->ptr[at];
    }
    *value = slice_make(text, length);
    *rest = slice_from(*rest, at + 1 < rest->len ? at + 1 : rest->len);
    return true;
}

struct registry_challenge registry_challenge_read(slice text, struct arena *arena)
{
    struct registry_challenge challenge = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    slice key, value;
    challenge.scheme = slice_first(text, slice_find(text, ' '));
    text = slice_from(text, challenge.scheme.len);
    while (pull_parameter(&text, &key, &value, arena)) {
        if (slice_equal_nocase(key, SLICE("realm")))
            challenge.realm = value;
        else if (slice_equal_nocase(key, SLICE("service")))
            challenge.service = value;
        else if (slice_equal_nocase(key, SLICE("scope")))
            challenge.scope = value;
    }
    return challenge;
}
