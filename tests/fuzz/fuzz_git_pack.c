/*
 * A git pack: as it is, or made here of the objects and deltas that the input names, so that what
 * is mutated lies within zlib's streams. What is put together is what a plain reader makes of it,
 * once; what is shown of a change has the text's lines; and secrets are looked for in all of it.
 */
#undef NDEBUG
#include "base/limits.h"
#include "secret/finder.h"
#include "secret/git_changes.h"
#include "secret/git_chains.h"
#include "secret/git_names.h"
#include "password_scanner.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OBJECTS_MOST = 48, SIZE_MOST = 1 << 16 };

/* What the input names, and what a plain reader makes of it. */
struct named {
    enum git_type type; /* of what comes of it */
    char *content;      /* NULL: nothing comes of it */
    size_t size;
    bool large; /* more than the plain reader wants to make, or made of that */
    bool seen;
};

struct trial {
    struct named named[OBJECTS_MOST];
    uint32_t count;
    uint64_t offsets[OBJECTS_MOST];
    struct buffer pack;
    struct git_index index;
    struct git_hash hash;
    struct git_names names;
};

/* -- a plain reader -------------------------------------------------------------------------------
 */

static bool pull_byte(slice *from, unsigned *byte)
{
    if (from->len == 0)
        return false;
    *byte = (unsigned char)from->ptr[0];
    *from = slice_from(*from, 1);
    return true;
}

static bool pull_size(slice *from, uint64_t *number)
{
    unsigned byte = 0x80;
    *number = 0;
    for (unsigned shift = 0; byte & 0x80; shift += 7) {
        if (shift > 56 || !pull_byte(from, &byte))
            return false;
        *number += (uint64_t)(byte & 0x7f) << shift;
    }
    return true;
}

/* One byte after the other, into a buffer that grows. */
static bool apply_plainly(slice steps, const struct named *base, struct buffer *result)
{
    unsigned code, byte;
    while (pull_byte(&steps, &code)) {
        uint64_t place[7] = {0};
        if (code == 0)
            return false;
        for (unsigned i = 0; code < 0x80 && i < code; i++) {
            if (!pull_byte(&steps, &byte))
                return false;
            buffer_add_byte(result, (char)byte);
        }
        if (code < 0x80)
            continue;
        for (unsigned i = 0; i < 7; i++)
            if (code >> i & 1) {
                if (!pull_byte(&steps, &byte))
                    return false;
                place[i] = byte;
            }
        uint64_t from = place[0] + (place[1] << 8) + (place[2] << 16) + (place[3] << 24);
        uint64_t count = place[4] + (place[5] << 8) + (place[6] << 16);
        count = count ? count : 0x10000;
        if (from + count > base->size)
            return false;
        if (result->len > SIZE_MOST)
            continue;
        for (uint64_t i = 0; i < count; i++)
            buffer_add_byte(result, base->content[from + i]);
    }
    return true;
}

static void make_plainly(struct named *named, const struct named *base, slice delta)
{
    CLEANUP_BUFFER struct buffer result = {0};
    uint64_t base_size, size;
    named->large = base->large;
    if (!base->content)
        return;
    named->type = base->type;
    if (!pull_size(&delta, &base_size) || !pull_size(&delta, &size) || base_size != base->size ||
        !apply_plainly(delta, base, &result))
        return;
    named->large = result.len > SIZE_MOST;
    if (result.len != size || named->large)
        return;
    named->size = result.len;
    named->content = memory_text(buffer_slice(&result));
}

/* -- the pack -------------------------------------------------------------------------------------
 */

static void add_header(struct buffer *out, unsigned type, uint64_t size)
{
    unsigned byte = type << 4 | (unsigned)(size & 15);
    for (size >>= 4; size; size >>= 7) {
        buffer_add_byte(out, (char)(byte | 0x80));
        byte = size & 0x7f;
    }
    buffer_add_byte(out, (char)byte);
}

