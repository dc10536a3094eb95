#include "base/toml_read.h"
#include "base/buffer.h"
#include "base/limits.h"

struct toml {
    slice text, rest;
    const char *what;
    unsigned depth;
};

static struct error *wrong(const struct toml *toml, const char *why)
{
    size_t line = 1, at = toml->text.len - toml->rest.len;
    for (size_t i = 0; i < at; i++)
        line += toml->text.ptr[i] == '\n';
    return error_make(ERROR_INPUT, "%s, line %zu: %s", toml->what, line, why);
}

static char peek(const struct toml *toml)
{
    return toml->rest.len ? toml->rest.ptr[0] : '\0';
}

static void step(struct toml *toml, size_t count)
{
    toml->rest = slice_from(toml->rest, count);
}

static void pass_blanks(struct toml *toml)
{
    while (peek(toml) == ' ' || peek(toml) == '\t')
        step(toml, 1);
}

static void pass_comment(struct toml *toml)
{
    pass_blanks(toml);
    if (peek(toml) == '#')
        while (toml->rest.len && peek(toml) != '\n')
            step(toml, 1);
}

/* Blank lines and comments, as may stand between the items of an array. */
static void pass_lines(struct toml *toml)
{
    for (;;) {
        pass_comment(toml);
        if (peek(toml) != '\n' && peek(toml) != '\r')
            return;
        step(toml, 1);
    }
}

/* -- strings --------------------------------------------------------------------------------------
 */

