/*
 * Small JSON documents into jansson's values, with bounds looked at first and errors in sentences.
 */
#ifndef PLIMSOLL_BASE_JSON_READ_H
#define PLIMSOLL_BASE_JSON_READ_H

#include "base/error.h"
#include <jansson.h>

/* Parses a whole document; the caller owns *value (json_decref). Names `what` in the error. */
MUST_CHECK struct error *json_read(json_t **value, slice text, const char *what);

/* The same with more of jansson's flags for decoding. */
MUST_CHECK struct error *json_read_with(json_t **value, slice text, const char *what, size_t flags);

/* A string's text, which lives as long as the value; empty for what is no string. */
static inline slice json_slice(const json_t *value)
{
    return json_is_string(value) ? slice_make(json_string_value(value), json_string_length(value))
                                 : SLICE_EMPTY;
}

/* The list under a key, made when it is not there; borrowed from the object. */
json_t *json_get_list(json_t *object, const char *key);

/* A member that is a string, into the arena; empty when it is missing or something else. */
slice json_get_slice(const json_t *object, const char *key, struct arena *arena);

/* The same for a file that may hold secrets: the error does not show what stands where it is wrong.
 */
MUST_CHECK struct error *json_read_secret(json_t **value, slice text, const char *what);

static inline void cleanup_json(json_t **value)
{
    json_decref(*value);
}
#define CLEANUP_JSON __attribute__((unused, cleanup(cleanup_json)))

#endif
