/* What a registry asks for: the header WWW-Authenticate. */
#undef NDEBUG
#include "source/registry_challenge.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice input = slice_make(data, size);
    struct registry_challenge found = registry_challenge_read(input, &arena);
    assert(found.scheme.len + found.realm.len + found.service.len + found.scope.len <= size);
    /* What it found is found again where it is written as it should be. */
    CLEANUP_ARENA struct arena other = {0};
    if (slice_find(found.realm, '"') < found.realm.len ||
        slice_find(found.realm, '\\') < found.realm.len ||
        slice_find(found.realm, '\0') < found.realm.len)
        return 0;
    slice text = arena_format(&other, "Bearer service=x, realm=\"%.*s\"", SLICE_ARG(found.realm));
    assert(slice_equal(registry_challenge_read(text, &other).realm, found.realm));
    return 0;
}
