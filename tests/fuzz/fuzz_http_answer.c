/* The headers of answers, line by line; and URLs as they are shown. */
#undef NDEBUG
#include "base/limits.h"
#include "http/answer.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No user, password, query or fragment of a URL is shown. */
static void check_shown(slice url)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice shown = http_url_shown(url, &arena);
    assert(shown.len < 400 && slice_find(shown, '?') >= shown.len &&
           slice_find(shown, '#') >= shown.len);
    if (!slice_starts(url, SLICE("https://")))
        return;
    slice rest = slice_from(shown, strlen("https://"));
    slice host = slice_first(rest, slice_find(rest, '/'));
    assert(slice_find(host, '@') >= host.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct http_response response = {.length = UINT64_MAX};
    struct answer answer = {.response = &response, .arena = &arena};
    slice rest = slice_make(data, size), line;
    check_shown(rest);
    while (slice_pull(&rest, '\n', &line)) {
        if (!answer_header(&answer, line)) {
            assert(answer.header_bytes > LIMIT_HTTP_HEADER_BYTES);
            break;
        }
        assert(response.status >= 0 && response.status <= 999);
        assert(answer.interim == (response.status >= 100 && response.status < 200));
    }
    const slice texts[] = {response.content_type,  response.etag,        response.last_modified,
                           response.authenticate,  response.grpc_status, response.grpc_message,
                           response.content_digest};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert(texts[i].len <= size && slice_find(texts[i], '\n') >= texts[i].len);
    return 0;
}
