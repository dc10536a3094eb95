/* Rows of a store that somebody else wrote: unpacked or refused, and packed again they read the
 * same. */
#undef NDEBUG
#include "store/blob.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_affected(struct arena *arena, slice row)
{
    struct affected_body body, again;
    struct advisory_body about, about_again;
    struct blob blob = {0}, second = {0};
    slice id, id_again;
    if (!affected_unpack_body(arena, row, &id, &about, &body))
        return;
    affected_pack(&blob, SLICE("key"), id, &about, &body);
    assert(
        !affected_unpack(arena, blob_slice(&blob), SLICE("kex"), &id_again, &about_again, &again));
    assert(
        affected_unpack(arena, blob_slice(&blob), SLICE("key"), &id_again, &about_again, &again));
    affected_pack(&second, SLICE("key"), id_again, &about_again, &again);
    assert(slice_equal(blob_slice(&blob), blob_slice(&second)));
    blob_free(&blob);
    blob_free(&second);
}

static void check_advisory(struct arena *arena, slice row)
{
    struct advisory_body body, again;
    struct blob blob = {0}, second = {0};
    if (!advisory_unpack_body(arena, row, &body))
        return;
    advisory_pack(&blob, SLICE("key"), &body);
    assert(advisory_unpack(arena, blob_slice(&blob), SLICE("key"), &again));
    advisory_pack(&second, SLICE("key"), &again);
    assert(slice_equal(blob_slice(&blob), blob_slice(&second)));
    blob_free(&blob);
    blob_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    const struct severity_word *words;
    size_t count;
    int64_t number;
    slice row = slice_make(data, size);
    check_affected(&arena, row);
    check_advisory(&arena, row);
    words_unpack(&arena, row, SLICE("key"), &words, &count);
    if (cve_number(row, &number))
        assert(slice_equal(cve_text(&arena, number), row));
    return 0;
}
