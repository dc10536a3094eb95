/* A layer record as a hostile worker may hand it back. */
#undef NDEBUG
#include "layer/record.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Either the bytes are a record and go the way there and back unchanged, or they are refused. */
static void check(slice bytes)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_ARENA struct arena other_arena = {0};
    CLEANUP_BUFFER struct buffer first = {0};
    CLEANUP_BUFFER struct buffer second = {0};
    struct record record, other;
    CLEANUP_ERROR struct error *error = record_read(bytes, &arena, &record);
    if (error) {
        static const struct record nothing;
        assert(error->message[0]);
        assert(memcmp(&record, &nothing, sizeof(record)) == 0);
        return;
    }
    for (size_t i = 0; i < record.files.count; i++)
        assert(path_set_has(&record.files, record.files.hashes[i]));
    record_write(&record, &first);
    assert(record_read(buffer_slice(&first), &other_arena, &other) == NULL);
    record_write(&other, &second);
    assert(slice_equal(buffer_slice(&first), buffer_slice(&second)));
}

/* As it is; and with magic, format and checksum put right, so that the parser behind is reached. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BUFFER struct buffer sealed = {0};
    slice input = slice_make(data, size);
    check(input);
    buffer_text(&sealed, "plimsoll-record");
    buffer_add_number(&sealed, RECORD_FORMAT);
    buffer_add(&sealed, input);
    uint64_t checksum = slice_hash(buffer_slice(&sealed));
    buffer_add(&sealed, slice_make(&checksum, sizeof(checksum)));
    check(buffer_slice(&sealed));
    return 0;
}
