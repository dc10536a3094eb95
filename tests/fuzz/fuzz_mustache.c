/* A template, filled with one value that has something of everything: no more than an error. */
#undef NDEBUG
#include "base/json_read.h"
#include "base/mustache.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer out = {0};
    CLEANUP_JSON json_t *root = NULL;
    struct mustache mustache;
    struct error *error =
        json_read(&root,
                  SLICE("{\"a\":[1,2.5,\"<\",null,{\"b\":true}],\"b\":{\"c\":{\"d\":\"x\"}},"
                        "\"findings\":[{\"id\":\"1\",\"fixed\":[\"1\",\"2\"]}],\"e\":\"\"}"),
                  "it");
    assert(!error);
    error = mustache_parse(&mustache, &arena, slice_make(data, size), "it");
    if (!error && size < 4096)
        error = mustache_render(&mustache, root, NULL, &out);
    error_free(error);
    return 0;
}
