/* The HTTP client against a server that misbehaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "serverkit.h"
#include "base/clock.h"
#include "base/limits.h"
#include "http/http.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define END "Connection: close\r\n\r\n"

struct got {
    struct buffer bytes;
    size_t stop_after;
};

static bool take(void *context, slice bytes)
{
    struct got *got = context;
    buffer_add(&got->bytes, bytes);
    return !got->stop_after || got->bytes.len < got->stop_after;
}

struct fixture {
    struct server server, other;
    struct arena arena;
    struct http_client *client;
    struct http_request request;
    struct http_response response;
    struct got got;
    char url[128];
    char redirect[512];
};

static int setup(void **state)
{
    struct fixture *fixture = memory_alloc(sizeof(*fixture));
    memset(fixture, 0, sizeof(*fixture));
    server_start(&fixture->server);
    server_start(&fixture->other);
    struct http_options options = {.retries = LIMIT_HTTP_RETRIES,
                                   .deadline_ms = clock_milliseconds() + 600000};
    setenv("PLIMSOLL_TEST_BACKOFF_MS", "1", 1);
    fixture->client = http_client_new(&options);
    snprintf(fixture->url, sizeof(fixture->url), "%s/blob", fixture->server.base);
    fixture->request = (struct http_request){.url = fixture->url};
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    http_client_free(fixture->client);
    server_stop(&fixture->server);
    server_stop(&fixture->other);
    buffer_free(&fixture->got.bytes);
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static struct error *stream(struct fixture *fixture)
{
    return http_stream(fixture->client, &fixture->request, take, &fixture->got, &fixture->arena,
                       &fixture->response);
}

static void assert_got(struct fixture *fixture, const char *text)
{
    if (!slice_equal(buffer_slice(&fixture->got.bytes), slice_from_text(text)))
        fail_msg("got \"%.*s\"", SLICE_ARG(buffer_slice(&fixture->got.bytes)));
}

static void assert_says(const struct error *error, const char *part)
{
    assert_non_null(error);
    if (!strstr(error->message, part))
        fail_msg("%s", error->message);
}

static void add_redirect(struct fixture *fixture, const char *status, const char *to)
{
    snprintf(fixture->redirect, sizeof(fixture->redirect),
             "HTTP/1.1 %s\r\nLocation: %s\r\nContent-Length: 0\r\n" END, status, to);
    server_add(&fixture->server, fixture->redirect);
}

static void test_whole(void **state)
{
    struct fixture *fixture = *state;
    slice body;
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n" END "hello");
    fixture->request.authorization = "Basic c2VjcmV0";
    CLEANUP_ERROR struct error *error = http_fetch(fixture->client, &fixture->request, 5,
                                                   &fixture->arena, &fixture->response, &body);
    assert_null(error);
    assert_true(slice_equal(body, SLICE("hello")));
    assert_non_null(strstr(server_request(&fixture->server, 0), "Authorization: Basic c2VjcmV0"));
    assert_int_equal(http_bytes_received(fixture->client), 5);
}

static void test_fetch_limit(void **state)
{
    struct fixture *fixture = *state;
    slice body;
    server_add_long(&fixture->server, "HTTP/1.1 200 OK\r\n" END, "0123456789", 100000);
    CLEANUP_ERROR struct error *error = http_fetch(fixture->client, &fixture->request, 1000,
                                                   &fixture->arena, &fixture->response, &body);
    assert_says(error, "more than 1000 bytes");
    assert_int_equal(error->kind, ERROR_LIMIT);
}

static void test_redirect_same_origin(void **state)
{
    struct fixture *fixture = *state;
    add_redirect(fixture, "302 Found", "/elsewhere?a=b");
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" END "ok");
    fixture->request.authorization = "Bearer secret";
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_got(fixture, "ok");
    assert_non_null(strstr(server_request(&fixture->server, 1), "GET /elsewhere?a=b "));
    assert_non_null(strstr(server_request(&fixture->server, 1), "Authorization: Bearer secret"));
    assert_false(fixture->response.elsewhere);
}

/* Another port is another origin. The credential stays behind, also on the way back. */
static void test_redirect_elsewhere(void **state)
{
    static const char *const statuses[] = {"301 x", "302 x", "303 x", "307 x", "308 x"};
    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct fixture *fixture = *state;
        char to[128], back[512];
        snprintf(to, sizeof(to), "%s/x", fixture->other.base);
        snprintf(back, sizeof(back),
                 "HTTP/1.1 307 x\r\nLocation: %s/y\r\nContent-Length: 0\r\n" END,
                 fixture->server.base);
        add_redirect(fixture, statuses[i], to);
        server_add(&fixture->other, back);
        server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" END "ok");
        fixture->request.authorization = "Bearer secret";
        CLEANUP_ERROR struct error *error = stream(fixture);
        assert_null(error);
        assert_got(fixture, "ok");
        assert_true(fixture->response.elsewhere);
        assert_non_null(strstr(server_request(&fixture->server, 0), "secret"));
        assert_null(strstr(server_request(&fixture->other, 0), "secret"));
        assert_null(strstr(server_request(&fixture->server, 1), "secret"));
        teardown(state);
        setup(state);
    }
}

