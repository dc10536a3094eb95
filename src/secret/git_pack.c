/*
 * Git's packs (gitformat-pack): each object is put together and looked through once, under the name
 * that a tree of the pack gives it. Names first, from the trees; then commits, tags and files; then
 * what could not be put together, as it is stored.
 */
#include "secret/git_changes.h"
#include "secret/git_chains.h"
#include "secret/git_delta.h"
#include "secret/git_names.h"
#include "secret/git_stored.h"
#include "secret/kinds.h"
#include "archive/content_stream.h"
#include "base/limits.h"
#include "base/map.h"

enum { ID_SHOWN = 5 /* bytes, twice as many digits */ };

struct pack {
    struct secret_look *look;
    struct spool spool;
    struct git_unpack unpack;
    struct git_index index;
    struct git_chains chains;
    struct git_hash hash;
    struct git_names names;
    uint64_t announced;  /* objects, as the pack says */
    uint64_t tree_bytes; /* that were looked at for names */
    struct arena arena;  /* of what is told already */
    struct map told;     /* secrets of this pack by what they are and where */
    struct arena object; /* of the object at hand */
};

/* -- one object -----------------------------------------------------------------------------------
 */

static slice key_of(struct pack *pack, const struct secret *secret, size_t version)
{
    const slice parts[] = {secret->rule, secret->fingerprint, slice_from(secret->path, version),
                           slice_first(secret->allowed, 1)};
    return map_key(&pack->object, parts, sizeof(parts) / sizeof(parts[0]));
}

/* What stands in many versions of a file is told once. Paths differ by the version up to there. */
static void tell(struct pack *pack, const struct list *secrets, size_t version)
{
    const struct secret *found = secrets->items;
    struct list *all = pack->look->into->secrets;
    for (size_t i = 0; i < secrets->count; i++) {
        if (all->count >= LIMIT_SECRETS_PER_LAYER)
            ((struct secret *)all->items)[all->count - 1].more += 1 + found[i].more;
        else if (!map_get(&pack->told, key_of(pack, &found[i], version)))
            secret_look_keep(pack->look, &found[i]);
    }
    for (size_t i = 0; i < secrets->count && pack->told.count < LIMIT_SECRETS_PER_LAYER; i++) {
        slice key = key_of(pack, &found[i], version);
        if (!map_get(&pack->told, key))
            map_put(&pack->told, arena_copy(&pack->arena, key), pack);
    }
}

static void tell_unopened(const struct secret_finds *into, const struct list *unopened)
{
    const struct unopened *items = unopened->items;
    for (size_t i = 0; i < unopened->count; i++) {
        unopened_add(into->unopened, into->arena, items[i].path, items[i].why);
        ((struct unopened *)into->unopened->items)[into->unopened->count - 1].more += items[i].more;
    }
}

/* By its name, which ends in the path that a tree gives to it, if one does. */
static struct error *look_inside(struct pack *pack, slice name, slice path,
                                 struct error *(*next)(void *context, slice *piece), void *context)
{
    struct secret_look *look = pack->look, own = *look;
    struct list secrets = {0}, unopened = {0};
    const struct secret_finds into = {&pack->object, &secrets, &unopened, look->into->spill};
    own.into = &into;
    own.kept_path = SLICE_EMPTY;
    own.packed_depth = look->depth + 1;
    struct error *error = secret_look_inside(&own, name, next, context);
    look->incomplete |= own.incomplete;
    tell(pack, &secrets, look->path.len + 1 + name.len - path.len);
    tell_unopened(look->into, &unopened);
    return error;
}

static slice shown_id(struct pack *pack, const unsigned char *id)
{
    static const char digits[] = "0123456789abcdef";
    char text[2 * ID_SHOWN];
    for (size_t i = 0; i < ID_SHOWN; i++) {
        text[2 * i] = digits[id[i] >> 4];
        text[2 * i + 1] = digits[id[i] & 0x0f];
    }
    return arena_copy(&pack->object, slice_make(text, sizeof(text)));
}

/* The id comes first, so that the name of the file is the last part of the path. */
static slice name_of(struct pack *pack, enum git_type type, const unsigned char *id, slice path)
{
    static const char *const words[] = {
        [GIT_COMMIT] = "commit", [GIT_BLOB] = "blob", [GIT_TAG] = "tag"};
    slice shown = shown_id(pack, id);
    if (path.len)
        return arena_format(&pack->object, "%.*s/%.*s", SLICE_ARG(shown), SLICE_ARG(path));
    return arena_format(&pack->object, "%s %.*s", words[type], SLICE_ARG(shown));
}

