/* A file of the cache as a disk, or another program, may have left it. */
#undef NDEBUG
#include "layer/cache_form.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_file(slice key, slice bytes, struct buffer *file)
{
    CLEANUP_BUFFER struct buffer behind = {0};
    cache_form_write(key, bytes, file, &behind);
    buffer_add(file, bytes);
    buffer_add(file, buffer_slice(&behind));
    assert(file->len == cache_form_length(key, bytes));
}

/* Either it is refused, or it is the very file that would be written for its key and bytes. */
static void check(slice file, slice key)
{
    CLEANUP_BUFFER struct buffer again = {0};
    slice bytes;
    if (!cache_form_read(file, key, &bytes)) {
        assert(bytes.len == 0);
        return;
    }
    write_file(key, bytes, &again);
    assert(slice_equal(buffer_slice(&again), file));
}

/* What was written is found under its own key, and under no other. */
static void check_there_and_back(slice key, slice bytes)
{
    CLEANUP_BUFFER struct buffer file = {0};
    slice found;
    write_file(key, bytes, &file);
    assert(cache_form_read(buffer_slice(&file), key, &found) && slice_equal(found, bytes));
    if (key.len)
        assert(!cache_form_read(buffer_slice(&file), slice_from(key, 1), &found));
}

/* The checksum that stands behind what the fuzzer made up, so that it comes past that check. */
static void seal(slice content, slice key, struct buffer *file)
{
    CLEANUP_BUFFER struct buffer before = {0};
    CLEANUP_BUFFER struct buffer behind = {0};
    size_t around = CACHE_FORM_HEAD + key.len;
    buffer_add(file, content);
    if (content.len < around)
        return;
    cache_form_write(key, slice_from(content, around), &before, &behind);
    buffer_add(file, buffer_slice(&behind));
}

/* A byte that says how, the key up to a line end, and the file: with a checksum put right, or not.
 */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BUFFER struct buffer sealed = {0};
    slice input = slice_make(data, size), key, file;
    if (size == 0 || !slice_split(slice_from(input, 1), '\n', &key, &file))
        return 0;
    check(file, key);
    check_there_and_back(key, file);
    if (data[0] == 0) {
        seal(file, key, &sealed);
        check(buffer_slice(&sealed), key);
    }
    return 0;
}
