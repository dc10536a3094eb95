#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "table.h"
#include "version/version.h"
#include <time.h>

#define EVENTS_MAX 32
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const slice event_names[] = {
    [RANGE_INTRODUCED] = SLICE("introduced"),
    [RANGE_FIXED] = SLICE("fixed"),
    [RANGE_LAST_AFFECTED] = SLICE("last_affected"),
    [RANGE_LIMIT] = SLICE("limit"),
};

static const struct version_scheme *semver(void)
{
    return version_scheme_named(SLICE("semver"));
}

/* "introduced 0, fixed 1.2" */
static size_t read_events(const struct table *table, slice row, slice text,
                          struct range_event events[EVENTS_MAX])
{
    size_t count = 0;
    slice rest = slice_trim(text);
    slice part;
    while (rest.len && slice_pull(&rest, ',', &part)) {
        slice name;
        struct range_event *event = &events[count++];
        if (count > EVENTS_MAX || !slice_split(slice_trim(part), ' ', &name, &event->version))
            table_fail(table, row, "not a list of events");
        size_t kind = 0;
        while (kind < COUNT(event_names) && !slice_equal(event_names[kind], name))
            kind++;
        if (kind == COUNT(event_names))
            table_fail(table, row, "no such event: %.*s", SLICE_ARG(name));
        event->kind = (enum range_event_kind)kind;
    }
    return count;
}

static void check_row(const struct table *table, slice row)
{
    slice field[4], rest = row;
    for (size_t i = 0; i < 4; i++) {
        if (!slice_pull(&rest, '|', &field[i]))
            table_fail(table, row, "fewer than four fields");
        field[i] = slice_trim(field[i]);
    }
    const struct version_scheme *scheme = version_scheme_named(field[0]);
    if (scheme == NULL)
        table_fail(table, row, "no such scheme");

    struct range_event events[EVENTS_MAX], turned[EVENTS_MAX];
    size_t count = read_events(table, row, field[1], events);
    for (size_t i = 0; i < count; i++)
        turned[i] = events[count - 1 - i];
    const struct affected_range ranges[] = {{events, count}, {turned, count}};

    bool affected = slice_starts(field[3], SLICE("yes"));
    if (!affected && !slice_equal(field[3], SLICE("no")))
        table_fail(table, row, "the result is neither yes nor no");
    slice fix = affected ? slice_trim(slice_from(field[3], 3)) : SLICE_EMPTY;
    for (size_t i = 0; i < 2; i++) {
        slice fixed = SLICE("not set");
        if (version_in_range(scheme, field[2], &ranges[i], &fixed) != affected)
            table_fail(table, row, "found %s%s", affected ? "no" : "yes",
                       i ? ", turned round" : "");
        if (fixed.len != fix.len || scheme->compare(fixed, fix) != 0)
            table_fail(table, row, "found the fix \"%.*s\"%s", SLICE_ARG(fixed),
                       i ? ", turned round" : "");
        if (version_in_range(scheme, field[2], &ranges[i], NULL) != affected)
            table_fail(table, row, "not the same without asking for the fix");
    }
}

static void test_table(void **state)
{
    (void)state;
    struct table table = table_open("ranges.txt");
    slice row;
    while (table_next(&table, &row))
        check_row(&table, row);
    table_close(&table, 120);
}

/* Stretches [2i.0, 2i + 1.0), in the worst of orders. */
static void test_many_events(void **state)
{
    (void)state;
    enum { STRETCHES = 50000 };
    struct range_event *events = calloc(2 * STRETCHES, sizeof(*events));
    char(*texts)[16] = calloc(2 * STRETCHES, sizeof(*texts));
    assert_true(events && texts);
    for (size_t i = 0; i < 2 * STRETCHES; i++) {
        size_t number = i * 7919 % (2 * STRETCHES); /* a prime: each number once */
        snprintf(texts[i], sizeof(texts[i]), "%zu.0", number);
        events[i] = (struct range_event){number % 2 ? RANGE_FIXED : RANGE_INTRODUCED,
                                         slice_from_text(texts[i])};
    }
    const struct affected_range range = {events, 2 * STRETCHES};
    clock_t start = clock();
    slice fixed;
    assert_true(version_in_range(semver(), SLICE("4242.7"), &range, &fixed));
    assert_true(slice_equal(fixed, SLICE("4243.0")));
    assert_false(version_in_range(semver(), SLICE("4243.0"), &range, &fixed));
    assert_int_equal(fixed.len, 0);
    assert_true(version_in_range(semver(), SLICE("99998.9"), &range, &fixed));
    assert_true(slice_equal(fixed, SLICE("99999.0")));
    assert_false(version_in_range(semver(), SLICE("100000"), &range, &fixed));
    assert_true(clock() - start < 20 * CLOCKS_PER_SEC);
    free(events);
    free(texts);
}

/* Every version is introduced and fixed: no end to looking for one that settles it, so it is cut.
 */
