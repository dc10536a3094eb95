#include "secret/json_text.h"
#include "base/limits.h"

/* Bytes of the document from one mark to the next, at most: so many are walked over to find a
 * place. */
enum { STRETCH = 512 };

struct json_text_mark {
    uint32_t at;         /* in the text */
    uint32_t place : 31; /* in the document */
    uint32_t made : 1;   /* what follows does not stand there */
};

void json_text_start(struct json_text *text, slice document)
{
    *text = (struct json_text){.document = slice_first(document, INT32_MAX)};
}

static void add_mark(struct json_text *text, size_t place, bool made)
{
    struct json_text_mark mark = {(uint32_t)text->text.len, (uint32_t)place & INT32_MAX, made};
    buffer_add(&text->marks, slice_make(&mark, sizeof(mark)));
}

/* What one document may take, marks and all. */
static bool is_full(struct json_text *text)
{
    if (text->text.len + text->marks.len > LIMIT_SECRET_JSON_TEXT_BYTES)
        text->full = true;
    return text->full;
}

void json_text_add_made(struct json_text *text, slice made, size_t place)
{
    if (is_full(text))
        return;
    add_mark(text, place, true);
    buffer_add(&text->text, made);
}

void json_text_add_string(struct json_text *text, slice raw)
{
    while (raw.len && !is_full(text)) {
        slice stretch = slice_first(raw, STRETCH);
        size_t used = 0, count;
        add_mark(text, (size_t)(raw.ptr - text->document.ptr), false);
        while (used < stretch.len) {
            char *out = buffer_reserve(&text->text, 4);
            size_t taken = json_unescape_one(slice_from(raw, used), out, &count);
            if (!taken)
                return;
            used += taken;
            text->text.len += count;
        }
        raw = slice_from(raw, used);
    }
}

/* A line's end, where there is none yet. */
static void end_line(struct json_text *text, const struct json_scan *scan)
{
    if (text->text.len && text->text.bytes[text->text.len - 1] != '\n')
        json_text_add_made(text, SLICE("\n"), json_scan_offset(scan));
}

static void add_value(struct json_text *text, struct json_scan *scan, unsigned depth);

static void add_member(struct json_text *text, slice key, struct json_scan *scan, unsigned depth)
{
    end_line(text, scan);
    json_text_add_string(text, key);
    json_text_add_made(text, SLICE(": "), json_scan_offset(scan));
    add_value(text, scan, depth);
}

/* Strings of lists and members alike; each level of a document is a call. */
static void add_value(struct json_text *text, struct json_scan *scan, unsigned depth)
{
    slice raw;
    char next = json_scan_peek(scan);
    if (next == '"' && json_scan_raw_string(scan, &raw)) {
        json_text_add_string(text, raw);
    } else if (next == '[' && depth < LIMIT_JSON_DEPTH) {
        json_scan_enter(scan, '[');
        while (json_scan_item(scan))
            add_value(text, scan, depth + 1);
        end_line(text, scan);
    } else if (next == '{' && depth < LIMIT_JSON_DEPTH) {
        json_scan_enter(scan, '{');
        while (json_scan_raw_key(scan, &raw))
            add_member(text, raw, scan, depth + 1);
        end_line(text, scan);
    } else if (next != '"') {
        json_scan_skip(scan);
    }
}

void json_text_add_value(struct json_text *text, struct json_scan *scan)
{
    add_value(text, scan, 0);
}

void json_text_add_member(struct json_text *text, slice key, struct json_scan *scan)
{
    add_member(text, key, scan, 0);
}

static const struct json_text_mark *mark_before(const struct json_text *text, size_t offset)
{
    const struct json_text_mark *marks = (const void *)text->marks.bytes;
    size_t low = 0, high = text->marks.len / sizeof(*marks);
    while (low + 1 < high) {
        size_t middle = low + (high - low) / 2;
        if (marks[middle].at <= offset)
            low = middle;
        else
            high = middle;
    }
    return high ? &marks[low] : NULL;
}

size_t json_text_place(const struct json_text *text, size_t offset)
{
    const struct json_text_mark *mark = mark_before(text, offset);
    size_t count;
    char out[4];
    if (!mark || mark->made)
        return mark ? mark->place : 0;
    size_t place = mark->place;
    for (size_t at = mark->at; at < offset; at += count) {
        slice rest = slice_from(text->document, place);
        size_t taken = json_unescape_one(rest, out, &count);
        if (!taken || at + count > offset)
            break;
        place += taken;
    }
    return place;
}

void json_text_free(struct json_text *text)
{
    buffer_free(&text->text);
    buffer_free(&text->marks);
}
