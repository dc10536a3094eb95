#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "compare/compare.h"

/* Sides written as text: packages "type/name@version", with commas between. */
static struct side_package package_of(slice text)
{
    struct side_package package = {.arch = SLICE_EMPTY};
    slice rest, arch;
    if (slice_split(text, ' ', &rest, &arch))
        text = rest, package.arch = arch;
    assert_true(slice_split(text, '/', &package.type, &rest));
    size_t at = slice_find_last(rest, '@');
    package.name = slice_first(rest, at);
    package.version = slice_from(rest, at + 1);
    return package;
}

static struct side side_of(struct arena *arena, const char *text)
{
    struct side side = {.name = SLICE("x")};
    slice rest = slice_from_text(text), one;
    while (rest.len && slice_pull(&rest, ',', &one))
        *(struct side_package *)list_add(&side.packages, arena, sizeof(struct side_package)) =
            package_of(one);
    side_sort(&side);
    return side;
}

static void add_finding(struct side *side, struct arena *arena, const char *id, const char *alias,
                        const char *package)
{
    struct side_finding *finding = list_add(&side->findings, arena, sizeof(*finding));
    *finding = (struct side_finding){.id = slice_from_text(id),
                                     .severity = SEVERITY_HIGH,
                                     .package = package_of(slice_from_text(package))};
    if (alias)
        *(slice *)list_add(&finding->aliases, arena, sizeof(slice)) = slice_from_text(alias);
}

/* "upgraded 1>2;removed 3>;" */
static slice packages_of(struct arena *arena, const char *before, const char *after)
{
    struct side a = side_of(arena, before), b = side_of(arena, after);
    struct list changes = {0};
    CLEANUP_BUFFER struct buffer text = {0};
    compare_packages(&changes, arena, &a, &b);
    const struct package_change *items = changes.items;
    for (size_t i = 0; i < changes.count; i++) {
        buffer_format(&text, "%s ", package_fate_names[items[i].fate]);
        if (items[i].before)
            buffer_add(&text, items[i].before->version);
        buffer_add_byte(&text, '>');
        if (items[i].after)
            buffer_add(&text, items[i].after->version);
        buffer_add_byte(&text, ';');
    }
    return arena_copy(arena, buffer_slice(&text));
}

