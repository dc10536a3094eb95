/* Credentials out of the files and helpers of docker and podman; nothing of them is ever shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/progress.h"
#include "source/credentials.h"

#include <fcntl.h>
#include <sys/stat.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/plimsoll-credentials-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[256];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text, mode_t mode)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_return_code(chmod(path_of(name), mode), 0);
}

/* What is found, and all that was said on stderr meanwhile. */
struct found {
    struct arena arena;
    struct credentials credentials;
    char said[8192];
};

static void find(struct found *found, const char *registry, const char *repository)
{
    FILE *said = tmpfile();
    int before = dup(STDERR_FILENO);
    assert_non_null(said);
    assert_return_code(before, 0);
    *found = (struct found){0};
    fflush(stderr);
    dup2(fileno(said), STDERR_FILENO);
    credentials_find(&found->credentials, slice_from_text(registry), slice_from_text(repository),
                     &found->arena);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(said);
    size_t length = fread(found->said, 1, sizeof(found->said) - 1, said);
    found->said[length] = '\0';
    fclose(said);
}

static void find_with(struct found *found, const char *config, const char *registry,
                      const char *repository)
{
    write_file("config.json", config, 0600);
    find(found, registry, repository);
}

static bool is_empty(const struct credentials *found)
{
    return found->username.len + found->password.len + found->identity_token.len +
               found->registry_token.len ==
           0;
}

static void assert_login(struct found *found, const char *username, const char *password,
                         const char *row)
{
    if (!slice_equal(found->credentials.username, slice_from_text(username)) ||
        !slice_equal(found->credentials.password, slice_from_text(password)))
        fail_msg("%s: \"%.*s\", \"%.*s\"", row, SLICE_ARG(found->credentials.username),
                 SLICE_ARG(found->credentials.password));
    if (*found->said)
        fail_msg("%s: it says %s", row, found->said);
}

static int setup(void **state)
{
    (void)state;
    char search[4096];
    assert_non_null(mkdtemp(folder));
    snprintf(search, sizeof(search), "%s:%s", folder, getenv("PATH") ? getenv("PATH") : "/bin");
    setenv("PATH", search, 1);
    setenv("HOME", folder, 1);
    setenv("DOCKER_CONFIG", folder, 1);
    unsetenv("REGISTRY_AUTH_FILE");
    unsetenv("XDG_RUNTIME_DIR");
    progress_setup(false, true);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"config.json", "auth.json", "log", "docker-credential-good",
                                        "docker-credential-bad"};
    (void)state;
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

/* --- auths ----------------------------------------------------------------------------------- */

#define USER "{\"auth\":\"dXNlcjpwYXNz\"}"      /* user:pass */
#define OTHER "{\"auth\":\"b3RoZXI6d29yZA==\"}" /* other:word */
#define THIRD "{\"auth\":\"dGhpcmQ6eA==\"}"     /* third:x */

