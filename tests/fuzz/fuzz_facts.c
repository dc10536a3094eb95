/* A facts file by its lines: refused, or imported into a store that can be written out again. */
#undef NDEBUG
#include "store/feed.h"

#include <assert.h>
#include <sys/mman.h>
#include <zstd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int packed_file(const uint8_t *data, size_t size)
{
    size_t room = ZSTD_compressBound(size);
    CLEANUP_FREE char *packed = memory_alloc(room);
    size_t length = ZSTD_compress(packed, room, data, size, 1);
    int file = memfd_create("facts", MFD_CLOEXEC);
    assert(!ZSTD_isError(length) && file >= 0);
    assert(write(file, packed, length) == (ssize_t)length && lseek(file, 0, SEEK_SET) == 0);
    return file;
}

static struct error *import(struct feed_import *import, int file)
{
    TRY(writer_begin_phase(&import->writer));
    TRY(writer_begin_group(&import->writer, GROUP_FACTS, SLICE("fuzzed"), SLICE_EMPTY));
    TRY(file_facts.import(import, file, SLICE("fuzzed.zst"), SLICE("fuzzed")));
    TRY(writer_end_group(&import->writer));
    return writer_end_phase(&import->writer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct import_options options = {.facts_only = true};
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_CLOSE int file = packed_file(data, size);
    struct feed_import under_way = {.options = &options, .arena = &arena};
    struct database database;
    struct error *error = database_open_beside(&database, ":memory:", "fuzzed.db");
    assert(!error);
    error = writer_open(&under_way.writer, &database, SLICE("2026-01-01T00:00:00Z"), true);
    assert(!error);
    error = import(&under_way, file);
    if (error)
        assert(error->message[0]);
    error_free(error);
    writer_close(&under_way.writer);
    database_close(&database);
    return 0;
}
