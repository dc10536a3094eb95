#include "layer/cache_form.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

static const char magic[16] = "plimsoll-cached";

static void add_little_endian(struct buffer *out, uint64_t number, int count)
{
    for (int i = 0; i < count; i++)
        buffer_add_byte(out, (char)(number >> (8 * i) & 0xff));
}

/* The head depends on nothing but the key and the length, so a reader compares it as a whole. */
static void add_head(struct buffer *out, slice key, uint64_t length)
{
    buffer_add(out, slice_make(magic, sizeof(magic)));
    add_little_endian(out, CACHE_FORM, 4);
    add_little_endian(out, key.len, 4);
    add_little_endian(out, length, 8);
}

static void add_checksum(struct buffer *out, slice before, slice bytes)
{
    XXH3_state_t state;
    XXH128_canonical_t canonical;
    XXH3_128bits_reset(&state);
    XXH3_128bits_update(&state, before.ptr, before.len);
    if (bytes.len)
        XXH3_128bits_update(&state, bytes.ptr, bytes.len);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(&state));
    buffer_add(out, slice_make(canonical.digest, sizeof(canonical.digest)));
}

uint64_t cache_form_length(slice key, slice bytes)
{
    return (uint64_t)CACHE_FORM_HEAD + key.len + bytes.len + CACHE_FORM_CHECKSUM;
}

void cache_form_write(slice key, slice bytes, struct buffer *before, struct buffer *behind)
{
    add_head(before, key, bytes.len);
    buffer_add(before, key);
    add_checksum(behind, buffer_slice(before), bytes);
}

bool cache_form_read(slice file, slice key, slice *bytes)
{
    CLEANUP_BUFFER struct buffer head = {0};
    CLEANUP_BUFFER struct buffer checksum = {0};
    slice rest = file, found_head, found_key;
    *bytes = SLICE_EMPTY;
    if (key.len > UINT32_MAX || file.len < cache_form_length(key, SLICE_EMPTY))
        return false;
    size_t length = file.len - (size_t)cache_form_length(key, SLICE_EMPTY);
    slice_pull_bytes(&rest, CACHE_FORM_HEAD, &found_head);
    slice_pull_bytes(&rest, key.len, &found_key);
    add_head(&head, key, length);
    if (!slice_equal(found_head, buffer_slice(&head)) || !slice_equal(found_key, key))
        return false;
    slice_pull_bytes(&rest, length, bytes);
    add_checksum(&checksum, slice_first(file, file.len - rest.len), SLICE_EMPTY);
    if (slice_equal(rest, buffer_slice(&checksum)))
        return true;
    *bytes = SLICE_EMPTY;
    return false;
}
