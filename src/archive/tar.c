#include "archive/tar.h"
#include "archive/tar_header.h"
#include "base/buffer.h"
#include "base/limits.h"

static const char zeros[32 * 1024];

void tar_start(struct tar *tar, struct stream *stream)
{
    *tar = (struct tar){.stream = stream};
}

void tar_free(struct tar *tar)
{
    arena_free(&tar->arena);
}

/* Whether another header follows; two blocks of zeros, or the stream's end, end the archive. */
static struct error *find_header(struct tar *tar, slice *block)
{
    TRY(stream_need(tar->stream, TAR_BLOCK, block));
    if (block->len == 0) {
        tar->ended = true;
        return NULL;
    }
    if (block->len < TAR_BLOCK)
        return error_make(ERROR_INPUT, "the tar ends in the middle of a header");
    if (memcmp(block->ptr, zeros, TAR_BLOCK) != 0)
        return NULL;
    TRY(stream_need(tar->stream, 2 * TAR_BLOCK, block));
    if (block->len != TAR_BLOCK && block->len != 2 * TAR_BLOCK)
        return error_make(ERROR_INPUT, "the tar ends in the middle of the mark of its end");
    tar->ended = true;
    tar->end_marked = block->len == 2 * TAR_BLOCK;
    if (tar->end_marked && memcmp(block->ptr + TAR_BLOCK, zeros, TAR_BLOCK) != 0)
        return error_make(ERROR_INPUT,
                          "a single block of zeros stands between tar headers: readers disagree on "
                          "whether the archive ends there");
    stream_take(tar->stream, block->len);
    return NULL;
}

/* The content of an extension header (pax records, a long name) into the entry's arena. */
static struct error *read_extension(struct tar *tar, uint64_t size, slice *content)
{
    if (size > LIMIT_TAR_HEADER_BYTES)
        return error_make(ERROR_LIMIT, "a tar header extension has %llu bytes, more than the limit",
                          (unsigned long long)size);
    uint64_t left = size;
    CLEANUP_BUFFER struct buffer buffer = {0};
    while (left) {
        slice window;
        TRY(stream_some(tar->stream, &window));
        if (window.len == 0)
            return error_make(ERROR_INPUT, "the tar ends in the middle of a header extension");
        window = slice_first(window, left < SIZE_MAX ? (size_t)left : SIZE_MAX);
        buffer_add(&buffer, window);
        stream_take(tar->stream, window.len);
        left -= window.len;
    }
    *content = arena_copy(&tar->arena, buffer_slice(&buffer));
    return stream_skip(tar->stream, tar_padding(size));
}

/* Old GNU sparse files with more than four regions: maps go on in blocks behind the header. */
static struct error *read_gnu_sparse(struct tar *tar, slice header, struct tar_extension *extension)
{
    bool more;
    TRY(tar_gnu_sparse_header(&tar->arena, header, extension, &more));
    while (more) {
        slice block;
        TRY(stream_need(tar->stream, TAR_BLOCK, &block));
        if (block.len < TAR_BLOCK)
            return error_make(ERROR_INPUT, "the tar ends in the middle of a sparse map");
        TRY(tar_gnu_sparse_block(&tar->arena, block, extension, &more));
        stream_take(tar->stream, TAR_BLOCK);
    }
    return NULL;
}

/* GNU.sparse 1.0: the map stands in front of the data, a number a line, padded to a block. */
static struct error *read_pax_sparse_map(struct tar *tar, struct tar_extension *extension)
{
    struct tar_sparse_map_reader reader = {0};
    while (!reader.complete) {
        slice block;
        TRY(stream_need(tar->stream, TAR_BLOCK, &block));
        if (block.len < TAR_BLOCK || tar->stored < TAR_BLOCK)
            return error_make(ERROR_INPUT, "the tar ends in the middle of a sparse map");
        TRY(tar_sparse_map_add(&tar->arena, &reader, block, extension));
        stream_take(tar->stream, TAR_BLOCK);
        tar->stored -= TAR_BLOCK;
    }
    return NULL;
}

