#include "layer/walk.h"
#include "layer/walk_internal.h"
#include "analyze/analyzer.h"
#include "archive/tar.h"
#include "base/limits.h"

/* OCI image specification, layer.md, "Whiteouts" */
#define WHITEOUT_PREFIX SLICE(".wh.")
#define WHITEOUT_OPAQUE SLICE(".wh..wh..opq")
#define WHITEOUT_RESERVED SLICE(".wh..wh.") /* AUFS' own notes: not part of the file system */

void walk_problem(struct walk *walk, slice path, slice message)
{
    if (!walk->options->helper)
        walk_file_problem(walk, path, message);
}

void walk_file_problem(struct walk *walk, slice path, slice message)
{
    struct problem *problem = list_add(&walk->record->problems, walk->arena, sizeof(*problem));
    *problem = (struct problem){arena_copy(walk->arena, path), arena_copy(walk->arena, message)};
}

void walk_begin(struct walk *walk, const struct walk_options *options, struct arena *arena,
                struct record *record)
{
    *walk = (struct walk){
        .options = options, .arena = arena, .record = record, .spill = {.fd = options->spill}};
    *record = (struct record){0};
}

/* The buffer's hashes, sorted, as a set of the record. */
static struct path_set take_set(struct walk *walk, struct buffer *hashes)
{
    struct path_set set = path_set_make(walk->arena, buffer_slice(hashes));
    buffer_free(hashes);
    return set;
}

void walk_end(struct walk *walk)
{
    walk->record->files = take_set(walk, &walk->file_hashes);
    walk->record->folders = take_set(walk, &walk->folder_hashes);
    buffer_free(&walk->gathered);
    buffer_free(&walk->file_hashes);
    buffer_free(&walk->folder_hashes);
    arena_free(&walk->scratch);
}

static void add_whiteout(struct walk *walk, slice path, bool opaque)
{
    if (walk->options->helper)
        return;
    struct whiteout *whiteout = list_add(&walk->record->whiteouts, walk->arena, sizeof(*whiteout));
    *whiteout = (struct whiteout){arena_copy(walk->arena, path), opaque};
}

bool walk_is_whiteout(const struct walk *walk, slice path)
{
    return walk->whiteouts && slice_starts(slice_basename(path), WHITEOUT_PREFIX);
}

/* True when the entry is a whiteout: it takes something away and is itself no file. */
static bool note_whiteout(struct walk *walk, const struct entry *entry)
{
    slice name = slice_basename(entry->path);
    slice folder = slice_dirname(entry->path);
    if (!walk_is_whiteout(walk, entry->path))
        return false;
    if (slice_equal(name, WHITEOUT_OPAQUE)) {
        add_whiteout(walk, folder, true);
    } else if (!slice_starts(name, WHITEOUT_RESERVED)) {
        slice gone = slice_from(name, WHITEOUT_PREFIX.len);
        if (gone.len == 0 || slice_equal(gone, SLICE(".")) || slice_equal(gone, SLICE("..")))
            walk_problem(walk, entry->path, SLICE("this whiteout names nothing to take away"));
        else if (folder.len)
            add_whiteout(
                walk, arena_format(&walk->scratch, "%.*s/%.*s", SLICE_ARG(folder), SLICE_ARG(gone)),
                false);
        else
            add_whiteout(walk, gone, false);
    }
    return true;
}

static bool is_redirected(const struct walk *walk, slice path)
{
    for (size_t i = 0; i < walk->options->redirect_count; i++)
        if (slice_equal(walk->options->redirects[i].from, path))
            return true;
    return false;
}

static void note_link(struct walk *walk, const struct entry *entry)
{
    bool hard = entry->kind == ENTRY_HARDLINK;
    if (hard && !analyzer_wants_path(entry->path) && !is_redirected(walk, entry->path))
        return;
    struct link *link = list_add(&walk->record->links, walk->arena, sizeof(*link));
    *link = (struct link){arena_copy(walk->arena, entry->path),
                          arena_copy(walk->arena, entry->target), hard};
}

static void note_path(struct walk *walk, const struct entry *entry)
{
    uint64_t hash = slice_hash(entry->path);
    struct buffer *set = entry->kind == ENTRY_FOLDER ? &walk->folder_hashes : &walk->file_hashes;
    buffer_add(set, slice_make(&hash, sizeof(hash)));
}

static void note_entry(struct walk *walk, const struct entry *entry)
{
    note_path(walk, entry);
    if (entry->kind == ENTRY_SYMLINK || entry->kind == ENTRY_HARDLINK)
        note_link(walk, entry);
}

static struct error *check_counts(const struct walk *walk)
{
    if (walk->record->statistics.entries > LIMIT_LAYER_ENTRIES)
        return error_make(ERROR_LIMIT, "it has more than %d entries, the limit of a layer",
                          LIMIT_LAYER_ENTRIES);
    if (walk->arena->used + walk->file_hashes.len + walk->folder_hashes.len > LIMIT_RECORD_BYTES)
        return error_make(ERROR_LIMIT,
                          "what was found in it takes more than %llu bytes, the limit "
                          "of a layer's record",
                          (unsigned long long)LIMIT_RECORD_BYTES);
    return NULL;
}

struct error *walk_entry(struct walk *walk, const struct entry *entry,
                         const struct content *content)
{
    walk->record->statistics.entries++;
    TRY(check_counts(walk));
    arena_free(&walk->scratch);
    if (entry->path.len == 0 || note_whiteout(walk, entry))
        return NULL;
    if (!walk->options->helper)
        note_entry(walk, entry);
    if (entry->kind == ENTRY_FILE)
        return walk_analyze(walk, entry, content);
    return NULL;
}

void walk_odd_path(struct walk *walk, slice path)
{
    walk_problem(walk, path,
                 SLICE("an entry's path or link climbs above the image's root (\"..\"): "
                       "runtimes refuse it or read it otherwise; build the image anew"));
}

static struct error *tar_content(void *context, slice *piece)
{
    return tar_read(context, piece);
}

static struct error *skip_tar_content(void *context, uint64_t count)
{
    return tar_skip(context, count);
}

static struct error *walk_entries(struct walk *walk, struct tar *tar)
{
    struct content content = {tar_content, tar, NULL};
    for (;;) {
        const struct entry *entry;
        TRY(tar_next(tar, &entry));
        if (!entry)
            return NULL;
        if (tar->odd_path)
            walk_odd_path(walk, entry->path);
        content.pass_over = tar->regions ? NULL : skip_tar_content;
        TRY(error_wrap(walk_entry(walk, entry, &content), "%.*s", SLICE_ARG(entry->path)));
    }
}

struct error *walk_tar(struct stream *stream, const struct walk_options *options,
                       struct arena *arena, struct record *record, bool *end_marked)
{
    struct walk walk;
    struct tar tar;
    walk_begin(&walk, options, arena, record);
    walk.whiteouts = true;
    tar_start(&tar, stream);
    struct error *error = walk_entries(&walk, &tar);
    *end_marked = tar.end_marked;
    record->statistics.bytes_unpacked = stream->position;
    tar_free(&tar);
    walk_end(&walk);
    return error;
}
