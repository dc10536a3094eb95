/*
 * The store against what is malformed, hostile, cut or interrupted: it is refused or skipped with a
 * reason, and nothing else is lost by it.
 */
#include "feedkit.h"

#include "base/limits.h"
#include "store/feed.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <zstd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- forms of files ----------------------------------------------------------------------------
 */

static void test_json_comes_in_many_forms(void **state)
{
    struct kit *kit = *state;
    slice a = kit_pypi(kit, "A", "p", ""), b = kit_pypi(kit, "B", "p", ",\"x\":\"}]{[\\\"\"");
    const slice forms[] = {
        arena_format(&kit->arena, "[%s , %s]", a.ptr, b.ptr),
        arena_format(&kit->arena, " \n[\n%s,%s\n]\n", a.ptr, b.ptr),
        arena_format(&kit->arena, "%s\n%s\n", a.ptr, b.ptr),
        arena_format(&kit->arena, "%s\r\n%s", a.ptr, b.ptr),
        arena_format(&kit->arena, "{\n%s\n{\n%s", a.ptr + 1, b.ptr + 1),
    };
    for (size_t i = 0; i < COUNT(forms); i++) {
        unlink(kit_path(kit, "store.db"));
        assert_int_equal(kit_import(kit, kit_write(kit, "feed.json", forms[i])).skipped, 0);
        assert_string_equal(kit_lookup(kit, "PyPI", "p"), "A B");
    }
    /* A line that is cut does not take the others with it. */
    slice cut = arena_format(&kit->arena, "%s\n%.30s\n%s\n", a.ptr, a.ptr, b.ptr);
    struct import_result result = kit_import(kit, kit_write(kit, "feed.json", cut));
    assert_int_equal(result.skipped, 1);
    assert_has(result.skipped_why.ptr, "feed.json: document 2");
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "A B");
}

static void test_what_is_no_feed_is_named(void **state)
{
    struct kit *kit = *state;
    assert_has(kit_import_fails(kit, kit_write_text(kit, "x.bin", "MZ")), "x.bin is no feed");
    assert_has(kit_import_fails(kit, kit_write_text(kit, "x.json", "{\"a\":1}")), "x.json");
    assert_has(kit_import_fails(kit, kit_write_text(kit, "y.json", "{\"a\":")), "not valid JSON");
    assert_has(kit_import_fails(kit, kit_path(kit, "missing")), "missing: No such file");
    kit_write_text(kit, "empty/readme.md", "x");
    assert_has(kit_import_fails(kit, kit_path(kit, "empty")), "holds no feed");
    assert_has(kit_import_fails(kit, kit_zip(kit, "none.zip", NULL, 0)), "none.zip is empty");
    kit_write_text(kit, "other/package.json", "{\"name\":\"x\"}");
    assert_has(kit_import_fails(kit, kit_path(kit, "other")), "package.json");
    const char *gzip = kit_write(kit, "x.gz", SLICE("\x1f\x8b\x08\0\0\0\0\0\0\3garbage"));
    assert_has(kit_import_fails(kit, gzip), "x.gz");
    assert_int_equal(access(kit_path(kit, "store.db"), F_OK), -1);
    /* Beside a feed, such files are passed over and counted. */
    kit_write(kit, "other/a.json", kit_pypi(kit, "A", "p", ""));
    kit_write_text(kit, "other/modified_id.csv", "2024-01-01T00:00:00Z,A\n");
    assert_int_equal(kit_import(kit, kit_path(kit, "other")).skipped, 1);
}

/* --- hostile advisories ------------------------------------------------------------------------
 */

static slice repeated(struct kit *kit, const char *part, size_t times)
{
    size_t length = strlen(part);
    char *text = arena_alloc(&kit->arena, length * times + 1);
    for (size_t i = 0; i < times; i++)
        memcpy(text + i * length, part, length);
    return slice_make(text, length * times);
}