static struct error *set_regions(struct tar *tar, const struct tar_extension *extension)
{
    tar->regions = extension->regions.items ? extension->regions.items : (void *)zeros;
    tar->region_count = extension->regions.count;
    tar->entry.size = extension->real_size;
    if (tar->entry.size > LIMIT_LAYER_BYTES)
        return error_make(ERROR_LIMIT,
                          "a sparse file claims %llu bytes, more than the limit of a whole layer",
                          (unsigned long long)tar->entry.size);
    return tar_check_regions(tar->regions, tar->region_count, tar->stored, tar->entry.size);
}

static struct error *begin_content(struct tar *tar, slice header, const struct tar_header *fields,
                                   struct tar_extension *extension)
{
    bool has_data = !fields->header_only && fields->kind != ENTRY_FOLDER;
    tar->stored = has_data ? (extension->has_size ? extension->size : fields->size) : 0;
    if (tar->stored > LIMIT_LAYER_BYTES)
        return error_make(ERROR_LIMIT,
                          "an entry claims %llu bytes, more than the limit of a whole layer",
                          (unsigned long long)tar->stored);
    tar->padding = tar_padding(tar->stored);
    tar->logical = 0;
    tar->regions = NULL;
    tar->region_at = 0;
    tar->entry.size = tar->stored;
    if (fields->gnu_sparse)
        TRY(read_gnu_sparse(tar, header, extension));
    else if (extension->sparse == TAR_SPARSE_MAP_IN_DATA)
        TRY(read_pax_sparse_map(tar, extension));
    if (!fields->gnu_sparse && extension->sparse == TAR_NOT_SPARSE)
        return NULL;
    if (!has_data)
        return error_make(ERROR_INPUT, "an entry that has no content claims to be a sparse file");
    if (!fields->gnu_sparse && !extension->has_real_size)
        extension->real_size = tar->entry.size;
    return set_regions(tar, extension);
}

static struct error *begin_entry(struct tar *tar, slice block, const struct tar_header *fields,
                                 struct tar_extension *extension)
{
    CLEANUP_ARENA struct arena scratch = {0};
    slice header = fields->gnu_sparse ? arena_copy(&scratch, block) : SLICE_EMPTY;
    if (!fields->gnu_sparse)
        TRY(tar_extension_finish(&tar->arena, extension));
    slice name = tar_extension_name(extension, fields);
    slice link = tar_extension_link(extension, fields);
    if (name.len > LIMIT_PATH_BYTES || link.len > LIMIT_PATH_BYTES)
        return error_make(ERROR_LIMIT, "a path has %zu bytes, more than the limit of %d",
                          name.len > link.len ? name.len : link.len, LIMIT_PATH_BYTES);
    tar->entry =
        (struct entry){.kind = fields->kind, .mode = fields->mode, .modified = fields->modified};
    if (fields->folder_by_name && name.len && name.ptr[name.len - 1] == '/')
        tar->entry.kind = ENTRY_FOLDER;
    name = arena_copy(&tar->arena, name);
    tar->odd_path = !path_normalize(&tar->arena, name, &tar->entry.path);
    tar->entry.target = arena_copy(&tar->arena, link);
    if (fields->kind == ENTRY_HARDLINK &&
        !path_normalize(&tar->arena, tar->entry.target, &tar->entry.target))
        tar->odd_path = true;
    stream_take(tar->stream, TAR_BLOCK);
    struct tar_header content = *fields;
    content.kind = tar->entry.kind;
    return begin_content(tar, header, &content, extension);
}

