/*
 * Writes JSON (RFC 8259) into a buffer: valid UTF-8 whatever comes in. Bytes that are not UTF-8
 * become U+FFFD; control characters are escaped.
 */
#ifndef PLIMSOLL_BASE_JSON_WRITE_H
#define PLIMSOLL_BASE_JSON_WRITE_H

#include "base/buffer.h"

struct json_writer {
    struct buffer *out;
    unsigned depth;
    bool first; /* nothing written yet at this depth */
    bool after_key;
    bool compact; /* no line breaks and no indentation */
};

void json_begin_object(struct json_writer *json);
void json_end_object(struct json_writer *json);
void json_begin_array(struct json_writer *json);
void json_end_array(struct json_writer *json);
void json_put_key(struct json_writer *json, const char *key);
void json_put_string(struct json_writer *json, slice s);
void json_put_number(struct json_writer *json, int64_t number);
/* With at most `decimals` digits behind the point, no trailing zeros; null for what is no number.
 */
void json_put_decimal(struct json_writer *json, double number, int decimals);
void json_put_bool(struct json_writer *json, bool value);
void json_put_null(struct json_writer *json);
/* The string, or null when it is empty. */
void json_put_string_or_null(struct json_writer *json, slice s);

/* key and value in one */
void json_field(struct json_writer *json, const char *key, slice value);
void json_field_or_null(struct json_writer *json, const char *key, slice value);
void json_field_number(struct json_writer *json, const char *key, int64_t number);
void json_field_bool(struct json_writer *json, const char *key, bool value);
void json_field_strings(struct json_writer *json, const char *key, const slice *values,
                        size_t count);

#endif
