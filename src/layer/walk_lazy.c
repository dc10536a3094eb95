#include "layer/walk_lazy.h"
#include "layer/toc.h"
#include "layer/walk_internal.h"
#include "base/digest.h"
#include "base/limits.h"

/*
 * Two cursors go over the TOC. The planner finds what analyzers will ask for and has it fetched; it
 * is ahead of the reader, which hands the entries to the walk. A stretch of the layer (a gzip
 * member, one or several zstd frames) holds one chunk, or several of small files in eStargz.
 */
struct lazy {
    struct walk walk;
    struct toc toc;
    const char *compression; /* of stretches */
    struct ranges_ahead ahead;

    struct toc_cursor planner;
    struct walk plan; /* to ask analyzers with; what it notes is dropped */
    struct record plan_record;
    struct arena plan_arena;
    uint64_t plan_left;         /* bytes of the planner's file that are still wanted */
    struct layer_range stretch; /* wanted; its end is not known yet (0), or it is none */
    uint64_t stretch_limit;     /* where it ends at the latest, or 0 */
    bool stretch_open;

    struct toc_cursor reader;
    struct arena entry_arena;
    bool item_waits;       /* the reader stands on an item that is not looked at yet */
    struct stream *member; /* the stretch being unpacked … */
    uint64_t member_at;    /* … and where it begins */
    bool in_chunk;         /* the reader's item is being read … */
    uint64_t chunk_left;   /* … and so much is left of it */
    struct digest *digest; /* of what was read of it */
};

static struct error *make_entry(const struct toc_item *item, struct arena *arena,
                                struct entry *entry, bool *odd)
{
    if (item->name.len > LIMIT_PATH_BYTES || item->link.len > LIMIT_PATH_BYTES)
        return error_make(ERROR_LIMIT, "a path has %zu bytes, more than the limit of %d",
                          item->name.len > item->link.len ? item->name.len : item->link.len,
                          LIMIT_PATH_BYTES);
    /* A JSON string can hold what no file system takes; of a tar it is refused as well. */
    if (slice_find(item->name, '\0') != SIZE_MAX || slice_find(item->link, '\0') != SIZE_MAX)
        return error_make(ERROR_INPUT, "a path in its table of contents holds a NUL byte");
    *entry = (struct entry){.kind = item->kind, .mode = item->mode, .size = item->size};
    *odd = !path_normalize(arena, arena_copy(arena, item->name), &entry->path);
    entry->target = arena_copy(arena, item->link);
    if (item->kind == ENTRY_HARDLINK && !path_normalize(arena, entry->target, &entry->target))
        *odd = true;
    return NULL;
}

/* -- planning -------------------------------------------------------------------------------------
 */

/* A stretch ends where the next one begins, if not before. */
static struct error *close_stretch(struct lazy *lazy, uint64_t next)
{
    uint64_t end = next;
    if (!lazy->stretch_open || next <= lazy->stretch.offset)
        return NULL;
    if (lazy->stretch_limit && lazy->stretch_limit < end)
        end = lazy->stretch_limit;
    lazy->stretch_open = false;
    lazy->stretch.count = end - lazy->stretch.offset;
    return ranges_want(&lazy->ahead, lazy->stretch);
}

static struct error *plan_entry(struct lazy *lazy, const struct toc_item *item)
{
    struct entry entry;
    bool odd = false;
    lazy->plan_left = 0;
    if (item->kind != ENTRY_FILE || item->size == 0)
        return NULL;
    TRY(make_entry(item, &lazy->plan_arena, &entry, &odd));
    lazy->plan_left = walk_bytes_wanted(&lazy->plan, &entry);
    arena_free(&lazy->plan_arena);
    arena_free(&lazy->plan.scratch);
    lazy->plan_record = (struct record){0};
    return NULL;
}

static struct error *plan_item(struct lazy *lazy)
{
    const struct toc_item *item = &lazy->planner.item;
    if (item->chunk_size)
        TRY(close_stretch(lazy, item->offset));
    if (!item->further)
        TRY(plan_entry(lazy, item));
    if (lazy->plan_left == 0 || item->chunk_size == 0)
        return NULL;
    lazy->plan_left -= item->chunk_size < lazy->plan_left ? item->chunk_size : lazy->plan_left;
    if (item->zeros || lazy->stretch_open)
        return NULL;
    lazy->stretch_open = true;
    lazy->stretch.offset = item->offset;
    lazy->stretch_limit = item->end;
    return NULL;
}