static void test_hostile_advisories_are_skipped(void **state)
{
    struct kit *kit = *state;
    slice deep = repeated(kit, "[", 1000000), shallow = repeated(kit, "{\"a\":", 1000000);
    slice version = repeated(kit, "1.", 500000), name = repeated(kit, "n", 5000);
    slice events = repeated(kit, "{\"introduced\":\"1\"},", LIMIT_RANGE_EVENTS + 1);
    slice aliases = repeated(kit, "\"A-1\",", LIMIT_ADVISORY_NAMES + 1);
    static const char affected[] =
        "{\"id\":\"H\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{\"package\":{"
        "\"ecosystem\":\"PyPI\",\"name\":\"%s\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[%s"
        "{\"fixed\":\"%s\"}]}]}],\"aliases\":[%s\"B\"]}";
    const slice hostile[] = {
        deep,
        shallow,
        arena_format(&kit->arena, "{\"id\":\"H\",\"modified\":\"x\",\"a\":%s}", deep.ptr),
        arena_format(&kit->arena, affected, "p", "", version.ptr, ""),
        arena_format(&kit->arena, affected, name.ptr, "", "1", ""),
        arena_format(&kit->arena, affected, "p", events.ptr, "1", ""),
        arena_format(&kit->arena, affected, "p", "", "1", aliases.ptr),
        arena_format(&kit->arena, affected, "p", "{\"other\":\"1\"},", "1", ""),
        SLICE("{\"id\":\"\",\"modified\":\"x\"}"),
        SLICE("{\"id\":\"H\",\"modified\":\"x\",\"affected\":{}}"),
        SLICE("{\"id\":\"H\",\"modified\":\"x\",\"affected\":[{\"package\":{\"name\":\"p\"}}]}"),
        SLICE("\xff\xfe{}"),
        SLICE_EMPTY,
    };
    struct zip_member members[COUNT(hostile) + 1];
    for (size_t i = 0; i < COUNT(hostile); i++)
        members[i] = (struct zip_member){
            .name = arena_format(&kit->arena, "%zu.json", i).ptr,
            .bytes = hostile[i],
            .deflated = true,
        };
    members[COUNT(hostile)] =
        (struct zip_member){.name = "good.json", .bytes = kit_pypi(kit, "A", "p", "")};
    struct import_result result = kit_import(kit, kit_zip(kit, "f.zip", members, COUNT(members)));
    assert_int_equal(result.skipped, COUNT(hostile));
    assert_has(result.skipped_why.ptr, "f.zip: 0.json");
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "A");
}

static void test_limits_are_reached_exactly(void **state)
{
    struct kit *kit = *state;
    slice version = repeated(kit, "1", LIMIT_VERSION_BYTES);
    slice events = repeated(kit, "{\"introduced\":\"1\"},", LIMIT_RANGE_EVENTS - 1);
    slice good = arena_format(
        &kit->arena,
        "{\"id\":\"H\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{\"package\":{"
        "\"ecosystem\":\"PyPI\",\"name\":\"p\"},\"ranges\":[{\"type\":\"ECOSYSTEM\",\"events\":[%s"
        "{\"fixed\":\"%s\"}]}]}]}",
        events.ptr, version.ptr);
    kit_import(kit, kit_write(kit, "f.json", good));
    assert_int_equal(kit_only(kit, "PyPI", "p")->ranges[0].event_count, LIMIT_RANGE_EVENTS);
}

/* --- hostile zips ------------------------------------------------------------------------------
 */

static void test_damaged_zip_entries_are_skipped(void **state)
{
    struct kit *kit = *state;
    const struct zip_member members[] = {
        {.name = "crc.json", .bytes = kit_pypi(kit, "B", "p", ""), .wrong_crc = true},
        {.name = "locked.json", .bytes = kit_pypi(kit, "C", "p", ""), .encrypted = true},
        {.name = "long.json",
         .bytes = kit_pypi(kit, "D", "p", ""),
         .deflated = true,
         .claimed_size = 9},
        {.name = "short.json",
         .bytes = kit_pypi(kit, "E", "p", ""),
         .deflated = true,
         .claimed_size = 9000},
        {.name = "huge.json",
         .bytes = kit_pypi(kit, "F", "p", ""),
         .deflated = true,
         .claimed_size = (uint32_t)LIMIT_ADVISORY_BYTES + 1},
        {.name = "stored.json", .bytes = kit_pypi(kit, "G", "p", ""), .claimed_size = 10},
        {.name = "large.json",
         .bytes = kit_pypi(kit, "H", "p", ""),
         .deflated = true,
         .zip64 = true},
        {.name = "good.json", .bytes = kit_pypi(kit, "I", "p", ""), .deflated = true},
    };
    struct import_result result = kit_import(kit, kit_zip(kit, "f.zip", members, COUNT(members)));
    assert_int_equal(result.skipped, 6);
    assert_has(result.skipped_why.ptr, "crc.json: its bytes do not match");
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "H I");
}

