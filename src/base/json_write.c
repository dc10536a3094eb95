#include "base/json_write.h"
#include "base/text.h"

#include <math.h>

static void begin_value(struct json_writer *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->depth == 0)
        return;
    if (!json->first)
        buffer_add_byte(json->out, ',');
    json->first = false;
    if (!json->compact) {
        buffer_add_byte(json->out, '\n');
        for (unsigned i = 0; i < json->depth; i++)
            buffer_text(json->out, "  ");
    }
}

static void begin_group(struct json_writer *json, char bracket)
{
    begin_value(json);
    buffer_add_byte(json->out, bracket);
    json->depth++;
    json->first = true;
}

static void end_group(struct json_writer *json, char bracket)
{
    json->depth--;
    if (!json->first && !json->compact) {
        buffer_add_byte(json->out, '\n');
        for (unsigned i = 0; i < json->depth; i++)
            buffer_text(json->out, "  ");
    }
    json->first = false;
    buffer_add_byte(json->out, bracket);
}

void json_begin_object(struct json_writer *json)
{
    begin_group(json, '{');
}

void json_end_object(struct json_writer *json)
{
    end_group(json, '}');
}

void json_begin_array(struct json_writer *json)
{
    begin_group(json, '[');
}

void json_end_array(struct json_writer *json)
{
    end_group(json, ']');
}

static void add_quoted(struct buffer *out, slice s)
{
    buffer_add_byte(out, '"');
    while (s.len) {
        size_t plain = text_plain_run(s, "\"\\");
        buffer_add(out, slice_first(s, plain));
        s = slice_from(s, plain);
        if (s.len == 0)
            break;
        unsigned char c = (unsigned char)s.ptr[0];
        size_t length = utf8_length(s);
        if (length == 0) {
            buffer_text(out, "\\ufffd");
            length = 1;
        } else if (c == '"' || c == '\\') {
            buffer_add_byte(out, '\\');
            buffer_add_byte(out, (char)c);
        } else if (c == '\n') {
            buffer_text(out, "\\n");
        } else if (length < 4 && text_is_unsafe(utf8_decode(s, length))) {
            /* The same JSON, and harmless on a terminal. */
            buffer_format(out, "\\u%04x", utf8_decode(s, length));
        } else {
            buffer_add(out, slice_first(s, length));
        }
        s = slice_from(s, length);
    }
    buffer_add_byte(out, '"');
}

void json_put_key(struct json_writer *json, const char *key)
{
    begin_value(json);
    add_quoted(json->out, slice_from_text(key));
    buffer_text(json->out, json->compact ? ":" : ": ");
    json->after_key = true;
}

void json_put_string(struct json_writer *json, slice s)
{
    begin_value(json);
    add_quoted(json->out, s);
}

void json_put_number(struct json_writer *json, int64_t number)
{
    begin_value(json);
    buffer_format(json->out, "%lld", (long long)number);
}

void json_put_decimal(struct json_writer *json, double number, int decimals)
{
    char text[64];
    /* JSON has no infinities, and no number here is anywhere near as long as the buffer. */
    if (!isfinite(number) || fabs(number) > 1e18 || decimals > 20) {
        json_put_null(json);
        return;
    }
    int length = snprintf(text, sizeof(text), "%.*f", decimals, number);
    while (decimals > 0 && length > 1 && text[length - 1] == '0' && text[length - 2] != '.')
        length--;
    begin_value(json);
    buffer_add(json->out, slice_make(text, (size_t)length));
}

void json_put_bool(struct json_writer *json, bool value)
{
    begin_value(json);
    buffer_text(json->out, value ? "true" : "false");
}

void json_put_null(struct json_writer *json)
{
    begin_value(json);
    buffer_text(json->out, "null");
}

void json_put_string_or_null(struct json_writer *json, slice s)
{
    if (s.len)
        json_put_string(json, s);
    else
        json_put_null(json);
}

void json_field(struct json_writer *json, const char *key, slice value)
{
    json_put_key(json, key);
    json_put_string(json, value);
}

void json_field_or_null(struct json_writer *json, const char *key, slice value)
{
    json_put_key(json, key);
    json_put_string_or_null(json, value);
}

void json_field_number(struct json_writer *json, const char *key, int64_t number)
{
    json_put_key(json, key);
    json_put_number(json, number);
}

void json_field_bool(struct json_writer *json, const char *key, bool value)
{
    json_put_key(json, key);
    json_put_bool(json, value);
}

void json_field_strings(struct json_writer *json, const char *key, const slice *values,
                        size_t count)
{
    json_put_key(json, key);
    json_begin_array(json);
    for (size_t i = 0; i < count; i++)
        json_put_string(json, values[i]);
    json_end_array(json);
}
