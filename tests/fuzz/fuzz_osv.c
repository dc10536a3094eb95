/* An OSV advisory: what is decoded of it stays within the limits, and comes back from its rows. */
#undef NDEBUG
#include "base/limits.h"
#include "store/feed.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_package(struct arena *arena, const struct feed_advisory *advisory,
                          const struct feed_package *package)
{
    struct blob blob = {0};
    struct affected_key key;
    struct affected_body back;
    struct advisory_body about;
    slice id;
    assert(package->ecosystem.len && package->name.len);
    assert(affected_key(&key, package->name, 7));
    slice key_bytes = slice_make(key.bytes, key.count);
    affected_pack(&blob, key_bytes, advisory->id, &advisory->body, &package->body);
    assert(affected_unpack(arena, blob_slice(&blob), key_bytes, &id, &about, &back));
    assert(slice_equal(id, advisory->id));
    assert(slice_equal(back.urgency, package->body.urgency));
    assert(about.alias_count == advisory->body.alias_count);
    for (size_t i = 0; i < about.alias_count; i++)
        assert(slice_equal(about.aliases[i], advisory->body.aliases[i]));
    assert(back.range_count == package->body.range_count);
    for (size_t i = 0; i < back.range_count; i++)
        assert(back.ranges[i].event_count == package->body.ranges[i].event_count);
    assert(back.version_count == package->body.version_count);
    blob_free(&blob);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_JSON json_t *root = NULL;
    struct feed_advisory advisory;
    struct error *error = feed_json_parse(&root, slice_make(data, size));
    if (!error)
        error = feed_osv_decode(&arena, root, &advisory);
    if (error) {
        assert(error->message[0]);
        error_free(error);
        return 0;
    }
    assert(advisory.id.len && advisory.id.len <= LIMIT_ADVISORY_ID_BYTES);
    assert(advisory.body.word_count <= LIMIT_SEVERITY_WORDS);
    for (size_t i = 0; i < advisory.package_count; i++)
        check_package(&arena, &advisory, &advisory.packages[i]);
    return 0;
}
