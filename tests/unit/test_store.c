/* The store: what goes in by an import comes out by a look-up, and nothing hostile gets through. */
#include "feedkit.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- what an advisory becomes ------------------------------------------------------------------
 */

static void test_advisory_comes_back(void **state)
{
    struct kit *kit = *state;
    kit_write_text(
        kit, "osv/a.json",
        "{\"id\":\"PYSEC-2024-1\",\"modified\":\"2024-05-06T07:08:09.5Z\",\"aliases\":"
        "[\"CVE-2024-0012\",\"GHSA-aaaa-bbbb-cccc\"],\"upstream\":[\"X-1\"],\"related\":"
        "[\"CVE-2024-1234567\"],\"summary\":\"s\",\"details\":\"d\\u0000e\",\"affected\":["
        "{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"Some_.Thing\"},\"ranges\":["
        "{\"type\":\"GIT\",\"repo\":\"r\",\"events\":[{\"introduced\":\"0\"}]},"
        "{\"type\":\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1.0\"},"
        "{\"introduced\":\"2.0\"},{\"last_affected\":\"2.5\"},{\"limit\":\"9\"}]}],"
        "\"versions\":[\"0.9\",\"2.5\",\"3.0\",\"2.6\"],"
        "\"ecosystem_specific\":{\"urgency\":\"high\"}}]}");
    struct import_result result = kit_import(kit, kit_path(kit, "osv"));
    assert_int_equal(result.skipped, 0);
    const struct advisory *found = kit_only(kit, "PyPI", "some-thing");
    assert_slice(found->id, "PYSEC-2024-1");
    assert_slice(found->urgency, "high");
    assert_int_equal(found->alias_count, 2);
    assert_slice(found->aliases[0], "CVE-2024-0012");
    assert_slice(found->aliases[1], "GHSA-aaaa-bbbb-cccc");
    assert_slice(found->upstream[0], "X-1");
    assert_slice(found->related[0], "CVE-2024-1234567");
    assert_int_equal(found->range_count, 1);
    static const enum range_event_kind kinds[] = {RANGE_INTRODUCED, RANGE_FIXED, RANGE_INTRODUCED,
                                                  RANGE_LAST_AFFECTED, RANGE_LIMIT};
    static const char *const versions[] = {"0", "1.0", "2.0", "2.5", "9"};
    assert_int_equal(found->ranges[0].event_count, COUNT(kinds));
    for (size_t i = 0; i < COUNT(kinds); i++) {
        assert_int_equal(found->ranges[0].events[i].kind, kinds[i]);
        assert_slice(found->ranges[0].events[i].version, versions[i]);
    }
    /* 0.9 and 2.5 lie in the range already. */
    assert_int_equal(found->version_count, 2);
    assert_slice(found->versions[0], "3.0");
    assert_slice(found->versions[1], "2.6");

    struct store *store = kit_open(kit);
    slice summary, details;
    assert_null(store_prose(store, &kit->arena, SLICE("PYSEC-2024-1"), &summary, &details));
    assert_slice(summary, "s");
    assert_int_equal(details.len, 3);
    store_close(store);
}

static void test_versions_without_scheme_are_kept(void **state)
{
    struct kit *kit = *state;
    kit_write_text(
        kit, "osv/a.json",
        "{\"id\":\"X-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{"
        "\"package\":{\"ecosystem\":\"Nowhere\",\"name\":\"Name\"},\"ranges\":[{\"type\":"
        "\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"}]}],\"versions\":[\"1\"]},"
        "{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"commits\"},\"ranges\":[{"
        "\"type\":\"GIT\",\"events\":[{\"introduced\":\"0\"}]}],\"versions\":[\"1\"]}]}");
    kit_import(kit, kit_path(kit, "osv"));
    assert_int_equal(kit_only(kit, "Nowhere", "Name")->version_count, 1);
    assert_int_equal(kit_only(kit, "PyPI", "commits")->range_count, 0);
    assert_int_equal(kit_only(kit, "PyPI", "commits")->version_count, 1);
}

