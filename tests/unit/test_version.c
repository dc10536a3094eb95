#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "table.h"
#include "version/version.h"
#include <time.h>

#define VERSIONS_MAX 2000
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct version_scheme *scheme_of(const char *name)
{
    const struct version_scheme *scheme = version_scheme_named(slice_from_text(name));
    assert_non_null(scheme);
    return scheme;
}

static char sign(int order)
{
    return order < 0 ? '<' : order > 0 ? '>' : '=';
}

static char turned(char order)
{
    return order == '<' ? '>' : order == '>' ? '<' : '=';
}

/* "a OP b" */
static void split_row(const struct table *table, slice row, slice *a, char *order, slice *b)
{
    slice rest, operator;
    if (!slice_split(row, ' ', a, &rest) ||
        !slice_split(rest, ' ', &operator, b) ||
        operator.len != 1 || slice_find(SLICE("<=>"), operator.ptr[0]) == SIZE_MAX)
        table_fail(table, row, "not a row \"a OP b\"");
    *order = operator.ptr[0];
}

static void check_table(const char *scheme_name, const char *name, size_t least_rows)
{
    const struct version_scheme *scheme = scheme_of(scheme_name);
    struct table table = table_open(name);
    slice row, a, b;
    char order;
    while (table_next(&table, &row)) {
        split_row(&table, row, &a, &order, &b);
        char found = sign(scheme->compare(a, b));
        if (found != order)
            table_fail(&table, row, "compared as %c", found);
        if (sign(scheme->compare(b, a)) != turned(order))
            table_fail(&table, row, "compared another way when turned round");
        if (scheme->compare(a, a) != 0 || scheme->compare(b, b) != 0)
            table_fail(&table, row, "not equal to itself");
        if (scheme->valid(a) && !scheme->valid(b) && order != '>')
            table_fail(&table, row, "what is not valid has to come first");
    }
    table_close(&table, least_rows);
}

static const struct version_scheme *sorted_scheme;

static int compare_for_sort(const void *a, const void *b)
{
    return sorted_scheme->compare(*(const slice *)a, *(const slice *)b);
}

/* All versions of a table, sorted, are in order pair by pair: the order is total and transitive. */
static void check_total_order(const char *scheme_name, const char *name)
{
    static slice versions[VERSIONS_MAX];
    size_t count = 0;
    struct table table = table_open(name);
    slice row, a, b;
    char order;
    while (table_next(&table, &row) && count + 2 <= VERSIONS_MAX) {
        split_row(&table, row, &a, &order, &b);
        versions[count++] = slice_make(memcpy(malloc(a.len), a.ptr, a.len), a.len);
        versions[count++] = slice_make(memcpy(malloc(b.len), b.ptr, b.len), b.len);
    }
    sorted_scheme = scheme_of(scheme_name);
    qsort(versions, count, sizeof(slice), compare_for_sort);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i; j < count; j++)
            if (sorted_scheme->compare(versions[i], versions[j]) > 0)
                fail_msg("%.*s > %.*s, though sorted before it", SLICE_ARG(versions[i]),
                         SLICE_ARG(versions[j]));
    }
    for (size_t i = 0; i < count; i++)
        free((char *)versions[i].ptr);
    table_close(&table, 1);
}

static void test_dpkg(void **state)
{
    (void)state;
    check_table("dpkg", "versions-dpkg.txt", 190);
    check_total_order("dpkg", "versions-dpkg.txt");
}

static void test_pep440(void **state)
{
    (void)state;
    check_table("pep440", "versions-pep440.txt", 270);
    check_total_order("pep440", "versions-pep440.txt");
}

static void test_semver(void **state)
{
    (void)state;
    check_table("semver", "versions-semver.txt", 170);
    check_total_order("semver", "versions-semver.txt");
}

