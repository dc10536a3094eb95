/* The HTTP client: headers, what is shown of a URL, waiting; and against a server that misbehaves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/limits.h"
#include "http/answer.h"
#include "http/retry.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- headers --------------------------------------------------------------------------------- */

struct heard {
    struct arena arena;
    struct http_response response;
    struct answer answer;
};

static void hear(struct heard *heard, const char *const *lines)
{
    *heard = (struct heard){.response = {.length = UINT64_MAX}};
    heard->answer = (struct answer){.response = &heard->response, .arena = &heard->arena};
    for (; *lines; lines++)
        assert_true(answer_header(&heard->answer, slice_from_text(*lines)));
}

static void test_status_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        long status;
        bool interim;
    } rows[] = {
        {"HTTP/1.1 200 OK\r\n", 200, false},
        {"HTTP/1.0 404 Not Found\r\n", 404, false},
        {"HTTP/2 206 \r\n", 206, false},
        {"HTTP/1.1 100 Continue\r\n", 100, true},
        {"HTTP/1.1 103 Early Hints\r\n", 103, true},
        {"HTTP/1.1 500\r\n", 500, false},
        {"HTTP/1.1 20\r\n", 0, false},
        {"HTTP/1.1 -20 x\r\n", 0, false},
        {"HTTP/1.1 2x0 x\r\n", 0, false},
        {"HTTP/1.1  200 OK\r\n", 0, false},
        {"HTTP/1.1\r\n", 0, false},
        {"HTTP/\r\n", 0, false},
        {"HTTP/1.1 99999999999999999999 x\r\n", 999, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct heard heard;
        hear(&heard, (const char *const[]){rows[i].line, NULL});
        if (heard.response.status != rows[i].status || heard.answer.interim != rows[i].interim)
            fail_msg("%s is %ld", rows[i].line, heard.response.status);
        arena_free(&heard.arena);
    }
}

/* What an interim answer or the one before a redirect says is not the answer's. */
static void test_later_answers(void **state)
{
    (void)state;
    struct heard heard;
    hear(&heard,
         (const char *const[]){"HTTP/1.1 103 Early Hints\r\n", "ETag: \"old\"\r\n",
                               "Content-Length: 5\r\n", "Content-Range: bytes 7-8/9\r\n", "\r\n",
                               "HTTP/1.1 200 OK\r\n", "Content-Type: a/b\r\n", "\r\n", NULL});
    assert_int_equal(heard.response.status, 200);
    assert_int_equal(heard.response.etag.len, 0);
    assert_true(heard.response.length == UINT64_MAX);
    assert_false(heard.answer.has_range);
    assert_false(heard.answer.interim);
    assert_true(slice_equal(heard.response.content_type, SLICE("a/b")));
    arena_free(&heard.arena);
}

static void test_fields(void **state)
{
    (void)state;
    struct heard heard;
    hear(&heard,
         (const char *const[]){
             "HTTP/1.1 401 No\r\n", "CONTENT-type:x/y \r\n", "etag:  \"e\"\n",
             "WWW-Authenticate: Basic realm=\"a\"\r\n", "WWW-Authenticate: Bearer realm=\"b\"\r\n",
             "WWW-Authenticate: Negotiate\r\n", "Docker-Content-Digest: sha256:1\r\n",
             "Docker-Content-Digest: sha256:2\r\n", "Content-Length: 18446744073709551616\r\n",
             "no colon\r\n", ": no name\r\n", "X: \r\n", NULL});
    assert_true(slice_equal(heard.response.content_type, SLICE("x/y")));
    assert_true(slice_equal(heard.response.etag, SLICE("\"e\"")));
    assert_true(slice_equal(heard.response.authenticate, SLICE("Bearer realm=\"b\"")));
    assert_true(slice_equal(heard.response.content_digest, SLICE("sha256:1")));
    assert_true(heard.response.length == UINT64_MAX);
    arena_free(&heard.arena);
}

static void test_content_range(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        bool has;
        uint64_t start;
    } rows[] = {
        {"Content-Range: bytes 100-199/1000", true, 100},
        {"content-range:bytes 0-0/1", true, 0},
        {"Content-Range: bytes 5-9/*", true, 5},
        {"Content-Range: bytes 18446744073709551615-0/1", true, UINT64_MAX},
        {"Content-Range: bytes 18446744073709551616-0/1", false, 0},
        {"Content-Range: bytes */1000", false, 0},
        {"Content-Range: bytes -5-9/10", false, 0},
        {"Content-Range: bytes +5-9/10", false, 0},
        {"Content-Range: bytes x-9/10", false, 0},
        {"Content-Range: 5-9/10", false, 0},
        {"Content-Range: bytes", false, 0},
        {"Content-Range:", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct heard heard;
        hear(&heard, (const char *const[]){"HTTP/1.1 206 x\r\n", rows[i].line, NULL});
        if (heard.answer.has_range != rows[i].has ||
            (rows[i].has && heard.answer.range_start != rows[i].start))
            fail_msg("%s", rows[i].line);
        arena_free(&heard.arena);
    }
}