static void test_packages(void **state)
{
    static const char *const rows[][3] = {
        {"", "", ""},
        {"pypi/a@1", "pypi/a@1", "unchanged 1>1;"},
        {"pypi/a@1.9", "pypi/a@1.10", "upgraded 1.9>1.10;"},
        {"npm/a@1.10.0", "npm/a@1.9.0", "downgraded 1.10.0>1.9.0;"},
        {"deb/a@1.0~rc1", "deb/a@1.0", "upgraded 1.0~rc1>1.0;"},
        {"rpm/a@1", "rpm/a@2", "changed 1>2;"},
        {"pypi/a@", "pypi/a@2", "changed >2;"},
        {"pypi/a@1,pypi/a@2", "pypi/a@2,pypi/a@3", "upgraded 1>3;unchanged 2>2;"},
        {"pypi/a@1,pypi/a@2", "pypi/a@3,pypi/a@4", "upgraded 1>3;upgraded 2>4;"},
        {"pypi/a@1,pypi/a@9", "pypi/a@2", "removed 9>;upgraded 1>2;"},
        {"pypi/a@9", "pypi/a@1,pypi/a@2", "added >1;downgraded 9>2;"},
        {"pypi/a@1,pypi/a@1", "pypi/a@1", "removed 1>;unchanged 1>1;"},
        {"deb/a@1 amd64,deb/a@1 i386", "deb/a@2 amd64,deb/a@1 i386", "upgraded 1>2;unchanged 1>1;"},
        {"deb/a@1 amd64", "deb/a@2 arm64", "upgraded 1>2;"},
        {"deb/a@1", "deb/b@1", "added >1;removed 1>;"},
        {"deb/a@1", "pypi/a@1", "added >1;removed 1>;"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice found = packages_of(&arena, rows[i][0], rows[i][1]);
        if (!slice_equal(found, slice_from_text(rows[i][2])))
            fail_msg("%s | %s: %.*s, expected %s", rows[i][0], rows[i][1], SLICE_ARG(found),
                     rows[i][2]);
    }
}

static struct list findings_of(struct arena *arena, const struct side *before,
                               const struct side *after)
{
    struct list packages = {0}, changes = {0};
    compare_packages(&packages, arena, before, after);
    compare_findings(&changes, arena, before, after, &packages);
    return changes;
}

static void test_findings(void **state)
{
    CLEANUP_ARENA struct arena arena = {0};
    (void)state;
    struct side before = side_of(&arena, "pypi/a@1,pypi/b@1,pypi/c@1");
    struct side after = side_of(&arena, "pypi/a@2,pypi/c@2");
    add_finding(&before, &arena, "CVE-1", "GHSA-1", "pypi/a@1");
    add_finding(&before, &arena, "CVE-2", NULL, "pypi/b@1");
    add_finding(&before, &arena, "CVE-3", NULL, "pypi/c@1");
    add_finding(&after, &arena, "GHSA-1", NULL, "pypi/a@2");
    add_finding(&after, &arena, "CVE-2", NULL, "pypi/c@2");
    struct list changes = findings_of(&arena, &before, &after);
    const struct finding_change *items = changes.items;
    assert_int_equal(changes.count, 4);
    assert_int_equal(items[0].fate, FATE_NEW);
    assert_true(slice_equal(items[0].after->id, SLICE("CVE-2")));
    assert_true(slice_equal(items[0].version_before, SLICE("1"))); /* c was there before */
    assert_int_equal(items[1].fate, FATE_FIXED);
    assert_int_equal(items[1].version_after.len, 0); /* b is gone */
    assert_int_equal(items[2].fate, FATE_FIXED);
    assert_true(slice_equal(items[2].version_after, SLICE("2"))); /* by an upgrade of c */
    assert_int_equal(items[3].fate, FATE_UNCHANGED);
    assert_true(slice_equal(items[3].before->id, SLICE("CVE-1")));
}

/* Each finding has one partner at most, and an identical one goes before another. */
static void test_copies(void **state)
{
    CLEANUP_ARENA struct arena arena = {0};
    (void)state;
    struct side before = side_of(&arena, "pypi/a@1,pypi/a@2");
    struct side after = side_of(&arena, "pypi/a@2");
    add_finding(&before, &arena, "CVE-1", NULL, "pypi/a@1");
    add_finding(&before, &arena, "CVE-1", NULL, "pypi/a@2");
    add_finding(&after, &arena, "CVE-1", NULL, "pypi/a@2");
    struct list changes = findings_of(&arena, &before, &after);
    const struct finding_change *items = changes.items;
    assert_int_equal(changes.count, 2);
    assert_int_equal(items[0].fate, FATE_FIXED);
    assert_true(slice_equal(items[0].before->package.version, SLICE("1")));
    assert_true(slice_equal(items[1].before->package.version, SLICE("2")));
}

static void test_percent(void **state)
{
    static const struct {
        uint64_t before, after;
        bool known;
        int64_t tenths;
    } rows[] = {
        {0, 0, false, 0},        {0, 5, false, 0},      {3, 3, true, 0},
        {3, 2, true, -333},      {3, 1, true, -667},    {8, 0, true, -1000},
        {1, 3, true, 2000},      {1000, 1001, true, 1}, {1, UINT64_MAX, true, 1000000000000000},
        {10000, 10001, true, 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t tenths = 0;
        assert_int_equal(compare_percent(rows[i].before, rows[i].after, &tenths), rows[i].known);
        assert_int_equal(tenths, rows[i].tenths);
    }
}

static void test_days(void **state)
{
    (void)state;
    assert_true(slice_equal(side_day(SLICE("2026-08-21T01:02:03Z")), SLICE("2026-08-21")));
    assert_true(slice_equal(side_day(SLICE("2026-08-21T01:02:03.5+02:00")), SLICE("2026-08-21")));
    static const char *const none[] = {"",
                                       "2026-08-21",
                                       "1970-01-01T00:00:00Z",
                                       "0001-01-01T00:00:00Z",
                                       "2026-08-2xT00",
                                       "yesterday at 5"};
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        assert_int_equal(side_day(slice_from_text(none[i])).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packages), cmocka_unit_test(test_findings),
        cmocka_unit_test(test_copies),   cmocka_unit_test(test_percent),
        cmocka_unit_test(test_days),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