static void test_redirect_with_user(void **state)
{
    struct fixture *fixture = *state;
    char to[128];
    snprintf(to, sizeof(to), "http://u:p@%s/x", fixture->server.base + strlen("http://"));
    add_redirect(fixture, "302 Found", to);
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" END "ok");
    fixture->request.authorization = "Bearer secret";
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_null(strstr(server_request(&fixture->server, 1), "secret"));
}

static void test_redirect_post(void **state)
{
    struct fixture *fixture = *state;
    char to[128];
    snprintf(to, sizeof(to), "%s/x", fixture->other.base);
    add_redirect(fixture, "307 x", to);
    fixture->request.body = SLICE("refresh_token=secret");
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_says(error, "another host");
    assert_int_equal(fixture->other.asked, 0);
}

static void test_redirect_circle(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 20; i++)
        server_add(&fixture->server,
                   "HTTP/1.1 302 x\r\nLocation: /blob\r\nContent-Length: 0\r\n" END);
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_says(error, "circle");
    assert_int_equal(fixture->server.asked, LIMIT_HTTP_REDIRECTS + 1);
}

static void test_redirect_nowhere(void **state)
{
    struct fixture *fixture = *state;
    static const char *const where[] = {"file:///etc/passwd", "gopher://127.0.0.1/x",
                                        "ftp://127.0.0.1/x", "dict://127.0.0.1/x",
                                        "scp://127.0.0.1/x"};
    for (size_t i = 0; i < COUNT(where); i++) {
        add_redirect(fixture, "302 x", where[i]);
        CLEANUP_ERROR struct error *error = stream(fixture);
        assert_non_null(error);
        assert_int_equal(fixture->got.bytes.len, 0);
    }
    server_add(&fixture->server, "HTTP/1.1 302 x\r\nContent-Length: 0\r\n" END);
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_says(error, "does not say where");
}

/* The message has the URL that was asked for, without what a signed URL may hold. */
static void test_no_secrets_in_errors(void **state)
{
    struct fixture *fixture = *state;
    char url[128], to[160];
    snprintf(url, sizeof(url), "http://u:secret1@%s/x?sig=secret2",
             fixture->server.base + strlen("http://"));
    snprintf(to, sizeof(to), "http://u:secret3@127.0.0.1:1/x?sig=secret4");
    fixture->request.url = url;
    fixture->request.authorization = "Bearer secret5";
    add_redirect(fixture, "302 x", to);
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_non_null(error);
    if (strstr(error->message, "secret"))
        fail_msg("%s", error->message);
}

/* --- breaks ---------------------------------------------------------------------------------- */

static void test_resume(void **state)
{
    struct fixture *fixture = *state;
    server_add(&fixture->server,
               "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nETag: \"e\"\r\n" END "0123");
    server_add(&fixture->server, "HTTP/1.1 206 x\r\nContent-Range: bytes 4-9/10\r\n"
                                 "Content-Length: 6\r\n" END "456");
    server_add(&fixture->server, "HTTP/1.1 206 x\r\nContent-Range: bytes 7-9/10\r\n"
                                 "Content-Length: 3\r\n" END "789");
    fixture->request.expected = 10;
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_got(fixture, "0123456789");
    assert_null(strstr(server_request(&fixture->server, 0), "Range:"));
    assert_non_null(strstr(server_request(&fixture->server, 1), "Range: bytes=4-\r\n"));
    assert_non_null(strstr(server_request(&fixture->server, 1), "If-Range: \"e\"\r\n"));
    assert_non_null(strstr(server_request(&fixture->server, 2), "Range: bytes=7-\r\n"));
}

