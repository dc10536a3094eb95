/*
 * For the targets of one analyzer: its files, one behind the other in the input, read as a walk
 * would have them read. What comes of it is written as a record and read back.
 *
 * Input: files with a NUL byte between them; the first line of each says which of the target's
 * paths it lies at, by its first digit.
 */
#ifndef PLIMSOLL_TESTS_ANALYSIS_H
#define PLIMSOLL_TESTS_ANALYSIS_H

#undef NDEBUG
#include "analyze/analyzers.h"
#include "base/limits.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the analyzer gets to see of a file. */
static inline slice wanted_part(struct want want, slice bytes)
{
    switch (want.kind) {
    case WANT_WHOLE:
        return bytes;
    case WANT_FIRST:
        return slice_first(bytes, want.count);
    default:
        return SLICE_EMPTY;
    }
}

static inline void check_package(const struct package *package, const char *type)
{
    assert(slice_equal(package->type, slice_from_text(type)));
    const slice fields[] = {package->name,           package->version,    package->arch,
                            package->source_name,    package->maintainer, package->license,
                            package->source_version, package->build};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        assert(fields[i].len <= LIMIT_FIELD_BYTES);
}

/* A path of an entry has no ".", "..", empty part or "/" at its ends. */
static inline void check_normal(slice path)
{
    slice part, rest = path;
    while (path.len && slice_pull(&rest, '/', &part))
        assert(part.len && !slice_equal(part, SLICE(".")) && !slice_equal(part, SLICE("..")));
}

static inline void check_record(const struct record *record, const char *type)
{
    const struct evidence *evidence = record->evidence.items;
    for (size_t i = 0; i < record->evidence.count; i++) {
        const struct package *packages = evidence[i].packages.items;
        const slice *owned = evidence[i].owned.items;
        assert(evidence[i].packages.count <= LIMIT_PACKAGES_PER_FILE);
        for (size_t j = 0; j < evidence[i].packages.count; j++) {
            assert(packages[j].name.len > 0);
            check_package(&packages[j], type);
        }
        for (size_t j = 0; j < evidence[i].owned.count; j++)
            check_normal(owned[j]);
    }
}

static inline void check_round_trip(const struct record *record)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_BUFFER struct buffer first = {0};
    CLEANUP_BUFFER struct buffer second = {0};
    struct record read;
    record_write(record, &first);
    CLEANUP_ERROR struct error *error = record_read(buffer_slice(&first), &arena, &read);
    assert(error == NULL);
    record_write(&read, &second);
    assert(slice_equal(buffer_slice(&first), buffer_slice(&second)));
}

static inline void read_one(const struct analyzer *analyzer, slice path, slice bytes,
                            struct arena *arena, struct record *record)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct entry entry = {.kind = ENTRY_FILE, .path = path, .size = bytes.len};
    struct want want = analyzer->wants(path, &entry);
    struct analysis analysis = {.analyzer = analyzer,
                                .entry = &entry,
                                .path = path,
                                .record = record,
                                .arena = arena,
                                .scratch = &scratch};
    assert(want.kind == WANT_WHOLE || want.kind == WANT_FIRST);
    CLEANUP_ERROR struct error *error = analyzer->read(&analysis, wanted_part(want, bytes));
    if (error)
        assert(error->message[0] && error->kind != ERROR_USAGE);
}

static inline void check_analyzer(const struct analyzer *analyzer, const char *type,
                                  const char *const *paths, size_t path_count, slice input)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct record record = {0};
    slice file;
    while (slice_pull(&input, '\0', &file)) {
        /* A copy of its size, so that a sanitizer sees what is read behind it. */
        CLEANUP_FREE char *copy = memory_alloc(file.len);
        size_t which = 0;
        if (file.len)
            memcpy(copy, file.ptr, file.len);
        file.ptr = copy;
        if (file.len > 1 && byte_is_digit(file.ptr[0]) && file.ptr[1] == '\n') {
            which = (size_t)(file.ptr[0] - '0') % path_count;
            file = slice_from(file, 2);
        }
        read_one(analyzer, slice_from_text(paths[which]), file, &arena, &record);
    }
    check_record(&record, type);
    check_round_trip(&record);
}

#endif