static void add_utf8(struct buffer *out, uint32_t code)
{
    if (code < 0x80) {
        buffer_add_byte(out, (char)code);
    } else if (code < 0x800) {
        buffer_add_byte(out, (char)(0xc0 | code >> 6));
        buffer_add_byte(out, (char)(0x80 | (code & 0x3f)));
    } else {
        if (code < 0x10000) {
            buffer_add_byte(out, (char)(0xe0 | code >> 12));
        } else {
            buffer_add_byte(out, (char)(0xf0 | code >> 18));
            buffer_add_byte(out, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        buffer_add_byte(out, (char)(0x80 | (code >> 6 & 0x3f)));
        buffer_add_byte(out, (char)(0x80 | (code & 0x3f)));
    }
}

static struct error *read_code(struct toml *toml, size_t digits, struct buffer *out)
{
    uint32_t code = 0;
    for (size_t i = 0; i < digits; i++) {
        char c = byte_lower(peek(toml));
        if (!byte_is_digit(c) && (c < 'a' || c > 'f'))
            return wrong(toml, "an escape needs hexadecimal digits");
        code = code << 4 | (uint32_t)(byte_is_digit(c) ? c - '0' : c - 'a' + 10);
        step(toml, 1);
    }
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || code == 0)
        return wrong(toml, "an escape is no character");
    add_utf8(out, code);
    return NULL;
}

static struct error *read_escape(struct toml *toml, bool lines, struct buffer *out)
{
    static const char names[] = "btnfr\"\\e", values[] = "\b\t\n\f\r\"\\\033";
    step(toml, 1);
    char c = peek(toml);
    const char *name = c ? strchr(names, c) : NULL;
    if (c == 'u' || c == 'U') {
        step(toml, 1);
        return read_code(toml, c == 'u' ? 4 : 8, out);
    }
    if (lines && (c == '\n' || c == '\r' || c == ' ' || c == '\t')) {
        while (byte_is_space(peek(toml)))
            step(toml, 1);
        return NULL;
    }
    if (!name)
        return wrong(toml, "there is no such escape");
    buffer_add_byte(out, values[name - names]);
    step(toml, 1);
    return NULL;
}

/* "basic" or 'literal', and both with three quotes over several lines. */
static struct error *read_string(struct toml *toml, struct buffer *out)
{
    char quote = peek(toml);
    const char three[] = {quote, quote, quote};
    bool lines = slice_starts(toml->rest, slice_make(three, 3));
    slice end = slice_make(three, lines ? 3 : 1);
    step(toml, end.len);
    if (lines && slice_starts(toml->rest, SLICE("\r\n")))
        step(toml, 2);
    else if (lines && peek(toml) == '\n')
        step(toml, 1);
    while (!slice_starts(toml->rest, end)) {
        if (toml->rest.len == 0 || (!lines && peek(toml) == '\n'))
            return wrong(toml, "a string has no end");
        if (quote == '"' && peek(toml) == '\\') {
            TRY(read_escape(toml, lines, out));
            continue;
        }
        buffer_add_byte(out, peek(toml));
        step(toml, 1);
    }
    step(toml, end.len);
    /* Up to two more quotes may stand right before the end of several lines. */
    for (int i = 0; lines && i < 2 && peek(toml) == quote; i++) {
        buffer_add_byte(out, quote);
        step(toml, 1);
    }
    return NULL;
}

/* -- values ---------------------------------------------------------------------------------------
 */

static struct error *read_value(struct toml *toml, json_t **value);
static struct error *read_pair(struct toml *toml, json_t *table);

static struct error *text_value(struct toml *toml, const struct buffer *text, json_t **value)
{
    *value = json_stringn(text->bytes ? text->bytes : "", text->len);
    return *value ? NULL : wrong(toml, "a string is not UTF-8");
}

/* Numbers, true, false; what is none of them (dates) stays text. */
static struct error *read_word(struct toml *toml, json_t **value)
{
    CLEANUP_BUFFER struct buffer word = {0};
    while (toml->rest.len && !strchr(",]}#\n\r", peek(toml))) {
        if (peek(toml) != '_')
            buffer_add_byte(&word, peek(toml));
        step(toml, 1);
    }
    while (word.len && byte_is_space(word.bytes[word.len - 1]))
        word.len--;
    size_t length = word.len;
    if (length == 0)
        return wrong(toml, "a value is missing");
    buffer_add_byte(&word, '\0');
    char *end;
    long long whole = strtoll(word.bytes, &end, 0);
    if (strcmp(word.bytes, "true") == 0 || strcmp(word.bytes, "false") == 0) {
        *value = json_boolean(word.bytes[0] == 't');
        return NULL;
    }
    if (end == word.bytes + length) {
        *value = json_integer(whole);
        return NULL;
    }
    double number = strtod(word.bytes, &end);
    if (end == word.bytes + length && number - number == 0) {
        *value = json_real(number);
        return NULL;
    }
    word.len = length;
    bool date = (length >= 10 && word.bytes[4] == '-') || (length >= 8 && word.bytes[2] == ':');
    return date && byte_is_digit(word.bytes[0]) ? text_value(toml, &word, value)
                                                : wrong(toml, "a value is none of TOML's");
}

static struct error *read_array(struct toml *toml, json_t *array)
{
    step(toml, 1);
    for (;;) {
        json_t *item = NULL;
        pass_lines(toml);
        if (peek(toml) == ']')
            break;
        TRY(read_value(toml, &item));
        json_array_append_new(array, item);
        pass_lines(toml);
        if (peek(toml) == ',')
            step(toml, 1);
        else if (peek(toml) != ']')
            return wrong(toml, "an array goes on with a comma or ends with ]");
    }
    step(toml, 1);
    return NULL;
}

static struct error *read_inline_table(struct toml *toml, json_t *table)
{
    step(toml, 1);
    pass_blanks(toml);
    while (peek(toml) != '}') {
        TRY(read_pair(toml, table));
        pass_blanks(toml);
        if (peek(toml) == ',') {
            step(toml, 1);
            pass_blanks(toml);
        } else if (peek(toml) != '}') {
            return wrong(toml, "an inline table goes on with a comma or ends with }");
        }
    }
    step(toml, 1);
    return NULL;
}

static struct error *read_nested(struct toml *toml, json_t **value)
{
    if (++toml->depth > LIMIT_JSON_DEPTH)
        return wrong(toml, "values lie too deep in one another");
    bool array = peek(toml) == '[';
    *value = array ? json_array() : json_object();
    struct error *error = array ? read_array(toml, *value) : read_inline_table(toml, *value);
    toml->depth--;
    return error;
}

/* *value is the caller's also with an error, or NULL. */
static struct error *read_value(struct toml *toml, json_t **value)
{
    CLEANUP_BUFFER struct buffer text = {0};
    char c = peek(toml);
    *value = NULL;
    struct error *error = NULL;
    if (c == '"' || c == '\'') {
        TRY(read_string(toml, &text));
        return text_value(toml, &text, value);
    }
    if (c != '[' && c != '{')
        return read_word(toml, value);
    error = read_nested(toml, value);
    if (error) {
        json_decref(*value);
        *value = NULL;
    }
    return error;
}

/* -- keys and tables ------------------------------------------------------------------------------
 */

static struct error *read_key(struct toml *toml, struct buffer *key)
{
    key->len = 0;
    pass_blanks(toml);
    if (peek(toml) == '"' || peek(toml) == '\'')
        TRY(read_string(toml, key));
    else
        while (byte_is_alpha(peek(toml)) || byte_is_digit(peek(toml)) ||
               (peek(toml) && strchr("_-", peek(toml)))) {
            buffer_add_byte(key, peek(toml));
            step(toml, 1);
        }
    if (key->len == 0)
        return wrong(toml, "a key is missing");
    pass_blanks(toml);
    buffer_add_byte(key, '\0');
    key->len--;
    return memchr(key->bytes, '\0', key->len) ? wrong(toml, "a key has a NUL in it") : NULL;
}

/* The table of that name in another one, made where it is missing; of an array of tables its last.
 */
static struct error *table_in(struct toml *toml, json_t *table, const char *key, json_t **found)
{
    json_t *value = json_object_get(table, key);
    if (!value) {
        value = json_object();
        if (json_object_set_new(table, key, value) < 0)
            return wrong(toml, "a key is not UTF-8");
    }
    if (json_is_array(value) && json_array_size(value))
        value = json_array_get(value, json_array_size(value) - 1);
    if (!json_is_object(value))
        return wrong(toml, "a key names a table, but has a value already");
    *found = value;
    return NULL;
}

static struct error *read_pair(struct toml *toml, json_t *table)
{
    CLEANUP_BUFFER struct buffer key = {0};
    json_t *value = NULL;
    TRY(read_key(toml, &key));
    while (peek(toml) == '.') {
        step(toml, 1);
        TRY(table_in(toml, table, key.bytes, &table));
        TRY(read_key(toml, &key));
    }
    if (peek(toml) != '=')
        return wrong(toml, "after a key comes =");
    step(toml, 1);
    pass_blanks(toml);
    if (json_object_get(table, key.bytes))
        return wrong(toml, "a key stands twice");
    TRY(read_value(toml, &value));
    return json_object_set_new(table, key.bytes, value) < 0 ? wrong(toml, "a key is not UTF-8")
                                                            : NULL;
}

/* [a.b] or [[a.b]]: what comes next belongs to it. */
static struct error *read_header(struct toml *toml, json_t *root, json_t **table)
{
    CLEANUP_BUFFER struct buffer key = {0};
    bool array = slice_starts(toml->rest, SLICE("[["));
    json_t *at = root;
    step(toml, array ? 2 : 1);
    TRY(read_key(toml, &key));
    while (peek(toml) == '.') {
        step(toml, 1);
        TRY(table_in(toml, at, key.bytes, &at));
        TRY(read_key(toml, &key));
    }
    if (!slice_starts(toml->rest, array ? SLICE("]]") : SLICE("]")))
        return wrong(toml, "the name of a table ends with ]");
    step(toml, array ? 2 : 1);
    if (!array)
        return table_in(toml, at, key.bytes, table);
    json_t *list = json_object_get(at, key.bytes);
    if (!list) {
        list = json_array();
        if (json_object_set_new(at, key.bytes, list) < 0)
            return wrong(toml, "a key is not UTF-8");
    }
    if (!json_is_array(list))
        return wrong(toml, "a key names a list of tables, but has a value already");
    *table = json_object();
    json_array_append_new(list, *table);
    return NULL;
}

static struct error *read_document(struct toml *toml, json_t *root)
{
    json_t *table = root;
    for (;;) {
        pass_lines(toml);
        if (toml->rest.len == 0)
            return NULL;
        TRY(peek(toml) == '[' ? read_header(toml, root, &table) : read_pair(toml, table));
        pass_comment(toml);
        if (toml->rest.len && peek(toml) != '\n' && peek(toml) != '\r')
            return wrong(toml, "a line goes on where it should end");
    }
}

struct error *toml_read(json_t **value, slice text, const char *what)
{
    struct toml toml = {.text = text, .rest = text, .what = what};
    *value = json_object();
    struct error *error = read_document(&toml, *value);
    if (error) {
        json_decref(*value);
        *value = NULL;
    }
    return error;
}