/* Reads headers up to one that is an entry. */
static struct error *read_headers(struct tar *tar, const struct entry **entry)
{
    struct tar_extension extension = {0};
    for (unsigned extensions = 0;; extensions++) {
        slice block, content;
        struct tar_header fields;
        TRY(find_header(tar, &block));
        if (tar->ended && extensions)
            return error_make(ERROR_INPUT, "the tar ends behind a header extension");
        if (tar->ended)
            return NULL;
        TRY(tar_header_parse(block, &fields));
        if (fields.extension == TAR_NOT_AN_EXTENSION) {
            *entry = &tar->entry;
            return begin_entry(tar, block, &fields, &extension);
        }
        if (extensions > TAR_MAX_EXTENSIONS)
            return error_make(ERROR_LIMIT, "more than %d header extensions stand before one entry",
                              TAR_MAX_EXTENSIONS);
        stream_take(tar->stream, TAR_BLOCK);
        TRY(read_extension(tar, fields.size, &content));
        TRY(tar_extension_add(&tar->arena, &extension, fields.extension, content));
    }
}

static struct error *content_is_cut(void)
{
    return error_make(ERROR_INPUT, "the tar ends in the middle of this file's content");
}

/* Past what is left of the entry at hand; when the archive ends in it, that is said in the same
 * words as by who reads it. */
static struct error *skip_rest(struct tar *tar)
{
    struct error *error = stream_skip(tar->stream, tar->stored + tar->padding);
    if (!error || tar->stream->missing <= tar->padding)
        return error;
    error_free(error);
    error = content_is_cut();
    return tar->entry.path.len ? error_wrap(error, "%.*s", SLICE_ARG(tar->entry.path)) : error;
}

struct error *tar_next(struct tar *tar, const struct entry **entry)
{
    *entry = NULL;
    if (tar->ended)
        return NULL;
    TRY(skip_rest(tar));
    tar->stored = tar->padding = 0;
    arena_free(&tar->arena);
    return error_wrap(read_headers(tar, entry), "tar header at byte %llu",
                      (unsigned long long)tar->stream->position);
}

/* In a sparse file: how much of a hole lies before the next stored byte. */
static uint64_t hole_before(struct tar *tar)
{
    while (tar->region_at < tar->region_count) {
        const struct tar_region *region = &tar->regions[tar->region_at];
        if (tar->logical < region->offset)
            return region->offset - tar->logical;
        if (tar->logical < region->offset + region->length)
            return 0;
        tar->region_at++;
    }
    return tar->entry.size - tar->logical;
}

struct error *tar_read(struct tar *tar, slice *piece)
{
    uint64_t most = tar->stored;
    *piece = SLICE_EMPTY;
    if (tar->regions) {
        uint64_t hole = hole_before(tar);
        if (hole) {
            *piece = slice_make(zeros, hole < sizeof(zeros) ? (size_t)hole : sizeof(zeros));
            tar->logical += tar->short_holes ? hole : piece->len;
            return NULL;
        }
        if (tar->region_at < tar->region_count) {
            const struct tar_region *region = &tar->regions[tar->region_at];
            most = region->offset + region->length - tar->logical;
        } else {
            most = 0;
        }
    }
    if (most == 0)
        return NULL;
    slice window;
    TRY(stream_some(tar->stream, &window));
    if (window.len == 0)
        return content_is_cut();
    *piece = slice_first(window, most < SIZE_MAX ? (size_t)most : SIZE_MAX);
    stream_take(tar->stream, piece->len);
    tar->stored -= piece->len;
    tar->logical += piece->len;
    return NULL;
}

struct error *tar_skip(struct tar *tar, uint64_t count)
{
    if (tar->regions || count > tar->stored)
        return error_make(ERROR_SYSTEM, "more is to be skipped than can be");
    struct error *error = stream_skip(tar->stream, count);
    if (error && tar->stream->missing) {
        error_free(error);
        return content_is_cut();
    }
    TRY(error);
    tar->stored -= count;
    tar->logical += count;
    return NULL;
}

uint64_t tar_content_offset(const struct tar *tar)
{
    return tar->stream->position;
}