static void test_package_named_twice_has_all_ranges(void **state)
{
    struct kit *kit = *state;
    kit_write_text(
        kit, "osv/a.json",
        "{\"id\":\"ALSA-2024:1\",\"modified\":\"2024-01-01T00:00:00Z\",\"related\":"
        "[\"CVE-2024-0001\"],\"affected\":["
        "{\"package\":{\"ecosystem\":\"AlmaLinux:9\",\"name\":\"p\"},\"ranges\":[{\"type\":"
        "\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"2\"}]}]},"
        "{\"package\":{\"ecosystem\":\"AlmaLinux:8\",\"name\":\"p\"},\"ranges\":[]},"
        "{\"package\":{\"ecosystem\":\"AlmaLinux:9\",\"name\":\"p\"},\"ranges\":[{\"type\":"
        "\"ECOSYSTEM\",\"events\":[{\"introduced\":\"0\"},{\"fixed\":\"1\"}]}]}]}");
    kit_import(kit, kit_path(kit, "osv"));
    const struct advisory *found = kit_only(kit, "AlmaLinux:9", "p");
    assert_int_equal(found->range_count, 2);
    assert_slice(found->ranges[0].events[1].version, "2");
    assert_slice(found->ranges[1].events[1].version, "1");
    assert_int_equal(kit_only(kit, "AlmaLinux:8", "p")->range_count, 0);
}

/* cases.md B43: a withdrawn advisory is counted and never matches. */
static void test_withdrawn_and_harmless_are_only_counted(void **state)
{
    struct kit *kit = *state;
    kit_write(kit, "osv/a.json",
              kit_pypi(kit, "PYSEC-1", "p", ",\"withdrawn\":\"2024-06-01T00:00:00Z\""));
    kit_write(kit, "osv/b.json", kit_pypi(kit, "PYSEC-2", "p", ""));
    static const char erratum[] =
        "{\"id\":\"ALBA-2024:%d\",\"modified\":\"2024-01-01T00:00:00Z\",\"related\":[%s],"
        "\"affected\":[{\"package\":{\"ecosystem\":\"AlmaLinux:9\",\"name\":\"p\"},\"ranges\":[]}]"
        "}";
    kit_write(kit, "osv/c.json", arena_format(&kit->arena, erratum, 1, ""));
    kit_write(kit, "osv/d.json", arena_format(&kit->arena, erratum, 2, "\"CVE-2024-0001\""));
    struct import_result result = kit_import(kit, kit_path(kit, "osv"));
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "PYSEC-2");
    assert_string_equal(kit_lookup(kit, "AlmaLinux:9", "p"), "ALBA-2024:2");
    assert_int_equal(result.feed_count, 2);
    assert_slice(result.feeds[0].ecosystem, "AlmaLinux:9");
    assert_int_equal(result.feeds[0].entries, 2);
    assert_slice(result.feeds[1].ecosystem, "PyPI");
    assert_int_equal(result.feeds[1].entries, 2);
}

static void test_advisory_without_package_gives_ids(void **state)
{
    struct kit *kit = *state;
    kit_write_text(
        kit, "osv/a.json",
        "{\"id\":\"PSF-2024-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"aliases\":"
        "[\"CVE-2024-0007\"],\"affected\":[{\"ranges\":[{\"type\":\"GIT\",\"events\":[]}]"
        "}]}");
    kit_import(kit, kit_path(kit, "osv"));
    struct store *store = kit_open(kit);
    const slice *cves;
    size_t count;
    bool has;
    assert_null(store_cves_of(store, &kit->arena, SLICE("PSF-2024-1"), &cves, &count));
    assert_int_equal(count, 1);
    assert_slice(cves[0], "CVE-2024-0007");
    assert_null(store_has_ecosystem(store, SLICE("PSF"), &has));
    assert_true(has);
    store_close(store);
}

