#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "match/cvss.h"
#include "table.h"

static enum cvss_version version_of(slice vector)
{
    return slice_starts(vector, SLICE("CVSS:4.0/"))   ? CVSS_4_0
           : slice_starts(vector, SLICE("CVSS:3.1/")) ? CVSS_3_1
           : slice_starts(vector, SLICE("CVSS:3.0/")) ? CVSS_3_0
                                                      : CVSS_2_0;
}

/* "7.5" as 75 */
static int tenths_of(const struct table *table, slice row, slice score)
{
    slice whole, tenth;
    uint64_t ones = 0, tenths = 0;
    if (!slice_split(score, '.', &whole, &tenth) || tenth.len != 1 || !slice_to_u64(whole, &ones) ||
        !slice_to_u64(tenth, &tenths) || ones > 10)
        table_fail(table, row, "not a score");
    return (int)(ones * 10 + tenths);
}

static void test_table(void **state)
{
    (void)state;
    struct table table = table_open("cvss.txt");
    slice row, vector, score;
    while (table_next(&table, &row)) {
        if (!slice_split(row, ' ', &vector, &score))
            table_fail(&table, row, "not a row \"VECTOR SCORE\"");
        struct cvss cvss = {CVSS_2_0, -1};
        bool read = cvss_parse(vector, &cvss);
        if (slice_equal(score, SLICE("invalid"))) {
            if (read)
                table_fail(&table, row, "read as %d tenths", cvss.score_tenths);
            continue;
        }
        if (!read)
            table_fail(&table, row, "not read");
        if (cvss.score_tenths != tenths_of(&table, row, score))
            table_fail(&table, row, "%d tenths", cvss.score_tenths);
        if (cvss.version != version_of(vector))
            table_fail(&table, row, "read as version %d", cvss.version);
    }
    table_close(&table, 130);
}

/* Neither cut short nor with a NUL or any other byte put in is a vector still one. */
static void test_bytes(void **state)
{
    (void)state;
    static const slice good[] = {
        SLICE("AV:N/AC:L/Au:N/C:P/I:P/A:P"),
        SLICE("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"),
        SLICE("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"),
    };
    struct cvss cvss;
    for (size_t i = 0; i < 3; i++) {
        assert_true(cvss_parse(good[i], &cvss));
        for (size_t at = 0; at < good[i].len; at++)
            assert_false(cvss_parse(slice_first(good[i], at), &cvss));
        for (size_t at = 0; at <= good[i].len; at++) {
            for (int byte = 0; byte < 256; byte++) {
                char text[128];
                memcpy(text, good[i].ptr, at);
                text[at] = (char)byte;
                memcpy(text + at + 1, good[i].ptr + at, good[i].len - at);
                if (cvss_parse(slice_make(text, good[i].len + 1), &cvss))
                    fail_msg("still a vector with byte %d at %zu", byte, at);
            }
        }
    }
    assert_false(cvss_parse((slice){NULL, 0}, &cvss));
    assert_false(cvss_parse(SLICE_EMPTY, &cvss));
}

/* A vector that is not read leaves what was there alone. */
static void test_untouched(void **state)
{
    (void)state;
    struct cvss cvss = {CVSS_3_0, 42};
    assert_false(cvss_parse(SLICE("CVSS:3.1/AV:N"), &cvss));
    assert_int_equal(cvss.version, CVSS_3_0);
    assert_int_equal(cvss.score_tenths, 42);
}

static void test_long(void **state)
{
    (void)state;
    enum { LENGTH = 8 << 20 };
    char *text = malloc(LENGTH);
    assert_non_null(text);
    struct cvss cvss;
    memset(text, '/', LENGTH);
    assert_false(cvss_parse(slice_make(text, LENGTH), &cvss));
    memset(text, ':', LENGTH);
    assert_false(cvss_parse(slice_make(text, LENGTH), &cvss));
    memset(text, '(', LENGTH);
    assert_false(cvss_parse(slice_make(text, LENGTH), &cvss));
    memset(text, ' ', LENGTH);
    memcpy(text, "AV:", 3);
    assert_false(cvss_parse(slice_make(text, LENGTH), &cvss));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_untouched),
        cmocka_unit_test(test_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
