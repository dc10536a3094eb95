#include "secret/base64_runs.h"
#include "secret/checks.h"
#include "base/limits.h"

#include <string.h>

enum {
    RUN_LEAST = 24,
    LINE_LEAST = 48, /* a line that another one may continue */
    PROBE = 24,      /* characters that are decoded to see whether it is text */
};

static bool is_base64(unsigned char c)
{
    static const bool table[256] = {
        ['A' ... 'Z'] = true, ['a' ... 'z'] = true, ['0' ... '9'] = true, ['+'] = true,
        ['/'] = true,         ['-'] = true,         ['_'] = true,
    };
    return table[c];
}

static bool is_text(slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c == 0x7f || (c < ' ' && !byte_is_space((char)c)))
            return false;
        if (c >= 0x80 && i < PROBE / 2)
            return false;
    }
    return bytes.len > 0;
}

/* Whether a line break at `at` is followed by more of the same; *next is where. */
static bool goes_on(slice text, size_t line, size_t at, size_t *next)
{
    size_t i = at;
    if (at - line < LINE_LEAST)
        return false;
    if (i < text.len && text.ptr[i] == '\r')
        i++;
    if (i >= text.len || text.ptr[i] != '\n')
        return false;
    do
        i++;
    while (i < text.len && text.ptr[i] == ' ');
    *next = i;
    return i < text.len && is_base64((unsigned char)text.ptr[i]);
}

static size_t end_of_run(slice text, size_t start)
{
    size_t at = start, line = start, next;
    for (;;) {
        while (at < text.len && is_base64((unsigned char)text.ptr[at]))
            at++;
        if (!goes_on(text, line, at, &next))
            return at;
        at = line = next;
    }
}

static void look_at(slice text, size_t start, size_t end, base64_run *found, void *context)
{
    char probe[PROBE], decoded[LIMIT_SECRET_ENCODED_BYTES];
    slice run = slice_make(text.ptr + start, end - start);
    size_t count = secret_decode_base64(slice_first(run, PROBE), probe, sizeof(probe));
    if (count == SIZE_MAX || !is_text(slice_make(probe, count)))
        return;
    count = secret_decode_base64(run, decoded, sizeof(decoded));
    if (count != SIZE_MAX)
        found(context, start, end, slice_make(decoded, count));
}

/* -- where there may be one -----------------------------------------------------------------------
 */

enum { BLOCK = 16, HALF = BLOCK / 2 };
typedef unsigned char block __attribute__((vector_size(BLOCK)));

/* Whether all of each half of the bytes are base64. */
static void classify(const char *bytes, bool halves[2])
{
    block c, all;
    uint64_t words[2];
    memcpy(&c, bytes, BLOCK);
    block letter = (block)((c | 0x20) - 'a' < 26), between = (block)(c - '+' < '9' - '+' + 1);
    all = letter | (between & (block)(c != ',') & (block)(c != '.')) | (block)(c == '_');
    memcpy(words, &all, BLOCK);
    halves[0] = words[0] == UINT64_MAX;
    halves[1] = words[1] == UINT64_MAX;
}

/* A byte of the first run of RUN_LEAST from `at` on: such a run covers two halves that follow each
 * other, wherever it begins. Most of a text is looked at for no more than that. */
static size_t find_run(slice text, size_t at)
{
    bool before = false, halves[2];
    for (; at < text.len; at += BLOCK) {
        char end[BLOCK] = {0};
        slice rest = slice_first(slice_from(text, at), BLOCK);
        if (rest.len < BLOCK)
            memcpy(end, rest.ptr, rest.len);
        classify(rest.len < BLOCK ? end : rest.ptr, halves);
        if (halves[0] && (before || halves[1]))
            return at;
        before = halves[1];
    }
    return SIZE_MAX;
}

void base64_runs(slice text, base64_run *found, void *context)
{
    for (size_t at = 0, inside; (inside = find_run(text, at)) != SIZE_MAX;) {
        size_t start = inside;
        while (start > at && is_base64((unsigned char)text.ptr[start - 1]))
            start--;
        size_t end = end_of_run(text, start);
        if (end - start >= RUN_LEAST)
            look_at(text, start, end, found, context);
        at = end;
    }
}
