/* The base: slices, buffers, JSON both ways, text for terminals, memory, maps, digests, files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/buffer.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/json_read.h"
#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/text.h"

#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define assert_slice(actual, expected)                                                             \
    do {                                                                                           \
        slice assert_found = (actual), assert_wanted = (expected);                                 \
        if (!slice_equal(assert_found, assert_wanted))                                             \
            fail_msg("\"%.*s\" where \"%.*s\" was expected", SLICE_ARG(assert_found),              \
                     SLICE_ARG(assert_wanted));                                                    \
    } while (0)

/* --- slices ------------------------------------------------------------------------------------
 */

static void test_slice_parts(void **state)
{
    (void)state;
    static const slice null = {NULL, 0};
    assert_slice(slice_from(SLICE("abc"), 1), SLICE("bc"));
    assert_slice(slice_from(SLICE("abc"), 4), SLICE_EMPTY);
    assert_slice(slice_from(SLICE("abc"), SIZE_MAX), SLICE_EMPTY);
    assert_slice(slice_first(SLICE("abc"), SIZE_MAX), SLICE("abc"));
    assert_slice(slice_first(SLICE("abc"), 0), SLICE_EMPTY);
    assert_slice(slice_trim(SLICE(" \t\r\n a b \v\f")), SLICE("a b"));
    assert_slice(slice_trim(SLICE(" \n")), SLICE_EMPTY);
    assert_slice(slice_trim(SLICE("\0 ")), SLICE("\0"));
    assert_true(slice_equal(null, SLICE_EMPTY));
    assert_int_equal(slice_hash(null), slice_hash(SLICE_EMPTY));
    assert_int_equal(slice_find(null, 'a'), SIZE_MAX);
    assert_int_equal(slice_find(SLICE("a\0b"), 'b'), 2);
    assert_int_equal(slice_find_last(SLICE("a/b/c"), '/'), 3);
    assert_true(slice_contains(SLICE("a\0bc"), SLICE("\0b")));
    assert_false(slice_contains(SLICE("ab"), SLICE("abc")));
    assert_true(slice_contains(null, SLICE_EMPTY));
    assert_true(slice_starts(SLICE("ab"), SLICE("ab")) && !slice_starts(SLICE("a"), SLICE("ab")));
    assert_true(slice_ends(SLICE("ab"), SLICE("b")) && !slice_ends(SLICE("b"), SLICE("ab")));
    assert_true(slice_equal_nocase(SLICE("NaMe"), SLICE("nAmE")));
    assert_false(slice_equal_nocase(SLICE("["), SLICE("{"))); /* 0x5b, 0x7b: no letters */
    assert_false(slice_equal_nocase(SLICE("\xc9"), SLICE("\xe9")));
}