static void add_back(struct buffer *out, uint64_t back)
{
    char bytes[10];
    size_t at = sizeof(bytes);
    bytes[--at] = (char)(back & 0x7f);
    while (back >>= 7)
        bytes[--at] = (char)(0x80 | (--back & 0x7f));
    buffer_add(out, slice_make(bytes + at, sizeof(bytes) - at));
}

static void add_deflated(struct buffer *out, slice content)
{
    uLongf room = compressBound(content.len);
    char *at = buffer_reserve(out, room);
    assert(compress2((Bytef *)at, &room, (const Bytef *)content.ptr, content.len, 0) == Z_OK);
    out->len += room;
}

static void find_id(struct trial *trial, enum git_type type, slice content,
                    unsigned char id[GIT_SHA256])
{
    git_hash_begin(&trial->hash, type, content.len);
    git_hash_add(&trial->hash, content);
    git_hash_end(&trial->hash, id);
}

/* Sizes as they should be stand in front of the instructions. */
static slice with_sizes(const struct named *base, slice steps, struct buffer *delta)
{
    CLEANUP_BUFFER struct buffer result = {0};
    if (!base->content)
        return steps;
    apply_plainly(steps, base, &result);
    buffer_add_number(delta, base->size);
    buffer_add_number(delta, result.len);
    buffer_add(delta, steps);
    return buffer_slice(delta);
}

static void add_one(struct trial *trial, unsigned kind, slice content)
{
    static const enum git_type types[] = {GIT_COMMIT,       GIT_TREE,         GIT_BLOB,
                                          GIT_BLOB,         GIT_OFFSET_DELTA, GIT_OFFSET_DELTA,
                                          GIT_OFFSET_DELTA, GIT_ID_DELTA};
    CLEANUP_BUFFER struct buffer delta = {0};
    enum git_type type = trial->count ? types[kind & 7] : GIT_BLOB;
    struct named *named = &trial->named[trial->count];
    const struct named *base = trial->count ? &trial->named[(kind >> 3) % trial->count] : NULL;
    *named = (struct named){.type = type};
    if (type < GIT_OFFSET_DELTA) {
        named->size = content.len;
        named->content = memory_text(content);
    } else if ((kind & 7) != 4) {
        content = with_sizes(base, content, &delta);
    }
    uint64_t at = trial->offsets[trial->count] = trial->pack.len;
    add_header(&trial->pack, (unsigned)type, content.len);
    if (type == GIT_OFFSET_DELTA)
        add_back(&trial->pack, at - trial->offsets[base - trial->named]);
    if (type == GIT_ID_DELTA) {
        unsigned char id[GIT_SHA256] = {0};
        if (base->content)
            find_id(trial, base->type, slice_make(base->content, base->size), id);
        buffer_add(&trial->pack, slice_make(id, GIT_SHA1));
    }
    if (type >= GIT_OFFSET_DELTA)
        make_plainly(named, base, content);
    add_deflated(&trial->pack, content);
    trial->count++;
}

static void build(struct trial *trial, slice input)
{
    unsigned kind, length, more;
    buffer_add(&trial->pack, slice_make("PACK\0\0\0\2\0\0\0", 11));
    buffer_add_byte(&trial->pack, OBJECTS_MOST);
    while (trial->count < OBJECTS_MOST && pull_byte(&input, &kind) && pull_byte(&input, &length)) {
        if (length == 255 && pull_byte(&input, &more))
            length += more << 4;
        add_one(trial, kind, slice_first(input, length));
        input = slice_from(input, length);
    }
    trial->pack.bytes[11] = (char)trial->count;
    buffer_add(&trial->pack, slice_make("checksum of 20 bytes", 20));
}

/* -- what is made of it ---------------------------------------------------------------------------
 */

static size_t count_lines(slice text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    return count;
}

static void check_changes(const struct git_made *made)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct git_changes changes;
    slice piece;
    size_t lines = 0, bytes = 0;
    git_changes_find(&changes, made->content, made->base, made->instructions, &arena);
    do {
        assert(!git_changes_next(&changes, &piece));
        lines += count_lines(piece);
        bytes += piece.len;
    } while (piece.len);
    assert(lines <= count_lines(made->content) && bytes <= made->content.len);
}