static void test_keys(void **state)
{
    (void)state;
    static const struct {
        const char *auths, *registry, *repository, *username;
    } rows[] = {
        {"\"ghcr.io\":" USER, "ghcr.io", "a/b", "user"},
        {"\"https://ghcr.io\":" USER, "ghcr.io", "a", "user"},
        {"\"http://ghcr.io\":" USER, "ghcr.io", "a", "user"},
        {"\"https://ghcr.io/\":" USER, "ghcr.io", "a", "user"},
        {"\"https://ghcr.io/v1/\":" USER, "ghcr.io", "a", "user"},
        {"\"https://ghcr.io/v2/\":" USER, "ghcr.io", "a", "user"},
        {"\"localhost:5000\":" USER, "localhost:5000", "a", "user"},
        {"\"[::1]:5000\":" USER, "[::1]:5000", "a", "user"},
        {"\"https://index.docker.io/v1/\":" USER, "docker.io", "library/a", "user"},
        {"\"https://index.docker.io/v1\":" USER, "docker.io", "library/a", "user"},
        {"\"index.docker.io\":" USER, "docker.io", "library/a", "user"},
        {"\"docker.io\":" USER, "docker.io", "library/a", "user"},
        {"\"registry-1.docker.io\":" USER, "docker.io", "library/a", "user"},
        /* the longest part of the name */
        {"\"q.io\":" USER ",\"q.io/a\":" OTHER ",\"q.io/a/b\":" THIRD, "q.io", "a/b/c", "third"},
        {"\"q.io/a/b\":" THIRD ",\"q.io/a\":" OTHER ",\"q.io\":" USER, "q.io", "a/b/c", "third"},
        {"\"q.io\":" USER ",\"q.io/a\":" OTHER ",\"q.io/a/b\":" THIRD, "q.io", "a/b", "third"},
        {"\"q.io\":" USER ",\"q.io/a\":" OTHER ",\"q.io/a/b\":" THIRD, "q.io", "a/bc", "other"},
        {"\"q.io\":" USER ",\"q.io/a\":" OTHER, "q.io", "ab", "user"},
        {"\"docker.io/team\":" OTHER ",\"docker.io\":" USER, "docker.io", "team/a", "other"},
        {"\"docker.io/team\":" OTHER ",\"docker.io\":" USER, "docker.io", "teams/a", "user"},
        /* an empty entry, as beside a credsStore, does not hide another */
        {"\"q.io/a\":{},\"q.io\":" USER, "q.io", "a", "user"},
        /* for that registry and no other */
        {"\"ghcr.io\":" USER, "ghcr.io.evil.com", "a", ""},
        {"\"ghcr.io\":" USER, "evil-ghcr.io", "a", ""},
        {"\"ghcr.io\":" USER, "ghcr.io:5000", "a", ""},
        {"\"ghcr.io\":" USER, "ghcr.i", "o", ""},
        {"\"ghcr.io:5000\":" USER, "ghcr.io", "a", ""},
        {"\"ghcr.io/a\":" USER, "ghcr.io", "b", ""},
        {"\"\":" USER, "ghcr.io", "a", ""},
        {"\"/\":" USER, "ghcr.io", "a", ""},
        {"\"https://\":" USER, "ghcr.io", "a", ""},
        {"\"docker.io\":" USER, "ghcr.io", "docker.io/a", ""},
        {"\"localhost\":" USER, "localhost:5000", "a", ""},
        {"\"example\":" USER, "r.example", "a", ""},
        {"\"r.example/team/app\":" USER, "r.example", "team/application", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct found found;
        char config[1024];
        snprintf(config, sizeof(config), "{\"auths\":{%s}}", rows[i].auths);
        find_with(&found, config, rows[i].registry, rows[i].repository);
        if (!slice_equal(found.credentials.username, slice_from_text(rows[i].username)))
            fail_msg("%s for %s/%s: \"%.*s\"", rows[i].auths, rows[i].registry, rows[i].repository,
                     SLICE_ARG(found.credentials.username));
        assert_string_equal(found.said, "");
        arena_free(&found.arena);
    }
}

static void test_entries(void **state)
{
    (void)state;
    static const struct {
        const char *entry, *username, *password, *identity, *token;
    } rows[] = {
        {"{\"auth\":\"dXNlcjpwYXNz\"}", "user", "pass", "", ""},
        {"{\"auth\":\"dTpwYTpzcw==\"}", "u", "pa:ss", "", ""},
        {"{\"auth\":\"dTo=\"}", "u", "", "", ""},
        {"{\"auth\":\"OnA=\"}", "", "p", "", ""},
        {"{\"auth\":\"dTpwdw==\\n\"}", "u", "pw", "", ""},
        {"{\"username\":\"u\",\"password\":\"p\"}", "u", "p", "", ""},
        {"{\"auth\":\"dXNlcjpwYXNz\",\"username\":\"u\",\"password\":\"p\"}", "user", "pass", "",
         ""},
        {"{\"auth\":\"MDAwOg==\",\"identitytoken\":\"it\"}", "000", "", "it", ""},
        {"{\"identitytoken\":\"it\"}", "", "", "it", ""},
        {"{\"registrytoken\":\"rt\"}", "", "", "", "rt"},
        /* malformed: as if it were not there */
        {"{\"auth\":\"\"}", "", "", "", ""},
        {"{\"auth\":\"!\"}", "", "", "", ""},
        {"{\"auth\":\"dXNlcjpwYXN\"}", "", "", "", ""},
        {"{\"auth\":\"dXNlc$pwYXNz\"}", "", "", "", ""},
        {"{\"auth\":\"dXNlcg==\"}", "", "", "", ""}, /* no colon */
        {"{\"auth\":\"====\"}", "", "", "", ""},
        {"{\"auth\":\"=\"}", "", "", "", ""},
        {"{\"auth\":1}", "", "", "", ""},
        {"{\"auth\":null,\"username\":[],\"password\":{}}", "", "", "", ""},
        {"[]", "", "", "", ""},
        {"\"x\"", "", "", "", ""},
        {"null", "", "", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct found found;
        char config[1024];
        snprintf(config, sizeof(config), "{\"auths\":{\"q.io\":%s}}", rows[i].entry);
        find_with(&found, config, "q.io", "a");
        assert_login(&found, rows[i].username, rows[i].password, rows[i].entry);
        assert_true(
            slice_equal(found.credentials.identity_token, slice_from_text(rows[i].identity)));
        assert_true(slice_equal(found.credentials.registry_token, slice_from_text(rows[i].token)));
        arena_free(&found.arena);
    }
}

/* A word on it, but none of what it holds: not even what stands where it is wrong. */
static void test_malformed_files(void **state)
{
    (void)state;
    static const char *const configs[] = {
        "",
        "{",
        "x",
        "[]",
        "null",
        "1",
        "{\"auths\":1}",
        "{\"auths\":[]}",
        "{\"auths\":{}}",
        "{\"credHelpers\":[],\"credsStore\":1}",
        "{\"auths\":{\"q.io\":{\"auth\":\"s3cret\n\"}}}",
        "{\"auths\":{\"q.io\":{\"password\":\"s3cret",
        "{\"auths\":{\"q.io\":{\"password\":s3cret}}}",
        "{\"auths\":{\"q.io\":{\"auth\":\"x\" \"s3cret\"}}}",
        "{\"auths\":{\"q.io\":{\"auth\":\"s3cret\xff\"}}}",
        "{\"auths\":{\"q.io\":{\"auth\":\"s3cret\"}}} s3cret",
        "{\"auths\":{\"q.io\":{\"auth\":\"\\ud800s3cret\"}}}",
    };
    for (size_t i = 0; i < COUNT(configs); i++) {
        struct found found;
        find_with(&found, configs[i], "q.io", "a");
        assert_true(is_empty(&found.credentials));
        if (strstr(found.said, "s3cret"))
            fail_msg("%s", found.said);
        if (strstr(configs[i], "s3cret") && !strstr(found.said, "not valid JSON"))
            fail_msg("%s: %s", configs[i], found.said);
        arena_free(&found.arena);
    }
}

static void test_files_in_order(void **state)
{
    (void)state;
    struct found found;
    write_file("config.json", "{\"auths\":{\"q.io\":" USER "}}", 0600);
    write_file("auth.json", "{\"auths\":{\"q.io\":" OTHER "}}", 0600);
    setenv("REGISTRY_AUTH_FILE", path_of("auth.json"), 1);
    find(&found, "q.io", "a");
    assert_login(&found, "other", "word", "REGISTRY_AUTH_FILE");
    arena_free(&found.arena);
    /* one that is not there is passed over */
    setenv("REGISTRY_AUTH_FILE", path_of("none.json"), 1);
    find(&found, "q.io", "a");
    assert_login(&found, "user", "pass", "DOCKER_CONFIG");
    arena_free(&found.arena);
    unsetenv("REGISTRY_AUTH_FILE");
}

/* --- helpers --------------------------------------------------------------------------------- */

#define HELPERS "{\"credHelpers\":{\"q.io\":\"good\"},\"auths\":{\"q.io\":{}}}"

static void write_helper(const char *body)
{
    char script[2048];
    snprintf(script, sizeof(script), "#!/bin/sh\n%s\n", body);
    write_file("docker-credential-good", script, 0700);
}

static void test_helper(void **state)
{
    (void)state;
    struct found found;
    char script[1024], asked[256] = "";
    snprintf(script, sizeof(script),
             "read server; echo \"$1 $server\" > %s\n"
             "echo '{\"ServerURL\":\"x\",\"Username\":\"helped\",\"Secret\":\"s3cret\"}'",
             path_of("log"));
    write_helper(script);
    static const char *const rows[][3] = {
        {HELPERS, "q.io", "get q.io\n"},
        {"{\"credsStore\":\"good\"}", "q.io:5000", "get q.io:5000\n"},
        {"{\"credsStore\":\"good\",\"auths\":{\"q.io\":{}}}", "q.io", "get q.io\n"},
        {"{\"credsStore\":\"good\"}", "docker.io", "get https://index.docker.io/v1/\n"},
        {"{\"credHelpers\":{\"docker.io\":\"good\"}}", "docker.io",
         "get https://index.docker.io/v1/\n"},
        {"{\"credHelpers\":{\"https://index.docker.io/v1/\":\"good\"}}", "docker.io",
         "get https://index.docker.io/v1/\n"},
        /* it goes before what the file itself has, and before the store */
        {"{\"credHelpers\":{\"q.io\":\"good\"},\"credsStore\":\"bad\",\"auths\":{\"q.io\":" USER
         "}}",
         "q.io", "get q.io\n"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        find_with(&found, rows[i][0], rows[i][1], "a");
        assert_login(&found, "helped", "s3cret", rows[i][0]);
        arena_free(&found.arena);
        FILE *log = fopen(path_of("log"), "r");
        assert_non_null(log);
        assert_non_null(fgets(asked, sizeof(asked), log));
        fclose(log);
        assert_string_equal(asked, rows[i][2]);
    }
}

static void test_helper_gives_token(void **state)
{
    (void)state;
    struct found found;
    write_helper("echo '{\"Username\":\"<token>\",\"Secret\":\"s3cret\"}'");
    find_with(&found, HELPERS, "q.io", "a");
    assert_true(slice_equal(found.credentials.identity_token, SLICE("s3cret")));
    assert_int_equal(found.credentials.username.len, 0);
    arena_free(&found.arena);
}

/* Asked of another registry, nobody is asked. */
static void test_helper_of_another(void **state)
{
    (void)state;
    struct found found;
    write_helper("echo '{\"Username\":\"u\",\"Secret\":\"s3cret\"}'");
    find_with(&found, HELPERS, "q.io.evil.com", "a");
    assert_true(is_empty(&found.credentials));
    assert_string_equal(found.said, "");
    arena_free(&found.arena);
}

static void test_helper_fails(void **state)
{
    (void)state;
    static const struct {
        const char *script, *says;
    } rows[] = {
        {"echo 'credentials not found in native keychain'; exit 1", ""},
        {"[ \"$1\" = get ] && exit 0; exit 9", ""},
        {"echo s3cret; exit 1", "it failed"},
        {"echo s3cret >&2; exit 2", "it failed"},
        {"echo s3cret", "no JSON"},
        {"echo '{\"Username\":\"u\",\"Secret\":s3cret'", "no JSON"},
        {"kill -9 $$", "it failed"},
        {"exit 127", "not on the PATH"},
        {"while :; do echo s3crets3crets3crets3crets3crets3crets3crets3crets3crets3cret; done",
         "gives no credentials"},
        {"exec sleep 1000", "does not answer"},
        {"while :; do printf x; sleep 0.1; done", "does not answer"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct found found;
        /* A busy machine may take its time with those that do answer. */
        bool silent = strcmp(rows[i].says, "does not answer") == 0;
        setenv("PLIMSOLL_TEST_HELPER_MS", silent ? "700" : "60000", 1);
        write_helper(rows[i].script);
        find_with(&found, HELPERS, "q.io", "a");
        if (!is_empty(&found.credentials) || strstr(found.said, "s3cret"))
            fail_msg("%s: %s", rows[i].script, found.said);
        if (*rows[i].says ? !strstr(found.said, rows[i].says) : *found.said != '\0')
            fail_msg("%s: %s", rows[i].script, found.said);
        arena_free(&found.arena);
    }
    unsetenv("PLIMSOLL_TEST_HELPER_MS");
}

/* One that has answered and does not end holds nothing up (Meson's time limit would). */
static void test_helper_stays(void **state)
{
    (void)state;
    struct found found;
    write_helper("echo '{\"Username\":\"u\",\"Secret\":\"s\"}'; exec sleep 1000 >&-");
    find_with(&found, HELPERS, "q.io", "a");
    arena_free(&found.arena);
}

/* A helper is a name, nothing more. */
static void test_helper_names(void **state)
{
    (void)state;
    static const char *const names[] = {"../good",      "/bin/sh",    "a b",     "x;id", "$(id)",
                                        "good\\u0000x", "g\\u00f6od", "good\\n", "`id`"};
    write_helper("echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
    for (size_t i = 0; i < COUNT(names); i++) {
        struct found found;
        char config[256];
        snprintf(config, sizeof(config), "{\"credsStore\":\"%s\"}", names[i]);
        find_with(&found, config, "q.io", "a");
        if (!is_empty(&found.credentials) || !strstr(found.said, "no helper's name"))
            fail_msg("%s: %s", names[i], found.said);
        arena_free(&found.arena);
    }
    struct found found;
    find_with(&found, "{\"credsStore\":\"\"}", "q.io", "a");
    assert_true(is_empty(&found.credentials));
    arena_free(&found.arena);
    find_with(&found, "{\"credsStore\":\"absent\"}", "q.io", "a");
    assert_true(is_empty(&found.credentials));
    assert_non_null(strstr(found.said, "not on the PATH"));
    arena_free(&found.arena);
}

/* No helper is left behind as a zombie, and no handle as open. */
static void test_nothing_is_left(void **state)
{
    (void)state;
    struct found found;
    int before = dup(STDIN_FILENO);
    assert_return_code(before, 0);
    close(before);
    write_helper("echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
    for (int i = 0; i < 3; i++) {
        find_with(&found, HELPERS, "q.io", "a");
        arena_free(&found.arena);
    }
    int after = dup(STDIN_FILENO);
    assert_int_equal(after, before);
    close(after);
}

static void test_basic(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="}, /* RFC 7617 */
        {"", "", "Basic Og=="},
        {"a", "b\r\nX: y", "Basic YTpiDQpYOiB5"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct credentials credentials = {slice_from_text(rows[i][0]), slice_from_text(rows[i][1]),
                                          SLICE_EMPTY, SLICE_EMPTY};
        assert_true(
            slice_equal(credentials_basic(&credentials, &arena), slice_from_text(rows[i][2])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_entries),
        cmocka_unit_test(test_malformed_files),
        cmocka_unit_test(test_files_in_order),
        cmocka_unit_test(test_helper),
        cmocka_unit_test(test_helper_gives_token),
        cmocka_unit_test(test_helper_of_another),
        cmocka_unit_test(test_helper_fails),
        cmocka_unit_test(test_helper_stays),
        cmocka_unit_test(test_helper_names),
        cmocka_unit_test(test_nothing_is_left),
        cmocka_unit_test(test_basic),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