static void test_package_names(void **state)
{
    struct kit *kit = *state;
    static const struct {
        const char *ecosystem, *name, *normal;
    } cases[] = {
        {"PyPI", "Foo.Bar__baz", "foo-bar-baz"},
        {"PyPI", "a-_.b", "a-b"},
        {"PyPI", "", ""},
        {"Debian:12", "Foo_Bar", "Foo_Bar"},
        {"Go", "github.com/A/b", "github.com/A/b"},
        {"NuGet", "Foo.Bar", "foo.bar"},
        {"npm", "@A/b", "@A/b"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_slice(store_package_name(&kit->arena, slice_from_text(cases[i].ecosystem),
                                        slice_from_text(cases[i].name)),
                     cases[i].normal);
}

/* --- duplicates and replacing ------------------------------------------------------------------
 */

static void test_newest_of_an_id_stands(void **state)
{
    struct kit *kit = *state;
    slice old = kit_pypi(kit, "PYSEC-1", "old", ""), new = kit_pypi(kit, "PYSEC-1", "new", "");
    ((char *)(uintptr_t)strstr(new.ptr, "2024-05"))[3] = '5';
    const char *facts[2];
    for (size_t i = 0; i < 2; i++) {
        const struct zip_member members[] = {
            {.name = "a.json", .bytes = i ? old : new},
            {.name = "b.json", .bytes = i ? new : old, .deflated = true},
            {.name = "c.txt", .bytes = SLICE("not looked at")},
        };
        unlink(kit_path(kit, "store.db"));
        struct import_result result = kit_import(kit, kit_zip(kit, "f.zip", members, 3));
        assert_int_equal(result.feeds[0].entries, 1);
        assert_slice(result.feeds[0].newest, "2025-05-06T07:08:09Z");
        assert_string_equal(kit_lookup(kit, "PyPI", "new"), "PYSEC-1");
        assert_string_equal(kit_lookup(kit, "PyPI", "old"), "");
        facts[i] = kit_facts(kit);
    }
    assert_string_equal(facts[0], facts[1]);
}

static void test_order_of_paths_is_no_matter(void **state)
{
    struct kit *kit = *state;
    /* Equally new but different: one of them must stand, whichever comes first. */
    kit_write(kit, "a/1.json", kit_pypi(kit, "PYSEC-1", "one", ""));
    kit_write(kit, "b/1.json", kit_pypi(kit, "PYSEC-1", "two", ""));
    kit_write(kit, "c/1.json", kit_debian(kit, "DEBIAN-CVE-2024-0001", "12", "p", ""));
    kit_write_text(kit, "e1.csv",
                   "#model_version:v1,score_date:2024-01-01T00:00:00+0000\n"
                   "cve,epss,percentile\nCVE-2024-0001,0.1,0.2\n");
    kit_write_text(kit, "e2.csv",
                   "#model_version:v1,score_date:2024-01-02T00:00:00+0000\n"
                   "cve,epss,percentile\nCVE-2024-0001,0.3,0.4\n");
    kit_write(kit, "c/2.json", kit_pypi(kit, "PYSEC-2", "p", ",\"aliases\":[\"CVE-2024-0001\"]"));
    const char *paths[] = {kit_path(kit, "a"), kit_path(kit, "b"), kit_path(kit, "c"),
                           kit_path(kit, "e1.csv"), kit_path(kit, "e2.csv")};
    const char *reversed[COUNT(paths)];
    for (size_t i = 0; i < COUNT(paths); i++)
        reversed[i] = paths[COUNT(paths) - 1 - i];
    kit_import_all(kit, paths, COUNT(paths));
    const char *first = kit_facts(kit);
    unlink(kit_path(kit, "store.db"));
    kit_import_all(kit, reversed, COUNT(paths));
    assert_string_equal(first, kit_facts(kit));
    assert_has(first, "e\t202400000001\t30000\t40000\n");
}

static void test_feed_replaces_its_ecosystems_only(void **state)
{
    struct kit *kit = *state;
    kit_write(kit, "one/a.json", kit_pypi(kit, "PYSEC-1", "p", ""));
    kit_write(kit, "one/b.json", kit_debian(kit, "DEBIAN-CVE-2024-0001", "12", "p", ""));
    kit_write(kit, "one/c.json", kit_debian(kit, "DEBIAN-CVE-2024-0002", "13", "p", ""));
    kit_write(kit, "two/a.json", kit_pypi(kit, "PYSEC-2", "p", ""));
    kit_write(kit, "two/b.json", kit_debian(kit, "DEBIAN-CVE-2024-0003", "13", "p", ""));
    kit_import(kit, kit_path(kit, "one"));
    kit_import(kit, kit_path(kit, "two"));
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "PYSEC-2");
    assert_string_equal(kit_lookup(kit, "Debian:12", "p"), "DEBIAN-CVE-2024-0001");
    assert_string_equal(kit_lookup(kit, "Debian:13", "p"), "DEBIAN-CVE-2024-0003");

    /* One advisory by itself adds; again, it takes its own place. */
    const char *single = kit_write(kit, "single.json", kit_pypi(kit, "PYSEC-3", "p", ""));
    struct import_result result = kit_import(kit, single);
    assert_int_equal(result.feeds[0].entries, 2);
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "PYSEC-2 PYSEC-3");
    kit_write(kit, "single.json", kit_pypi(kit, "PYSEC-3", "q", ""));
    result = kit_import(kit, single);
    assert_int_equal(result.feeds[0].entries, 2);
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "PYSEC-2");
    assert_string_equal(kit_lookup(kit, "PyPI", "q"), "PYSEC-3");
}