/* What a table cannot hold: white space, NULs, bytes that are no text. */
static const struct {
    const char *scheme;
    slice text;
    bool valid;
} bytes[] = {
    {"dpkg", SLICE(" 1.0-1"), true},
    {"dpkg", SLICE("1.0-1\t "), true},
    {"dpkg", SLICE("\n1:1.0"), true}, /* strtol(3) steps over it */
    {"dpkg", SLICE("\n1.0"), false},
    {"dpkg", SLICE("1.0\n"), false},
    {"dpkg", SLICE(" \n 1:1.0"), false},
    {"dpkg", SLICE("1 .0"), false},
    {"dpkg", SLICE("1: 1.0"), false},
    {"dpkg", SLICE(""), false},
    {"dpkg", SLICE(" "), false},
    {"dpkg", SLICE("1.0\0"), false},
    {"dpkg", SLICE("\0"), false},
    {"dpkg", SLICE("1.0\xff"), false},
    {"pep440", SLICE(" 1.0"), true},
    {"pep440", SLICE("1.0 \t\r\n\v\f\x1c\x1d\x1e\x1f"), true},
    {"pep440", SLICE(" v1.0 "), true},
    {"pep440", SLICE("v 1.0"), false},
    {"pep440", SLICE("1 .0"), false},
    {"pep440", SLICE("1.0 a1"), false},
    {"pep440", SLICE(""), false},
    {"pep440", SLICE(" "), false},
    {"pep440", SLICE("v"), false},
    {"pep440", SLICE("1.0\0"), false},
    {"pep440", SLICE("1.0\0a1"), false},
    {"pep440", SLICE("\xef\xbc\x91.0"), false}, /* a full-width 1 */
    {"pep440", SLICE("1.0+\xc3\xa9"), false},
    {"semver", SLICE(" 1.0.0"), false},
    {"semver", SLICE("1.0.0 "), false},
    {"semver", SLICE("1.0.0\n"), false},
    {"semver", SLICE(""), false},
    {"semver", SLICE("v"), false},
    {"semver", SLICE("1.0.0\0"), false},
    {"semver", SLICE("1.0.0-\0"), false},
    {"semver", SLICE("1.0.0-\xc3\xa9"), false},
};

static void test_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bytes); i++)
        if (scheme_of(bytes[i].scheme)->valid(bytes[i].text) != bytes[i].valid)
            fail_msg("%s, bytes[%zu]: should be %s", bytes[i].scheme, i,
                     bytes[i].valid ? "valid" : "not valid");

    assert_int_equal(scheme_of("dpkg")->compare(SLICE(" 1.0 "), SLICE("1.0")), 0);
    assert_int_equal(scheme_of("pep440")->compare(SLICE("\n1.0\t"), SLICE("1.0")), 0);
    for (size_t i = 0; i < 3; i++) {
        const struct version_scheme *scheme =
            scheme_of((const char *const[]){"dpkg", "pep440", "semver"}[i]);
        assert_false(scheme->valid((slice){NULL, 0}));
        assert_int_equal(scheme->compare((slice){NULL, 0}, SLICE_EMPTY), 0);
        assert_true(scheme->compare((slice){NULL, 0}, SLICE("0")) < 0);
        assert_true(scheme->compare(SLICE("\0"), SLICE("\0\0")) < 0);
    }
}

/* Megabytes of text are compared in a time that grows no faster than they do. */
static void test_long(void **state)
{
    (void)state;
    enum { LENGTH = 8 << 20 };
    char *text = malloc(LENGTH + 1);
    assert_non_null(text);
    clock_t start = clock();
    for (size_t i = 0; i < 3; i++) {
        const struct version_scheme *scheme =
            scheme_of((const char *const[]){"dpkg", "pep440", "semver"}[i]);
        memset(text, '9', LENGTH + 1);
        assert_true(scheme->compare(slice_make(text, LENGTH), slice_make(text, LENGTH + 1)) < 0);
        assert_true(scheme->compare(slice_make(text, LENGTH), SLICE("18446744073709551616")) > 0);
        memset(text, '0', LENGTH);
        assert_true(scheme->compare(slice_make(text, LENGTH + 1), SLICE("9")) == 0);
        for (size_t at = 0; at < LENGTH; at += 2)
            text[at + 1] = '.';
        assert_true(scheme->compare(slice_make(text, LENGTH + 1), SLICE("0")) > 0);
        memset(text, '.', LENGTH);
        assert_true(scheme->compare(slice_make(text, LENGTH + 1), SLICE("0")) < 0);
        memset(text, '-', LENGTH);
        text[0] = '1';
        assert_true(scheme->compare(slice_make(text, LENGTH + 1), slice_make(text, LENGTH + 1)) ==
                    0);
    }
    assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
    free(text);
}

