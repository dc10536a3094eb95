/* Protocol Buffers: the examples of encoding.md of protobuf.dev, and what is malformed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "source/protobuf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_fields(void **state)
{
    (void)state;
    static const struct {
        slice message;
        uint64_t number, value;
        slice bytes;
    } rows[] = {
        {SLICE("\x08\x96\x01"), 1, 150, SLICE("")},
        {SLICE("\x12\x07testing"), 2, 0, SLICE("testing")},
        {SLICE("\x1a\x03\x08\x96\x01"), 3, 0, SLICE("\x08\x96\x01")},
        {SLICE("\x08\x00"), 1, 0, SLICE("")},
        {SLICE("\x08\x80\x80\x00"), 1, 0, SLICE("")}, /* longer than need be */
        {SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 1, UINT64_MAX, SLICE("")},
        {SLICE("\x0a\x00"), 1, 0, SLICE("")},
        {SLICE("\x09\1\2\3\4\5\6\7\x08"), 1, 0, SLICE("")},
        {SLICE("\x0d\1\2\3\4"), 1, 0, SLICE("")},
        {SLICE("\xf8\xff\xff\xff\x0f\x01"), 0x1fffffff, 1, SLICE("")},
        {SLICE("\x0a\x02\x00\xff"), 1, 0, SLICE("\x00\xff")},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        slice rest = rows[i].message;
        struct protobuf_field field;
        if (!protobuf_pull(&rest, &field))
            fail_msg("row %zu", i);
        assert_true(field.number == rows[i].number && field.value == rows[i].value);
        assert_true(slice_equal(field.bytes, rows[i].bytes));
        assert_int_equal(rest.len, 0);
        assert_false(protobuf_pull(&rest, &field));
    }
}

/* The rest is what it was. */
static void test_malformed(void **state)
{
    (void)state;
    static const slice messages[] = {
        SLICE("\x08"),                                             /* no value */
        SLICE("\x80"),                                             /* half a tag */
        SLICE("\x08\x80"),                                         /* half a value */
        SLICE("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), /* eleven bytes */
        SLICE("\x0a\x05test"),                                     /* longer than the rest */
        SLICE("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
        SLICE("\x0a"),
        SLICE("\x09\1\2\3\4\5\6\7"),
        SLICE("\x0d\1\2\3"),
        SLICE("\x0b"), /* a group */
        SLICE("\x0c"),
        SLICE("\x0e\x01"), /* no such type */
        SLICE("\x0f\x01"),
    };
    for (size_t i = 0; i < COUNT(messages); i++) {
        slice rest = messages[i];
        struct protobuf_field field;
        if (protobuf_pull(&rest, &field))
            fail_msg("row %zu", i);
        assert_true(rest.ptr == messages[i].ptr && rest.len == messages[i].len);
        assert_int_equal(protobuf_find(messages[i], 1).len, 0);
    }
}

static void test_find(void **state)
{
    (void)state;
    slice message = SLICE("\x08\x01"    /* 1: a number */
                          "\x0a\x00"    /* 1: nothing */
                          "\x12\x01z"   /* 2 */
                          "\x0a\x02hi"  /* 1 */
                          "\x0a\x03two" /* 1 again */
                          "\x0f\x1a\x01x" /* malformed: what follows is not seen */);
    assert_true(slice_equal(protobuf_find(message, 1), SLICE("hi")));
    assert_true(slice_equal(protobuf_find(message, 2), SLICE("z")));
    assert_int_equal(protobuf_find(message, 3).len, 0);
    assert_int_equal(protobuf_find(SLICE_EMPTY, 1).len, 0);
}

static void test_add(void **state)
{
    (void)state;
    static char large[300];
    CLEANUP_BUFFER struct buffer message = {0};
    memset(large, 'x', sizeof(large));
    protobuf_add(&message, 2, SLICE("testing"));
    assert_true(slice_equal(buffer_slice(&message), SLICE("\x12\x07testing")));
    protobuf_add(&message, 1, SLICE_EMPTY);
    protobuf_add(&message, 16, slice_make(large, sizeof(large)));
    assert_true(
        slice_equal(protobuf_find(buffer_slice(&message), 16), slice_make(large, sizeof(large))));
    assert_int_equal(message.len, 9 + 2 + 2 + 2 + sizeof(large));
}

/* Cut anywhere it ends, and gives nothing that is not there. */
static void test_cut(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer inner = {0};
    CLEANUP_BUFFER struct buffer outer = {0};
    protobuf_add(&inner, 1, SLICE("type"));
    protobuf_add(&inner, 2, SLICE("digest"));
    protobuf_add(&outer, 3, buffer_slice(&inner));
    protobuf_add(&outer, 300, SLICE("text"));
    slice message = buffer_slice(&outer);
    assert_true(slice_equal(protobuf_find(protobuf_find(message, 3), 2), SLICE("digest")));
    for (size_t length = 0; length < message.len; length++) {
        slice rest = slice_first(message, length);
        struct protobuf_field field;
        while (protobuf_pull(&rest, &field))
            assert_true(field.bytes.len <= length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields), cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_find),   cmocka_unit_test(test_add),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
