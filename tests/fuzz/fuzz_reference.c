/* Names of images: what is accepted holds nothing that a URL, a path or a header reads otherwise.
 */
#undef NDEBUG
#include "base/digest.h"
#include "source/reference.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_bytes(slice text, const char *allowed)
{
    for (size_t i = 0; i < text.len; i++)
        assert(byte_is_alpha(text.ptr[i]) || byte_is_digit(text.ptr[i]) ||
               (text.ptr[i] && strchr(allowed, text.ptr[i])));
}

static void check(const struct reference *reference)
{
    slice part, rest = reference->repository;
    assert(reference->registry.len > 0 && reference->repository.len > 0);
    check_bytes(reference->registry, ".-:[]");
    check_bytes(reference->repository, "._-/");
    check_bytes(reference->tag, "._-");
    assert(reference->repository.len <= 255 && reference->tag.len <= 128);
    assert(reference->digest.len == 0 || digest_valid(reference->digest));
    assert(reference->tag.len || reference->digest.len);
    assert(reference->registry.ptr[0] != '.' && reference->registry.ptr[0] != '-');
    while (slice_pull(&rest, '/', &part))
        assert(part.len > 0 && part.ptr[0] != '.' && part.ptr[part.len - 1] != '.');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct reference reference, again;
    slice input = slice_make(data, size);
    (void)reference_is_loopback(input);
    CLEANUP_ERROR struct error *error = reference_parse(&reference, input, &arena);
    if (error) {
        assert(error->message[0] && error->kind == ERROR_USAGE);
        return 0;
    }
    check(&reference);
    slice text = reference_text(&reference, &arena);
    CLEANUP_ERROR struct error *other = reference_parse(&again, text, &arena);
    assert(!other && slice_equal(again.registry, reference.registry) &&
           slice_equal(again.repository, reference.repository) &&
           slice_equal(again.tag, reference.tag) && slice_equal(again.digest, reference.digest));
    return 0;
}
