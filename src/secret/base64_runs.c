#include "secret/base64_runs.h"
#include "secret/checks.h"
#include "base/limits.h"

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

void base64_runs(slice text, base64_run *found, void *context)
{
    /* A run that is long enough and begins here or later covers the byte that is probed, or begins
     * behind it: most of a text is never looked at. */
    for (size_t at = 0; text.len - at >= RUN_LEAST;) {
        size_t probe = at + RUN_LEAST - 1, start = probe;
        if (!is_base64((unsigned char)text.ptr[probe])) {
            at = probe + 1;
            continue;
        }
        while (start > at && is_base64((unsigned char)text.ptr[start - 1]))
            start--;
        size_t end = end_of_run(text, start);
        if (end - start >= RUN_LEAST)
            look_at(text, start, end, found, context);
        at = end;
    }
}
