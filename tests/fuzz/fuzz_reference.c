/* Names of images: what is taken can be written in full, and is taken again as the same. */
#undef NDEBUG
#include "base/digest.h"
#include "source/reference.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing that means something else in a URL or a header. */
static void check_plain(slice text)
{
    for (size_t i = 0; i < text.len; i++)
        assert((unsigned char)text.ptr[i] > ' ' && (unsigned char)text.ptr[i] < 127 &&
               !strchr("?#%\\\"<>", text.ptr[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct reference reference, again;
    CLEANUP_ERROR struct error *error = reference_parse(&reference, slice_make(data, size), &arena);
    if (error) {
        assert(error->kind == ERROR_USAGE);
        return 0;
    }
    assert(reference.tag.len || digest_valid(reference.digest));
    check_plain(reference.registry);
    check_plain(reference.repository);
    check_plain(reference.tag);
    assert(!slice_contains(reference.repository, SLICE("..")));
    CLEANUP_ERROR struct error *refused =
        reference_parse(&again, reference_text(&reference, &arena), &arena);
    assert(!refused && slice_equal(again.registry, reference.registry) &&
           slice_equal(again.repository, reference.repository) &&
           slice_equal(again.tag, reference.tag) && slice_equal(again.digest, reference.digest));
    reference_is_loopback(reference.registry);
    return 0;
}
