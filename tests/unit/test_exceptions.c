/* What exceptions and VEX are matched with, as tables: patterns, package URLs, moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/glob.h"
#include "sbom/purl.h"
#include "policy/vex_forms.h"
#include "table.h"

static size_t fields(slice row, slice *field, size_t room)
{
    size_t count = 0;
    while (count < room && slice_pull(&row, '\t', &field[count]))
        count++;
    return count;
}

static const char *yes_or_no(bool answer)
{
    return answer ? "yes" : "no";
}

static void check(const struct table *table, slice row, slice expected, const char *found)
{
    if (!slice_equal(expected, slice_from_text(found)))
        table_fail(table, row, "found %s", found);
}

static void test_globs(void **state)
{
    (void)state;
    struct table table = table_open("globs.txt");
    slice row, field[3];
    while (table_next(&table, &row)) {
        if (fields(row, field, 3) != 3)
            table_fail(&table, row, "not three fields");
        check(&table, row, field[2],
              glob_valid(field[0]) ? yes_or_no(glob_match(field[0], field[1])) : "wrong");
    }
    table_close(&table, 50);
}

static void test_purls(void **state)
{
    (void)state;
    struct table table = table_open("purls.txt");
    slice row, field[3];
    while (table_next(&table, &row)) {
        CLEANUP_ARENA struct arena arena = {0};
        struct purl pattern, purl;
        if (fields(row, field, 3) != 3 || !purl_parse(&purl, field[1], &arena))
            table_fail(&table, row, "not three fields");
        check(&table, row, field[2],
              purl_parse(&pattern, field[0], &arena) ? yes_or_no(purl_matches(&pattern, &purl))
                                                     : "wrong");
    }
    table_close(&table, 35);
}

static void test_moments(void **state)
{
    (void)state;
    struct table table = table_open("moments.txt");
    slice row, field[2];
    while (table_next(&table, &row)) {
        char found[32];
        if (fields(row, field, 2) != 2)
            table_fail(&table, row, "not two fields");
        int64_t moment = vex_moment(field[0]);
        snprintf(found, sizeof(found), "%lld", (long long)moment);
        check(&table, row, field[1], moment == INT64_MIN ? "wrong" : found);
    }
    table_close(&table, 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_globs),
        cmocka_unit_test(test_purls),
        cmocka_unit_test(test_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
