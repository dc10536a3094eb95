#include "base/json_read.h"
#include "base/json_scan.h"
#include "base/limits.h"

struct error *json_read(json_t **value, slice text, const char *what)
{
    return json_read_with(value, text, what, 0);
}

struct error *json_read_with(json_t **value, slice text, const char *what, size_t flags)
{
    json_error_t failure;
    *value = NULL;
    if (!json_depth_within(text, LIMIT_JSON_DEPTH))
        return error_make(ERROR_LIMIT, "%s is nested deeper than the limit of %d", what,
                          LIMIT_JSON_DEPTH);
    if (slice_starts(text, SLICE("\xef\xbb\xbf")))
        text = slice_from(text, 3);
    /* jansson passes over a NUL behind a number. */
    if (slice_find(text, '\0') != SIZE_MAX)
        return error_make(ERROR_INPUT, "%s is not valid JSON: it holds a NUL byte", what);
    *value = json_loadb(text.len ? text.ptr : "", text.len,
                        JSON_DECODE_ANY | JSON_ALLOW_NUL | flags, &failure);
    if (!*value)
        return error_make(ERROR_INPUT, "%s is not valid JSON: %s at line %d, byte %d", what,
                          failure.text, failure.line, failure.position);
    return NULL;
}

struct error *json_read_secret(json_t **value, slice text, const char *what)
{
    /* jansson's words quote up to 20 bytes of it: a short password whole. */
    CLEANUP_ERROR struct error *error = json_read(value, text, what);
    if (!error)
        return NULL;
    return error_make(error->kind, "%s is not valid JSON", what);
}

slice json_get_slice(const json_t *object, const char *key, struct arena *arena)
{
    return arena_copy(arena, json_slice(json_object_get(object, key)));
}

json_t *json_get_list(json_t *object, const char *key)
{
    json_t *list = json_object_get(object, key);
    if (list)
        return list;
    list = json_array();
    json_object_set_new(object, key, list);
    return list;
}