/* What the server gave as an entity-tag is sent back only where it can be one. */
static void test_odd_etags(void **state)
{
    static const char *const heads[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: W/\"e\"\r\n" END "01",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\rX-Evil: 1\"\r\n" END "01",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"e\tX-Evil: 1\"\r\n" END "01",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: e\r\n" END "01",
        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nETag: \"\r\n" END "01",
    };
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct fixture *fixture = *state;
        server_add(&fixture->server, heads[i]);
        server_add(&fixture->server, "HTTP/1.1 206 x\r\nContent-Range: bytes 2-3/4\r\n"
                                     "Content-Length: 2\r\n" END "23");
        fixture->request.expected = 4;
        CLEANUP_ERROR struct error *error = stream(fixture);
        if (fixture->server.asked > 1) {
            assert_null(strstr(server_request(&fixture->server, 1), "If-Range"));
            assert_null(strstr(server_request(&fixture->server, 1), "Evil"));
        } else {
            assert_non_null(error); /* libcurl itself refuses it */
        }
        teardown(state);
        setup(state);
    }
}

/* A server that knows no ranges sends all of it again: what was had is passed over. */
static void test_resume_without_ranges(void **state)
{
    struct fixture *fixture = *state;
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n" END "0123");
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n" END "0123456");
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n" END "0123456789");
    fixture->request.expected = 10;
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_got(fixture, "0123456789");
}

/* Said to be longer than what was asked for, and broken just there: there is no more to get. */
static void test_broken_at_its_end(void **state)
{
    struct fixture *fixture = *state;
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n" END "0123456789");
    fixture->request.expected = 10;
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_got(fixture, "0123456789");
    assert_int_equal(fixture->server.asked, 1);
    assert_int_equal(fixture->response.status, 200);
}

static void test_wrong_range(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 206 x\r\nContent-Range: bytes 0-3/10\r\nContent-Length: 4\r\n" END "0123",
        "HTTP/1.1 206 x\r\nContent-Range: bytes 5-8/10\r\nContent-Length: 4\r\n" END "5678",
        "HTTP/1.1 206 x\r\nContent-Length: 4\r\n" END "4567",
        "HTTP/1.1 206 x\r\nContent-Range: bytes */10\r\nContent-Length: 4\r\n" END "4567",
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct fixture *fixture = *state;
        fixture->request.ranged = true;
        fixture->request.from = 4;
        fixture->request.count = 4;
        fixture->request.expected = 10;
        server_add(&fixture->server, answers[i]);
        CLEANUP_ERROR struct error *error = stream(fixture);
        assert_says(error, "sends others");
        assert_got(fixture, "");
        assert_non_null(strstr(server_request(&fixture->server, 0), "Range: bytes=4-7\r\n"));
        teardown(state);
        setup(state);
    }
}

static void test_range(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 206 x\r\nContent-Range: bytes 4-7/10\r\nContent-Length: 4\r\n" END "4567",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n" END "0123456789", /* all of it: cut down */
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct fixture *fixture = *state;
        fixture->request.ranged = true;
        fixture->request.from = fixture->request.count = 4;
        fixture->request.expected = 10;
        server_add(&fixture->server, answers[i]);
        CLEANUP_ERROR struct error *error = stream(fixture);
        assert_null(error);
        assert_got(fixture, "4567");
        assert_int_equal(fixture->server.asked, 1);
        teardown(state);
        setup(state);
    }
}

static void test_too_much(void **state)
{
    struct fixture *fixture = *state;
    server_add_long(&fixture->server, "HTTP/1.1 200 OK\r\n" END, "0123456789", 100000);
    fixture->request.expected = 15;
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_says(error, "more than the 15 bytes");
    assert_got(fixture, "012345678901234");
    assert_int_equal(fixture->server.asked, 1);
}

static void test_too_much_of_a_range(void **state)
{
    struct fixture *fixture = *state;
    server_add_long(&fixture->server, "HTTP/1.1 206 x\r\nContent-Range: bytes 4-7/10\r\n" END,
                    "4567", 1000);
    fixture->request.ranged = true;
    fixture->request.from = fixture->request.count = 4;
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_says(error, "more than the 4 bytes");
    assert_got(fixture, "4567");
}

static void test_too_little(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 20; i++)
        server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" END "0123");
    fixture->request.expected = 10;
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_says(error, "ends after 4 bytes");
    assert_got(fixture, "0123");
    assert_int_equal(fixture->server.asked, LIMIT_HTTP_RETRIES + 1);
}

static void test_sink_says_enough(void **state)
{
    struct fixture *fixture = *state;
    server_add_long(&fixture->server, "HTTP/1.1 200 OK\r\n" END, "0123456789", 1000000);
    fixture->got.stop_after = 10;
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_int_equal(fixture->server.asked, 1);
}

/* --- refusals -------------------------------------------------------------------------------- */

