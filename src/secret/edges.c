#include "secret/edges.h"

#include <string.h>

static bool is_word(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c);
}

static bool is_hex(char c)
{
    return byte_is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'f');
}

/* The last letter of "\n", "%3D" or "\u003d", with which text is written inside other text. */
static bool ends_escape(slice before)
{
    const char *end = before.ptr + before.len;
    if (before.len >= 2 && end[-2] == '\\' && strchr("nrtbfv", end[-1]))
        return true;
    if (before.len >= 3 && end[-3] == '%' && is_hex(end[-2]) && is_hex(end[-1]))
        return true;
    if (before.len >= 4 && end[-4] == '\\' && end[-3] == 'x' && is_hex(end[-2]) && is_hex(end[-1]))
        return true;
    return before.len >= 6 && end[-6] == '\\' && end[-5] == 'u' && end[-4] == '0' &&
           end[-3] == '0' && is_hex(end[-2]) && is_hex(end[-1]);
}

/* ESC itself, and the ways in which it is written: \x1b \u001b \033 \e ^[ */
static bool ends_in_escape_character(slice before)
{
    static const char *const forms[] = {"\x1b",    "\\x1b", "\\x1B", "\\u001b",
                                        "\\u001B", "\\033", "\\e",   "^["};
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (slice_ends(before, slice_from_text(forms[i])))
            return true;
    return false;
}

static bool is_parameter(char c)
{
    return byte_is_digit(c) || c == ';' || c == ':' || c == '?';
}

/* "ESC [ 31 ; 1 m" (a control sequence), "ESC ( B" (a set of characters). */
static bool ends_control_sequence(slice before)
{
    enum { PARAMETERS_MOST = 32 };
    size_t at = before.len - 1;
    for (size_t i = 0; i < PARAMETERS_MOST && at > 0 && is_parameter(before.ptr[at - 1]); i++)
        at--;
    return at > 0 && before.ptr[at - 1] && strchr("[()", before.ptr[at - 1]) &&
           ends_in_escape_character(slice_first(before, at - 1));
}

/* Unicode strings of pickle's protocol 0: V, the text, a line's end; before it another opcode. */
static bool ends_in_pickle_opcode(slice before)
{
    static const char ends_of_opcodes[] = "\n(satdl}])Nbe.0123456789";
    const char *end = before.ptr + before.len;
    if (before.len == 0 || end[-1] != 'V')
        return false;
    if (before.len == 1 || end[-2] == '\n' || end[-2] == '(')
        return true;
    /* Opcodes without an argument stand in a row, behind the line of one that has an argument. */
    size_t at = before.len - 1;
    while (at > 0 && before.len - at < 8 && before.ptr[at - 1] != '\n' && before.ptr[at - 1] &&
           strchr(ends_of_opcodes, before.ptr[at - 1]))
        at--;
    return at < before.len - 1 && (at == 0 || before.ptr[at - 1] == '\n');
}

bool secret_edge_before(slice region, size_t start)
{
    slice before = slice_first(region, start);
    if (start == 0)
        return true;
    char last = region.ptr[start - 1];
    if (last == '_')
        return start == 1 || !is_word(region.ptr[start - 2]);
    return !is_word(last) || ends_escape(before) || ends_control_sequence(before) ||
           ends_in_pickle_opcode(before);
}

bool secret_edge_after(slice region, size_t end)
{
    return end >= region.len || !is_word(region.ptr[end]);
}

static bool is_printable(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

/* pickle: SHORT_BINSTRING, SHORT_BINBYTES, SHORT_BINUNICODE; marshal: short ASCII strings, interned
 * or to be referred to; MessagePack: str 8; CBOR: a text of up to 255 bytes. */
static bool is_opcode(char c)
{
    static const char opcodes[] = "UC\x8czZ\xfa\xda\xd9\x78";
    return c != '\0' && strchr(opcodes, c) != NULL;
}

size_t secret_counted_end(slice region, size_t start, bool binary)
{
    enum { LEAST = 8 };
    if (start < 2)
        return SIZE_MAX;
    size_t count = (unsigned char)region.ptr[start - 1];
    char before = region.ptr[start - 2];
    /* A letter that is an opcode is no part of a word. */
    bool apart = !is_word(before) || start < 3 || !is_word(region.ptr[start - 3]);
    if (count < LEAST || (!(is_opcode(before) && apart) && (!binary || is_word(before))) ||
        count > region.len - start)
        return SIZE_MAX;
    return is_printable(slice_make(region.ptr + start, count)) ? start + count : SIZE_MAX;
}
