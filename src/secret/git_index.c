#include "secret/git_index.h"
#include "base/limits.h"

/* -- one header -----------------------------------------------------------------------------------
 */

/* The first byte has the type and four bits of the size; each that follows seven more, the higher
 * ones last. */
static bool read_size(slice bytes, struct git_header *header)
{
    unsigned shift = 4;
    for (size_t i = 0; i < bytes.len && shift < 60; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        if (i == 0) {
            header->type = (enum git_type)(byte >> 4 & 7);
            header->size = byte & 0x0f;
        } else {
            header->size |= (uint64_t)(byte & 0x7f) << shift;
            shift += 7;
        }
        header->length = (unsigned)i + 1;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

/* Seven bits in each byte, the higher ones first, and one is added for each byte that follows. */
static bool read_back(slice bytes, struct git_header *header)
{
    for (size_t i = 0; i < bytes.len && header->back < UINT64_MAX >> 8; i++) {
        unsigned char byte = (unsigned char)bytes.ptr[i];
        header->back = (i ? (header->back + 1) << 7 : 0) | (byte & 0x7f);
        header->length++;
        if (!(byte & 0x80))
            return header->back > 0;
    }
    return false;
}

bool git_header_read(slice bytes, size_t id_bytes, struct git_header *header)
{
    *header = (struct git_header){.base = SLICE_EMPTY};
    if (!read_size(bytes, header))
        return false;
    slice rest = slice_from(bytes, header->length);
    switch (header->type) {
    case GIT_COMMIT:
    case GIT_TREE:
    case GIT_BLOB:
    case GIT_TAG:
        return true;
    case GIT_OFFSET_DELTA:
        return read_back(rest, header);
    case GIT_ID_DELTA:
        header->base = slice_first(rest, id_bytes);
        header->length += (unsigned)header->base.len;
        return header->base.len == id_bytes;
    default:
        return false;
    }
}

/* -- all of them ----------------------------------------------------------------------------------
 */

static uint32_t find_by_offset(const struct git_index *index, uint64_t offset)
{
    size_t from = 0, to = index->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (index->objects[middle].offset < offset)
            from = middle + 1;
        else
            to = middle;
    }
    return from < index->count && index->objects[from].offset == offset ? (uint32_t)from : GIT_NONE;
}

static void await(struct git_index *index, slice base, uint32_t object)
{
    if (index->awaited_count == index->awaited_room) {
        index->awaited_room = index->awaited_room ? 2 * index->awaited_room : 64;
        index->awaited =
            memory_resize(index->awaited, index->awaited_room * sizeof(*index->awaited));
    }
    struct git_awaited *awaited = &index->awaited[index->awaited_count++];
    memcpy(awaited->base, base.ptr, GIT_ID_KEPT);
    awaited->object = object;
}

static void add_object(struct git_index *index, uint64_t at, const struct git_header *header)
{
    uint32_t number = (uint32_t)index->count;
    struct git_object object = {
        .offset = (uint32_t)at,
        .size = header->size < UINT32_MAX ? (uint32_t)header->size : UINT32_MAX,
        .base = GIT_NONE,
        .child = GIT_NONE,
        .sibling = GIT_NONE,
        .stored = (uint8_t)header->type,
        .type = (uint8_t)header->type,
        .header = (uint8_t)header->length,
    };
    if (header->type == GIT_OFFSET_DELTA && header->back < at)
        object.base = find_by_offset(index, at - header->back);
    if (header->type >= GIT_OFFSET_DELTA)
        object.type = object.base == GIT_NONE ? GIT_UNKNOWN : index->objects[object.base].type;
    if (header->type == GIT_ID_DELTA)
        await(index, header->base, number);
    index->objects[index->count++] = object;
}

static struct error *read_object(struct git_index *index, struct git_unpack *unpack, uint64_t at,
                                 struct git_header *header, bool *whole)
{
    slice bytes;
    *whole = false;
    TRY(spool_view_show(&unpack->view, at, GIT_HEADER_MOST, &bytes));
    if (!git_header_read(slice_first(bytes, GIT_HEADER_MOST), index->id_bytes, header))
        return NULL;
    git_unpack_begin(unpack, at + header->length, UINT64_MAX);
    return git_unpack_pass(unpack, header->size, whole);
}

/* A pack has no more objects than its size has room for, whatever it announces. */
static size_t most_objects(const struct git_unpack *unpack, uint32_t announced)
{
    enum { SMALLEST = 9 };
    uint64_t most = unpack->view.spool->size / SMALLEST + 1;
    if (most > LIMIT_SECRET_ARCHIVE_MEMBERS)
        most = LIMIT_SECRET_ARCHIVE_MEMBERS;
    return announced < most ? announced : (size_t)most;
}

static struct error *read_objects(struct git_index *index, struct git_unpack *unpack, size_t most)
{
    uint64_t unpacked = 0;
    while (index->count < most && unpacked <= LIMIT_SECRET_ARCHIVE_BYTES) {
        struct git_header header;
        bool whole;
        TRY(read_object(index, unpack, index->end, &header, &whole));
        /* The pack does not say how long ids are; the first that stands in it does. */
        if (!whole && header.type == GIT_ID_DELTA && index->awaited_count == 0) {
            index->id_bytes = GIT_SHA256;
            TRY(read_object(index, unpack, index->end, &header, &whole));
            if (!whole)
                index->id_bytes = GIT_SHA1;
        }
        if (!whole)
            return NULL;
        add_object(index, index->end, &header);
        index->end = git_unpack_position(unpack);
        unpacked += header.size;
    }
    return NULL;
}

static bool comes_before(const struct git_awaited *one, const struct git_awaited *other)
{
    int order = memcmp(one->base, other->base, GIT_ID_KEPT);
    return order ? order < 0 : one->object < other->object;
}

/* Lets the one at `at` sink below those that come behind it. */
static void sink(struct git_awaited *heap, size_t count, size_t at)
{
    const struct git_awaited sinking = heap[at];
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && comes_before(&heap[child], &heap[child + 1]))
            child++;
        if (!comes_before(&sinking, &heap[child]))
            break;
        heap[at] = heap[child];
    }
    heap[at] = sinking;
}