static void find_id(struct pack *pack, enum git_type type, slice content,
                    unsigned char id[GIT_SHA256])
{
    git_hash_begin(&pack->hash, type, content.len);
    git_hash_add(&pack->hash, content);
    git_hash_end(&pack->hash, id);
}

static struct error *next_of_slice(void *context, slice *piece)
{
    slice *left = context;
    *piece = *left;
    *left = SLICE_EMPTY;
    return NULL;
}

static bool is_text(struct pack *pack, slice name, slice content)
{
    struct secret_look inner = *pack->look;
    inner.packed_depth = ++inner.depth;
    inner.path = arena_format(&pack->object, "%.*s!%.*s", SLICE_ARG(inner.path), SLICE_ARG(name));
    return secret_look_is_text(&inner, content);
}

/*
 * Of a text that is made of another version of the same file only what changes is looked at. What
 * is noted of each text is its path: rules may ask for it.
 */
static struct error *look_at_made(struct pack *pack, struct git_made *made, enum git_type type,
                                  const unsigned char *id)
{
    slice path = type == GIT_BLOB ? git_names_path(&pack->names, id, &pack->object) : SLICE_EMPTY;
    slice name = name_of(pack, type, id, path), content = made->content;
    struct git_changes changes;
    if (type != GIT_BLOB || !is_text(pack, name, content))
        return look_inside(pack, name, path, next_of_slice, &content);
    made->note = memory_text(path);
    if (!made->base_note || !slice_equal(slice_from_text(made->base_note), path))
        return look_inside(pack, name, path, next_of_slice, &content);
    git_changes_find(&changes, content, made->base, made->instructions, &pack->object);
    return look_inside(pack, name, path, git_changes_next, &changes);
}

/* -- the ways through the pack --------------------------------------------------------------------
 */

static struct error *use_tree(void *context, struct git_made *made)
{
    struct pack *pack = context;
    unsigned char id[GIT_SHA256];
    pack->tree_bytes += made->content.len;
    find_id(pack, GIT_TREE, made->content, id);
    git_index_attach(&pack->index, made->object, id);
    git_names_add_tree(&pack->names, id, made->content, pack->index.id_bytes);
    return NULL;
}

static struct error *use_content(void *context, struct git_made *made)
{
    struct pack *pack = context;
    unsigned char id[GIT_SHA256];
    enum git_type type = (enum git_type)pack->index.objects[made->object].type;
    find_id(pack, type, made->content, id);
    git_index_attach(&pack->index, made->object, id);
    struct error *error = look_at_made(pack, made, type, id);
    arena_free(&pack->object);
    /* The other half is for the deltas themselves, and for what is stored whole. */
    if (*pack->look->unpacked > LIMIT_SECRET_ARCHIVE_BYTES / 2)
        pack->chains.most = 0;
    return error;
}

static struct error *find_names(struct pack *pack)
{
    pack->chains.made = 0;
    pack->chains.most = LIMIT_GIT_TREE_BYTES;
    for (uint32_t i = 0; i < pack->index.count; i++)
        if (pack->index.objects[i].stored == GIT_TREE &&
            pack->index.objects[i].size <= LIMIT_GIT_OBJECT_BYTES &&
            pack->tree_bytes <= LIMIT_GIT_TREE_BYTES)
            TRY(git_chains_follow(&pack->chains, i, use_tree, pack));
    return NULL;
}

static struct error *next_unpacked(void *context, slice *piece)
{
    struct git_unpack *unpack = context;
    size_t got;
    TRY(git_unpack_some(unpack, unpack->piece, GIT_PIECE, &got));
    *piece = slice_make(unpack->piece, got);
    return NULL;
}

