#include "base/json_scan.h"
#include "base/limits.h"

void json_scan_start(struct json_scan *scan, slice text, struct arena *arena)
{
    *scan = (struct json_scan){.rest = text, .whole = text, .arena = arena};
    if (slice_starts(scan->rest, SLICE("\xef\xbb\xbf")))
        scan->rest = slice_from(scan->rest, 3);
}

static bool fail(struct json_scan *scan, const char *why)
{
    if (!scan->failure)
        scan->failure = why;
    return false;
}

char json_scan_peek(struct json_scan *scan)
{
    while (scan->rest.len && strchr(" \t\r\n", scan->rest.ptr[0]) && scan->rest.ptr[0])
        scan->rest = slice_from(scan->rest, 1);
    return scan->rest.len && !scan->failure ? scan->rest.ptr[0] : 0;
}

static bool accept(struct json_scan *scan, char byte)
{
    if (json_scan_peek(scan) != byte || scan->failure)
        return false;
    scan->rest = slice_from(scan->rest, 1);
    return true;
}

bool json_scan_enter(struct json_scan *scan, char bracket)
{
    if (!accept(scan, bracket))
        return fail(scan, bracket == '{' ? "an object was expected" : "an array was expected");
    if (++scan->depth > LIMIT_JSON_DEPTH)
        return fail(scan, "it is nested deeper than the limit");
    scan->first = true;
    return true;
}

/* Steps over a comma, or out of the group at its closing bracket. */
static bool next_in_group(struct json_scan *scan, char bracket)
{
    if (scan->failure)
        return false;
    if (accept(scan, bracket)) {
        scan->depth--;
        scan->first = false;
        return false;
    }
    if (!scan->first && !accept(scan, ','))
        return fail(scan, "a comma or a closing bracket was expected");
    scan->first = false;
    return true;
}

bool json_scan_key(struct json_scan *scan, slice *key)
{
    if (!next_in_group(scan, '}') || !json_scan_string(scan, key))
        return false;
    return accept(scan, ':') || fail(scan, "a colon was expected");
}

bool json_scan_item(struct json_scan *scan)
{
    return next_in_group(scan, ']');
}

bool json_scan_raw_key(struct json_scan *scan, slice *raw)
{
    if (!next_in_group(scan, '}') || !json_scan_raw_string(scan, raw))
        return false;
    return accept(scan, ':') || fail(scan, "a colon was expected");
}

static bool pull_hex(slice *s, uint32_t *code)
{
    if (s->len < 4)
        return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = byte_lower(s->ptr[i]);
        if (!byte_is_digit(c) && !(c >= 'a' && c <= 'f'))
            return false;
        *code = *code << 4 | (uint32_t)(byte_is_digit(c) ? c - '0' : c - 'a' + 10);
    }
    *s = slice_from(*s, 4);
    return true;
}

static size_t put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* One \u escape, with the second half of a surrogate pair; a lone half becomes U+FFFD. */
static bool pull_unicode(slice *s, uint32_t *code)
{
    uint32_t low;
    if (!pull_hex(s, code))
        return false;
    if (*code >= 0xd800 && *code <= 0xdbff && slice_starts(*s, SLICE("\\u"))) {
        slice after = slice_from(*s, 2);
        if (pull_hex(&after, &low) && low >= 0xdc00 && low <= 0xdfff) {
            *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
            *s = after;
        }
    }
    if (*code >= 0xd800 && *code <= 0xdfff)
        *code = 0xfffd;
    return true;
}

size_t json_unescape_one(slice raw, char out[4], size_t *count)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    uint32_t code;
    *count = 1;
    if (raw.len == 0)
        return 0;
    out[0] = raw.ptr[0];
    if (raw.ptr[0] != '\\')
        return 1;
    if (raw.len < 2 || !raw.ptr[1])
        return 0;
    const char *at = strchr(names, raw.ptr[1]);
    slice rest = slice_from(raw, 2);
    if (at)
        out[0] = bytes[at - names];
    else if (raw.ptr[1] == 'u' && pull_unicode(&rest, &code))
        *count = put_utf8(out, code);
    else
        return 0;
    return raw.len - rest.len;
}

static bool unescape(struct json_scan *scan, slice raw, slice *value)
{
    char *out = arena_alloc(scan->arena, raw.len + 4);
    size_t length = 0, count;
    while (raw.len) {
        size_t used = json_unescape_one(raw, out + length, &count);
        if (!used)
            return fail(scan, "an escape is wrong");
        length += count;
        raw = slice_from(raw, used);
    }
    *value = slice_make(out, length);
    return true;
}

/* What may follow a backslash. */
static bool is_escape(slice s)
{
    uint32_t code;
    if (s.len == 0 || !s.ptr[0])
        return false;
    if (s.ptr[0] && strchr("\"\\/bfnrt", s.ptr[0]))
        return true;
    s = slice_from(s, 1);
    return s.ptr[-1] == 'u' && pull_hex(&s, &code);
}