/* A heap sort: qsort asks the kernel how much memory there is, which a worker may not. */
static void sort_awaited(struct git_awaited *awaited, size_t count)
{
    for (size_t i = count / 2; i-- > 0;)
        sink(awaited, count, i);
    while (count > 1) {
        struct git_awaited last = awaited[--count];
        awaited[count] = awaited[0];
        awaited[0] = last;
        sink(awaited, count, 0);
    }
}

static void add_child(struct git_index *index, uint32_t base, uint32_t child)
{
    index->objects[child].base = base;
    index->objects[child].sibling = index->objects[base].child;
    index->objects[base].child = child;
}

/* Those without deltas of their own come first: whatever they are made of may be forgotten before
 * a longer chain is followed. */
static void link_children(struct git_index *index)
{
    struct git_object *objects = index->objects;
    for (size_t i = 0; i < index->count; i++)
        if (objects[i].base != GIT_NONE)
            objects[objects[i].base].has_deltas = true;
    for (int leaves = 0; leaves < 2; leaves++)
        for (size_t i = index->count; i-- > 0;)
            if (objects[i].base != GIT_NONE && objects[i].has_deltas != (leaves == 1))
                add_child(index, objects[i].base, (uint32_t)i);
}

struct error *git_index_make(struct git_index *index, struct git_unpack *unpack, uint32_t announced)
{
    size_t most = most_objects(unpack, announced);
    *index = (struct git_index){.id_bytes = GIT_SHA1, .end = GIT_PACK_HEADER};
    index->objects = memory_alloc(most * sizeof(*index->objects));
    TRY(read_objects(index, unpack, most));
    /* Behind the last object stands a checksum of the pack, made as ids are. */
    if (index->count == announced && unpack->view.spool->size - index->end == GIT_SHA256)
        index->id_bytes = GIT_SHA256;
    sort_awaited(index->awaited, index->awaited_count);
    link_children(index);
    return NULL;
}

void git_index_free(struct git_index *index)
{
    free(index->objects);
    free(index->awaited);
    *index = (struct git_index){0};
}

uint64_t git_index_start(const struct git_index *index, uint32_t object)
{
    return (uint64_t)index->objects[object].offset + index->objects[object].header;
}

uint64_t git_index_end(const struct git_index *index, uint32_t object)
{
    return object + 1 < index->count ? index->objects[object + 1].offset : index->end;
}

static size_t first_awaited(const struct git_index *index, const unsigned char *id)
{
    size_t from = 0, to = index->awaited_count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (memcmp(index->awaited[middle].base, id, GIT_ID_KEPT) < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

void git_index_attach(struct git_index *index, uint32_t object, const unsigned char *id)
{
    for (size_t i = first_awaited(index, id); i < index->awaited_count; i++) {
        uint32_t child = index->awaited[i].object;
        /* All of one id are attached at once: there may be as many that have it as wait for it. */
        if (memcmp(index->awaited[i].base, id, GIT_ID_KEPT) != 0 ||
            index->objects[child].base != GIT_NONE)
            return;
        add_child(index, object, child);
    }
}