/* One that is stored whole and too large for memory: read twice, since its name is in its id. */
static struct error *look_at_large(struct pack *pack, uint32_t object)
{
    struct git_object *at = &pack->index.objects[object];
    uint64_t start = git_index_start(&pack->index, object);
    uint64_t end = git_index_end(&pack->index, object);
    unsigned char id[GIT_SHA256];
    struct git_header header;
    slice piece;
    at->made = true;
    TRY(spool_view_show_to(&pack->unpack.view, at->offset, end, GIT_HEADER_MOST, &piece));
    if (!git_header_read(piece, pack->index.id_bytes, &header))
        return NULL;
    git_hash_begin(&pack->hash, header.type, header.size);
    git_unpack_begin(&pack->unpack, start, end);
    do {
        TRY(next_unpacked(&pack->unpack, &piece));
        git_hash_add(&pack->hash, piece);
    } while (piece.len);
    git_hash_end(&pack->hash, id);
    git_index_attach(&pack->index, object, id);
    git_unpack_begin(&pack->unpack, start, end);
    slice path = git_names_path(&pack->names, id, &pack->object);
    slice name = name_of(pack, header.type, id, path);
    struct error *error = look_inside(pack, name, path, next_unpacked, &pack->unpack);
    arena_free(&pack->object);
    return error;
}

/* A few bytes can say that a file is made of millions. */
static uint64_t most_made(const struct pack *pack)
{
    uint64_t most = pack->spool.size * LIMIT_GIT_RATIO;
    most = most > LIMIT_GIT_RATIO_FROM ? most : LIMIT_GIT_RATIO_FROM;
    return most < LIMIT_GIT_PACK_BYTES ? most : LIMIT_GIT_PACK_BYTES;
}

static struct error *look_at_contents(struct pack *pack)
{
    pack->chains.made = 0;
    pack->chains.most = most_made(pack);
    for (uint32_t i = 0; i < pack->index.count; i++) {
        const struct git_object *object = &pack->index.objects[i];
        if (object->stored >= GIT_OFFSET_DELTA || object->stored == GIT_TREE)
            continue;
        if (object->size > LIMIT_GIT_OBJECT_BYTES)
            TRY(look_at_large(pack, i));
        else
            TRY(git_chains_follow(&pack->chains, i, use_content, pack));
    }
    return NULL;
}

/* -- what could not be put together ---------------------------------------------------------------
 */

struct adding {
    struct git_unpack *unpack;
    struct git_delta_added added;
};

static struct error *next_added(void *context, slice *piece)
{
    struct adding *adding = context;
    do {
        TRY(next_unpacked(adding->unpack, piece));
        if (piece->len == 0)
            return NULL;
        piece->len = git_delta_keep_added(&adding->added, adding->unpack->piece, piece->len);
    } while (piece->len == 0);
    return NULL;
}

static struct error *look_at_delta(struct pack *pack, uint32_t object)
{
    struct adding adding = {.unpack = &pack->unpack};
    slice name = arena_format(&pack->object, "object at %u", pack->index.objects[object].offset);
    git_unpack_begin(&pack->unpack, git_index_start(&pack->index, object),
                     git_index_end(&pack->index, object));
    struct error *error = look_inside(pack, name, SLICE_EMPTY, next_added, &adding);
    arena_free(&pack->object);
    return error;
}

/* What is made of it could not be made either, for the same reason. */
static enum git_left why_left(const struct git_index *index, const struct git_object *object)
{
    if (object->base == GIT_NONE || object->left != GIT_LEFT_NO_BASE)
        return (enum git_left)object->left;
    const struct git_object *base = &index->objects[object->base];
    return base->made ? GIT_LEFT_LARGE : (enum git_left)base->left;
}

static void tell_left(struct pack *pack, const uint64_t *counts)
{
    static const char *const reasons[GIT_LEFT_COUNT] = {
        [GIT_LEFT_NO_BASE] = "whose base is not in it",
        [GIT_LEFT_LARGE] = "of what is too large to be put together",
        [GIT_LEFT_MUCH] = "beyond what is put together of one pack",
        [GIT_LEFT_DAMAGED] = "whose instructions are damaged",
    };
    for (int i = 0; i < GIT_LEFT_COUNT; i++) {
        if (counts[i] == 0)
            continue;
        slice why =
            arena_format(&pack->object, "looked at as stored: %llu delta%s %s",
                         (unsigned long long)counts[i], counts[i] > 1 ? "s" : "", reasons[i]);
        secret_look_unopened(pack->look, why.ptr);
        arena_free(&pack->object);
    }
}