/* OSV's PyPI/all.zip holds what is on npm too, but only of what is on PyPI: npm's feed stays. */
static void test_folder_of_an_ecosystem_speaks_for_it_alone(void **state)
{
    struct kit *kit = *state;
    static const char both[] =
        "{\"id\":\"GHSA-1\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":["
        "{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"p\"},\"ranges\":[]},"
        "{\"package\":{\"ecosystem\":\"npm\",\"name\":\"p\"},\"ranges\":[]}]}";
    static const char npm[] =
        "{\"id\":\"GHSA-2\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":["
        "{\"package\":{\"ecosystem\":\"npm\",\"name\":\"q\"},\"ranges\":[]}]}";
    const struct zip_member members[] = {{.name = "GHSA-1.json", .bytes = SLICE(both)},
                                         {.name = "GHSA-2.json", .bytes = SLICE(npm)}};
    kit_zip(kit, "npm/all.zip", members, 2);
    kit_zip(kit, "PyPI/all.zip", members, 1);
    kit_import(kit, kit_path(kit, "npm/all.zip"));
    assert_string_equal(kit_lookup(kit, "npm", "p"), "GHSA-1");
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "");
    kit_import(kit, kit_path(kit, "PyPI/all.zip"));
    assert_string_equal(kit_lookup(kit, "npm", "q"), "GHSA-2");
    assert_string_equal(kit_lookup(kit, "npm", "p"), "GHSA-1");
    assert_string_equal(kit_lookup(kit, "PyPI", "p"), "GHSA-1");
    /* Of one release: the other one keeps what it had. */
    kit_write(kit, "Debian/a.json", kit_debian(kit, "D-1", "12", "p", ""));
    kit_write(kit, "Debian/b.json", kit_debian(kit, "D-2", "13", "p", ""));
    kit_import(kit, kit_path(kit, "Debian"));
    kit_write(kit, "Debian:13/a.json", kit_debian(kit, "D-3", "13", "p", ""));
    kit_import(kit, kit_path(kit, "Debian:13"));
    assert_string_equal(kit_lookup(kit, "Debian:12", "p"), "D-1");
    assert_string_equal(kit_lookup(kit, "Debian:13", "p"), "D-3");
}

static void test_large_feed_of_one_ecosystem_shows_without_a_name(void **state)
{
    struct kit *kit = *state;
    kit_write_text(kit, "npm.jsonl",
                   "{\"id\":\"GHSA-n\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{"
                   "\"package\":{\"ecosystem\":\"npm\",\"name\":\"n\"}}]}\n"
                   "{\"id\":\"GHSA-m\",\"modified\":\"2024-01-01T00:00:00Z\",\"affected\":[{"
                   "\"package\":{\"ecosystem\":\"npm\",\"name\":\"m\"}}]}\n");
    kit_import(kit, kit_path(kit, "npm.jsonl"));
    struct zip_member members[120];
    for (size_t i = 0; i < COUNT(members); i++) {
        const char *name = arena_format(&kit->arena, "P-%zu", i).ptr;
        members[i] = (struct zip_member){.name = arena_format(&kit->arena, "%s.json", name).ptr,
                                         .bytes = kit_pypi(kit, name, "p", "")};
    }
    members[7].bytes =
        SLICE("{\"id\":\"GHSA-n\",\"modified\":\"2025-01-01T00:00:00Z\",\"affected\":[{"
              "\"package\":{\"ecosystem\":\"npm\",\"name\":\"x\"}},"
              "{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"x\"}}]}");
    kit_import(kit, kit_zip(kit, "download.zip", members, COUNT(members)));
    assert_string_equal(kit_lookup(kit, "npm", "n"), "GHSA-n");
    assert_string_equal(kit_lookup(kit, "npm", "m"), "GHSA-m");
    assert_string_equal(kit_lookup(kit, "npm", "x"), "");
    assert_string_equal(kit_lookup(kit, "PyPI", "x"), "GHSA-n");
}

/* --- severities, exploitation, end of life -----------------------------------------------------
 */

/* One line a word. */
static const char *severities(struct kit *kit, struct store *store, const char *id)
{
    const struct severity_word *words;
    size_t count;
    slice text = SLICE_EMPTY;
    assert_null(store_severities(store, &kit->arena, slice_from_text(id), &words, &count));
    for (size_t i = 0; i < count; i++)
        text = arena_format(&kit->arena, "%.*s%.*s: %.*s%.*s\n", SLICE_ARG(text),
                            SLICE_ARG(words[i].source), SLICE_ARG(words[i].vector),
                            SLICE_ARG(words[i].word));
    return text.ptr;
}

static void test_severities_come_in_order(void **state)
{
    struct kit *kit = *state;
    kit_write_severities(kit);
    kit_import(kit, kit_path(kit, "f"));
    struct store *store = kit_open(kit);
    assert_string_equal(severities(kit, store, "PYSEC-1"),
                        "PyPI: " VECTOR_A "\n"
                        "CVE (CISA-ADP): " VECTOR_A "\nCVE (acme): " VECTOR_C "\n"
                        "crates.io: " VECTOR_B "\n"
                        "Ubuntu: medium\nCVE (acme): moderate\n"
                        "AlmaLinux: Important\ncrates.io: HIGH\n");
    assert_string_equal(severities(kit, store, "CVE-2024-0001"),
                        "CVE (CISA-ADP): " VECTOR_A "\nCVE (acme): " VECTOR_C "\n"
                        "PyPI: " VECTOR_A "\ncrates.io: " VECTOR_B "\n"
                        "CVE (acme): moderate\n"
                        "AlmaLinux: Important\nUbuntu: medium\ncrates.io: HIGH\n");
    assert_string_equal(severities(kit, store, "CVE-2024-0002"), "AlmaLinux: Important\n");
    assert_string_equal(severities(kit, store, "CVE-2024-0003"), "");
    assert_string_equal(severities(kit, store, "DEBIAN-CVE-2024-0002"), "");
    assert_string_equal(severities(kit, store, "nonsense"), "");
    assert_string_equal(severities(kit, store, "NOVECTOR-1"), "PyPI: " VECTOR_B "\n");
    store_close(store);
    assert_slice(kit_only(kit, "crates.io", "c")->urgency, "unsound");
    assert_slice(kit_only(kit, "Debian:12", "p")->urgency, "unimportant");
}

static void test_epss_kev_and_end_of_life(void **state)
{
    struct kit *kit = *state;
    kit_write_text(kit, "f/epss.csv",
                   "#model_version:v1,score_date:2024-01-01T00:00:00+0000\ncve,epss,percentile\n"
                   "CVE-2024-0001,0.033510000,0.876500000\nCVE-2024-0002,1,1.0\n"
                   "CVE-2024-0003,1.5,0\nnonsense\n");
    kit_write_text(
        kit, "f/kev.json",
        "{\"catalogVersion\":\"1\",\"dateReleased\":\"2024-01-01\",\"vulnerabilities\":["
        "{\"cveID\":\"CVE-2024-0001\",\"dateAdded\":\"2024-01-31\"},{\"cveID\":\"x\"}]}");
    kit_write_text(kit, "f/eol.json",
                   "{\"debian\":{\"releases\":[{\"releaseCycle\":\"12\",\"eol\":\"2026-06-10\","
                   "\"eoes\":\"2028-06-30\"},{\"releaseCycle\":\"sid\",\"eol\":false}]}}");
    struct import_result result = kit_import(kit, kit_path(kit, "f"));
    assert_int_equal(result.skipped, 3);
    struct store *store = kit_open(kit);
    double probability, percentile;
    slice date, extended;
    assert_true(store_epss(store, SLICE("CVE-2024-0001"), &probability, &percentile));
    assert_true(probability == 0.03351 && percentile == 0.8765);
    assert_true(store_epss(store, SLICE("CVE-2024-0002"), &probability, &percentile));
    assert_true(probability == 1 && percentile == 1);
    assert_false(store_epss(store, SLICE("CVE-2024-0003"), &probability, &percentile));
    assert_true(store_kev(store, &kit->arena, SLICE("CVE-2024-0001"), &date));
    assert_slice(date, "2024-01-31");
    assert_true(store_kev(store, &kit->arena, SLICE("CVE-2024-0001"), NULL));
    assert_false(store_kev(store, &kit->arena, SLICE("CVE-2024-0002"), &date));
    assert_null(
        store_end_of_life(store, &kit->arena, SLICE("debian"), SLICE("12"), &date, &extended));
    assert_slice(date, "2026-06-10");
    assert_slice(extended, "2028-06-30");
    assert_null(
        store_end_of_life(store, &kit->arena, SLICE("debian"), SLICE("sid"), &date, &extended));
    assert_slice(date, "false");
    assert_slice(extended, "");
    assert_null(
        store_end_of_life(store, &kit->arena, SLICE("debian"), SLICE("1"), &date, &extended));
    assert_slice(date, "");
    store_close(store);
}

static void test_cves_are_found_through_aliases(void **state)
{
    struct kit *kit = *state;
    kit_write(kit, "f/a.json", kit_pypi(kit, "A", "p", ",\"aliases\":[\"GHSA-1\"]"));
    kit_write(kit, "f/b.json",
              kit_pypi(kit, "B", "p", ",\"aliases\":[\"GHSA-1\",\"CVE-2024-0001\",\"A\"]"));
    kit_write(kit, "f/c.json", kit_pypi(kit, "C", "p", ",\"upstream\":[\"CVE-2024-0002\"]"));
    kit_write(kit, "f/d.json",
              kit_pypi(kit, "D", "p", ",\"upstream\":[\"CVE-2024-0002\",\"CVE-2024-0003\"]"));
    kit_write(kit, "f/e.json", kit_pypi(kit, "E", "p", ",\"related\":[\"CVE-2024-0004\"]"));
    kit_import(kit, kit_path(kit, "f"));
    assert_string_equal(kit_cves_of(kit, "A"), "CVE-2024-0001");
    assert_string_equal(kit_cves_of(kit, "GHSA-1"), "CVE-2024-0001");
    assert_string_equal(kit_cves_of(kit, "C"), "CVE-2024-0002");
    assert_string_equal(kit_cves_of(kit, "D"), "");
    assert_string_equal(kit_cves_of(kit, "E"), "");
    assert_string_equal(kit_cves_of(kit, "CVE-2024-0001"), "CVE-2024-0001");
    assert_string_equal(kit_cves_of(kit, "unknown"), "");
}

/* Each names the next, the last the first; and 3,000 name one. */
static void test_endless_aliases_end(void **state)
{
    struct kit *kit = *state;
    FILE *lines = fopen(kit_path(kit, "f.jsonl"), "wb");
    for (int i = 0; i < 3000; i++)
        fprintf(
            lines,
            "{\"id\":\"R-%d\",\"modified\":\"2024-01-01T00:00:00Z\",\"aliases\":[\"R-%d\",\"R-%d\","
            "\"HUB\"],\"affected\":[{\"package\":{\"ecosystem\":\"PyPI\",\"name\":\"p%d\"}}]}\n",
            i, (i + 1) % 3000, i, i % 7);
    fclose(lines);
    kit_import(kit, kit_path(kit, "f.jsonl"));
    struct store *store = kit_open(kit);
    const slice *cves;
    const struct severity_word *words;
    size_t count;
    assert_null(store_cves_of(store, &kit->arena, SLICE("R-0"), &cves, &count));
    assert_int_equal(count, 0);
    assert_null(store_severities(store, &kit->arena, SLICE("HUB"), &words, &count));
    store_close(store);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_advisory_comes_back),
        TEST(test_versions_without_scheme_are_kept),
        TEST(test_package_named_twice_has_all_ranges),
        TEST(test_withdrawn_and_harmless_are_only_counted),
        TEST(test_advisory_without_package_gives_ids),
        TEST(test_package_names),
        TEST(test_newest_of_an_id_stands),
        TEST(test_order_of_paths_is_no_matter),
        TEST(test_feed_replaces_its_ecosystems_only),
        TEST(test_folder_of_an_ecosystem_speaks_for_it_alone),
        TEST(test_large_feed_of_one_ecosystem_shows_without_a_name),
        TEST(test_severities_come_in_order),
        TEST(test_epss_kev_and_end_of_life),
        TEST(test_cves_are_found_through_aliases),
        TEST(test_endless_aliases_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
