/* What `db update` asks for, and where: names of feeds, addresses below a base. */
#include "store/download.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check_text(slice found, const char *expected)
{
    CLEANUP_ARENA struct arena arena = {0};
    assert_string_equal(arena_text(&arena, found), expected);
}

/* --- names ------------------------------------------------------------------------------------ */

static const struct {
    const char *word;
    const char *name; /* NULL: there is none */
    const char *path;
    const char *url_path;
} names[] = {
    {"PyPI", "PyPI", "PyPI/all.zip", "PyPI/all.zip"},
    {"pypi", "PyPI", "PyPI/all.zip", "PyPI/all.zip"},
    {"EPSS", "epss", "epss_scores-current.csv.gz", "epss_scores-current.csv.gz"},
    {"kev", "kev", "known_exploited_vulnerabilities.json", "known_exploited_vulnerabilities.json"},
    {"rocky linux", "Rocky Linux", "Rocky Linux/all.zip", "Rocky%20Linux/all.zip"},
    {"crates.io", "crates.io", "crates.io/all.zip", "crates.io/all.zip"},
    {"debian:12", "Debian:12", "Debian:12/all.zip", "Debian%3A12/all.zip"},
    {"Ubuntu:22.04:LTS", "Ubuntu:22.04:LTS", "Ubuntu:22.04:LTS/all.zip",
     "Ubuntu%3A22.04%3ALTS/all.zip"},
    {"", NULL, NULL, NULL},
    {"PyPI ", NULL, NULL, NULL},
    {"Debian:", NULL, NULL, NULL},
    {"Debian:../12", NULL, NULL, NULL},
    {"epss:1", NULL, NULL, NULL},
    {"../PyPI", NULL, NULL, NULL},
};

static void test_names(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct publication found;
        bool known = publication_named(slice_from_text(names[i].word), &arena, &found);
        if (known != (names[i].name != NULL))
            fail_msg("\"%s\" is %s", names[i].word, known ? "known" : "not known");
        if (!known)
            continue;
        check_text(found.name, names[i].name);
        check_text(found.path, names[i].path);
        check_text(publication_url_path(&found, &arena), names[i].url_path);
    }
}

static void test_defaults_are_named_alike(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct list list = publications_by_default(&arena);
    const struct publication *defaults = list.items;
    slice all = publication_names(&arena);
    assert_true(list.count >= 5);
    for (size_t i = 0; i < list.count; i++) {
        struct publication found;
        assert_true(publication_named(defaults[i].name, &arena, &found));
        assert_true(slice_equal(found.path, defaults[i].path));
        assert_true(slice_contains(all, defaults[i].name));
    }
}

/* --- bases ------------------------------------------------------------------------------------ */

static const struct {
    const char *text;
    bool insecure;
    const char *address; /* NULL: refused */
    bool is_folder;
} bases[] = {
    {"https://mirror.example/osv/", false, "https://mirror.example/osv", false},
    {"https://mirror.example", false, "https://mirror.example", false},
    {"http://127.0.0.1:8000", false, "http://127.0.0.1:8000", false},
    {"http://user:word@127.0.0.2/a", false, "http://user:word@127.0.0.2/a", false},
    {"http://[::1]:80/", false, "http://[::1]:80", false},
    {"http://LOCALHOST", false, "http://LOCALHOST", false},
    {"http://mirror.example", false, NULL, false},
    {"http://mirror.example", true, "http://mirror.example", false},
    {"http://127.0.0.1.example", false, NULL, false},
    {"http://127.0.0.1@mirror.example", false, NULL, false},
    {"http://mirror.example?@127.0.0.1", false, NULL, false},
    {"http://mirror.example#@127.0.0.1", false, NULL, false},
    {"http://localhost.example", false, NULL, false},
    {"file:///mnt/feeds//", false, "/mnt/feeds", true},
    {"file:///mnt/my%20feeds%2Fa", false, "/mnt/my feeds/a", true},
    {"file:///mnt/100%/%zz%00%4", false, "/mnt/100%/%zz%00%4", true},
    {"/mnt/my%20feeds", false, "/mnt/my%20feeds", true},
    {"https://mirror.example/osv?key=word", false, NULL, false},
    {"https://mirror.example/osv#part", false, NULL, false},
    {"file://host/feeds", false, NULL, false},
    {"/", false, "/", true},
    {"feeds/osv", false, "feeds/osv", true},
    {"ftp://mirror.example", true, NULL, false},
    {"", false, NULL, false},
};

static void test_bases(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        struct feed_base base;
        CLEANUP_ERROR struct error *error =
            feed_base_parse(slice_from_text(bases[i].text), bases[i].insecure, &arena, &base);
        if ((error == NULL) != (bases[i].address != NULL))
            fail_msg("\"%s\" is %s", bases[i].text, error ? error->message : "taken");
        if (error) {
            assert_int_equal(error->kind, ERROR_USAGE);
            continue;
        }
        check_text(base.address, bases[i].address);
        assert_int_equal(base.is_folder, bases[i].is_folder);
    }
}

static void test_what_is_shown(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct feed_base base;
    struct publication publication;
    assert_true(publication_named(SLICE("Rocky Linux"), &arena, &publication));
    assert_null(
        feed_base_parse(SLICE("https://user:word@mirror.example/a/"), false, &arena, &base));
    check_text(feed_base_shown(&base, &publication, &arena),
               "https://mirror.example/a/Rocky%20Linux/all.zip");
    assert_null(feed_base_parse(SLICE("/mnt/a b"), false, &arena, &base));
    check_text(feed_base_shown(&base, &publication, &arena), "/mnt/a b/Rocky Linux/all.zip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_defaults_are_named_alike),
        cmocka_unit_test(test_bases),
        cmocka_unit_test(test_what_is_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