/* Counted over all answers of an attempt, so that interim ones without end have an end. */
static void test_header_limit(void **state)
{
    (void)state;
    struct heard heard;
    size_t lines = 0;
    hear(&heard, (const char *const[]){NULL});
    while (lines < LIMIT_HTTP_HEADER_BYTES &&
           answer_header(&heard.answer, SLICE("HTTP/1.1 100 Continue\r\n")))
        lines++;
    assert_int_equal(lines, LIMIT_HTTP_HEADER_BYTES / 23);
    arena_free(&heard.arena);
    hear(&heard, (const char *const[]){NULL});
    for (lines = 0; answer_header(&heard.answer, SLICE("X-Filler: 0123456789abcdef\r\n"));)
        lines++;
    assert_int_equal(lines, LIMIT_HTTP_HEADER_BYTES / 28);
    arena_free(&heard.arena);
}

static void test_lengths_that_are_none(void **state)
{
    (void)state;
    static const char *const values[] = {"", "-1", "1x", "99999999999999999999999"};
    for (size_t i = 0; i < COUNT(values); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct http_response response = {0};
        struct answer answer = {.response = &response, .arena = &arena};
        answer_header(&answer, SLICE("HTTP/1.1 200 OK"));
        answer_header(&answer, arena_format(&arena, "Content-Length: %s", values[i]));
        assert_true(response.length == UINT64_MAX);
    }
}

static void test_url_shown(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"https://a.example/v2/x", "https://a.example/v2/x"},
        {"https://a.example", "https://a.example"},
        {"https://user:password@a.example/x", "https://a.example/x"},
        {"https://user@a.example/x@y", "https://a.example/x@y"},
        {"https://a@b@c/x", "https://c/x"},
        {"https://u:p@a.example?token=s", "https://a.example"},
        {"https://a.example/x?X-Amz-Signature=s&b=c", "https://a.example/x"},
        {"https://a.example/x?a=b@c/d", "https://a.example/x"},
        {"http://[::1]:5000/x?y", "http://[::1]:5000/x"},
        {"https://a.example/x#secret", "https://a.example/x"},
        {"", ""},
        {"x", "x"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        slice shown = http_url_shown(slice_from_text(rows[i][0]), &arena);
        if (!slice_equal(shown, slice_from_text(rows[i][1])))
            fail_msg("%s is shown as %.*s", rows[i][0], SLICE_ARG(shown));
    }
}

/* --- waiting --------------------------------------------------------------------------------- */

static void test_retry(void **state)
{
    (void)state;
    struct retry none = retry_start(0, 0);
    assert_false(retry_wait(&none, 0));
    setenv("PLIMSOLL_TEST_BACKOFF_MS", "1", 1);
    struct retry three = retry_start(3, 0);
    for (int i = 0; i < 3; i++)
        assert_true(retry_wait(&three, 0));
    assert_false(retry_wait(&three, 0));
    /* longer than anyone waits; not before the deadline */
    struct retry patient = retry_start(3, 0);
    assert_false(retry_wait(&patient, LIMIT_HTTP_WAIT_SECONDS + 1));
    struct retry late = retry_start(3, clock_milliseconds() + 60000);
    assert_false(retry_wait(&late, 90));
    assert_int_equal(late.done, 0);
    assert_true(retry_wait(&late, 0));
    struct retry past = retry_start(3, 1);
    assert_false(retry_wait(&past, 0));
    /* a server's word is kept to */
    int64_t before = clock_milliseconds();
    struct retry told = retry_start(1, 0);
    assert_true(retry_wait(&told, 1));
    assert_true(clock_milliseconds() - before >= 1000);
    /* however often it has been tried, no wait is longer than half a minute, or negative */
    struct retry many = {.most = 1000, .done = 999, .deadline_ms = clock_milliseconds() + 1};
    assert_false(retry_wait(&many, 0));
    setenv("PLIMSOLL_TEST_BACKOFF_MS", "20", 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_lines), cmocka_unit_test(test_later_answers),
        cmocka_unit_test(test_fields),       cmocka_unit_test(test_content_range),
        cmocka_unit_test(test_header_limit), cmocka_unit_test(test_lengths_that_are_none),
        cmocka_unit_test(test_url_shown),    cmocka_unit_test(test_retry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