static struct error *look_at_left(struct pack *pack)
{
    uint64_t counts[GIT_LEFT_COUNT] = {0};
    for (uint32_t i = 0; i < pack->index.count; i++) {
        struct git_object *object = &pack->index.objects[i];
        if (object->made || object->stored < GIT_OFFSET_DELTA)
            continue;
        if (object->type == GIT_UNKNOWN && object->base != GIT_NONE)
            object->type = pack->index.objects[object->base].type;
        if (object->type == GIT_TREE)
            continue;
        object->left = (uint8_t)why_left(&pack->index, object);
        counts[object->left]++;
        TRY(look_at_delta(pack, i));
    }
    tell_left(pack, counts);
    return NULL;
}

/* -- what follows the last object that could be read ----------------------------------------------
 */

struct following {
    struct pack *pack;
    struct stream *stream;
    uint64_t at;
    size_t shown; /* of the stream */
};

/* The end of the spool, and then what the stream still has. */
static struct error *next_following(void *context, slice *piece)
{
    struct following *following = context;
    TRY(spool_view_show(&following->pack->unpack.view, following->at, 1, piece));
    following->at += piece->len;
    if (piece->len)
        return NULL;
    stream_take(following->stream, following->shown);
    TRY(stream_some(following->stream, piece));
    following->shown = piece->len;
    return NULL;
}

static struct error *look_at_following(struct pack *pack, struct stream *stream)
{
    const struct git_index *index = &pack->index;
    if (index->count == pack->announced)
        return NULL;
    if (index->count == LIMIT_SECRET_ARCHIVE_MEMBERS) {
        secret_look_many_members(pack->look);
        return NULL;
    }
    if (!pack->spool.whole) {
        slice why = arena_format(&pack->object,
                                 "larger than %llu bytes: what follows was looked at as stored",
                                 (unsigned long long)pack->spool.size);
        secret_look_unopened(pack->look, why.ptr);
        arena_free(&pack->object);
    }
    struct following following = {.pack = pack, .stream = stream, .at = index->end};
    const struct content content = {next_following, &following, NULL};
    CLEANUP_STREAM struct stream *rest = stream_from_content(&content);
    return git_look_at_stored(pack->look, rest, index->end, pack->announced - index->count,
                              index->id_bytes);
}

/* -- a pack ---------------------------------------------------------------------------------------
 */

static bool is_pack(const struct secret_look *look, slice head)
{
    (void)look;
    return head.len >= GIT_PACK_HEADER && slice_starts(head, SLICE("PACK\0\0\0")) &&
           (head.ptr[7] == 2 || head.ptr[7] == 3);
}

static struct error *look_through(struct pack *pack, struct stream *stream)
{
    unsigned char count[4];
    TRY(spool_read(&pack->spool, GIT_PACK_HEADER - sizeof(count), count, sizeof(count)));
    for (size_t i = 0; i < sizeof(count); i++)
        pack->announced = pack->announced << 8 | count[i];
    TRY(git_index_make(&pack->index, &pack->unpack, (uint32_t)pack->announced));
    git_hash_open(&pack->hash, pack->index.id_bytes);
    struct error *error = find_names(pack);
    if (!error)
        error = look_at_contents(pack);
    if (!error)
        error = look_at_left(pack);
    if (!error)
        error = look_at_following(pack, stream);
    git_hash_close(&pack->hash);
    return error;
}

static struct error *look_at_spooled(struct secret_look *look, struct spill *spill,
                                     struct stream *stream)
{
    uint64_t most = spill->fd < 0 ? LIMIT_SPOOL_MEMORY : LIMIT_SECRET_SPOOL_BYTES;
    struct pack pack = {.look = look};
    pack.told.arena = &pack.arena;
    TRY(spool_open(&pack.spool, spill, stream, most));
    git_unpack_open(&pack.unpack, &pack.spool);
    git_names_open(&pack.names);
    git_chains_open(&pack.chains, &pack.index, &pack.unpack);
    struct error *error = look_through(&pack, stream);
    git_chains_close(&pack.chains);
    git_names_close(&pack.names);
    git_index_free(&pack.index);
    git_unpack_close(&pack.unpack);
    arena_free(&pack.arena);
    arena_free(&pack.object);
    spool_close(&pack.spool);
    return error;
}

static struct error *look_at_pack(struct secret_look *look, struct stream *stream)
{
    struct spill memory = {.fd = -1};
    if (!secret_look_may_open(look))
        return secret_look_too_deep(look, stream);
    return look_at_spooled(look, look->into->spill ? look->into->spill : &memory, stream);
}

const struct secret_kind secret_kind_git_pack = {"git pack", is_pack, look_at_pack};
