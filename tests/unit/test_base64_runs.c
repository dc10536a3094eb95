/* Where stretches of base64 begin and end in a text, found without looking at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "secret/base64_runs.h"

enum { LEAST = 24, LONG_LINE = 48 };

static void note(void *context, size_t start, size_t end, slice decoded)
{
    (void)decoded;
    CLEANUP_ARENA struct arena arena = {0};
    buffer_add(context, arena_format(&arena, "%zu-%zu ", start, end));
}

static void expect(slice text, const char *runs)
{
    CLEANUP_BUFFER struct buffer found = {0};
    base64_runs(text, note, &found);
    buffer_add_byte(&found, '\0');
    assert_string_equal(found.bytes, runs);
}

static bool is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           strchr("+/-_", c);
}

/* The same, every byte looked at: what stands on one line, and goes on where that is long. */
static void all_runs(slice text, struct buffer *found)
{
    for (size_t at = 0; at < text.len;) {
        size_t start = at, line = at;
        while (at < text.len && is_base64(text.ptr[at])) {
            at++;
            if (at + 1 < text.len && text.ptr[at] == '\n' && at - line >= LONG_LINE &&
                is_base64(text.ptr[at + 1]))
                line = ++at;
        }
        if (at - start >= LEAST)
            note(found, start, at, SLICE_EMPTY);
        if (at == start)
            at++;
    }
}

static void test_runs_of_any_length(void **state)
{
    (void)state;
    static const char secret[] = "TheSecretWordsThatAreEncodedHereAreQuiteLong,AndGoOnAndOn!!";
    uint32_t random = 7;
    for (size_t round = 0; round < 20000; round++) {
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_BUFFER struct buffer text = {0};
        CLEANUP_BUFFER struct buffer wanted = {0};
        for (size_t i = 0; i < 6; i++) {
            random = random * 1664525 + 1013904223;
            slice encoded = base64_encode(slice_from_text(secret), &arena);
            /* Whole groups, so that what follows decodes to text as well. */
            buffer_add(&text, slice_first(encoded, random >> 24 & 60));
            buffer_add(&text, slice_first(SLICE(" \n=. "), random >> 20 & 3));
        }
        all_runs(buffer_slice(&text), &wanted);
        buffer_add_byte(&wanted, '\0');
        expect(buffer_slice(&text), wanted.bytes);
    }
}

static void test_runs_at_the_ends(void **state)
{
    (void)state;
    expect(SLICE_EMPTY, "");
    expect(SLICE("VGhlU2VjcmV0V29yZHNUaGF"), "");
    expect(SLICE("VGhlU2VjcmV0V29yZHNUaGF0"), "0-24 ");
    expect(SLICE("=VGhlU2VjcmV0V29yZHNUaGF0"), "1-25 ");
    expect(SLICE("x VGhlU2VjcmV0V29yZHNUaGF0 VGhlU2VjcmV0V29yZHNUaGF0"), "2-26 27-51 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_of_any_length),
        cmocka_unit_test(test_runs_at_the_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
