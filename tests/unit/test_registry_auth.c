/* Authentication at a registry: challenges, and what is sent to whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "serverkit.h"
#include "source/registry_challenge.h"
#include "source/registry_client.h"

#include <sys/resource.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define END "Connection: close\r\n\r\n"

/* --- challenges ------------------------------------------------------------------------------ */

static void test_challenges(void **state)
{
    (void)state;
    static const struct {
        const char *text, *realm, *service, *scope;
    } rows[] = {
        {"Bearer realm=\"https://auth.docker.io/token\",service=\"registry.docker.io\","
         "scope=\"repository:a/b:pull\"",
         "https://auth.docker.io/token", "registry.docker.io", "repository:a/b:pull"},
        {"Bearer scope=\"repository:a:pull,push\", service=s , realm=r", "r", "s",
         "repository:a:pull,push"},
        {"Bearer REALM=\"r\",Service=\"s\"", "r", "s", ""},
        {"Bearer realm=\"a\\\"b\\\\c\",service=\"s\"", "a\"b\\c", "s", ""},
        {"Bearer realm=\"a,b=c\" , x=y", "a,b=c", "", ""},
        {"Bearer realm = \"r\"", "\"r\"", "", ""},
        {"Bearer error=\"invalid_token\",realm=\"r\"", "r", "", ""},
        {"Bearer realm=\"one\",realm=\"two\"", "two", "", ""},
        {"Bearer realm=\"no end", "no end", "", ""},
        {"Bearer realm=\"no end\\", "no end\\", "", ""},
        {"Bearer realm=\"\"", "", "", ""},
        {"Bearer realm=", "", "", ""},
        {"Bearer realm", "", "", ""},
        {"Bearer realm=r,", "r", "", ""},
        {"Bearer ,,, realm=r", "r", "", ""},
        {"Bearer", "", "", ""},
        {"Bearer =", "", "", ""},
        {"Bearer =====", "", "", ""},
        {"Bearer realm=\"r\"service=\"s\"", "r", "s", ""},
        {"Bearer realm=\"r\", Basic realm=\"other\"", "r", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct registry_challenge found =
            registry_challenge_read(slice_from_text(rows[i].text), &arena);
        assert_true(slice_equal(found.scheme, SLICE("Bearer")));
        if (!slice_equal(found.realm, slice_from_text(rows[i].realm)) ||
            !slice_equal(found.service, slice_from_text(rows[i].service)) ||
            !slice_equal(found.scope, slice_from_text(rows[i].scope)))
            fail_msg("%s: realm \"%.*s\", service \"%.*s\", scope \"%.*s\"", rows[i].text,
                     SLICE_ARG(found.realm), SLICE_ARG(found.service), SLICE_ARG(found.scope));
    }
}

static void test_schemes(void **state)
{
    (void)state;
    static const char *const rows[][3] = {
        {"Basic realm=\"x\"", "Basic", "x"},
        {"bearer service=s , realm=https://a/t", "bearer", "https://a/t"},
        {"Basic", "Basic", ""},
        {"", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct registry_challenge found =
            registry_challenge_read(slice_from_text(rows[i][0]), &arena);
        assert_true(slice_equal(found.scheme, slice_from_text(rows[i][1])));
        assert_true(slice_equal(found.realm, slice_from_text(rows[i][2])));
    }
}

/* --- against a server ------------------------------------------------------------------------ */

struct fixture {
    struct server registry, tokens;
    struct arena arena;
    struct source_options options;
    struct registry_client client;
    struct http_response response;
    slice body;
    char challenge[1024];
};

static int setup(void **state)
{
    struct fixture *fixture = memory_alloc(sizeof(*fixture));
    memset(fixture, 0, sizeof(*fixture));
    setenv("HOME", "/nonexistent", 1);
    unsetenv("DOCKER_CONFIG");
    unsetenv("REGISTRY_AUTH_FILE");
    unsetenv("XDG_RUNTIME_DIR");
    server_start(&fixture->registry);
    server_start(&fixture->tokens);
    fixture->options.http.deadline_ms = clock_milliseconds() + 600000;
    fixture->options.username = "user";
    fixture->options.password = "password";
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    registry_client_end(&fixture->client);
    server_stop(&fixture->registry);
    server_stop(&fixture->tokens);
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static void start_at(struct fixture *fixture, slice base)
{
    slice host = slice_from(slice_from_text(fixture->registry.base), strlen("http://"));
    struct reference reference = {host, SLICE("app"), SLICE("1"), SLICE_EMPTY};
    registry_client_start(&fixture->client, base, host, &reference, &fixture->options,
                          &fixture->arena);
}

static struct error *get(struct fixture *fixture)
{
    start_at(fixture, slice_from_text(fixture->registry.base));
    return registry_get(&fixture->client, SLICE("manifests/1"), NULL, 1000, &fixture->response,
                        &fixture->body);
}

static void add_challenge(struct fixture *fixture, const char *format, const char *base)
{
    size_t used = (size_t)snprintf(fixture->challenge, sizeof(fixture->challenge),
                                   "HTTP/1.1 401 x\r\nContent-Length: 0\r\nWWW-Authenticate: ");
    used += (size_t)snprintf(fixture->challenge + used, sizeof(fixture->challenge) - used, format,
                             base);
    snprintf(fixture->challenge + used, sizeof(fixture->challenge) - used, "\r\n" END);
    server_add(&fixture->registry, fixture->challenge);
}

static void add_ok(struct server *server)
{
    server_add(server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" END "ok");
}

static void assert_sent(struct server *server, size_t at, const char *part)
{
    if (!strstr(server_request(server, at), part))
        fail_msg("not in \"%s\": %s", server_request(server, at), part);
}

static void assert_not_sent(struct server *server, size_t at, const char *part)
{
    if (strstr(server_request(server, at), part))
        fail_msg("in \"%s\": %s", server_request(server, at), part);
}

static void assert_says(const struct error *error, const char *part)
{
    assert_non_null(error);
    if (!strstr(error->message, part) || strstr(error->message, "password"))
        fail_msg("%s", error->message);
}

/* "user:password" */
#define BASIC "Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n"

/* Nothing is sent before it is asked for. */
static void test_basic(void **state)
{
    struct fixture *fixture = *state;
    add_challenge(fixture, "Basic realm=\"x\"%s", "");
    add_ok(&fixture->registry);
    CLEANUP_ERROR struct error *error = get(fixture);
    assert_null(error);
    assert_int_equal(fixture->response.status, 200);
    assert_not_sent(&fixture->registry, 0, "Authorization");
    assert_sent(&fixture->registry, 1, BASIC);
}

static void test_token(void **state)
{
    struct fixture *fixture = *state;
    add_challenge(fixture,
                  "Bearer realm=\"%s/token\",service=\"a b&c=d#\",scope=\"repository:app:pull\"",
                  fixture->tokens.base);
    server_add(&fixture->tokens,
               "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n" END "{\"token\":\"t.0-k\"}");
    add_ok(&fixture->registry);
    CLEANUP_ERROR struct error *error = get(fixture);
    assert_null(error);
    assert_int_equal(fixture->response.status, 200);
    assert_sent(&fixture->tokens, 0,
                "GET /token?service=a%20b%26c%3Dd%23&scope=repository%3Aapp%3Apull HTTP/1.1\r\n");
    assert_sent(&fixture->tokens, 0, BASIC);
    assert_sent(&fixture->registry, 1, "Authorization: Bearer t.0-k\r\n");
    assert_not_sent(&fixture->registry, 1, "Basic");
}

/* More than leave to pull is not asked for. */
static void test_scopes(void **state)
{
    static const char *const offered[] = {
        "repository:app:pull,push",
        "repository:app:*",
        "registry:catalog:*",
        "",
        "repository:app:pull repository:b:pull",
        "repository:app:push,pull",
    };
    for (size_t i = 0; i < COUNT(offered); i++) {
        struct fixture *fixture = *state;
        char format[256];
        snprintf(format, sizeof(format), "Bearer realm=\"%%s/t?x=y\",scope=\"%s\"", offered[i]);
        add_challenge(fixture, format, fixture->tokens.base);
        CLEANUP_ERROR struct error *error = get(fixture);
        assert_non_null(error);
        assert_sent(&fixture->tokens, 0,
                    "GET /t?x=y&service=&scope=repository%3Aapp%3Apull HTTP/1.1\r\n");
        teardown(state);
        setup(state);
    }
}

static void test_refresh_token(void **state)
{
    struct fixture *fixture = *state;
    add_challenge(fixture, "Bearer realm=\"%s/t\",service=s", fixture->tokens.base);
    server_add(&fixture->tokens,
               "HTTP/1.1 200 OK\r\nContent-Length: 21\r\n" END "{\"access_token\":\"at\"}");
    add_ok(&fixture->registry);
    start_at(fixture, slice_from_text(fixture->registry.base));
    fixture->client.credentials_looked_up = true;
    fixture->client.credentials.identity_token = SLICE("re+fresh&x");
    CLEANUP_ERROR struct error *error =
        registry_get(&fixture->client, SLICE("x"), NULL, 1000, &fixture->response, &fixture->body);
    assert_null(error);
    assert_sent(&fixture->tokens, 0, "POST /t HTTP/1.1\r\n");
    assert_sent(&fixture->tokens, 0, "refresh_token=re%2Bfresh%26x");
    assert_sent(&fixture->registry, 1, "Authorization: Bearer at\r\n");
}

/* A token becomes a header: what could end one is none. */
static void test_odd_tokens(void **state)
{
    static const char *const answers[] = {
        "{\"token\":\"a\\r\\nX-Evil: 1\"}",
        "{\"token\":\"a b\"}",
        "{\"token\":\"a\\u0000\"}",
        "{\"token\":\"\\u00e4\"}",
        "{\"token\":\"\"}",
        "{\"token\":1}",
        "[]",
        "{",
        "",
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct fixture *fixture = *state;
        char answer[256];
        snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n" END "%s",
                 strlen(answers[i]), answers[i]);
        add_challenge(fixture, "Bearer realm=\"%s/t\"", fixture->tokens.base);
        server_add(&fixture->tokens, answer);
        CLEANUP_ERROR struct error *error = get(fixture);
        assert_says(error, "has no token");
        assert_int_equal(fixture->registry.asked, 1);
        teardown(state);
        setup(state);
    }
}

static void test_odd_realms(void **state)
{
    static const char *const realms[] = {"file:///etc/passwd", "ftp://x/",   "",       "//x/", "x",
                                         "http://x/ y",        "gopher://x", "http:/x"};
    for (size_t i = 0; i < COUNT(realms); i++) {
        struct fixture *fixture = *state;
        add_challenge(fixture, "Bearer realm=\"%s\"", realms[i]);
        CLEANUP_ERROR struct error *error = get(fixture);
        assert_non_null(error);
        teardown(state);
        setup(state);
    }
}

/* A registry that is spoken to securely cannot have the password sent in the clear. */
static void test_realm_not_secure(void **state)
{
    struct fixture *fixture = *state;
    start_at(fixture, SLICE("https://registry.example"));
    slice challenge = arena_format(&fixture->arena, "Bearer realm=\"%s/t\"", fixture->tokens.base);
    CLEANUP_ERROR struct error *error = registry_authenticate(&fixture->client, challenge);
    assert_says(error, "not secure");
    assert_int_equal(fixture->tokens.asked, 0);
}

/* The token server's redirect to elsewhere does not take the password along. */
static void test_token_redirected(void **state)
{
    struct fixture *fixture = *state;
    char redirect[256];
    add_challenge(fixture, "Bearer realm=\"%s/t\"", fixture->tokens.base);
    snprintf(redirect, sizeof(redirect),
             "HTTP/1.1 307 x\r\nLocation: %s/collect\r\nContent-Length: 0\r\n" END,
             fixture->registry.base);
    server_add(&fixture->tokens, redirect);
    server_add(&fixture->registry,
               "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n" END "{\"token\":\"t\"}");
    add_ok(&fixture->registry);
    CLEANUP_ERROR struct error *error = get(fixture);
    assert_null(error);
    assert_sent(&fixture->tokens, 0, BASIC);
    assert_not_sent(&fixture->registry, 1, "Basic");
}

/* One that never has enough is not asked forever, and gets no other kind of authentication. */
static void test_never_enough(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 10; i++)
        add_challenge(fixture, "Basic realm=\"x\"%s", "");
    CLEANUP_ERROR struct error *error = get(fixture);
    assert_null(error);
    assert_int_equal(fixture->response.status, 401);
    assert_int_equal(fixture->registry.asked, 3);
}

static void test_unknown_schemes(void **state)
{
    static const char *const schemes[] = {"Negotiate%s", "NTLM abc%s", "Digest realm=\"x\"%s", "%s",
                                          "Bearerrealm=\"x\"%s"};
    for (size_t i = 0; i < COUNT(schemes); i++) {
        struct fixture *fixture = *state;
        add_challenge(fixture, schemes[i], "");
        CLEANUP_ERROR struct error *error = get(fixture);
        assert_says(error, "not known");
        assert_int_equal(fixture->registry.asked, 1);
        teardown(state);
        setup(state);
    }
}

/* A 401 from where a redirect has led is no reason to show anything to anyone. */
static void test_asked_elsewhere(void **state)
{
    struct fixture *fixture = *state;
    char redirect[256];
    snprintf(redirect, sizeof(redirect),
             "HTTP/1.1 307 x\r\nLocation: %s/blob\r\nContent-Length: 0\r\n" END,
             fixture->tokens.base);
    server_add(&fixture->registry, redirect);
    server_add(&fixture->tokens, "HTTP/1.1 401 x\r\nContent-Length: 0\r\n"
                                 "WWW-Authenticate: Basic realm=\"x\"\r\n" END);
    CLEANUP_ERROR struct error *error = get(fixture);
    assert_null(error);
    assert_int_equal(fixture->response.status, 401);
    assert_int_equal(fixture->registry.asked, 1);
    assert_int_equal(fixture->tokens.asked, 1);
}

/* What the command line gives is for the registry of the name: a mirror does not get it. */
static void test_mirror_gets_nothing(void **state)
{
    struct fixture *fixture = *state;
    add_challenge(fixture, "Basic realm=\"x\"%s", "");
    start_at(fixture, slice_from_text(fixture->registry.base));
    fixture->client.reference.registry = SLICE("docker.io");
    CLEANUP_ERROR struct error *error =
        registry_get(&fixture->client, SLICE("x"), NULL, 1000, &fixture->response, &fixture->body);
    assert_non_null(error);
    assert_int_equal(fixture->registry.asked, 1);
}

static void test_registry_token(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.username = fixture->options.password = NULL;
    fixture->options.registry_token = "given";
    add_challenge(fixture, "Bearer realm=\"http://127.0.0.1:1/\"%s", "");
    add_ok(&fixture->registry);
    CLEANUP_ERROR struct error *error = get(fixture);
    assert_null(error);
    assert_sent(&fixture->registry, 1, "Authorization: Bearer given\r\n");
    teardown(state);
    setup(state);
    fixture = *state;
    fixture->options.registry_token = "given\r\nX-Evil: 1";
    add_challenge(fixture, "Bearer realm=\"http://127.0.0.1:1/\"%s", "");
    CLEANUP_ERROR struct error *odd = get(fixture);
    assert_says(odd, "it is none");
    assert_null(strstr(odd->message, "given"));
}

/* Once there are secrets in memory, a crash does not write them down. */
static void test_no_core(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit;
    add_challenge(fixture, "Basic realm=\"x\"%s", "");
    add_ok(&fixture->registry);
    CLEANUP_ERROR struct error *error = get(fixture);
    assert_null(error);
    assert_return_code(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_true(limit.rlim_cur <= 1);
}

/* A transfer that broke where all of the range had come, with a token that has run out since. */
static bool take(void *context, slice bytes)
{
    buffer_add(context, bytes);
    return true;
}

static void test_stream_goes_on_with_a_new_token(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP_BUFFER struct buffer bytes = {0};
    struct http_request request = {.ranged = true, .from = 2, .count = 4, .expected = 10};
    fixture->options.http.retries = 3;
    setenv("PLIMSOLL_TEST_BACKOFF_MS", "1", 1);
    server_add(&fixture->registry, "HTTP/1.1 206 x\r\nContent-Range: bytes 2-5/10\r\n"
                                   "Content-Length: 4\r\n" END "23");
    add_challenge(fixture, "Basic realm=\"x\"%s", "");
    server_add(&fixture->registry, "HTTP/1.1 206 x\r\nContent-Range: bytes 4-5/10\r\n"
                                   "Content-Length: 2\r\n" END "45");
    start_at(fixture, slice_from_text(fixture->registry.base));
    CLEANUP_ERROR struct error *error = registry_stream(&fixture->client, SLICE("blobs/x"),
                                                        &request, take, &bytes, &fixture->response);
    assert_null(error);
    assert_true(slice_equal(buffer_slice(&bytes), SLICE("2345")));
    assert_sent(&fixture->registry, 1, "Range: bytes=4-5\r\n");
    assert_sent(&fixture->registry, 2, "Range: bytes=4-5\r\n");
    assert_sent(&fixture->registry, 2, BASIC);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_schemes),
        SERVED(test_basic),
        SERVED(test_token),
        SERVED(test_scopes),
        SERVED(test_refresh_token),
        SERVED(test_odd_tokens),
        SERVED(test_odd_realms),
        SERVED(test_realm_not_secure),
        SERVED(test_token_redirected),
        SERVED(test_never_enough),
        SERVED(test_unknown_schemes),
        SERVED(test_asked_elsewhere),
        SERVED(test_mirror_gets_nothing),
        SERVED(test_registry_token),
        SERVED(test_no_core),
        SERVED(test_stream_goes_on_with_a_new_token),
    };
    unsetenv("http_proxy");
    unsetenv("HTTP_PROXY");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