static void test_hostile_events(void **state)
{
    (void)state;
    enum { VERSIONS = 50000 };
    struct range_event *events = calloc(2 * VERSIONS, sizeof(*events));
    char(*texts)[16] = calloc(VERSIONS, sizeof(*texts));
    assert_true(events && texts);
    for (size_t i = 0; i < VERSIONS; i++) {
        snprintf(texts[i], sizeof(texts[i]), "%zu.0", i + 1);
        events[2 * i] = (struct range_event){RANGE_FIXED, slice_from_text(texts[i])};
        events[2 * i + 1] = (struct range_event){RANGE_INTRODUCED, slice_from_text(texts[i])};
    }
    const struct affected_range range = {events, 2 * VERSIONS};
    clock_t start = clock();
    slice fixed;
    assert_true(version_in_range(semver(), SLICE("49999.5"), &range, &fixed));
    assert_true(version_in_range(semver(), SLICE("25000.0"), &range, &fixed));
    assert_int_equal(fixed.len, 0);
    assert_false(version_in_range(semver(), SLICE("5.0"), &range, &fixed));
    assert_true(clock() - start < 60 * CLOCKS_PER_SEC);
    free(events);
    free(texts);
}

static int compare_for_sort(const void *a, const void *b)
{
    const struct range_event *first = a, *second = b;
    if (slice_equal(first->version, SLICE("0")) || slice_equal(second->version, SLICE("0")))
        return slice_equal(second->version, SLICE("0")) - slice_equal(first->version, SLICE("0"));
    return semver()->compare(first->version, second->version);
}

/* The algorithm as the schema writes it: sorted, one event after the other. */
static bool in_range_by_schema(slice installed, struct range_event *events, size_t count)
{
    qsort(events, count, sizeof(*events), compare_for_sort);
    bool vulnerable = false;
    for (size_t i = 0; i < count; i++) {
        int order = semver()->compare(installed, events[i].version);
        if (events[i].kind == RANGE_INTRODUCED &&
            (order >= 0 || slice_equal(events[i].version, SLICE("0"))))
            vulnerable = true;
        else if (events[i].kind == RANGE_FIXED && order >= 0)
            vulnerable = false;
        else if (events[i].kind == RANGE_LAST_AFFECTED && order > 0)
            vulnerable = false;
    }
    return vulnerable;
}

/* Ranges at random, no version twice, against the schema's own algorithm. */
static void test_schema_algorithm(void **state)
{
    (void)state;
    static const char *const versions[] = {"0",       "1.0.0-0", "1.0.0-rc.1", "1.0.0",
                                           "1.0.1",   "1.1",     "1.2.9",      "1.2.10",
                                           "2.0.0-a", "2",       "3.0.0",      "10"};
    unsigned random = 20261125;
    for (size_t round = 0; round < 20000; round++) {
        struct range_event events[COUNT(versions)];
        size_t count = 0;
        for (size_t i = 0; i < COUNT(versions); i++) {
            random = random * 1664525 + 1013904223;
            unsigned kind = random >> 16 & 7;
            if (kind <= RANGE_LAST_AFFECTED)
                events[count++] =
                    (struct range_event){(enum range_event_kind)kind, slice_from_text(versions[i])};
        }
        for (size_t i = 0; i < COUNT(versions); i++) {
            slice installed = slice_from_text(versions[i]);
            const struct affected_range range = {events, count};
            bool found = version_in_range(semver(), installed, &range, NULL);
            if (found != in_range_by_schema(installed, events, count))
                fail_msg("round %zu: %s", round, versions[i]);
        }
    }
}

static void test_list(void **state)
{
    (void)state;
    const struct version_scheme *pep440 = version_scheme_named(SLICE("pep440"));
    const slice versions[] = {SLICE("1.0.0"), SLICE("2.0.0+cgr.1"), SLICE("0.3m1"), SLICE("2.0.1")};
    static const struct {
        slice installed;
        bool found;
    } rows[] = {
        {SLICE("1.0"), true},       {SLICE("v1"), true},           {SLICE("1.0.1"), false},
        {SLICE("2.0.0"), false}, /* B18: a local part in the list has to be there */
        {SLICE("2+CGR-1"), true},   {SLICE("2.0.0+cgr.2"), false}, {SLICE("2.0.1+cu118"), true},
        {SLICE("0.3m1"), true},     {SLICE("0.3m"), false},        {SLICE("0.3m10"), false},
        {SLICE("1.0.0rc1"), false}, {SLICE_EMPTY, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (version_in_list(pep440, rows[i].installed, versions, COUNT(versions)) != rows[i].found)
            fail_msg("%.*s", SLICE_ARG(rows[i].installed));
    assert_false(version_in_list(pep440, SLICE("1.0"), NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),          cmocka_unit_test(test_many_events),
        cmocka_unit_test(test_hostile_events), cmocka_unit_test(test_schema_algorithm),
        cmocka_unit_test(test_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
