#include "http/answer.h"
#include "base/limits.h"

/* "HTTP/1.1 206 Partial Content": a new answer begins; what an earlier one said is void. */
static void begin(struct answer *answer, slice line)
{
    uint64_t status = 0;
    slice rest = slice_from(line, slice_find(line, ' ') + 1);
    if (rest.len >= 3)
        (void)slice_to_u64(slice_first(rest, 3), &status);
    *answer->response = (struct http_response){.status = (long)status, .length = UINT64_MAX};
    answer->has_range = false;
    answer->interim = status >= 100 && status < 200;
}

/* "bytes 100-199/1000" */
static void read_range(struct answer *answer, slice value)
{
    slice rest, start;
    if (!slice_split(value, ' ', &start, &rest) || !slice_split(rest, '-', &start, &rest))
        return;
    answer->has_range = slice_to_u64(slice_trim(start), &answer->range_start);
}

bool answer_header(struct answer *answer, slice line)
{
    static const struct {
        const char *name;
        size_t field;
    } kept[] = {
        {"content-type", offsetof(struct http_response, content_type)},
        {"etag", offsetof(struct http_response, etag)},
        {"last-modified", offsetof(struct http_response, last_modified)},
        {"www-authenticate", offsetof(struct http_response, authenticate)},
        {"docker-content-digest", offsetof(struct http_response, content_digest)},
        {"grpc-status", offsetof(struct http_response, grpc_status)},
        {"grpc-message", offsetof(struct http_response, grpc_message)},
    };
    slice name, value;
    answer->header_bytes += line.len;
    if (answer->header_bytes > LIMIT_HTTP_HEADER_BYTES)
        return false;
    line = slice_trim(line);
    if (slice_starts(line, SLICE("HTTP/"))) {
        begin(answer, line);
        return true;
    }
    if (!slice_split(line, ':', &name, &value))
        return true;
    value = slice_trim(value);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        if (slice_equal_nocase(name, slice_from_text(kept[i].name))) {
            slice *field = (slice *)(void *)((char *)answer->response + kept[i].field);
            /* Several challenges: Bearer is the one that registries mean. */
            if (field->len == 0 || slice_starts(value, SLICE("Bearer ")))
                *field = arena_copy(answer->arena, value);
        }
    if (slice_equal_nocase(name, SLICE("content-length")) &&
        !slice_to_u64(value, &answer->response->length))
        answer->response->length = UINT64_MAX;
    if (slice_equal_nocase(name, SLICE("content-range")))
        read_range(answer, value);
    return true;
}