/* The string's raw text between its quotes. */
static bool pull_raw_string(struct json_scan *scan, slice *raw, bool *escaped)
{
    if (!accept(scan, '"'))
        return fail(scan, "a string was expected");
    *escaped = false;
    for (size_t i = 0; i < scan->rest.len; i++) {
        unsigned char c = (unsigned char)scan->rest.ptr[i];
        if (c == '"') {
            *raw = slice_first(scan->rest, i);
            scan->rest = slice_from(scan->rest, i + 1);
            return true;
        }
        if (c < 0x20)
            return fail(scan, "a control character stands in a string");
        if (c == '\\') {
            *escaped = true;
            if (!is_escape(slice_from(scan->rest, i + 1)))
                return fail(scan, "an escape is wrong");
            i++;
        }
    }
    return fail(scan, "a string has no end");
}

bool json_scan_raw_string(struct json_scan *scan, slice *raw)
{
    bool escaped;
    return !scan->failure && pull_raw_string(scan, raw, &escaped);
}

bool json_scan_string(struct json_scan *scan, slice *value)
{
    slice raw;
    bool escaped;
    if (scan->failure || !pull_raw_string(scan, &raw, &escaped))
        return false;
    if (escaped)
        return unescape(scan, raw, value);
    *value = raw;
    return true;
}

static size_t skip_digits(struct json_scan *scan)
{
    size_t count = 0;
    while (count < scan->rest.len && byte_is_digit(scan->rest.ptr[count]))
        count++;
    scan->rest = slice_from(scan->rest, count);
    return count;
}

static bool skip_byte(struct json_scan *scan, const char *bytes)
{
    if (scan->rest.len == 0 || !scan->rest.ptr[0] || !strchr(bytes, scan->rest.ptr[0]))
        return false;
    scan->rest = slice_from(scan->rest, 1);
    return true;
}

/* RFC 8259 section 6: no leading zeros, digits on both sides of a point. */
static bool skip_number(struct json_scan *scan)
{
    skip_byte(scan, "-");
    if (!skip_byte(scan, "0") && skip_digits(scan) == 0)
        return fail(scan, "a number is wrong");
    if (skip_byte(scan, ".") && skip_digits(scan) == 0)
        return fail(scan, "a number is wrong");
    if (skip_byte(scan, "eE")) {
        skip_byte(scan, "+-");
        if (skip_digits(scan) == 0)
            return fail(scan, "a number is wrong");
    }
    /* "01" and "1-1" go on where a number cannot. */
    char next = scan->rest.len ? scan->rest.ptr[0] : ' ';
    return (!byte_is_digit(next) && next != '-' && next != '+' && next != '.') ||
           fail(scan, "a number is wrong");
}

static bool skip_scalar(struct json_scan *scan)
{
    static const char *const words[] = {"true", "false", "null"};
    char c = json_scan_peek(scan);
    slice raw;
    bool escaped;
    if (c == '"')
        return pull_raw_string(scan, &raw, &escaped);
    for (size_t i = 0; i < 3; i++) {
        slice word = slice_from_text(words[i]);
        if (slice_starts(scan->rest, word)) {
            scan->rest = slice_from(scan->rest, word.len);
            return true;
        }
    }
    return c == '-' || byte_is_digit(c) ? skip_number(scan) : fail(scan, "a value was expected");
}

bool json_scan_skip(struct json_scan *scan)
{
    /* Its own stack of brackets, so that depth costs a byte and not a call. */
    char open[LIMIT_JSON_DEPTH + 1];
    unsigned base = scan->depth;
    slice key;
    if (scan->failure)
        return false;
    for (;;) {
        char c = json_scan_peek(scan);
        if (c == '{' || c == '[') {
            if (!json_scan_enter(scan, c))
                return false;
            open[scan->depth - base - 1] = c;
        } else if (!skip_scalar(scan)) {
            return false;
        }
        for (;;) {
            if (scan->depth == base)
                return true;
            if (open[scan->depth - base - 1] == '{' ? json_scan_key(scan, &key)
                                                    : json_scan_item(scan))
                break;
            if (scan->failure)
                return false;
        }
    }
}

bool json_scan_end(struct json_scan *scan)
{
    json_scan_peek(scan);
    return !scan->failure && (scan->rest.len == 0 || fail(scan, "something follows the document"));
}

size_t json_scan_offset(const struct json_scan *scan)
{
    return scan->whole.len - scan->rest.len;
}

bool json_depth_within(slice text, unsigned limit)
{
    unsigned depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (in_string) {
            if (c == '\\')
                i++;
            else if (c == '"')
                in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > limit)
                return false;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return true;
}
