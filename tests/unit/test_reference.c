/* Names of images, as github.com/distribution/reference (normalize.go, reference_test.go) has them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "source/reference.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HEX32 "0123456789abcdef0123456789abcdef"
#define HEX64 HEX32 HEX32
#define SHA256 "sha256:" HEX64
#define SHA512 "sha512:" HEX64 HEX64

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define A128 A64 A64
#define A255 A128 A64 A16 A16 A16 "aaaaaaaaaaaaaaa"

struct good {
    const char *text, *registry, *repository, *tag, *digest;
};

static const struct good good[] = {
    /* Docker Hub's short forms */
    {"ubuntu", "docker.io", "library/ubuntu", "latest", ""},
    {"python:3.11", "docker.io", "library/python", "3.11", ""},
    {"docker/docker", "docker.io", "docker/docker", "latest", ""},
    {"library/debian", "docker.io", "library/debian", "latest", ""},
    {"docker.io/ubuntu", "docker.io", "library/ubuntu", "latest", ""},
    {"docker.io/library/ubuntu:1", "docker.io", "library/ubuntu", "1", ""},
    {"docker.io/docker/docker", "docker.io", "docker/docker", "latest", ""},
    {"index.docker.io/ubuntu", "docker.io", "library/ubuntu", "latest", ""},
    {"index.docker.io/docker/docker", "docker.io", "docker/docker", "latest", ""},
    {"index.docker.io/library/x", "docker.io", "library/x", "latest", ""},
    {"registry-1.docker.io/x", "docker.io", "library/x", "latest", ""},
    {"docker.io", "docker.io", "library/docker.io", "latest", ""},
    {"a", "docker.io", "library/a", "latest", ""},
    {"1", "docker.io", "library/1", "latest", ""},
    {"foo/foo/bar", "docker.io", "foo/foo/bar", "latest", ""},
    {"foo_bar.com:8080", "docker.io", "library/foo_bar.com", "8080", ""},
    {"foo/foo_bar.com:8080", "docker.io", "foo/foo_bar.com", "8080", ""},
    {"test:5000", "docker.io", "library/test", "5000", ""},
    {"test.com:tag", "docker.io", "library/test.com", "tag", ""},
    {"test.com:5000", "docker.io", "library/test.com", "5000", ""},
    /* other registries */
    {"ghcr.io/a/b:c", "ghcr.io", "a/b", "c", ""},
    {"test.com/repo:tag", "test.com", "repo", "tag", ""},
    {"test:5000/repo", "test:5000", "repo", "latest", ""},
    {"test:5000/repo:tag", "test:5000", "repo", "tag", ""},
    {"test:5000/repo@" SHA256, "test:5000", "repo", "", SHA256},
    {"test:5000/repo:tag@" SHA256, "test:5000", "repo", "tag", SHA256},
    {"localhost/x", "localhost", "x", "latest", ""},
    {"localhost:5000/x/y", "localhost:5000", "x/y", "latest", ""},
    {"localhost", "docker.io", "library/localhost", "latest", ""},
    {"localhost:5000", "docker.io", "library/localhost", "5000", ""},
    {"127.0.0.1:5000/x", "127.0.0.1:5000", "x", "latest", ""},
    {"192.168.0.1/x", "192.168.0.1", "x", "latest", ""},
    {"[::1]/x", "[::1]", "x", "latest", ""},
    {"[::1]:5000/x:t", "[::1]:5000", "x", "t", ""},
    {"[2001:db8::1]:5000/x@" SHA256, "[2001:db8::1]:5000", "x", "", SHA256},
    {"[2001:DB8::1]/x", "[2001:DB8::1]", "x", "latest", ""},
    {"Test/x", "Test", "x", "latest", ""},
    {"EXAMPLE.com/x", "EXAMPLE.com", "x", "latest", ""},
    {"sub-dom1.foo.com/bar/baz/quux:some-long-tag", "sub-dom1.foo.com", "bar/baz/quux",
     "some-long-tag", ""},
    {"b.gcr.io/test.example.com/my-app:test.example.com", "b.gcr.io", "test.example.com/my-app",
     "test.example.com", ""},
    {"xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com", "myimage", "xn--n3h.com", ""},
    {"xn--7o8h.com/myimage@" SHA512, "xn--7o8h.com", "myimage", "", SHA512},
    {"a.b.c.d.e.f/x", "a.b.c.d.e.f", "x", "latest", ""},
    {"registry.example:443/x", "registry.example:443", "x", "latest", ""},
    /* separators within a component */
    {"foo_bar", "docker.io", "library/foo_bar", "latest", ""},
    {"foo__bar", "docker.io", "library/foo__bar", "latest", ""},
    {"foo.bar/x", "foo.bar", "x", "latest", ""},
    {"x/foo.bar", "docker.io", "x/foo.bar", "latest", ""},
    {"x/foo-bar--baz", "docker.io", "x/foo-bar--baz", "latest", ""},
    {"x/a---b", "docker.io", "x/a---b", "latest", ""},
    {"x/1-0_2__3.4", "docker.io", "x/1-0_2__3.4", "latest", ""},
    /* tags */
    {"x:_", "docker.io", "library/x", "_", ""},
    {"x:A.b-C_9", "docker.io", "library/x", "A.b-C_9", ""},
    {"x:0", "docker.io", "library/x", "0", ""},
    {"x:" A128, "docker.io", "library/x", A128, ""},
    {"x@" SHA256, "docker.io", "library/x", "", SHA256},
    {"x:1@" SHA256, "docker.io", "library/x", "1", SHA256},
    {"x:1@" SHA512, "docker.io", "library/x", "1", SHA512},
    {"5000/app", "docker.io", "5000/app", "latest", ""},
    {"a/b.c-d_e__f---g", "docker.io", "a/b.c-d_e__f---g", "latest", ""},
    {"team/app:v1.0-rc.1_x", "docker.io", "team/app", "v1.0-rc.1_x", ""},
    /* lengths; only a whole name of 64 hex digits is an id */
    {"example.com/" A255, "example.com", A255, "latest", ""},
    {HEX64 ":tag", "docker.io", "library/" HEX64, "tag", ""},
    {"x/" HEX64, "docker.io", "x/" HEX64, "latest", ""},
    {HEX32, "docker.io", "library/" HEX32, "latest", ""},
};

