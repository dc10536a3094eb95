#include "report/escapes.h"
#include "base/json_write.h"
#include "base/text.h"
#include "report/parts.h"

#define ZERO_WIDTH_SPACE "\xE2\x80\x8B"

/* Whether only digits stand before: "1." and "1)" begin a list. */
static bool is_after_digits(slice text, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (!byte_is_digit(text.ptr[i]))
            return false;
    return at > 0;
}

/*
 * GitHub looks for mentions, references and addresses in the rendered text, where an escaped
 * character is as good as a plain one. What it looks for is broken by a space that takes no room.
 */
/* Whether what stands at `at` begins something for GitHub with what follows. */
static bool breaks_after(slice text, size_t at)
{
    slice rest = slice_from(text, at + 1);
    char next = rest.len ? rest.ptr[0] : ' ';
    switch (text.ptr[at]) {
    case '@':
    case '#':
        return next != ' ';
    case ':': /* "://", "mailto:x", ":smile:" */
        return next == '/' || byte_is_alpha(next);
    case '-':
        return at >= 2 && slice_equal_nocase(slice_make(text.ptr + at - 2, 2), SLICE("gh")) &&
               byte_is_digit(next);
    case '.':
        return at >= 3 && slice_equal_nocase(slice_make(text.ptr + at - 3, 3), SLICE("www"));
    default:
        return false;
    }
}

void markdown_add(struct buffer *out, slice text)
{
    CLEANUP_BUFFER struct buffer safe = {0};
    text_add_safe(&safe, text);
    slice line = buffer_slice(&safe);
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        if (c == '<' || c == '>' || c == '&')
            buffer_format(out, "&#%d;", c);
        else if (strchr("\\`*_{}[]#|~!$^", c) || (i == 0 && strchr("+-=:", c)) ||
                 ((c == '.' || c == ')') && is_after_digits(line, i)))
            buffer_format(out, "\\%c", c);
        else if (c == ' ' && (i == 0 || i + 1 == line.len || line.ptr[i - 1] == ' '))
            buffer_text(out, "&#32;"); /* indentation, and two at a line's end, have a meaning */
        else
            buffer_add_byte(out, c);
        if (breaks_after(line, i))
            buffer_text(out, ZERO_WIDTH_SPACE);
    }
}

static size_t longest_run(slice text, char byte)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < text.len; i++) {
        run = text.ptr[i] == byte ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void add_times(struct buffer *out, char byte, size_t times)
{
    for (size_t i = 0; i < times; i++)
        buffer_add_byte(out, byte);
}

void markdown_add_code(struct buffer *out, slice text)
{
    CLEANUP_BUFFER struct buffer safe = {0};
    text_add_safe(&safe, text);
    slice line = buffer_slice(&safe);
    if (line.len == 0)
        return;
    size_t fence = longest_run(line, '`') + 1;
    char first = line.ptr[0], last = line.ptr[line.len - 1];
    bool padded = first == '`' || last == '`' || first == ' ' || last == ' ';
    add_times(out, '`', fence);
    buffer_text(out, padded ? " " : "");
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] != '|')
            buffer_add_byte(out, line.ptr[i]);
        else /* in a table "\|" is a '|', but "\\|" ends the cell, or does not: who reads it? */
            buffer_text(out, i > 0 && line.ptr[i - 1] == '\\' ? "\xC2\xA6" : "\\|");
    buffer_text(out, padded ? " " : "");
    add_times(out, '`', fence);
}

static bool is_formula(slice text)
{
    static const char *const starts[] = {"=",
                                         "+",
                                         "-",
                                         "@",
                                         "\t",
                                         "\r",
                                         "\n",
                                         "\xEF\xBC\x9D",
                                         "\xEF\xBC\x8B",
                                         "\xEF\xBC\x8D",
                                         "\xEF\xBC\xA0"};
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
        if (slice_starts(text, slice_from_text(starts[i])))
            return true;
    return false;
}

void csv_add(struct buffer *out, slice text)
{
    CLEANUP_BUFFER struct buffer safe = {0};
    if (is_formula(text))
        buffer_add_byte(&safe, '\'');
    text_add_safe(&safe, text);
    slice cell = buffer_slice(&safe);
    bool quoted = slice_find(cell, '"') != SIZE_MAX || slice_find(cell, ',') != SIZE_MAX ||
                  slice_find(cell, ';') != SIZE_MAX || (cell.len && cell.ptr[0] == ' ') ||
                  (cell.len && cell.ptr[cell.len - 1] == ' ');
    if (!quoted) {
        buffer_add(out, cell);
        return;
    }
    buffer_add_byte(out, '"');
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.ptr[i] == '"')
            buffer_add_byte(out, '"');
        buffer_add_byte(out, cell.ptr[i]);
    }
    buffer_add_byte(out, '"');
}

void xml_add_safe(struct buffer *out, slice text)
{
    CLEANUP_BUFFER struct buffer safe = {0};
    text_add_safe(&safe, text);
    xml_add(out, buffer_slice(&safe));
}

void json_add_quoted_text(struct buffer *out, slice text)
{
    CLEANUP_BUFFER struct buffer quoted = {0};
    struct json_writer json = {.out = &quoted};
    json_put_string(&json, text);
    buffer_add(out, slice_make(quoted.bytes + 1, quoted.len - 2));
}

slice text_fold(struct arena *arena, slice text)
{
    CLEANUP_BUFFER struct buffer out = {0};
    text = slice_trim(text);
    for (size_t i = 0; i < text.len; i++)
        if (!byte_is_space(text.ptr[i]))
            buffer_add_byte(&out, text.ptr[i]);
        else if (!byte_is_space(text.ptr[i - 1]))
            buffer_add_byte(&out, ' ');
    return arena_copy(arena, buffer_slice(&out));
}

slice text_cut(struct arena *arena, slice text, size_t most)
{
    const char mark[] = "…";
    if (text.len <= most)
        return text;
    size_t end = most > sizeof(mark) ? most - (sizeof(mark) - 1) : 0;
    while (end > 0 && ((unsigned char)text.ptr[end] & 0xC0) == 0x80)
        end--;
    return arena_format(arena, "%.*s%s", (int)end, text.ptr, mark);
}