static void test_cut_zip_is_refused_at_every_byte(void **state)
{
    struct kit *kit = *state;
    const struct zip_member members[] = {
        {.name = "a.json", .bytes = kit_pypi(kit, "A", "p", ""), .deflated = true},
        {.name = "b.json", .bytes = kit_pypi(kit, "B", "p", "")},
    };
    kit_zip(kit, "f.zip", members, 2);
    slice whole = kit_read(kit, "f.zip");
    for (size_t length = 0; length < whole.len; length++)
        kit_import_fails(kit, kit_write(kit, "cut.zip", slice_first(whole, length)));
    assert_int_equal(access(kit_path(kit, "store.db"), F_OK), -1);
}

static void test_zip_bombs_are_refused(void **state)
{
    struct kit *kit = *state;
    slice space = repeated(kit, " ", 2 * LIMIT_MIB);
    struct zip_member many[64], overlapping[2];
    for (size_t i = 0; i < COUNT(many); i++)
        many[i] = (struct zip_member){
            .name = arena_format(&kit->arena, "%zu.json", i).ptr, .bytes = space, .deflated = true};
    assert_has(kit_import_fails(kit, kit_zip(kit, "swell.zip", many, COUNT(many))),
               "limit on a feed");
    overlapping[0] = (struct zip_member){.name = "a.json", .bytes = kit_pypi(kit, "A", "p", "")};
    overlapping[1] = (struct zip_member){
        .name = "b.json", .bytes = kit_pypi(kit, "B", "p", ""), .moved = (uint32_t)-20};
    assert_has(kit_import_fails(kit, kit_zip(kit, "overlap.zip", overlapping, 2)), "overlaps");
}

/* --- the file itself ---------------------------------------------------------------------------
 */

static void test_stores_that_are_none(void **state)
{
    struct kit *kit = *state;
    static const struct {
        const char *name, *text, *told;
    } cases[] = {
        {"missing.db", NULL, "plimsoll db import"},
        {"text.db",
         "this is a text and no store at all, but it is long enough to have a header of "
         "a hundred bytes",
         "is not an advisory store"},
        {"empty.db", "", "is not an advisory store"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store *store;
        if (cases[i].text)
            kit_write_text(kit, cases[i].name, cases[i].text);
        struct error *error = store_open(&store, kit_path(kit, cases[i].name));
        assert_non_null(error);
        assert_has(error->message, cases[i].told);
        assert_has(error->message, cases[i].name);
        error_free(error);
    }
    /* And an import must not write over such a file. */
    kit_write_text(kit, "store.db", cases[1].text);
    const char *feed = kit_write(kit, "a.json", kit_pypi(kit, "A", "p", ""));
    assert_has(kit_import_fails(kit, feed), "is not an advisory store");
    assert_slice(kit_read(kit, "store.db"), cases[1].text);
}

static void test_failed_import_leaves_no_trace(void **state)
{
    struct kit *kit = *state;
    kit_import(kit, kit_write(kit, "a.json", kit_pypi(kit, "A", "p", "")));
    slice before = kit_read(kit, "store.db");
    const char *paths[] = {kit_write(kit, "b.json", kit_pypi(kit, "B", "p", "")),
                           kit_write_text(kit, "bad.zip", "PK\3\4")};
    size_t files = kit_count(kit);
    struct import_result result;
    struct import_options options = {0};
    struct error *error =
        store_import(kit_path(kit, "store.db"), paths, 2, &options, &kit->arena, &result);
    assert_non_null(error);
    error_free(error);
    assert_true(slice_equal(before, kit_read(kit, "store.db")));
    assert_int_equal(kit_count(kit), files);
    /* What a killed import left is cleared by the next. */
    kit_write_text(kit, "store.db.new", "half a store");
    kit_write_text(kit, "store.db.new-journal", "half a journal");
    kit_write_text(kit, "store.db.lock", "");
    kit_import(kit, paths[0]);
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "A B");
    assert_int_equal(kit_count(kit), files);
}