static const char *const bad[] = {
    "",
    " ",
    "/",
    "aa/asdf$^/aa",
    ":",
    "@",
    ":tag",
    "@" SHA256,
    ":tag@" SHA256,
    "/x",
    "x/",
    "x//y",
    "ghcr.io/",
    "ghcr.io//x",
    "https://github.com/docker/docker",
    "http://x",
    "docker://x",
    "-foo",
    "-foo/bar",
    "foo-/bar",
    "foo/bar-",
    "foo./bar",
    "foo.bar/-x",
    "x/_y",
    "x/y_",
    "x/a___b",
    "x/a..b",
    "x/a._b",
    "x/a.-b",
    "x/a-.b",
    "x/a_-b",
    "x/.y",
    "x/y.",
    "./x",
    "../x",
    "x/../y",
    "docker.io/../x",
    "docker.io/x/..",
    "..",
    "../../etc/passwd",
    "ghcr.io/../../x",
    "ghcr.io/x/./y",
    /* upper case is for hosts and tags */
    "Ubuntu",
    "UPPER",
    "docker.io/Foo",
    "ghcr.io/Foo/bar",
    "x/Y",
    "foo/bar/Baz",
    /* tags */
    "x:",
    "x:-",
    "x:.",
    "x:.a",
    "x:a b",
    "x:a/b:",
    "x:a:b",
    "x:t@g",
    "x:t\n",
    "x:" A128 "a",
    "ghcr.io/x:",
    "x:\xc3\xa4",
    /* digests */
    "x@",
    "x@sha256",
    "x@sha256:",
    "x@sha256:abc",
    "x@sha256:" HEX64 "0",
    "x@md5:" HEX32,
    "x@SHA256:" HEX64,
    "x@sha256:" HEX32 "0123456789ABCDEF0123456789ABCDEF",
    "x@" SHA256 "@" SHA256,
    "x@" SHA256 ":tag",
    "x@sha512:" HEX64,
    "x@sha256+b64:" HEX64,
    /* an id is none */
    HEX64,
    "a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4",
    /* hosts that a URL, a path or a log would read otherwise */
    "evil.com#/x",
    "evil.com?/x",
    "user@evil.com/x",
    "user:pw@evil.com/x",
    "ghcr.io\\evil/x",
    "ghcr.io%2f/x",
    "gh\ncr.io/x",
    "ghcr.io\r/x",
    "ghcr.io /x",
    "ghcr.io:/x",
    "ghcr.io:port/x",
    "ghcr.io:80:90/x",
    "ghcr.io:-1/x",
    ".:5000/x",
    "..:5000/x",
    ".ghcr.io/x",
    "ghcr.io./x",
    "ghcr..io/x",
    "-ghcr.io/x",
    "ghcr.io-/x",
    "ghcr.-io/x",
    "[::1/x",
    "::1]/x",
    "[]/x",
    "[::1]x/x",
    "x[::1]/x",
    "[::1%25eth0]/x",
    "[::g]/x",
    "[[::1]]/x",
    "::1/x",
    "2001:db8::1/x",
    "foo_bar.com/x",
    "*.example.com/x",
    "\xc3\xa4.com/x",
    /* other bytes */
    "x y",
    "x\ty",
    "x\x7f",
    "x$y",
    "x,y",
    "x=y",
    "x\"y",
    "x'y",
    "x;y",
    "x&y",
    "x(y)",
    "\xff",
    "x/\xe2\x80\xae",
    "example.com/" A255 "a",
};

