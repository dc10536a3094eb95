/* Header lines of an answer, and the challenge and the URL that may be in them. */
#undef NDEBUG
#include "base/limits.h"
#include "http/answer.h"
#include "source/registry_challenge.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct http_response response = {.length = UINT64_MAX};
    struct answer answer = {.response = &response, .arena = &arena};
    slice rest = slice_make(data, size), line;
    size_t taken = 0;
    while (slice_pull(&rest, '\n', &line)) {
        bool more = answer_header(&answer, line);
        taken += line.len;
        assert(more == (taken <= LIMIT_HTTP_HEADER_BYTES));
        if (!more)
            break;
    }
    assert(response.status >= 0 && response.status <= 999);
    struct registry_challenge challenge = registry_challenge_read(response.authenticate, &arena);
    assert(challenge.realm.len <= size && challenge.service.len <= size &&
           challenge.scope.len <= size);
    slice shown = http_url_shown(slice_make(data, size), &arena);
    assert(shown.len < 400 && !slice_contains(shown, SLICE("?")));
    return 0;
}