static void test_slice_order(void **state)
{
    (void)state;
    static const slice sorted[] = {SLICE(""),    SLICE("\0"), SLICE("A"), SLICE("a"),
                                   SLICE("a\0"), SLICE("aa"), SLICE("b"), SLICE("\xff")};
    for (size_t i = 0; i < COUNT(sorted); i++)
        for (size_t j = 0; j < COUNT(sorted); j++) {
            int order = slice_compare(sorted[i], sorted[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
}

static void test_slice_pull(void **state)
{
    (void)state;
    static const struct {
        slice text;
        const char *parts; /* in brackets */
        const char *lines;
    } rows[] = {
        {SLICE(""), "[]", ""},
        {SLICE("a"), "[a]", "[a]"},
        {SLICE("a\n"), "[a][]", "[a]"},
        {SLICE("\n"), "[][]", "[]"},
        {SLICE("a\n\nb"), "[a][][b]", "[a][][b]"},
        {SLICE("a\r\nb\r"), "[a\r][b\r]", "[a][b]"},
        {SLICE("\r\n"), "[\r][]", "[]"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_BUFFER struct buffer parts = {0};
        CLEANUP_BUFFER struct buffer lines = {0};
        slice part, rest = rows[i].text;
        while (slice_pull(&rest, '\n', &part))
            buffer_format(&parts, "[%.*s]", SLICE_ARG(part));
        assert_slice(buffer_slice(&parts), slice_from_text(rows[i].parts));
        rest = rows[i].text;
        while (slice_pull_line(&rest, &part))
            buffer_format(&lines, "[%.*s]", SLICE_ARG(part));
        assert_slice(buffer_slice(&lines), slice_from_text(rows[i].lines));
    }
    slice before = SLICE("kept"), after = SLICE("kept");
    assert_false(slice_split(SLICE("ab"), ':', &before, &after));
    assert_slice(before, SLICE("kept"));
    assert_true(slice_split(SLICE("a:b:c"), ':', &before, &after));
    assert_slice(before, SLICE("a"));
    assert_slice(after, SLICE("b:c"));
    assert_true(slice_split(SLICE(":"), ':', &before, &after));
    assert_int_equal(before.len + after.len, 0);
}

static void test_slice_paths(void **state)
{
    (void)state;
    static const struct {
        slice path, folder, name;
    } rows[] = {
        {SLICE(""), SLICE(""), SLICE("")},      {SLICE("a"), SLICE(""), SLICE("a")},
        {SLICE("a/b"), SLICE("a"), SLICE("b")}, {SLICE("a/b/"), SLICE("a/b"), SLICE("")},
        {SLICE("/a"), SLICE(""), SLICE("a")},   {SLICE("a//b"), SLICE("a/"), SLICE("b")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_slice(slice_dirname(rows[i].path), rows[i].folder);
        assert_slice(slice_basename(rows[i].path), rows[i].name);
    }
}

static void test_slice_numbers(void **state)
{
    (void)state;
    static const struct {
        slice text;
        bool is;
        uint64_t value;
    } rows[] = {
        {SLICE("0"), true, 0},
        {SLICE("007"), true, 7},
        {SLICE("18446744073709551615"), true, UINT64_MAX},
        {SLICE("18446744073709551616"), false, 0},
        {SLICE("99999999999999999999"), false, 0},
        {SLICE("000000000000000000000000000001"), true, 1},
        {SLICE(""), false, 0},
        {SLICE("-1"), false, 0},
        {SLICE("+1"), false, 0},
        {SLICE(" 1"), false, 0},
        {SLICE("1 "), false, 0},
        {SLICE("1\0"), false, 0},
        {SLICE("0x1"), false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t value = 42;
        if (slice_to_u64(rows[i].text, &value) != rows[i].is ||
            value != (rows[i].is ? rows[i].value : 42))
            fail_msg("\"%.*s\" became %llu", SLICE_ARG(rows[i].text), (unsigned long long)value);
    }
}

/* --- buffers --------------------------------------------------------------------------------- */

static void test_buffer(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer buffer = {0};
    assert_slice(buffer_slice(&buffer), SLICE_EMPTY);
    assert_non_null(buffer_slice(&buffer).ptr);
    buffer_add(&buffer, (slice){NULL, 0});
    buffer_add(&buffer, SLICE("a\0b"));
    buffer_add_byte(&buffer, '\0');
    buffer_format(&buffer, "%d%s", 7, "x");
    buffer_text(&buffer, "");
    assert_slice(buffer_slice(&buffer), SLICE("a\0b\0007x"));
    for (int i = 0; i < 100000; i++)
        buffer_add_byte(&buffer, (char)i);
    assert_int_equal(buffer.len, 100006);
    assert_true(buffer.room >= buffer.len && buffer.room < 4 * buffer.len);
    for (int i = 0; i < 100000; i++)
        assert_true(buffer.bytes[6 + i] == (char)i);
}

static void test_buffer_numbers(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {
        0,          1,         0x7f, 0x80, 0x3fff, 0x4000, UINT32_MAX, 1ULL << 62, (1ULL << 63) - 1,
        1ULL << 63, UINT64_MAX};
    CLEANUP_BUFFER struct buffer buffer = {0};
    uint64_t number;
    slice string;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        buffer_add_number(&buffer, numbers[i]);
        buffer_add_string(&buffer, SLICE("a\0b"));
    }
    slice rest = buffer_slice(&buffer);
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_true(slice_pull_number(&rest, &number) && number == numbers[i]);
        assert_true(slice_pull_string(&rest, &string));
        assert_slice(string, SLICE("a\0b"));
    }
    assert_int_equal(rest.len, 0);
    assert_false(slice_pull_number(&rest, &number));
    assert_false(slice_pull_string(&rest, &string));
}

static void test_numbers_that_are_none(void **state)
{
    (void)state;
    static const slice rows[] = {
        SLICE("\x80"),
        SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff"),     /* ends too early */
        SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), /* 65 bits */
        SLICE("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80"),
        SLICE("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"),
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice rest = rows[i];
        uint64_t number;
        assert_false(slice_pull_number(&rest, &number));
        assert_true(rest.len <= rows[i].len);
    }
    slice bytes, rest = SLICE("\x05"
                              "abcd");
    assert_false(slice_pull_string(&rest, &bytes));
    rest = SLICE("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
                 "abc"); /* 2^64 - 1 bytes */
    assert_false(slice_pull_string(&rest, &bytes));
    rest = SLICE("abc");
    assert_false(slice_pull_bytes(&rest, SIZE_MAX, &bytes));
    assert_int_equal(rest.len, 3);
    assert_true(slice_pull_bytes(&rest, 3, &bytes) && rest.len == 0);
}

/* --- JSON that is read -------------------------------------------------------------------------
 */

static bool scans(slice text)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct json_scan scan;
    json_scan_start(&scan, text, &arena);
    bool well = json_scan_skip(&scan) && json_scan_end(&scan);
    assert_int_equal(well, scan.failure == NULL);
    return well;
}

/* The same, by taking it apart: a string is then read and not skipped. */
static bool scan_value(struct json_scan *scan)
{
    slice text;
    switch (json_scan_peek(scan)) {
    case '"':
        return json_scan_string(scan, &text);
    case '[':
        json_scan_enter(scan, '[');
        while (json_scan_item(scan))
            scan_value(scan);
        return !scan->failure;
    case '{':
        json_scan_enter(scan, '{');
        while (json_scan_key(scan, &text))
            scan_value(scan);
        return !scan->failure;
    default:
        return json_scan_skip(scan);
    }
}

static bool scans_apart(slice text)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct json_scan scan;
    json_scan_start(&scan, text, &arena);
    return scan_value(&scan) && json_scan_end(&scan);
}

static bool reads(slice text)
{
    CLEANUP_JSON json_t *value = NULL;
    CLEANUP_ERROR struct error *error = json_read(&value, text, "it");
    assert_int_equal(error == NULL, value != NULL);
    return error == NULL;
}

static const struct {
    slice text;
    bool valid;
} documents[] = {
    {SLICE("{}"), true},
    {SLICE(" \t\r\n[ ] \n"), true},
    {SLICE("\"\""), true},
    {SLICE("0"), true},
    {SLICE("-0"), true},
    {SLICE("-1.5e+10"), true},
    {SLICE("1E5"), true},
    {SLICE("[true,false,null]"), true},
    {SLICE("{\"a\":{\"b\":[1,{}]},\"a\":2}"), true},
    {SLICE("\xef\xbb\xbf{}"), true},
    {SLICE("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"]"), true},
    {SLICE(""), false},
    {SLICE(" "), false},
    {SLICE("\0"), false},
    {SLICE("{}\0"), false},
    {SLICE("9\0"), false},
    {SLICE("[1\0]"), false},
    {SLICE("{}{}"), false},
    {SLICE("{} x"), false},
    {SLICE("["), false},
    {SLICE("]"), false},
    {SLICE("[1"), false},
    {SLICE("[1,"), false},
    {SLICE("[1,]"), false},
    {SLICE("[,1]"), false},
    {SLICE("[1 2]"), false},
    {SLICE("[1}"), false},
    {SLICE("{\"a\":1]"), false},
    {SLICE("{\"a\"}"), false},
    {SLICE("{\"a\":}"), false},
    {SLICE("{\"a\":1,}"), false},
    {SLICE("{,}"), false},
    {SLICE("{a:1}"), false},
    {SLICE("{1:1}"), false},
    {SLICE("{\"a\" 1}"), false},
    {SLICE("'a'"), false},
    {SLICE("tru"), false},
    {SLICE("truee"), false},
    {SLICE("True"), false},
    {SLICE("[-]"), false},
    {SLICE("[+1]"), false},
    {SLICE("[01]"), false},
    {SLICE("[-01]"), false},
    {SLICE("[1.]"), false},
    {SLICE("[.5]"), false},
    {SLICE("[1e]"), false},
    {SLICE("[1e+]"), false},
    {SLICE("[1-1]"), false},
    {SLICE("[1.2.3]"), false},
    {SLICE("[e5]"), false},
    {SLICE("[NaN]"), false},
    {SLICE("[Infinity]"), false},
    {SLICE("[0x10]"), false},
    {SLICE("[\"a]"), false},
    {SLICE("[\"a\\\"]"), false},
    {SLICE("[\"\n\"]"), false},
    {SLICE("[\"\0\"]"), false},
    {SLICE("[\"\\x\"]"), false},
    {SLICE("[\"\\u12\"]"), false},
    {SLICE("[\"\\u12g4\"]"), false},
    {SLICE("[\"\\"), false},
    {SLICE("[\"\\u"), false},
    {SLICE("// comment\n{}"), false},
    {SLICE("\xef\xbb"), false},
};

static void test_json_documents(void **state)
{
    (void)state;
    size_t wrong = 0;
    for (size_t i = 0; i < COUNT(documents); i++) {
        slice text = documents[i].text;
        bool valid = documents[i].valid;
        if (scans(text) == valid && scans_apart(text) == valid && reads(text) == valid)
            continue;
        print_error("%.*s: skipped %d, taken apart %d, read %d; expected %d\n", SLICE_ARG(text),
                    scans(text), scans_apart(text), reads(text), valid);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_json_strings(void **state)
{
    (void)state;
    static const struct {
        slice text, value;
    } rows[] = {
        {SLICE("\"a\\u0000b\""), SLICE("a\0b")},
        {SLICE("\"\\u00e9\\u20AC\""), SLICE("é€")},
        {SLICE("\"\\ud83d\\ude00\""), SLICE("😀")},
        {SLICE("\"\\uD83D\\uDE00\""), SLICE("😀")},
        {SLICE("\"\\ud83d\""), SLICE("\xef\xbf\xbd")}, /* halves of a pair: U+FFFD each */
        {SLICE("\"\\ud83dx\""), SLICE("\xef\xbf\xbdx")},
        {SLICE("\"\\ude00\\ud83d\""), SLICE("\xef\xbf\xbd\xef\xbf\xbd")},
        {SLICE("\"\\ud83d\\u0041\""), SLICE("\xef\xbf\xbd"
                                            "A")},
        {SLICE("\"\\\\u0041\""), SLICE("\\u0041")},
        {SLICE("\"\\b\\f\\n\\r\\t\\/\""), SLICE("\b\f\n\r\t/")},
        {SLICE("\"\x7f\xff\""), SLICE("\x7f\xff")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct json_scan scan;
        slice value;
        json_scan_start(&scan, rows[i].text, &arena);
        assert_true(json_scan_string(&scan, &value));
        assert_true(json_scan_end(&scan));
        assert_slice(value, rows[i].value);
    }
}

/* What is deeper than the limit fails, in arrays, in objects, and when skipped below some levels.
 */
static void test_json_depth(void **state)
{
    (void)state;
    static const struct {
        const char *open, *close;
    } kinds[] = {{"[", "]"}, {"{\"a\":", "}"}};
    for (size_t kind = 0; kind < COUNT(kinds); kind++) {
        for (unsigned depth = LIMIT_JSON_DEPTH - 1; depth <= LIMIT_JSON_DEPTH + 1; depth++) {
            CLEANUP_BUFFER struct buffer text = {0};
            for (unsigned i = 0; i < depth; i++)
                buffer_text(&text, kinds[kind].open);
            buffer_text(&text, "1");
            for (unsigned i = 0; i < depth; i++)
                buffer_text(&text, kinds[kind].close);
            bool valid = depth <= LIMIT_JSON_DEPTH;
            assert_int_equal(scans(buffer_slice(&text)), valid);
            assert_int_equal(scans_apart(buffer_slice(&text)), valid);
            assert_int_equal(reads(buffer_slice(&text)), valid);
            assert_int_equal(json_depth_within(buffer_slice(&text), LIMIT_JSON_DEPTH), valid);
        }
    }
    CLEANUP_BUFFER struct buffer deep = {0};
    for (int i = 0; i < 1000000; i++)
        buffer_add_byte(&deep, '[');
    assert_false(scans(buffer_slice(&deep)));
    assert_false(reads(buffer_slice(&deep)));
    /* Brackets in strings are none. */
    assert_true(json_depth_within(SLICE("[\"[[[\\\"[\"]"), 1));
    assert_false(json_depth_within(SLICE("[\"\\\\\",[]]"), 1));
}

/* The first failure sticks, and names a place in the text. */
static void test_json_failure_sticks(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct json_scan scan;
    slice key;
    json_scan_start(&scan, SLICE("{\"a\" 1, \"b\": 2}"), &arena);
    assert_true(json_scan_enter(&scan, '{'));
    assert_false(json_scan_key(&scan, &key));
    const char *failure = scan.failure;
    assert_non_null(failure);
    assert_false(json_scan_key(&scan, &key));
    assert_false(json_scan_item(&scan));
    assert_false(json_scan_enter(&scan, '{'));
    assert_false(json_scan_string(&scan, &key));
    assert_false(json_scan_skip(&scan));
    assert_false(json_scan_end(&scan));
    assert_int_equal(json_scan_peek(&scan), 0);
    assert_ptr_equal(scan.failure, failure);
    assert_true(json_scan_offset(&scan) >= 4 && json_scan_offset(&scan) <= 5);

    json_scan_start(&scan, SLICE("[]"), &arena);
    assert_false(json_scan_enter(&scan, '{'));
    assert_non_null(scan.failure);
}

static void test_json_cut_anywhere(void **state)
{
    (void)state;
    static const slice whole = SLICE("{\"a\":[1.5e-3,\"\\u00e9\\n\",{\"b\":null}],\"c\":true}");
    for (size_t length = 0; length < whole.len; length++) {
        char *copy = memory_alloc(length); /* its very size: ASan sees what is read behind */
        memcpy(copy, whole.ptr, length);
        assert_false(scans(slice_make(copy, length)));
        assert_false(scans_apart(slice_make(copy, length)));
        free(copy);
    }
    assert_true(scans(whole));
}

/* --- JSON that is written --------------------------------------------------------------------- */

static void test_json_writer(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer out = {0};
    struct json_writer json = {.out = &out, .compact = true};
    json_begin_object(&json);
    json_field(&json, "s", SLICE("a\"\\\n\t\x01\x7f\0b"));
    json_field_or_null(&json, "n", SLICE_EMPTY);
    json_field_number(&json, "i", INT64_MIN);
    json_field_bool(&json, "t", true);
    json_field_strings(&json, "l", (slice[]){SLICE("x"), SLICE("")}, 2);
    json_field_strings(&json, "e", NULL, 0);
    json_put_key(&json, "d");
    json_put_decimal(&json, 0.12500, 5);
    json_put_key(&json, "o");
    json_begin_object(&json);
    json_end_object(&json);
    json_end_object(&json);
    CLEANUP_JSON json_t *value = NULL;
    CLEANUP_ERROR struct error *error = json_read(&value, buffer_slice(&out), "it");
    assert_null(error);
    CLEANUP_ARENA struct arena arena = {0};
    assert_slice(json_get_slice(value, "s", &arena), SLICE("a\"\\\n\t\x01\x7f\0b"));
    assert_true(json_is_null(json_object_get(value, "n")));
    assert_true(json_integer_value(json_object_get(value, "i")) == INT64_MIN);
    assert_int_equal(json_array_size(json_object_get(value, "l")), 2);
    assert_true(json_real_value(json_object_get(value, "d")) == 0.125);
    assert_true(slice_contains(buffer_slice(&out), SLICE("\"e\":[]")));
    assert_true(slice_contains(buffer_slice(&out), SLICE("\"o\":{}")));
    assert_int_equal(slice_find(buffer_slice(&out), '\n'), SIZE_MAX);
}

/* Any bytes become valid UTF-8; what is valid stays. */
static void test_json_writer_utf8(void **state)
{
    (void)state;
    static const struct {
        slice bytes, value;
    } rows[] = {
        {SLICE("é€😀"), SLICE("é€😀")},
        {SLICE("\xff"), SLICE("\xef\xbf\xbd")},
        {SLICE("a\xc3"), SLICE("a\xef\xbf\xbd")},
        {SLICE("\xc0\x80"), SLICE("\xef\xbf\xbd\xef\xbf\xbd")}, /* overlong NUL */
        {SLICE("\xe0\x80\xaf"), SLICE("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
        {SLICE("\xed\xa0\x80"), SLICE("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")}, /* a surrogate */
        {SLICE("\xf4\x90\x80\x80"),
         SLICE("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")}, /* above U+10FFFF */
        {SLICE("\xe2\x82x"), SLICE("\xef\xbf\xbd\xef\xbf\xbdx")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        CLEANUP_BUFFER struct buffer out = {0};
        CLEANUP_JSON json_t *value = NULL;
        struct json_writer json = {.out = &out};
        json_begin_object(&json);
        json_field(&json, "s", rows[i].bytes);
        json_end_object(&json);
        CLEANUP_ERROR struct error *error = json_read(&value, buffer_slice(&out), "it");
        assert_null(error);
        assert_slice(json_get_slice(value, "s", &arena), rows[i].value);
    }
}

/* Every byte, alone and between others, can be written and read. */
static void test_json_writer_bytes(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        CLEANUP_BUFFER struct buffer out = {0};
        CLEANUP_JSON json_t *value = NULL;
        char text[3] = {'a', (char)byte, 'z'};
        const slice parts[] = {slice_make(text, 2), slice_make(text, 3), slice_make(text + 1, 1),
                               slice_make(text + 1, 2)};
        struct json_writer json = {.out = &out, .compact = true};
        json_begin_object(&json);
        json_field_strings(&json, "k", parts, COUNT(parts));
        json_end_object(&json);
        CLEANUP_ERROR struct error *error = json_read(&value, buffer_slice(&out), "it");
        assert_null(error);
        const json_t *list = json_object_get(value, "k");
        assert_int_equal(json_array_size(list), COUNT(parts));
        for (size_t i = 0; i < COUNT(parts); i++) {
            const json_t *item = json_array_get(list, i);
            slice read = slice_make(json_string_value(item), json_string_length(item));
            if (byte < 0x80)
                assert_slice(read, parts[i]);
            else
                assert_true(slice_contains(read, SLICE("\xef\xbf\xbd")));
        }
    }
}

static void test_json_decimal(void **state)
{
    (void)state;
    static const struct {
        double number;
        int decimals;
        const char *text;
    } rows[] = {
        {9.8, 1, "9.8"},         {10, 1, "10.0"},   {0, 1, "0.0"},
        {0.00042, 5, "0.00042"}, {0.97, 5, "0.97"}, {1e-9, 5, "0.0"},
        {-1.25, 2, "-1.25"},     {3, 0, "3"},       {100, 0, "100"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_BUFFER struct buffer out = {0};
        struct json_writer json = {.out = &out};
        json_put_decimal(&json, rows[i].number, rows[i].decimals);
        assert_slice(buffer_slice(&out), slice_from_text(rows[i].text));
    }
    const double odd[] = {1e300, -1e300, 1e63, 1e22, NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(odd); i++) {
        CLEANUP_BUFFER struct buffer out = {0};
        struct json_writer json = {.out = &out};
        json_put_decimal(&json, odd[i], 1);
        if (!reads(buffer_slice(&out)))
            fail_msg("%g was written as %.*s", odd[i], SLICE_ARG(buffer_slice(&out)));
    }
}

/* --- text for people ------------------------------------------------------------------------- */

static void test_text_safe(void **state)
{
    (void)state;
    static const struct {
        slice text, safe;
    } rows[] = {
        {SLICE("plain é 漢 😀"), SLICE("plain é 漢 😀")},
        {SLICE("\x1b[31mred\x07"), SLICE("\\x1b[31mred\\x07")},
        {SLICE("a\nb\r\tc\0d\x7f"), SLICE("a\\x0ab\\x0d\\x09c\\x00d\\x7f")},
        {SLICE("\xc2\x9b"
               "31m"),
         SLICE("\\x9b31m")}, /* C1: CSI */
        {SLICE("\xe2\x80\xae"
               "abc"),
         SLICE("\\u202eabc")},
        {SLICE("\xe2\x81\xa6\xe2\x81\xa9"), SLICE("\\u2066\\u2069")},
        {SLICE("\xe2\x80\x8b\xe2\x80\x8f\xe2\x80\xa8\xe2\x80\xa9"),
         SLICE("\\u200b\\u200f\\u2028\\u2029")},
        {SLICE("\xef\xbb\xbf"), SLICE("\\ufeff")},
        {SLICE("\xd8\x9c"), SLICE("\\u061c")},
        {SLICE("\xf3\xa0\x81\xa1"), SLICE("\\ue0061")}, /* tag characters */
        {SLICE("\xff\xfe"), SLICE("\\xff\\xfe")},
        {SLICE("\xc3"), SLICE("\\xc3")},
        {SLICE(""), SLICE("")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice safe = text_safe(&arena, rows[i].text);
        assert_slice(safe, rows[i].safe);
        assert_slice(text_safe(&arena, safe), safe);
    }
    /* No byte that comes out can start a control sequence, whatever goes in. */
    for (uint32_t pair = 0; pair < 0x10000; pair++) {
        char bytes[2] = {(char)(pair >> 8), (char)pair};
        CLEANUP_BUFFER struct buffer out = {0};
        text_add_safe(&out, slice_make(bytes, 2));
        for (size_t i = 0; i < out.len; i++)
            assert_true((unsigned char)out.bytes[i] >= 0x20 && out.bytes[i] != 0x7f);
        for (slice rest = buffer_slice(&out); rest.len; rest = slice_from(rest, utf8_length(rest)))
            assert_true(utf8_length(rest) > 0);
    }
}

static void test_utf8_length(void **state)
{
    (void)state;
    static const struct {
        slice text;
        size_t length;
    } rows[] = {
        {SLICE(""), 0},
        {SLICE("a"), 1},
        {SLICE("\0"), 1},
        {SLICE("\x7f"), 1},
        {SLICE("\x80"), 0},
        {SLICE("\xc1\xbf"), 0},
        {SLICE("\xc2\x80"), 2},
        {SLICE("\xdf\xbf"), 2},
        {SLICE("\xe0\x9f\xbf"), 0},
        {SLICE("\xe0\xa0\x80"), 3},
        {SLICE("\xed\x9f\xbf"), 3},
        {SLICE("\xed\xa0\x80"), 0},
        {SLICE("\xee\x80\x80"), 3},
        {SLICE("\xef\xbf\xbf"), 3},
        {SLICE("\xf0\x8f\xbf\xbf"), 0},
        {SLICE("\xf0\x90\x80\x80"), 4},
        {SLICE("\xf4\x8f\xbf\xbf"), 4},
        {SLICE("\xf4\x90\x80\x80"), 0},
        {SLICE("\xf5\x80\x80\x80"), 0},
        {SLICE("\xe2\x82"), 0},
        {SLICE("\xe2\x82"
               "a"),
         0},
        {SLICE("\xf0\x90\x80"), 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_int_equal(utf8_length(rows[i].text), rows[i].length);
}

static void test_text_width(void **state)
{
    (void)state;
    assert_int_equal(text_width(SLICE("abc")), 3);
    assert_int_equal(text_width(SLICE("漢字")), 4);
    assert_int_equal(text_width(SLICE("e\xcc\x81")), 1);
    assert_int_equal(text_width(SLICE("😀")), 2);
    assert_int_equal(text_width(SLICE("\xff")), 1);
    static const slice texts[] = {SLICE(""),
                                  SLICE("abcdef"),
                                  SLICE("漢字漢字"),
                                  SLICE("a漢b字"),
                                  SLICE("e\xcc\x81"
                                        "e\xcc\x81"),
                                  SLICE("\xff\xff\xff")};
    for (size_t i = 0; i < COUNT(texts); i++) {
        for (size_t width = 0; width < 12; width++) {
            CLEANUP_BUFFER struct buffer out = {0};
            size_t used = text_add_cut(&out, texts[i], width);
            assert_true(used <= width);
            assert_int_equal(text_width(buffer_slice(&out)), used);
            bool fits = text_width(texts[i]) <= width;
            assert_int_equal(slice_equal(buffer_slice(&out), texts[i]), fits);
            if (!fits && width)
                assert_true(slice_ends(buffer_slice(&out), SLICE("…")));
        }
    }
}

static void test_text_size(void **state)
{
    (void)state;
    static const struct {
        uint64_t bytes;
        const char *text;
    } rows[] = {
        {0, "0 B"},           {1023, "1023 B"},        {1024, "1.0 KiB"},
        {17 << 10, "17 KiB"}, {1288490189, "1.2 GiB"}, {UINT64_MAX, "16 EiB"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        assert_slice(text_size(&arena, rows[i].bytes), slice_from_text(rows[i].text));
    }
}

/* --- memory and maps ---------------------------------------------------------------------------
 */

static void test_arena(void **state)
{
    (void)state;
    struct arena arena = {0};
    static const size_t sizes[] = {0, 1, 7, 8, 4095, 4096, 300000, 3, 1 << 20, 1};
    char *kept[COUNT(sizes)];
    for (size_t i = 0; i < COUNT(sizes); i++) {
        kept[i] = arena_alloc(&arena, sizes[i]);
        assert_int_equal((uintptr_t)kept[i] % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(kept[i][j], 0);
        memset(kept[i], (int)i + 1, sizes[i]);
        arena_text(&arena, SLICE("odd")); /* what follows has to be aligned again */
    }
    for (size_t i = 0; i < COUNT(sizes); i++)
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(kept[i][j], (int)i + 1);
    assert_true(arena.used > (1 << 20) + 300000);
    arena_free(&arena);
    assert_int_equal(arena.used, 0);

    slice copy = arena_copy(&arena, SLICE("a\0b"));
    assert_slice(copy, SLICE("a\0b"));
    assert_int_equal(copy.ptr[3], 0);
    assert_slice(arena_copy(&arena, (slice){NULL, 0}), SLICE_EMPTY);
    assert_slice(arena_format(&arena, "%s-%d", "x", 5), SLICE("x-5"));
    struct list list = {0};
    for (size_t i = 0; i < 10000; i++)
        *(size_t *)list_add(&list, &arena, sizeof(size_t)) = i;
    assert_int_equal(list.count, 10000);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(((size_t *)list.items)[i], i);
    arena_free(&arena);
}

static void test_map(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    CLEANUP_ARENA struct arena arena = {0};
    struct map map = {.arena = &arena};
    static int values[KEYS];
    assert_null(map_get(&map, SLICE("x")));
    for (int i = 0; i < KEYS; i++)
        map_put(&map, arena_format(&arena, "key-%d", i), &values[i]);
    map_put(&map, SLICE(""), &values[1]);
    map_put(&map, SLICE("a\0b"), &values[2]);
    map_put(&map, SLICE("key-7"), &values[8]);
    assert_int_equal(map.count, KEYS + 2);
    for (int i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&map, arena_format(&arena, "key-%d", i)), &values[i == 7 ? 8 : i]);
    assert_ptr_equal(map_get(&map, SLICE_EMPTY), &values[1]);
    assert_ptr_equal(map_get(&map, SLICE("a\0b")), &values[2]);
    assert_null(map_get(&map, SLICE("a")));
    assert_null(map_get(&map, SLICE("key-5000")));
}

/* --- digests --------------------------------------------------------------------------------- */

#define SHA256_ABC "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA512_ABC                                                                                 \
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"                      \
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static void test_digest(void **state)
{
    (void)state;
    static const char *const expected[] = {SHA256_ABC, SHA512_ABC};
    for (size_t i = 0; i < 2; i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice text = slice_from_text(expected[i]);
        assert_true(digest_valid(text));
        struct digest *digest = digest_start(text);
        digest_add(digest, "a", 1);
        digest_add(digest, "", 0);
        digest_add(digest, "bc", 2);
        assert_slice(digest_finish(digest, &arena), text);
        assert_null(digest_check(SLICE("abc"), text, "it"));
        CLEANUP_ERROR struct error *error = digest_check(SLICE("abd"), text, "the config");
        assert_non_null(error);
        assert_int_equal(error->kind, ERROR_INPUT);
        assert_non_null(strstr(error->message, "the config"));
        assert_non_null(strstr(error->message, expected[i]));
    }
    digest_free(NULL);
}

static void test_digest_forms(void **state)
{
    (void)state;
    char text[] = SHA256_ABC;
    slice whole = slice_from_text(text);
    for (size_t length = 0; length < whole.len; length++)
        assert_false(digest_valid(slice_first(whole, length)));
    assert_false(digest_valid(SLICE(SHA256_ABC "0")));
    assert_false(digest_valid(SLICE(" " SHA256_ABC)));
    assert_false(digest_valid(SLICE("sha256")));
    assert_false(digest_valid(SLICE("md5:900150983cd24fb0d6963f7d28e17f72")));
    static const char odd[] = {'A', 'F', 'g', '/', '\0', '\n', ':', ' ', '`'};
    for (size_t i = 0; i < sizeof(odd); i++) {
        char kept = text[20];
        text[20] = odd[i];
        assert_false(digest_valid(slice_make(text, whole.len)));
        text[20] = kept;
    }
    /* sha512 with the length of sha256, and the other way round */
    char other[] = SHA256_ABC;
    memcpy(other, "sha512", 6);
    assert_false(digest_valid(slice_from_text(other)));
}

/* --- files ----------------------------------------------------------------------------------- */

struct folder {
    char path[64];
    struct arena arena;
};

static int folder_setup(void **state)
{
    struct folder *folder = memory_alloc(sizeof(*folder));
    *folder = (struct folder){.path = "/tmp/plimsoll-base-XXXXXX"};
    assert_non_null(mkdtemp(folder->path));
    *state = folder;
    return 0;
}

static size_t count_and_remove(struct folder *folder)
{
    size_t count = 0;
    DIR *stream = opendir(folder->path);
    assert_non_null(stream);
    for (struct dirent *item; (item = readdir(stream));) {
        if (item->d_name[0] == '.' && (!item->d_name[1] || item->d_name[1] == '.'))
            continue;
        count++;
        assert_int_equal(unlinkat(dirfd(stream), item->d_name, 0), 0);
    }
    closedir(stream);
    return count;
}

static int folder_teardown(void **state)
{
    struct folder *folder = *state;
    count_and_remove(folder);
    assert_int_equal(rmdir(folder->path), 0);
    arena_free(&folder->arena);
    free(folder);
    return 0;
}

static const char *below(struct folder *folder, const char *name)
{
    return arena_format(&folder->arena, "%s/%s", folder->path, name).ptr;
}

static void expect_content(struct folder *folder, const char *path, slice expected)
{
    slice bytes;
    CLEANUP_ERROR struct error *error =
        file_read_whole(&folder->arena, AT_FDCWD, path, 1 << 20, &bytes);
    assert_null(error);
    assert_slice(bytes, expected);
}

static void test_file_replace(void **state)
{
    struct folder *folder = *state;
    const char *path = below(folder, "report");
    assert_null(file_replace(path, SLICE("old and long")));
    assert_null(file_replace(path, SLICE("new\0")));
    expect_content(folder, path, SLICE("new\0"));
    assert_null(file_replace(path, SLICE_EMPTY));
    expect_content(folder, path, SLICE_EMPTY);
    assert_int_equal(count_and_remove(folder), 1);
}

/* What a run that was killed midway left behind does not stop the next one of the same pid. */
static void test_file_replace_over_leftover(void **state)
{
    struct folder *folder = *state;
    const char *path = below(folder, "report");
    const char *left = arena_format(&folder->arena, "%s.%ld.partial", path, (long)getpid()).ptr;
    int fd = open(left, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
    CLEANUP_ERROR struct error *error = file_replace(path, SLICE("new"));
    if (error)
        fail_msg("%s", error->message);
    expect_content(folder, path, SLICE("new"));
    /* Nor is a link that someone laid there written through. */
    const char *other = below(folder, "other");
    assert_null(file_replace(other, SLICE("other")));
    assert_int_equal(symlink(other, left), 0);
    assert_null(file_replace(path, SLICE("newer")));
    expect_content(folder, path, SLICE("newer"));
    expect_content(folder, other, SLICE("other"));
}

static void test_file_replace_fails_whole(void **state)
{
    struct folder *folder = *state;
    CLEANUP_ERROR struct error *full = file_replace("/dev/full", SLICE("x"));
    assert_non_null(full);
    assert_int_equal(full->kind, ERROR_SYSTEM);
    assert_non_null(strstr(full->message, "/dev/full"));
    CLEANUP_ERROR struct error *nowhere = file_replace(below(folder, "no/such"), SLICE("x"));
    assert_non_null(nowhere);
    const char *blocked = below(folder, "folder");
    assert_int_equal(mkdir(blocked, 0700), 0);
    CLEANUP_ERROR struct error *in_place = file_replace(blocked, SLICE("x"));
    assert_non_null(in_place);
    assert_int_equal(rmdir(blocked), 0);
    assert_int_equal(count_and_remove(folder), 0);
    assert_null(file_replace("/dev/null", SLICE("x")));
}

static void test_file_replace_pipe(void **state)
{
    struct folder *folder = *state;
    const char *path = below(folder, "pipe");
    char bytes[8];
    assert_int_equal(mkfifo(path, 0600), 0);
    int fd = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_null(file_replace(path, SLICE("text")));
    assert_int_equal(read(fd, bytes, sizeof(bytes)), 4);
    close(fd);
    assert_int_equal(count_and_remove(folder), 1);
}

static void test_file_read(void **state)
{
    struct folder *folder = *state;
    const char *path = below(folder, "f");
    slice bytes;
    assert_null(file_replace(path, SLICE("12345")));
    assert_null(file_read_whole(&folder->arena, AT_FDCWD, path, 5, &bytes));
    assert_slice(bytes, SLICE("12345"));
    CLEANUP_ERROR struct error *larger = file_read_whole(&folder->arena, AT_FDCWD, path, 4, &bytes);
    assert_non_null(larger);
    assert_int_equal(larger->kind, ERROR_LIMIT);
    CLEANUP_ERROR struct error *missing =
        file_read_whole(&folder->arena, AT_FDCWD, below(folder, "none"), 4, &bytes);
    assert_non_null(missing);
    CLEANUP_ERROR struct error *not_a_file =
        file_read_whole(&folder->arena, AT_FDCWD, folder->path, 4, &bytes);
    assert_non_null(not_a_file);
    CLEANUP_ERROR struct error *device =
        file_read_whole(&folder->arena, AT_FDCWD, "/dev/zero", 4, &bytes);
    assert_non_null(device);

    char part[8];
    size_t got;
    CLEANUP_CLOSE int fd = open(path, O_RDONLY);
    assert_null(file_read_at(fd, part, 3, 3, &got));
    assert_int_equal(got, 2);
    assert_null(file_read_at(fd, part, 3, 100, &got));
    assert_int_equal(got, 0);
    assert_null(file_read_at(fd, part, 3, UINT64_MAX, &got));
    assert_int_equal(got, 0);
    CLEANUP_ERROR struct error *closed = file_read_at(-1, part, 3, 0, &got);
    assert_non_null(closed);
}

static void test_errors_wrap(void **state)
{
    (void)state;
    assert_null(error_wrap(NULL, "nothing"));
    struct error *error = error_make(ERROR_LIMIT, "%d bytes", 5);
    error = error_wrap(error_wrap(error, "layer %d", 3), "app:1");
    assert_string_equal(error->message, "app:1: layer 3: 5 bytes");
    assert_int_equal(error->kind, ERROR_LIMIT);
    error_free(error);
    error_free(NULL);
}

int main(void)
{
#define IN_FOLDER(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slice_parts),
        cmocka_unit_test(test_slice_order),
        cmocka_unit_test(test_slice_pull),
        cmocka_unit_test(test_slice_paths),
        cmocka_unit_test(test_slice_numbers),
        cmocka_unit_test(test_buffer),
        cmocka_unit_test(test_buffer_numbers),
        cmocka_unit_test(test_numbers_that_are_none),
        cmocka_unit_test(test_json_documents),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_json_depth),
        cmocka_unit_test(test_json_failure_sticks),
        cmocka_unit_test(test_json_cut_anywhere),
        cmocka_unit_test(test_json_writer),
        cmocka_unit_test(test_json_writer_utf8),
        cmocka_unit_test(test_json_writer_bytes),
        cmocka_unit_test(test_json_decimal),
        cmocka_unit_test(test_text_safe),
        cmocka_unit_test(test_utf8_length),
        cmocka_unit_test(test_text_width),
        cmocka_unit_test(test_text_size),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_digest),
        cmocka_unit_test(test_digest_forms),
        IN_FOLDER(test_file_replace),
        IN_FOLDER(test_file_replace_over_leftover),
        IN_FOLDER(test_file_replace_fails_whole),
        IN_FOLDER(test_file_replace_pipe),
        IN_FOLDER(test_file_read),
        cmocka_unit_test(test_errors_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
