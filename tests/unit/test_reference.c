/* Names of images, as Docker reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "source/reference.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_names(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"python", "docker.io/library/python:latest"},
        {"python:3.11", "docker.io/library/python:3.11"},
        {"library/python", "docker.io/library/python:latest"},
        {"team/app:v1.0-rc.1_x", "docker.io/team/app:v1.0-rc.1_x"},
        {"docker.io/python", "docker.io/library/python:latest"},
        {"index.docker.io/team/app", "docker.io/team/app:latest"},
        {"registry-1.docker.io/library/python", "docker.io/library/python:latest"},
        {"ghcr.io/a/b/c:1", "ghcr.io/a/b/c:1"},
        {"localhost/app", "localhost/app:latest"},
        {"localhost:5000/app:1", "localhost:5000/app:1"},
        {"127.0.0.1:5000/app", "127.0.0.1:5000/app:latest"},
        {"[::1]:5000/app", "[::1]:5000/app:latest"},
        {"UPPER/app", "UPPER/app:latest"}, /* a host: repositories are in lower case */
        {"a/b.c-d_e__f---g", "docker.io/a/b.c-d_e__f---g:latest"},
        {"app@sha256:" HEX64, "docker.io/library/app@sha256:" HEX64},
        {"app:1@sha256:" HEX64, "docker.io/library/app:1@sha256:" HEX64},
        {"reg.example:443/app@sha256:" HEX64, "reg.example:443/app@sha256:" HEX64},
        {"5000/app", "docker.io/5000/app:latest"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference reference;
        assert_null(reference_parse(&reference, slice_from_text(rows[i][0]), &arena));
        slice text = reference_text(&reference, &arena);
        assert_string_equal(arena_text(&arena, text), rows[i][1]);
    }
}

static void test_what_is_no_name(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        ":",
        "/",
        "app:",
        ":1",
        "app:-1",
        "app:.x",
        "app: 1",
        "app@",
        "app@sha256:",
        "@sha256:" HEX64,
        "app@sha256:abc",
        "app@md5:" HEX64,
        "app@sha256:" HEX64 "0",
        "Upper",
        "a/Upper",
        "a//b",
        "a/",
        "/a",
        "a/./b",
        "a/../b",
        "a/-b",
        "a/b-",
        "a/b..c",
        "a/b___c",
        "a/b._c",
        "a b",
        "a/b\n",
        "a\tb",
        "reg.example/a?b",
        "reg.example/a#b",
        "reg.example/a%2fb",
        "user:pass@reg.example/app",
        "http://reg.example/app",
        "reg.example/",
        "reg_x.example/app",
        "a/b:c:d",
        "\xc3\xa4/b",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference reference;
        CLEANUP_ERROR struct error *error =
            reference_parse(&reference, slice_from_text(rows[i]), &arena);
        if (!error)
            fail_msg("\"%s\" was taken for a name", rows[i]);
        assert_int_equal(error->kind, ERROR_USAGE);
    }
}

static void test_lengths(void **state)
{
    (void)state;
    char text[600];
    for (size_t length = 250; length < 260; length++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference reference;
        snprintf(text, sizeof(text), "r.example/%0*d", (int)length, 1);
        CLEANUP_ERROR struct error *error =
            reference_parse(&reference, slice_from_text(text), &arena);
        assert_int_equal(error == NULL, length <= 255);
    }
    for (size_t length = 126; length < 131; length++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference reference;
        snprintf(text, sizeof(text), "app:%0*d", (int)length, 1);
        CLEANUP_ERROR struct error *error =
            reference_parse(&reference, slice_from_text(text), &arena);
        assert_int_equal(error == NULL, length <= 128);
    }
}

static void test_loopback(void **state)
{
    (void)state;
    static const char *const here[] = {"localhost",     "localhost:5000", "127.0.0.1",
                                       "127.8.9.1:1",   "[::1]",          "[::1]:5000",
                                       "x.localhost:80"};
    static const char *const elsewhere[] = {"docker.io", "localhost.example", "128.0.0.1",
                                            "[::2]:1",   "xlocalhost",        "10.127.0.0:1"};
    for (size_t i = 0; i < COUNT(here); i++)
        assert_true(reference_is_loopback(slice_from_text(here[i])));
    for (size_t i = 0; i < COUNT(elsewhere); i++)
        assert_false(reference_is_loopback(slice_from_text(elsewhere[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_what_is_no_name),
        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