static struct error *plan_more(struct lazy *lazy)
{
    while (!lazy->planner.ended && !ranges_full(&lazy->ahead)) {
        TRY(toc_next(&lazy->planner));
        if (!lazy->planner.ended) {
            TRY(plan_item(lazy));
            continue;
        }
        TRY(close_stretch(lazy, lazy->toc.data_end));
        TRY(ranges_ask(&lazy->ahead));
    }
    return NULL;
}

/* -- reading --------------------------------------------------------------------------------------
 */

static struct error *open_member(struct lazy *lazy, const struct toc_item *item)
{
    struct stream *below;
    const char *name;
    if (!lazy->member || lazy->member_at != item->offset) {
        stream_close(lazy->member);
        lazy->member = NULL;
        TRY(plan_more(lazy));
        TRY(ranges_open(&lazy->ahead, item->offset, &below));
        lazy->member_at = item->offset;
        TRY(stream_unpack(&lazy->member, below, &name));
        if (!slice_equal(slice_from_text(name), slice_from_text(lazy->compression)))
            return error_make(ERROR_INPUT, "at byte %llu of the layer no %s begins",
                              (unsigned long long)item->offset, lazy->compression);
    }
    return stream_skip(lazy->member, item->inside - lazy->member->position);
}

static struct error *begin_chunk(struct lazy *lazy)
{
    const struct toc_item *item = &lazy->reader.item;
    if (!digest_valid(item->digest))
        return error_make(ERROR_INPUT,
                          "the table of contents gives its content no digest to check it by: read "
                          "the layer whole (--no-lazy)");
    if (!item->zeros)
        TRY(open_member(lazy, item));
    lazy->digest = digest_start(item->digest);
    lazy->chunk_left = item->chunk_size;
    lazy->in_chunk = true;
    return NULL;
}

static struct error *end_chunk(struct lazy *lazy)
{
    CLEANUP_ARENA struct arena arena = {0};
    const struct toc_item *item = &lazy->reader.item;
    slice found = digest_finish(lazy->digest, &arena);
    lazy->digest = NULL;
    lazy->in_chunk = false;
    if (slice_equal(found, item->digest))
        return NULL;
    return error_make(ERROR_INPUT,
                      "its content at byte %llu of the layer has the digest %.*s, but the table of "
                      "contents names %.*s: it was changed or damaged on its way; fetch the image "
                      "again",
                      (unsigned long long)item->offset, SLICE_ARG(found), SLICE_ARG(item->digest));
}

static struct error *read_chunk(struct lazy *lazy, slice *piece)
{
    static const char zeros[32 * 1024];
    *piece = slice_make(zeros, sizeof(zeros));
    if (!lazy->reader.item.zeros)
        TRY(stream_some(lazy->member, piece));
    if (piece->len == 0)
        return error_make(ERROR_INPUT,
                          "what is unpacked at byte %llu of the layer ends before its content does",
                          (unsigned long long)lazy->reader.item.offset);
    if (piece->len > lazy->chunk_left)
        piece->len = (size_t)lazy->chunk_left;
    if (!lazy->reader.item.zeros)
        stream_take(lazy->member, piece->len);
    digest_add(lazy->digest, piece->ptr, piece->len);
    lazy->chunk_left -= piece->len;
    return NULL;
}

/* The content of the entry at hand, chunk by chunk. */
static struct error *lazy_content(void *context, slice *piece)
{
    struct lazy *lazy = context;
    *piece = SLICE_EMPTY;
    for (;;) {
        if (lazy->item_waits || lazy->reader.ended || lazy->reader.item.chunk_size == 0)
            return NULL;
        if (!lazy->in_chunk)
            TRY(begin_chunk(lazy));
        if (lazy->chunk_left)
            return read_chunk(lazy, piece);
        TRY(end_chunk(lazy));
        TRY(toc_next(&lazy->reader));
        lazy->item_waits = !lazy->reader.item.further;
    }
}