static void check(const struct good *row, slice found, const char *wanted, const char *what)
{
    if (!slice_equal(found, slice_from_text(wanted)))
        fail_msg("%s of \"%s\" is \"%.*s\"", what, row->text, SLICE_ARG(found));
}

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference reference;
        const struct good *row = &good[i];
        CLEANUP_ERROR struct error *error =
            reference_parse(&reference, slice_from_text(row->text), &arena);
        if (error)
            fail_msg("\"%s\": %s", row->text, error->message);
        check(row, reference.registry, row->registry, "the registry");
        check(row, reference.repository, row->repository, "the repository");
        check(row, reference.tag, row->tag, "the tag");
        check(row, reference.digest, row->digest, "the digest");
    }
}

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference reference;
        CLEANUP_ERROR struct error *error =
            reference_parse(&reference, slice_from_text(bad[i]), &arena);
        if (!error)
            fail_msg("\"%s\" was taken for %.*s", bad[i],
                     SLICE_ARG(reference_text(&reference, &arena)));
        assert_int_equal(error->kind, ERROR_USAGE);
    }
}

/* A NUL is a byte like any other, which C's text functions do not see. */
static void test_nul(void **state)
{
    (void)state;
    static const slice texts[] = {SLICE("\0"),     SLICE("x\0y"),        SLICE("a\0b.com/x"),
                                  SLICE("x:t\0g"), SLICE("ghcr.io\0/x"), SLICE("x\0")};
    for (size_t i = 0; i < COUNT(texts); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference reference;
        CLEANUP_ERROR struct error *error = reference_parse(&reference, texts[i], &arena);
        assert_non_null(error);
    }
}

/* What is written in full is read as the same again. */
static void test_full_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct reference one, two;
        CLEANUP_ERROR struct error *error =
            reference_parse(&one, slice_from_text(good[i].text), &arena);
        if (error)
            continue;
        slice full = reference_text(&one, &arena);
        CLEANUP_ERROR struct error *again = reference_parse(&two, full, &arena);
        assert_null(again);
        assert_true(slice_equal(full, reference_text(&two, &arena)));
        assert_true(slice_equal(one.repository, two.repository));
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

/* Only these are asked without TLS unless the user allows it. */
static void test_loopback(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        bool loopback;
    } rows[] = {
        {"localhost", true},       {"localhost:5000", true},   {"a.localhost", true},
        {"127.0.0.1", true},       {"127.0.0.1:5000", true},   {"127.255.255.254", true},
        {"[::1]", true},           {"[::1]:5000", true},       {"127.evil.com", false},
        {"127.0.0.1.evil", false}, {"127.0.0.evil", false},    {"127.0.0.1.2", false},
        {"127.0.0", false},        {"1270.0.0.1", false},      {"128.0.0.1", false},
        {"localhost.com", false},  {"evil-localhost", false},  {"xlocalhost", false},
        {"[::2]", false},          {"[::1].evil.com", false},  {"", false},
        {"127.0.0.1000", false},   {"127.0.0.1a:5000", false}, {"docker.io", false},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (reference_is_loopback(slice_from_text(rows[i].host)) != rows[i].loopback)
            fail_msg("%s", rows[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),    cmocka_unit_test(test_bad),
        cmocka_unit_test(test_nul),     cmocka_unit_test(test_full_text),
        cmocka_unit_test(test_lengths), cmocka_unit_test(test_loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