/* cases.md B52: of imports at once none is lost. */
static void test_imports_at_once_wait_for_each_other(void **state)
{
    struct kit *kit = *state;
    enum { PROCESSES = 6 };
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        const char *name = arena_format(&kit->arena, "f%d/a.json", i).ptr;
        const char *release = arena_format(&kit->arena, "%d", i).ptr;
        const char *id = arena_format(&kit->arena, "D-%d", i).ptr;
        const char *path = kit_write(kit, name, kit_debian(kit, id, release, "p", ""));
        children[i] = fork();
        if (children[i] == 0) {
            struct import_result result;
            struct import_options options = {0};
            struct error *error =
                store_import(kit_path(kit, "store.db"), &path, 1, &options, &kit->arena, &result);
            _exit(error != NULL);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    for (int i = 0; i < PROCESSES; i++)
        assert_string_equal(kit_lookup(kit, arena_format(&kit->arena, "Debian:%d", i).ptr, "p"),
                            arena_format(&kit->arena, "D-%d", i).ptr);
    assert_int_equal(kit_count(kit), PROCESSES + 1);
}

/* Every look-up of a damaged store is right or an error. */
static void test_damaged_store_is_noticed(void **state)
{
    struct kit *kit = *state;
    kit_write_severities(kit);
    kit_import(kit, kit_path(kit, "f"));
    slice whole = kit_read(kit, "store.db");
    char *bytes = arena_alloc(&kit->arena, whole.len);
    size_t noticed = 0;
    for (size_t at = 0; at < whole.len; at += whole.len / 900 + 1) {
        CLEANUP_ARENA struct arena arena = {0};
        struct store *store;
        const struct advisory *advisories;
        const struct severity_word *words;
        size_t count;
        memcpy(bytes, whole.ptr, whole.len);
        bytes[at] ^= 0x55;
        kit_write(kit, "store.db", slice_make(bytes, at % 2 ? whole.len : at + 1));
        struct error *error = store_open(&store, kit_path(kit, "store.db"));
        if (!error) {
            error = store_lookup(store, &arena, SLICE("PyPI"), SLICE("p"), &advisories, &count);
            if (!error)
                error = store_severities(store, &arena, SLICE("PYSEC-1"), &words, &count);
            struct store_status status;
            if (!error)
                error = store_status(store, &arena, &status);
            store_close(store);
        }
        noticed += error != NULL;
        error_free(error);
    }
    assert_true(noticed > 100);
}

/* --- facts -------------------------------------------------------------------------------------
 */

static void test_facts_come_back_the_same(void **state)
{
    struct kit *kit = *state;
    kit_write_severities(kit);
    kit_write_text(kit, "f/h.json",
                   "{\"id\":\"O d\\td|\\\\\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{"
                   "\"package\":{\"ecosystem\":\"Nowhere\",\"name\":\"a b|c\\n\"},\"versions\":"
                   "[\"1 | 2\",\"\\\\\"]}]}");
    kit_write_text(kit, "f/i.json",
                   "{\"id\":\"PSF-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"aliases\":"
                   "[\"CVE-2024-0001\"]}");
    kit_write_text(kit, "f/epss.csv",
                   "cve,epss,percentile\nCVE-2024-0001,0.1,0.2\n"
                   "CVE-1999-0001,0.1,0.2\n");
    kit_import(kit, kit_path(kit, "f"));
    const char *first = kit_facts(kit);
    slice packed = kit_read(kit, "facts.zst");
    assert_null(strstr(first, "CVE-1999-0001"));

    kit_write(kit, "again.zst", packed);
    unlink(kit_path(kit, "store.db"));
    struct import_result result;
    const char *path = kit_path(kit, "again.zst");
    struct import_options options = {.starter = true};
    assert_null(store_import(kit_path(kit, "store.db"), &path, 1, &options, &kit->arena, &result));
    assert_string_equal(first, kit_facts(kit));
    assert_true(slice_equal(packed, kit_read(kit, "facts.zst")));
    assert_string_equal(kit_lookup(kit, "Nowhere", "a b|c\n"), "O d\td|\\");
    assert_slice(kit_only(kit, "Nowhere", "a b|c\n")->versions[0], "1 | 2");
    assert_string_equal(kit_cves_of(kit, "PSF-1"), "CVE-2024-0001");

    struct store *store = kit_open(kit);
    struct store_status status;
    assert_null(store_status(store, &kit->arena, &status));
    assert_true(status.starter);
    assert_slice(status.built, "2026-01-02T03:04:05Z");
    store_close(store);
}

/* Facts stand behind a feed of the same ecosystem, whichever comes first. */
static void test_feeds_go_before_facts(void **state)
{
    struct kit *kit = *state;
    kit_write(kit, "old/a.json", kit_pypi(kit, "OLD", "p", ""));
    kit_write(kit, "old/b.json", kit_debian(kit, "D-1", "12", "p", ""));
    kit_import(kit, kit_path(kit, "old"));
    kit_facts(kit);
    unlink(kit_path(kit, "store.db"));
    kit_write(kit, "new/a.json", kit_pypi(kit, "NEW", "p", ""));
    const char *paths[] = {kit_path(kit, "new"), kit_path(kit, "facts.zst")};
    kit_import_all(kit, paths, 2);
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "NEW");
    assert_string_equal(kit_lookup(kit, "Debian:12", "p"), "D-1");
}

