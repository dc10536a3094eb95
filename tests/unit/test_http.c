/* What an answer says, what a registry asks for, and what containerd answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/limits.h"
#include "http/answer.h"
#include "http/retry.h"
#include "source/protobuf.h"
#include "source/registry_challenge.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define assert_slice(slice_, text_)                                                                \
    do {                                                                                           \
        CLEANUP_ARENA struct arena told = {0};                                                     \
        assert_string_equal(arena_text(&told, slice_), text_);                                     \
    } while (0)

static void test_headers(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct http_response response = {0};
    struct answer answer = {.response = &response, .arena = &arena};
    static const char *const lines[] = {
        "HTTP/1.1 100 Continue\r\n",
        "ETag: \"old\"\r\n",
        "\r\n",
        "HTTP/1.1 206 Partial Content\r\n",
        "content-TYPE:  application/json \r\n",
        "Content-Length: 12\r\n",
        "ETag: \"x\"\r\n",
        "Content-Range: bytes 5-16/100\r\n",
        "no colon\r\n",
        "Docker-Content-Digest: sha256:1\r\n",
        "WWW-Authenticate: Basic realm=\"a\"\r\n",
        "WWW-Authenticate: Bearer realm=\"b\"\r\n",
    };
    for (size_t i = 0; i < COUNT(lines); i++)
        assert_true(answer_header(&answer, slice_from_text(lines[i])));
    assert_int_equal(response.status, 206);
    assert_int_equal(response.length, 12);
    assert_true(answer.has_range && answer.range_start == 5);
    assert_slice(response.content_type, "application/json");
    assert_slice(response.etag, "\"x\"");
    assert_slice(response.content_digest, "sha256:1");
    assert_slice(response.authenticate, "Bearer realm=\"b\"");
}

static void test_headers_without_end(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena arena = {0};
    struct http_response response = {0};
    struct answer answer = {.response = &response, .arena = &arena};
    size_t lines = 0;
    while (answer_header(&answer, SLICE("X-Filler: 0123456789abcdef\r\n")))
        lines++;
    assert_int_equal(lines, LIMIT_HTTP_HEADER_BYTES / strlen("X-Filler: 0123456789abcdef\r\n"));
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

static void test_urls_as_they_are_shown(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"https://host/path", "https://host/path"},
        {"https://user:secret@host:1/path", "https://host:1/path"},
        {"https://host/path?signature=secret", "https://host/path"},
        {"https://host?secret", "https://host"},
        {"https://a@b@host/x", "https://host/x"},
        {"", ""},
        {"x", "x"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        assert_slice(http_url_shown(slice_from_text(rows[i][0]), &arena), rows[i][1]);
    }
}

static void test_challenges(void **state)
{
    (void)state;
    static const char *const rows[][5] = {
        {"Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\"", "Bearer",
         "https://a/t", "s", "repository:x:pull"},
        {"bearer service=s , realm=https://a/t", "bearer", "https://a/t", "s", ""},
        {"Bearer realm=\"a,b=\\\"c\\\"\",scope=\"x y\"", "Bearer", "a,b=\"c\"", "", "x y"},
        {"Basic realm=\"x\"", "Basic", "x", "", ""},
        {"Basic", "Basic", "", "", ""},
        {"", "", "", "", ""},
        {"Bearer realm=\"not closed", "Bearer", "not closed", "", ""},
        {"Bearer realm=\"ends in \\", "Bearer", "ends in \\", "", ""},
        {"Bearer ,,,realm=x,", "Bearer", "x", "", ""},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        CLEANUP_ARENA struct arena arena = {0};
        struct registry_challenge challenge =
            registry_challenge_read(slice_from_text(rows[i][0]), &arena);
        assert_slice(challenge.scheme, rows[i][1]);
        assert_slice(challenge.realm, rows[i][2]);
        assert_slice(challenge.service, rows[i][3]);
        assert_slice(challenge.scope, rows[i][4]);
    }
}

/* Waits only where there is an attempt left, and time for the wait. */
static void test_waits(void **state)
{
    (void)state;
    struct retry none = retry_start(0, 0);
    assert_false(retry_wait(&none, 0));
    struct retry long_wait = retry_start(5, 0);
    assert_false(retry_wait(&long_wait, LIMIT_HTTP_WAIT_SECONDS + 1));
    struct retry no_time = retry_start(5, http_now_ms() + 100);
    assert_false(retry_wait(&no_time, 1));
    assert_int_equal(no_time.done, 0);
}

static void test_protobuf(void **state)
{
    (void)state;
    CLEANUP_BUFFER struct buffer inner = {0};
    CLEANUP_BUFFER struct buffer outer = {0};
    char large[300];
    memset(large, 'x', sizeof(large));
    protobuf_add(&inner, 1, SLICE("type"));
    protobuf_add(&inner, 2, SLICE("digest"));
    protobuf_add(&outer, 3, buffer_slice(&inner));
    protobuf_add(&outer, 300, slice_make(large, sizeof(large)));
    slice message = buffer_slice(&outer);
    assert_slice(protobuf_find(protobuf_find(message, 3), 2), "digest");
    assert_int_equal(protobuf_find(message, 300).len, sizeof(large));
    assert_int_equal(protobuf_find(message, 4).len, 0);
    /* Cut anywhere it ends, and gives nothing that is not there. */
    for (size_t length = 0; length < message.len; length++) {
        slice rest = slice_first(message, length);
        struct protobuf_field field;
        while (protobuf_pull(&rest, &field))
            assert_true(field.bytes.len <= length);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_headers_without_end),
        cmocka_unit_test(test_lengths_that_are_none),
        cmocka_unit_test(test_urls_as_they_are_shown),
        cmocka_unit_test(test_challenges),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_protobuf),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