static void test_bound(void **state)
{
    (void)state;
    static const struct {
        const char *scheme, *installed, *bound;
        char order;
    } rows[] = {
        {"pep440", "2.0.1+cu118", "2.0.1", '='},
        {"pep440", "2.0.1+cu118", "2.0.1+cu118", '='},
        {"pep440", "2.0.1+cu118", "2.0.1+CU118", '='},
        {"pep440", "2.0.1+cu118", "2.0.1+cu117", '>'},
        {"pep440", "2.0.1", "2.0.1+cu118", '<'},
        {"pep440", "2.0.0", "2.0.0+cgr.1", '<'},
        {"pep440", "6.4+x", "6.4.0", '='},
        {"pep440", "6.4+x", "6.4.1", '<'},
        {"pep440", "6.4+x", "6.3", '>'},
        {"pep440", "1.0a1+x", "1.0a1", '='},
        {"pep440", "nothing", "1.0", '<'},
        {"pep440", "1.0+x", "nothing", '>'},
        {"pep440", "nothing", "nothing", '='},
        {"dpkg", "1.0+b1", "1.0", '>'},
        {"semver", "1.0.0+b1", "1.0.0", '='},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char found = sign(scheme_of(rows[i].scheme)
                              ->compare_bound(slice_from_text(rows[i].installed),
                                              slice_from_text(rows[i].bound)));
        if (found != rows[i].order)
            fail_msg("%s: installed %s %c bound %s", rows[i].scheme, rows[i].installed, found,
                     rows[i].bound);
    }
}

static void test_schemes(void **state)
{
    (void)state;
    static const struct {
        const char *ecosystem, *scheme;
    } rows[] = {
        {"Debian", "dpkg"},    {"Debian:12", "dpkg"},
        {"Ubuntu", "dpkg"},    {"Ubuntu:22.04:LTS", "dpkg"},
        {"PyPI", "pep440"},    {"PyPI:", "pep440"},
        {"Go", "semver"},      {"crates.io", "semver"},
        {"npm", "semver"},     {"Bitnami", "semver"},
        {"Hex", "semver"},     {"SwiftURL", "semver"},
        {"pypi", NULL},        {"PyPI2", NULL},
        {"Py", NULL},          {"", NULL},
        {":12", NULL},         {"Maven", NULL},
        {"AlmaLinux:9", NULL}, {"Alpine:v3.20", NULL},
        {"Debian12", NULL},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct version_scheme *scheme =
            version_scheme_for(slice_from_text(rows[i].ecosystem));
        if (rows[i].scheme == NULL)
            assert_null(scheme);
        else
            assert_ptr_equal(scheme, scheme_of(rows[i].scheme));
    }
    assert_null(version_scheme_for(SLICE("PyPI\0")));
    assert_null(version_scheme_for((slice){NULL, 0}));
    assert_null(version_scheme_named(SLICE("PyPI")));
    assert_null(version_scheme_named(SLICE("dpk")));
    assert_null(version_scheme_named((slice){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schemes), cmocka_unit_test(test_dpkg),  cmocka_unit_test(test_pep440),
        cmocka_unit_test(test_semver),  cmocka_unit_test(test_bytes), cmocka_unit_test(test_long),
        cmocka_unit_test(test_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
