/* Credentials as docker and podman keep them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/file.h"
#include "base/progress.h"
#include "source/credentials.h"

#include <stdlib.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* base64 of "me:secret", "other:word" and "a:b:c" */
#define ME "\"auth\":\"bWU6c2VjcmV0\""
#define OTHER "\"auth\":\"b3RoZXI6d29yZA==\""
#define COLONS "\"auth\":\"YTpiOmM=\""

static char folder[] = "/tmp/plimsoll-credentials-XXXXXX";

static void write_file(const char *name, const char *text, mode_t mode)
{
    CLEANUP_ARENA struct arena arena = {0};
    const char *path = arena_format(&arena, "%s/%s", folder, name).ptr;
    assert_null(file_replace(path, slice_from_text(text)));
    assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
    CLEANUP_ARENA struct arena arena = {0};
    (void)state;
    progress_setup(true, false);
    assert_non_null(mkdtemp(folder));
    setenv("HOME", "/nowhere", 1);
    setenv("DOCKER_CONFIG", folder, 1);
    unsetenv("REGISTRY_AUTH_FILE");
    unsetenv("XDG_RUNTIME_DIR");
    setenv("PATH", arena_format(&arena, "%s:/usr/bin:/bin", folder).ptr, 1);
    return 0;
}

static int tear_down(void **state)
{
    CLEANUP_ARENA struct arena arena = {0};
    (void)state;
    return system(arena_format(&arena, "rm -rf %s", folder).ptr);
}

static void check(const char *config, const char *registry, const char *repository,
                  const char *username, const char *password)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct credentials found;
    write_file("config.json", config, 0600);
    credentials_find(&found, slice_from_text(registry), slice_from_text(repository), &arena);
    assert_string_equal(arena_text(&arena, found.username), username);
    assert_string_equal(arena_text(&arena, found.password), password);
}

static void test_auths(void **state)
{
    (void)state;
    static const char *const rows[][5] = {
        {"{\"auths\":{\"r.example\":{" ME "}}}", "r.example", "app", "me", "secret"},
        {"{\"auths\":{\"https://r.example/v1/\":{" ME "}}}", "r.example", "app", "me", "secret"},
        {"{\"auths\":{\"https://r.example\":{" ME "}}}", "r.example", "app", "me", "secret"},
        {"{\"auths\":{\"r.example:5000\":{" ME "}}}", "r.example", "app", "", ""},
        {"{\"auths\":{\"r.example\":{" ME "}}}", "r.example:5000", "app", "", ""},
        {"{\"auths\":{\"r.example\":{" ME "}}}", "r.example.evil", "app", "", ""},
        {"{\"auths\":{\"example\":{" ME "}}}", "r.example", "app", "", ""},
        {"{\"auths\":{\"https://index.docker.io/v1/\":{" ME "}}}", "docker.io", "library/x", "me",
         "secret"},
        {"{\"auths\":{\"docker.io\":{" ME "}}}", "docker.io", "library/x", "me", "secret"},
        {"{\"auths\":{\"r.example\":{" COLONS "}}}", "r.example", "app", "a", "b:c"},
        {"{\"auths\":{\"r.example\":{\"username\":\"u\",\"password\":\"p\"}}}", "r.example", "app",
         "u", "p"},
        /* podman's: a part of the registry, the longest first */
        {"{\"auths\":{\"r.example\":{" ME "},\"r.example/team\":{" OTHER "}}}", "r.example",
         "team/app", "other", "word"},
        {"{\"auths\":{\"r.example\":{" ME "},\"r.example/team\":{" OTHER "}}}", "r.example",
         "teams/app", "me", "secret"},
        {"{\"auths\":{\"r.example/team/app\":{" OTHER "}}}", "r.example", "team/app", "other",
         "word"},
        {"{\"auths\":{\"r.example/team/app\":{" OTHER "}}}", "r.example", "team/application", "",
         ""},
        /* malformed: none, and no crash */
        {"{\"auths\":{\"r.example\":{\"auth\":\"%%%\"}}}", "r.example", "app", "", ""},
        {"{\"auths\":{\"r.example\":{\"auth\":\"=\"}}}", "r.example", "app", "", ""},
        {"{\"auths\":{\"r.example\":{\"auth\":\"\"}}}", "r.example", "app", "", ""},
        {"{\"auths\":{\"r.example\":{\"auth\":7}}}", "r.example", "app", "", ""},
        {"{\"auths\":[1]}", "r.example", "app", "", ""},
        {"{\"auths\":null}", "r.example", "app", "", ""},
        {"[]", "r.example", "app", "", ""},
        {"{", "r.example", "app", "", ""},
        {"", "r.example", "app", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        check(rows[i][0], rows[i][1], rows[i][2], rows[i][3], rows[i][4]);
}

static void test_tokens(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct credentials found;
    write_file("config.json",
               "{\"auths\":{\"r.example\":{\"identitytoken\":\"idt\"},"
               "\"s.example\":{\"registrytoken\":\"rt\"}}}",
               0600);
    credentials_find(&found, SLICE("r.example"), SLICE("x"), &arena);
    assert_true(slice_equal(found.identity_token, SLICE("idt")));
    credentials_find(&found, SLICE("s.example"), SLICE("x"), &arena);
    assert_true(slice_equal(found.registry_token, SLICE("rt")));
    found = (struct credentials){SLICE("me"), SLICE("secret"), SLICE_EMPTY, SLICE_EMPTY};
    assert_true(slice_equal(credentials_basic(&found, &arena), SLICE("Basic bWU6c2VjcmV0")));
}

static void test_helpers(void **state)
{
    (void)state;
    static const char helper[] =
        "#!/bin/sh\nread server\n[ \"$1\" = get ] || exit 9\ncase $server in\n"
        "r.example) echo '{\"Username\":\"h\",\"Secret\":\"s\"}';;\n"
        "https://index.docker.io/v1/) echo '{\"Username\":\"hub\",\"Secret\":\"s\"}';;\n"
        "bad.example) echo '{';;\n"
        "*) echo 'credentials not found in native keychain'; exit 1;;\nesac\n";
    write_file("docker-credential-kit", helper, 0700);
    check("{\"credHelpers\":{\"r.example\":\"kit\"}}", "r.example", "x", "h", "s");
    check("{\"credHelpers\":{\"r.example\":\"kit\"}}", "s.example", "x", "", "");
    check("{\"credsStore\":\"kit\",\"auths\":{\"r.example\":{}}}", "r.example", "x", "h", "s");
    check("{\"credsStore\":\"kit\"}", "docker.io", "library/x", "hub", "s");
    check("{\"credsStore\":\"kit\"}", "nobody.example", "x", "", "");
    check("{\"credsStore\":\"kit\"}", "bad.example", "x", "", "");
    check("{\"credsStore\":\"not-there\"}", "r.example", "x", "", "");
    check("{\"credsStore\":\"../../bin/kit\"}", "r.example", "x", "", "");
    check("{\"credsStore\":\"\"}", "r.example", "x", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auths),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_helpers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