static void test_too_many_requests(void **state)
{
    struct fixture *fixture = *state;
    server_add(&fixture->server,
               "HTTP/1.1 429 x\r\nRetry-After: 1\r\nContent-Length: 4\r\n" END "wait");
    server_add(&fixture->server, "HTTP/1.1 503 x\r\nContent-Length: 0\r\n" END);
    server_add(&fixture->server, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" END "ok");
    int64_t before = clock_milliseconds();
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_got(fixture, "ok");
    assert_true(clock_milliseconds() - before >= 1000);
}

/* Not waited for, but told. */
static void test_come_back_tomorrow(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 429 x\r\nRetry-After: 86400\r\nContent-Length: 4\r\n" END "wait",
        "HTTP/1.1 429 x\r\nRetry-After: 9999999999999999999999\r\nContent-Length: 4\r\n" END "wait",
        "HTTP/1.1 429 x\r\nRetry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n"
        "Content-Length: 4\r\n" END "wait",
    };
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct fixture *fixture = *state;
        for (int j = 0; j < 10; j++)
            server_add(&fixture->server, answers[i]);
        CLEANUP_ERROR struct error *error = stream(fixture);
        assert_null(error);
        assert_int_equal(fixture->response.status, 429);
        assert_true(slice_equal(fixture->response.refusal, SLICE("wait")));
        assert_got(fixture, "");
        teardown(state);
        setup(state);
    }
}

static void test_refused(void **state)
{
    struct fixture *fixture = *state;
    server_add(&fixture->server,
               "HTTP/1.1 401 x\r\nWWW-Authenticate: Basic realm=\"x\"\r\n" END "no");
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_int_equal(fixture->response.status, 401);
    assert_int_equal(fixture->server.asked, 1);
    assert_got(fixture, "");
}

static void test_endless_refusal(void **state)
{
    struct fixture *fixture = *state;
    server_add_long(&fixture->server, "HTTP/1.1 404 x\r\n" END, "no, no, no", 1000000);
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_int_equal(fixture->response.status, 404);
    assert_true(fixture->response.refusal.len <= LIMIT_HTTP_REFUSAL_BYTES);
}

static void test_endless_headers(void **state)
{
    static const char *const more[] = {"X-Filler: 0123456789012345678901234567890123456789\r\n",
                                       "WWW-Authenticate: Bearer realm=\"aaaaaaaaaaaaaaaaaaa\"\r\n",
                                       "HTTP/1.1 100 Continue\r\n\r\n"};
    for (size_t i = 0; i < COUNT(more); i++) {
        struct fixture *fixture = *state;
        for (int j = 0; j < 10; j++)
            server_add_long(&fixture->server, i == 2 ? "" : "HTTP/1.1 200 OK\r\n", more[i], 100000);
        CLEANUP_ERROR struct error *error = stream(fixture);
        assert_non_null(error);
        assert_got(fixture, "");
        teardown(state);
        setup(state);
    }
}

static void test_no_http(void **state)
{
    struct fixture *fixture = *state;
    for (int i = 0; i < 10; i++)
        server_add(&fixture->server, i % 2 ? "SSH-2.0-OpenSSH_9.2\r\n" : "");
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_non_null(error);
    assert_got(fixture, "");
}

static void test_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct http_options options = {.retries = 5, .deadline_ms = clock_milliseconds() + 60000};
    http_client_free(fixture->client);
    fixture->client = http_client_new(&options);
    server_add(&fixture->server, "HTTP/1.1 503 x\r\nRetry-After: 100\r\nContent-Length: 0\r\n" END);
    CLEANUP_ERROR struct error *error = stream(fixture);
    assert_null(error);
    assert_int_equal(fixture->response.status, 503);
    assert_int_equal(fixture->server.asked, 1);
}

#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVED(test_whole),
        SERVED(test_fetch_limit),
        SERVED(test_redirect_same_origin),
        SERVED(test_redirect_elsewhere),
        SERVED(test_redirect_with_user),
        SERVED(test_redirect_post),
        SERVED(test_redirect_circle),
        SERVED(test_redirect_nowhere),
        SERVED(test_no_secrets_in_errors),
        SERVED(test_resume),
        SERVED(test_odd_etags),
        SERVED(test_resume_without_ranges),
        SERVED(test_broken_at_its_end),
        SERVED(test_wrong_range),
        SERVED(test_range),
        SERVED(test_too_much),
        SERVED(test_too_much_of_a_range),
        SERVED(test_too_little),
        SERVED(test_sink_says_enough),
        SERVED(test_too_many_requests),
        SERVED(test_come_back_tomorrow),
        SERVED(test_refused),
        SERVED(test_endless_refusal),
        SERVED(test_endless_headers),
        SERVED(test_no_http),
        SERVED(test_deadline),
    };
    for (const char *const *name =
             (const char *const[]){"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", NULL};
         *name; name++)
        unsetenv(*name);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