/* A chunk that was begun is read to its end, since its digest is of all of it. */
static struct error *finish_chunk(struct lazy *lazy)
{
    slice piece;
    while (lazy->in_chunk && lazy->chunk_left)
        TRY(read_chunk(lazy, &piece));
    return lazy->in_chunk ? end_chunk(lazy) : NULL;
}

static struct error *walk_item(struct lazy *lazy)
{
    struct content content = {lazy_content, lazy, NULL};
    struct entry entry;
    bool odd = false;
    arena_free(&lazy->entry_arena);
    TRY(make_entry(&lazy->reader.item, &lazy->entry_arena, &entry, &odd));
    if (odd)
        walk_odd_path(&lazy->walk, entry.path);
    struct error *error = walk_entry(&lazy->walk, &entry, &content);
    if (!error)
        error = finish_chunk(lazy);
    return error_wrap(error, "%.*s", SLICE_ARG(entry.path));
}

static struct error *toc_content(void *context, slice *piece)
{
    slice *left = context;
    *piece = *left;
    *left = SLICE_EMPTY;
    return NULL;
}

/* The TOC does not list itself; whoever reads the layer whole finds it there as a file. */
static struct error *walk_toc_itself(struct lazy *lazy)
{
    slice left = lazy->toc.json;
    struct entry entry = {
        .kind = ENTRY_FILE, .path = TOC_NAME, .size = lazy->toc.json.len, .target = SLICE_EMPTY};
    struct content content = {toc_content, &left, NULL};
    return lazy->toc.in_tar ? walk_entry(&lazy->walk, &entry, &content) : NULL;
}

static struct error *walk_items(struct lazy *lazy)
{
    TRY(toc_start(&lazy->planner, &lazy->toc));
    TRY(toc_start(&lazy->reader, &lazy->toc));
    TRY(plan_more(lazy));
    for (;;) {
        if (!lazy->item_waits)
            TRY(toc_next(&lazy->reader));
        lazy->item_waits = false;
        if (lazy->reader.ended)
            return walk_toc_itself(lazy);
        if (!lazy->reader.item.further)
            TRY(walk_item(lazy));
    }
}

static struct error *read_toc(struct lazy *lazy, const struct layer_toc *where, struct buffer *json)
{
    if (!digest_valid(where->digest))
        return error_make(ERROR_INPUT, "its table of contents has no digest to check it by: read "
                                       "it whole (--no-lazy)");
    if (where->kind == TOC_ESTARGZ)
        return toc_read_estargz(&lazy->ahead, where, json, &lazy->toc);
    return toc_read_zstd_chunked(&lazy->ahead, where, json, &lazy->toc);
}

static struct error *walk_all(struct lazy *lazy, const struct layer_toc *where, struct buffer *json)
{
    TRY(read_toc(lazy, where, json));
    TRY(toc_check(&lazy->toc, &lazy->walk.record->statistics.bytes_unpacked));
    return walk_items(lazy);
}

static void lazy_free(struct lazy *lazy)
{
    stream_close(lazy->member);
    digest_free(lazy->digest);
    toc_end(&lazy->planner);
    toc_end(&lazy->reader);
    arena_free(&lazy->plan_arena);
    arena_free(&lazy->plan.scratch);
    arena_free(&lazy->entry_arena);
    free(lazy);
}

struct error *walk_lazy(struct layer_bytes *bytes, const struct layer_toc *toc,
                        const struct walk_options *options, struct arena *arena,
                        struct record *record)
{
    bool gzip = toc->kind == TOC_ESTARGZ;
    CLEANUP_BUFFER struct buffer json = {0};
    struct lazy *lazy = memory_alloc(sizeof(*lazy));
    memset(lazy, 0, sizeof(*lazy));
    lazy->compression = gzip ? "gzip" : "zstd";
    lazy->ahead.bytes = bytes;
    walk_begin(&lazy->walk, options, arena, record);
    walk_begin(&lazy->plan, options, &lazy->plan_arena, &lazy->plan_record);
    lazy->walk.whiteouts = lazy->plan.whiteouts = true;
    struct error *error = walk_all(lazy, toc, &json);
    walk_end(&lazy->walk);
    record->statistics.bytes_read = bytes->bytes_in;
    record->statistics.compression = gzip ? SLICE("estargz") : SLICE("zstd:chunked");
    record->statistics.digest_skipped = true;
    lazy_free(lazy);
    return error;
}