static struct error *use(void *context, struct git_made *made)
{
    struct trial *trial = context;
    unsigned char id[GIT_SHA256];
    enum git_type type = (enum git_type)trial->index.objects[made->object].type;
    assert(type >= GIT_COMMIT && type <= GIT_TAG);
    find_id(trial, type, made->content, id);
    git_index_attach(&trial->index, made->object, id);
    if (type == GIT_TREE)
        git_names_add_tree(&trial->names, id, made->content, GIT_SHA1);
    if (made->instructions.len)
        check_changes(made);
    CLEANUP_ARENA struct arena arena = {0};
    slice path = git_names_path(&trial->names, id, &arena);
    assert(path.len <= LIMIT_PATH_BYTES);
    made->note = memory_text(path);
    if (trial->count) {
        struct named *named = &trial->named[made->object];
        if (named->large)
            return NULL;
        assert(named->content && !named->seen && named->type == type);
        assert(slice_equal(made->content, slice_make(named->content, named->size)));
        named->seen = true;
    }
    return NULL;
}

static void put_together(struct trial *trial, slice pack)
{
    struct spill spill = {.fd = -1};
    struct spool spool;
    struct git_unpack unpack;
    struct git_chains chains;
    CLEANUP_STREAM struct stream *stream = stream_from_memory(pack);
    assert(!spool_open(&spool, &spill, stream, LIMIT_SPOOL_MEMORY));
    git_unpack_open(&unpack, &spool);
    assert(!git_index_make(&trial->index, &unpack, trial->count ? trial->count : UINT32_MAX));
    assert(trial->count == 0 || trial->index.count == trial->count);
    git_chains_open(&chains, &trial->index, &unpack);
    chains.most = 64 * LIMIT_MIB;
    for (uint32_t i = 0; i < trial->index.count; i++)
        if (trial->index.objects[i].stored < GIT_OFFSET_DELTA &&
            trial->index.objects[i].size < LIMIT_MIB)
            assert(!git_chains_follow(&chains, i, use, trial));
    assert(chains.held == 0 && chains.depth == 0);
    for (uint32_t i = 0; i < trial->count; i++)
        assert(chains.made > chains.most ||
               trial->named[i].seen == (trial->named[i].content != NULL));
    git_chains_close(&chains);
    git_index_free(&trial->index);
    git_unpack_close(&unpack);
    spool_close(&spool);
}

static void look_through(slice pack)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct list found = {0}, unopened = {0};
    struct spill spill = {.fd = -1};
    const struct secret_finds into = {&arena, &found, &unopened, &spill};
    CLEANUP_STREAM struct stream *stream = stream_from_memory(pack);
    CLEANUP_ERROR struct error *error =
        secret_find_in_file(password_scanner(), stream, pack.len, SLICE("x.pack"), &into);
    assert(!error || error->kind == ERROR_LIMIT);
    const struct secret *secrets = found.items;
    for (size_t i = 0; i < found.count; i++)
        assert(slice_starts(secrets[i].path, SLICE("x.pack")) &&
               slice_equal(secrets[i].file, SLICE("x.pack")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trial trial = {0};
    if (size == 0)
        return 0;
    slice input = slice_make(data + 1, size - 1), pack = input;
    git_hash_open(&trial.hash, GIT_SHA1);
    git_names_open(&trial.names);
    if (data[0] & 1) {
        build(&trial, input);
        pack = buffer_slice(&trial.pack);
    }
    if (pack.len >= GIT_PACK_HEADER)
        put_together(&trial, pack);
    look_through(pack);
    git_names_close(&trial.names);
    git_hash_close(&trial.hash);
    buffer_free(&trial.pack);
    for (uint32_t i = 0; i < trial.count; i++)
        free(trial.named[i].content);
    return 0;
}