static const char *packed_facts(struct kit *kit, const char *text)
{
    char packed[4096];
    size_t length = ZSTD_compress(packed, sizeof(packed), text, strlen(text), 3);
    assert_false(ZSTD_isError(length));
    return kit_write(kit, "bad.zst", slice_make(packed, length));
}

static void test_damaged_facts_are_refused(void **state)
{
    struct kit *kit = *state;
    static const struct {
        const char *text, *told;
    } cases[] = {
        {"plimsoll facts 2\n", "another form"},
        {"something else\n", "no facts file"},
        {"", "no facts file"},
        {"plimsoll facts 1\nz\t1\n", "line 2"},
        {"plimsoll facts 1\na\tA\t\t\t\n", "line 2"},
        {"plimsoll facts 1\nb\tPyPI\np\tPyPI\t\t\t\tp\n", "line 3"},
        {"plimsoll facts 1\nb\tPyPI\na\tA\t\t\t\np\tPyPI\t*1\t\t\tp\n", "line 4"},
        {"plimsoll facts 1\nb\tPyPI\na\tA\\x\t\t\t\n", "line 3"},
        {"plimsoll facts 1\ne\t1\t100001\t1\n", "line 2"},
        {"plimsoll facts 1\nc\t99999999999999999\n", "line 2"},
        {"plimsoll facts 1\nw\tA\t\tB\n", "line 2"},
        {"plimsoll facts 1\nbuilt\tx", "cut"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_has(kit_import_fails(kit, packed_facts(kit, cases[i].text)), cases[i].told);
    slice whole = kit_read(kit, "bad.zst");
    for (size_t length = 4; length < whole.len; length++)
        kit_import_fails(kit, kit_write(kit, "bad.zst", slice_first(whole, length)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_json_comes_in_many_forms),        TEST(test_what_is_no_feed_is_named),
        TEST(test_hostile_advisories_are_skipped),  TEST(test_limits_are_reached_exactly),
        TEST(test_damaged_zip_entries_are_skipped), TEST(test_cut_zip_is_refused_at_every_byte),
        TEST(test_zip_bombs_are_refused),           TEST(test_stores_that_are_none),
        TEST(test_failed_import_leaves_no_trace),   TEST(test_imports_at_once_wait_for_each_other),
        TEST(test_damaged_store_is_noticed),        TEST(test_facts_come_back_the_same),
        TEST(test_feeds_go_before_facts),           TEST(test_damaged_facts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
