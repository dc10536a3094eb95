/*
 * A tar, and its parts that are parsed without a stream. What an entry says of itself must hold; a
 * tar that is read in pieces must be the same as one that is passed over; cut short it must be the
 * same up to there.
 */
#undef NDEBUG
#include "archive/tar.h"
#include "archive/tar_header.h"
#include "base/buffer.h"
#include "base/limits.h"
#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of one entry's content: a sparse file can claim any number of zeros. */
#define CONTENT_MAX (1u << 20)

static void check_entry(const struct tar *tar, const struct entry *entry)
{
    slice part, rest = entry->path;
    assert(entry->path.len <= LIMIT_PATH_BYTES && entry->target.len <= LIMIT_PATH_BYTES);
    assert(entry->kind <= ENTRY_OTHER && entry->mode <= 07777);
    assert(slice_find(entry->path, '\0') == SIZE_MAX &&
           slice_find(entry->target, '\0') == SIZE_MAX);
    while (entry->path.len && slice_pull(&rest, '/', &part))
        assert(part.len && !slice_equal(part, SLICE(".")) && !slice_equal(part, SLICE("..")));
    if (entry->kind != ENTRY_FILE && entry->kind != ENTRY_OTHER)
        assert(entry->size == 0);
    assert(!tar->ended);
}

/* The whole content, when it is not too long, is as long as the entry says. */
static struct error *read_content(struct tar *tar, const struct entry *entry, struct buffer *seen)
{
    uint64_t length = 0;
    slice piece;
    do {
        TRY(tar_read(tar, &piece));
        length += piece.len;
        buffer_add(seen, piece);
    } while (piece.len && length < CONTENT_MAX);
    assert(length == entry->size || length >= CONTENT_MAX);
    assert(length <= entry->size);
    return NULL;
}

/* Names and contents, one behind the other; whether it was read to its end. */
static bool list(slice bytes, bool contents, struct buffer *seen)
{
    struct stream *stream = stream_from_memory(bytes);
    struct tar tar;
    const struct entry *entry;
    tar_start(&tar, stream);
    CLEANUP_ERROR struct error *error = NULL;
    while (!(error = tar_next(&tar, &entry)) && entry) {
        check_entry(&tar, entry);
        buffer_add_string(seen, entry->path);
        buffer_add_string(seen, entry->target);
        buffer_add_number(seen, entry->size);
        CLEANUP_BUFFER struct buffer content = {0};
        if (contents && (error = read_content(&tar, entry, &content)))
            break;
    }
    if (!error)
        assert(tar.ended);
    else
        assert(error->message[0] && error->kind != ERROR_USAGE);
    tar_free(&tar);
    stream_close(stream);
    return error == NULL;
}

static void check_parts(slice input)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct tar_extension extension = {0};
    struct tar_sparse_map_reader reader = {0};
    struct tar_header header;
    bool more;
    if (input.len < TAR_BLOCK)
        return;
    slice block = slice_first(input, TAR_BLOCK);
    error_free(tar_header_parse(block, &header));
    for (int kind = TAR_PAX; kind <= TAR_IGNORED; kind++)
        error_free(tar_extension_add(&arena, &extension, (enum tar_extension_kind)kind, input));
    error_free(tar_gnu_sparse_header(&arena, block, &extension, &more));
    error_free(tar_gnu_sparse_block(&arena, block, &extension, &more));
    error_free(tar_sparse_map_add(&arena, &reader, input, &extension));
    const struct tar_region *regions = extension.regions.items;
    uint64_t stored = 0;
    for (size_t i = 0; i < extension.regions.count; i++)
        stored += regions[i].length;
    struct error *error = tar_check_regions(regions, extension.regions.count, stored, stored);
    for (size_t i = 1; !error && i < extension.regions.count; i++)
        assert(regions[i].offset >= regions[i - 1].offset + regions[i - 1].length);
    error_free(error);
}

/* Puts the checksums of all blocks right that look as if they had one. */
static void seal(struct buffer *tar)
{
    for (size_t at = 0; at + TAR_BLOCK <= tar->len; at += TAR_BLOCK) {
        char *block = tar->bytes + at;
        unsigned sum = 0;
        if (memcmp(block + 257, "ustar", 5) != 0)
            continue;
        memset(block + 148, ' ', 8);
        for (size_t i = 0; i < TAR_BLOCK; i++)
            sum += (unsigned char)block[i];
        snprintf(block + 148, 7, "%06o", sum);
        block[154] = '\0';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BUFFER struct buffer tar = {0};
    CLEANUP_BUFFER struct buffer read = {0};
    CLEANUP_BUFFER struct buffer skipped = {0};
    CLEANUP_BUFFER struct buffer cut = {0};
    slice input = slice_make(data, size);
    check_parts(input);
    list(input, true, &read);
    read.len = 0;

    buffer_add(&tar, input);
    seal(&tar);
    input = buffer_slice(&tar);
    bool whole = list(input, true, &read);
    bool passed_over = list(input, false, &skipped);
    /* Only what is read is known to be there; and both stop at the same header. */
    assert(!whole || passed_over);
    assert(slice_starts(buffer_slice(&skipped), buffer_slice(&read)));
    list(slice_first(input, input.len / 2), false, &cut);
    assert(slice_starts(buffer_slice(&skipped), buffer_slice(&cut)));
    return 0;
}
