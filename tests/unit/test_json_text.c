/* Places in texts: lines and columns of offsets, and where in a JSON document the bytes of its
 * strings stand. Each is held against a slow way that looks at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/line_table.h"
#include "secret/json_text.h"

static uint64_t random_state = 88172645463325252ULL;

static size_t below(size_t count)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (size_t)(random_state >> 11) % count;
}

static void expect_places(slice text)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct line_table table;
    uint64_t line = 1, column = 1;
    line_table_make(&table, text, &arena);
    for (size_t i = 0; i <= text.len; i++) {
        uint64_t told_line, told_column;
        line_table_place(&table, i, &told_line, &told_column);
        assert_int_equal(told_line, line);
        assert_int_equal(told_column, column);
        assert_int_equal(line_table_offset(&table, line, column), i);
        column++;
        if (i < text.len && text.ptr[i] == '\n') {
            line++;
            column = 1;
        }
    }
    assert_int_equal(line_table_offset(&table, line + 1, 1), text.len);
    assert_int_equal(line_table_offset(&table, 1, UINT64_MAX), text.len);
}

static void test_lines(void **state)
{
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8192, 20000};
    static const size_t rarities[] = {1, 2, 50, 3000, 100000}; /* of line breaks */
    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (size_t j = 0; j < sizeof(rarities) / sizeof(rarities[0]); j++) {
            CLEANUP_BUFFER struct buffer text = {0};
            for (size_t k = 0; k < sizes[i]; k++)
                buffer_add_byte(&text, below(rarities[j]) ? 'x' : '\n');
            expect_places(buffer_slice(&text));
        }
}

/* A raw character, and what it stands for. */
static const struct {
    const char *raw, *meant;
} characters[] = {
    {"a", "a"},
    {"\\n", "\n"},
    {"\\\"", "\""},
    {"\\\\", "\\"},
    {"\\/", "/"},
    {"\\u00e9", "\xc3\xa9"},
    {"\xc3\xa9", "\xc3\xa9"},
    {"\\u20AC", "\xe2\x82\xac"},
    {"\\ud83d\\ude00", "\xf0\x9f\x98\x80"},
    {"\\ud83d", "\xef\xbf\xbd"},
    {"\\t", "\t"},
    {"zz", "zz"},
};

/* A list of strings, and of each byte that they mean where its character stands. */
static void random_list(struct buffer *document, struct buffer *meant, struct buffer *places)
{
    buffer_add_byte(document, '[');
    for (size_t strings = below(6) + 1; strings-- > 0;) {
        buffer_add_byte(document, '"');
        for (size_t count = below(400); count-- > 0;) {
            size_t at = below(sizeof(characters) / sizeof(characters[0]));
            slice text = slice_from_text(characters[at].meant);
            for (size_t i = 0; i < text.len; i++) {
                /* An escape has one place, bytes that stand there as they are have each its own. */
                size_t place = document->len + (characters[at].raw[0] == '\\' ? 0 : i);
                buffer_add(places, slice_make(&place, sizeof(place)));
            }
            buffer_add(meant, text);
            buffer_text(document, characters[at].raw);
            /* What follows half a pair must not be taken for its other half. */
            if (strcmp(characters[at].raw, "\\ud83d") == 0) {
                size_t place = document->len;
                buffer_add(places, slice_make(&place, sizeof(place)));
                buffer_add_byte(meant, '.');
                buffer_add_byte(document, '.');
            }
        }
        buffer_text(document, strings ? "\",\n  " : "\"");
    }
    buffer_add_byte(document, ']');
}

static void test_places_of_strings(void **state)
{
    (void)state;
    for (int round = 0; round < 200; round++) {
        CLEANUP_BUFFER struct buffer document = {0}, meant = {0}, places = {0};
        CLEANUP_ARENA struct arena arena = {0};
        struct json_text text;
        struct json_scan scan;
        random_list(&document, &meant, &places);
        json_text_start(&text, buffer_slice(&document));
        json_scan_start(&scan, buffer_slice(&document), &arena);
        json_text_add_value(&text, &scan);
        assert_true(json_scan_end(&scan) && !text.full);
        assert_true(text.text.len >= meant.len && text.text.len <= meant.len + 1);
        assert_memory_equal(text.text.bytes, meant.bytes ? meant.bytes : "", meant.len);
        for (size_t i = 0; i < meant.len; i++) {
            size_t place;
            memcpy(&place, places.bytes + i * sizeof(place), sizeof(place));
            assert_int_equal(json_text_place(&text, i), place);
        }
        json_text_free(&text);
    }
}

static void test_members(void **state)
{
    static const char document[] =
        "{\"a\": [\"x\\n\", \"y\"], \"b\\\"\": {\"c\": \"z\", \"d\": 1}}";
    CLEANUP_ARENA struct arena arena = {0};
    struct json_text text;
    struct json_scan scan;
    (void)state;
    json_text_start(&text, SLICE(document));
    json_scan_start(&scan, SLICE(document), &arena);
    json_text_add_value(&text, &scan);
    assert_true(slice_equal(buffer_slice(&text.text), SLICE("a: x\ny\nb\": \nc: z\nd: \n")));
    assert_int_equal(document[json_text_place(&text, 3)], 'x');
    assert_int_equal(document[json_text_place(&text, 5)], 'y');
    assert_int_equal(document[json_text_place(&text, 15)], 'z');
    json_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_places_of_strings),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
