/*
 * Zips (wheels, jars, eggs, torch's checkpoints): by the directory at their end, and what it does
 * not name as well; front to back where there is none, or where they are too large to be kept.
 * Programs and scripts may have one behind them.
 */
#include "secret/kinds.h"
#include "secret/zip_tail.h"
#include "archive/content_stream.h"
#include "archive/zip_directory.h"
#include "archive/zip_walk.h"
#include "base/limits.h"

enum {
    EXTRA_MOST = 8 * 1024, /* bytes of a member's extra data that are read */
    WORTH_A_LOOK = 8,      /* fewer bytes are no secret */
    NAME_SHOWN = 200,      /* bytes of another name in a sentence */
};

static const char damaged_sum[] = "damaged: a checksum that does not match";

struct reading {
    struct secret_look *look;
    struct spool spool;
    struct spool_view listed;  /* of the directory, … */
    struct spool_view view;    /* of headers, and … */
    struct spool_view content; /* … of a member's content: each goes forward by itself */
    struct decoder *decoder;
    struct zip_directory directory;
    uint64_t covered; /* bytes from the start that were looked at */
    bool surely;      /* it is a zip, also when none of its members can be read */
};

/* -- front to back --------------------------------------------------------------------------------
 */

static bool is_folder(slice name)
{
    return name.len && name.ptr[name.len - 1] == '/';
}

static struct error *look_at_walked(struct secret_look *look, struct zip_walk *walk)
{
    CLEANUP_ARENA struct arena own = {0};
    slice name = arena_copy(&own, zip_walk_name(walk));
    if (!zip_walk_problem(walk) && !is_folder(name))
        TRY(secret_look_inside(look, name, zip_walk_read, walk));
    const char *problem = zip_walk_problem(walk);
    if (problem)
        secret_look_unopened_member(look, name, problem);
    return NULL;
}

static struct error *look_between(struct secret_look *look, struct zip_walk *walk)
{
    unsigned outer = look->gap_depth;
    look->gap_depth = look->depth + 1;
    struct error *error = secret_look_inside(look, SLICE_EMPTY, zip_walk_read, walk);
    look->gap_depth = outer;
    return error;
}

static struct error *walk_all(struct secret_look *look, struct zip_walk *walk)
{
    for (size_t count = 0;; count++) {
        enum zip_part part;
        TRY(zip_walk_next(walk, &part));
        if (part == ZIP_NOTHING_MORE)
            return NULL;
        if (count == LIMIT_SECRET_ARCHIVE_MEMBERS) {
            secret_look_many_members(look);
            return NULL;
        }
        TRY(part == ZIP_MEMBER ? look_at_walked(look, walk) : look_between(look, walk));
    }
}

/* What a spool has, and then what the stream it was filled from still has. */
struct both {
    struct spool_view *view;
    struct stream *rest;
};

static struct error *next_of_both(void *context, slice *piece)
{
    struct both *both = context;
    TRY(spool_view_next(both->view, piece));
    return piece->len ? NULL : secret_look_next_of_stream(both->rest, piece);
}

/* Of one that was kept whole, the end record would have been found. */
static struct error *look_front_to_back(struct reading *reading, struct stream *stream,
                                        uint64_t size)
{
    struct zip_walk *walk = zip_walk_open(stream, size, reading->decoder);
    struct error *error = walk_all(reading->look, walk);
    bool is_cut = reading->spool.whole || !zip_walk_met_directory(walk);
    if (!error && is_cut && (reading->surely || zip_walk_met_member(walk)))
        secret_look_unopened(reading->look, "damaged: the directory at its end is missing");
    zip_walk_close(walk);
    return error;
}

/* -- a member, as the directory has it ------------------------------------------------------------
 */

struct named {
    struct zip_entry directory, local;
    slice name, local_name; /* of directory and header */
    uint64_t data;          /* where its content begins */
    bool disagree;
};

static struct error *read_extra(struct spool_view *view, struct zip_entry *entry, uint64_t at,
                                bool local)
{
    slice bytes;
    if (entry->packed != UINT32_MAX && entry->size != UINT32_MAX && entry->offset != UINT32_MAX)
        return NULL;
    size_t count = entry->extra < EXTRA_MOST ? entry->extra : EXTRA_MOST;
    TRY(spool_view_show(view, at, count, &bytes));
    zip_read_extra(entry, slice_first(bytes, count), local);
    return NULL;
}

static struct error *read_name(struct spool_view *view, const struct zip_entry *entry, uint64_t at,
                               struct arena *arena, slice *name)
{
    slice bytes;
    size_t count = entry->name < LIMIT_PATH_BYTES ? entry->name : LIMIT_PATH_BYTES;
    TRY(spool_view_show(view, at, count, &bytes));
    *name = arena_copy(arena, slice_first(bytes, count));
    return NULL;
}

static struct error *read_listed(struct reading *reading, const struct zip_place *place,
                                 struct arena *arena, struct named *named)
{
    slice bytes;
    uint64_t at = place->entry;
    struct zip_entry *entry = &named->directory;
    TRY(spool_view_show(&reading->listed, at, ZIP_DIRECTORY_HEADER, &bytes));
    zip_read_directory(entry, bytes);
    at += ZIP_DIRECTORY_HEADER;
    TRY(read_name(&reading->listed, entry, at, arena, &named->name));
    return read_extra(&reading->listed, entry, at + entry->name, false);
}

/* Sizes that only follow the content are 0 in its header, or left as they are not known yet. */
static bool disagree(const struct named *named)
{
    const struct zip_entry *a = &named->directory, *b = &named->local;
    bool later = (a->flags | b->flags) & ZIP_DESCRIPTOR;
    return a->name != b->name || !slice_equal(named->name, named->local_name) ||
           a->method != b->method || (a->flags ^ b->flags) & ZIP_ENCRYPTED ||
           (!later && (a->packed != b->packed || a->size != b->size || a->sum != b->sum));
}

/* *found is false when no header is where the directory says. */
static struct error *read_local(struct reading *reading, const struct zip_place *place,
                                struct arena *arena, struct named *named, bool *found)
{
    slice bytes;
    uint64_t at = place->local;
    TRY(spool_view_show(&reading->view, at, ZIP_LOCAL_HEADER, &bytes));
    *found = bytes.len >= ZIP_LOCAL_HEADER && slice_starts(bytes, ZIP_LOCAL_MAGIC);
    if (!*found)
        return NULL;
    zip_read_local(&named->local, bytes);
    at += ZIP_LOCAL_HEADER;
    TRY(read_name(&reading->view, &named->local, at, arena, &named->local_name));
    TRY(read_extra(&reading->view, &named->local, at + named->local.name, true));
    named->data = at + named->local.name + named->local.extra;
    named->disagree = disagree(named);
    return NULL;
}

static struct error *begin_decoding(struct reading *reading, const struct zip_entry *entry,
                                    enum decoder_method method, uint64_t at, struct stream *packed)
{
    char header[DECODER_LZMA_HEADER];
    slice bytes = SLICE_EMPTY;
    uint64_t count = entry->packed;
    if (method == DECODE_LZMA) {
        TRY(spool_view_show(&reading->view, at, ZIP_LZMA_PROPERTIES, &bytes));
        size_t length = zip_lzma_header(entry, bytes, header);
        length = length <= count ? length : 0;
        reading->content.at += length;
        count -= length;
        bytes = slice_make(header, length ? sizeof(header) : 0);
    }
    decoder_begin(reading->decoder, method, packed, count, false, bytes);
    return NULL;
}

static const char *problem_of(const struct decoder *decoder, const struct zip_entry *entry)
{
    if (!decoder_ended(decoder))
        return NULL; /* what it is was clear before its end */
    if (decoder_problem(decoder))
        return decoder_problem(decoder);
    return decoder_sum(decoder) == entry->sum ? NULL : damaged_sum;
}

/* Members that the directory does not name, and anything else. */
static struct error *look_at_range(struct reading *reading, uint64_t start, uint64_t end)
{
    if (end - start < WORTH_A_LOOK)
        return NULL;
    reading->content.at = start;
    reading->content.end = end;
    const struct content content = {spool_view_next, &reading->content, NULL};
    CLEANUP_STREAM struct stream *stream = stream_from_content(&content);
    struct zip_walk *walk = zip_walk_open(stream, end - start, reading->decoder);
    struct error *error = walk_all(reading->look, walk);
    zip_walk_close(walk);
    return error;
}

static struct error *look_at_content(struct reading *reading, const struct zip_entry *entry,
                                     slice name, uint64_t at)
{
    enum decoder_method method;
    const struct content content = {spool_view_next, &reading->content, NULL};
    if (entry->flags & ZIP_ENCRYPTED) {
        secret_look_unopened_member(reading->look, name, "encrypted");
        return NULL;
    }
    if (!zip_decoder(entry->method, false, &method)) {
        secret_look_unopened_member(reading->look, name,
                                    "packed by a method that is not known here");
        return NULL;
    }
    if (entry->packed == 0 && entry->size == 0)
        return NULL;
    reading->content.at = at;
    reading->content.end = entry->packed < UINT64_MAX - at ? at + entry->packed : UINT64_MAX;
    CLEANUP_STREAM struct stream *packed = stream_from_content(&content);
    TRY(begin_decoding(reading, entry, method, at, packed));
    TRY(secret_look_inside(reading->look, name, decoder_next, reading->decoder));
    const char *problem = problem_of(reading->decoder, entry);
    if (problem)
        secret_look_unopened_member(reading->look, name, problem);
    /* Behind the end of what is packed, and yet in front of the member's. */
    uint64_t left = decoder_ended(reading->decoder) ? decoder_left(reading->decoder) : 0;
    uint64_t end =
        reading->content.end < reading->spool.size ? reading->content.end : reading->spool.size;
    return left && left < end ? look_at_range(reading, end - left, end) : NULL;
}

/* Up to the end of the descriptor that may follow it. Of one whose size nobody tells beforehand its
 * header says where it ends, when what no member takes is looked at. */
static struct error *cover(struct reading *reading, const struct named *named)
{
    slice bytes;
    const struct zip_entry *entry = &named->directory;
    if (entry->packed == 0 && (entry->flags | named->local.flags) & ZIP_DESCRIPTOR)
        return NULL;
    uint64_t left = reading->spool.size > named->data ? reading->spool.size - named->data : 0;
    uint64_t end = named->data + (entry->packed < left ? entry->packed : left);
    if ((named->directory.flags | named->local.flags) & ZIP_DESCRIPTOR) {
        TRY(spool_view_show(&reading->view, end, ZIP_DESCRIPTOR_MOST, &bytes));
        end += zip_descriptor(bytes, entry->sum, entry->packed, entry->size);
    }
    reading->covered = end > reading->covered ? end : reading->covered;
    return NULL;
}

/* What no member takes, up to there. */
static struct error *look_at_gap(struct reading *reading, uint64_t end)
{
    if (reading->covered >= end)
        return NULL;
    uint64_t start = reading->covered;
    reading->covered = end;
    return look_at_range(reading, start, end);
}

static struct error *look_at_both_ways(struct reading *reading, const struct named *named)
{
    CLEANUP_ARENA struct arena own = {0};
    struct zip_entry local = named->local;
    slice shown = slice_first(named->local_name, NAME_SHOWN);
    slice why = slice_equal(named->name, named->local_name)
                    ? SLICE("its directory and its header disagree about how it is packed")
                    : arena_format(&own,
                                   "its directory and its header, which calls it %.*s, "
                                   "disagree",
                                   SLICE_ARG(shown));
    secret_look_unopened_member(reading->look, named->name, why.ptr);
    if (local.flags & ZIP_DESCRIPTOR && local.packed == 0) {
        local.packed = named->directory.packed;
        local.size = named->directory.size;
        local.sum = named->directory.sum;
    }
    return look_at_content(reading, &local, named->local_name, named->data);
}

static struct error *look_at_member(struct reading *reading, const struct zip_place *place)
{
    CLEANUP_ARENA struct arena own = {0};
    struct named named = {0};
    bool found;
    TRY(read_listed(reading, place, &own, &named));
    TRY(read_local(reading, place, &own, &named, &found));
    if (!found) {
        secret_look_unopened_member(reading->look, named.name,
                                    "damaged: it is not where the directory says");
        return NULL;
    }
    TRY(look_at_gap(reading, place->local));
    TRY(cover(reading, &named));
    TRY(look_at_content(reading, &named.directory, named.name, named.data));
    return named.disagree ? look_at_both_ways(reading, &named) : NULL;
}

/* -- the whole zip --------------------------------------------------------------------------------
 */

static void tell_directory(struct reading *reading)
{
    const struct zip_directory *directory = &reading->directory;
    if (directory->split)
        secret_look_unopened(reading->look, "parts of it are in other files");
    /* Without zip64 the count is that of 16 bits. */
    else if (!directory->many && directory->announced != directory->count &&
             directory->announced != (directory->count & UINT16_MAX))
        secret_look_unopened(reading->look,
                             "damaged: its directory has not as many members as it says");
}

static struct error *look_by_directory(struct reading *reading)
{
    const struct zip_directory *directory = &reading->directory;
    const struct zip_place *places = directory->places;
    tell_directory(reading);
    for (size_t i = 0; i < directory->count; i++) {
        TRY(look_at_member(reading, &places[i]));
    }
    if (directory->many) {
        secret_look_many_members(reading->look);
        return NULL;
    }
    TRY(look_at_gap(reading, directory->start));
    TRY(look_at_gap(reading, directory->last));
    if (reading->covered < directory->end)
        reading->covered = directory->end;
    return look_at_gap(reading, reading->spool.size);
}

static struct error *look_at_spooled(struct reading *reading, struct stream *stream, uint64_t front)
{
    bool found = false;
    if (reading->spool.whole)
        TRY(zip_directory_find(&reading->directory, &reading->view, front, &found));
    if (found)
        return look_by_directory(reading);
    struct both both = {&reading->content, stream};
    reading->content.at = 0;
    reading->content.end = reading->spool.size;
    const struct content content = {next_of_both, &both, NULL};
    CLEANUP_STREAM struct stream *all = stream_from_content(&content);
    return look_front_to_back(reading, all, UINT64_MAX);
}

/* So much of it is kept to be read in any order. */
static uint64_t spool_most(const struct secret_look *look, const struct spill *spill)
{
    uint64_t left =
        *look->memory < LIMIT_SECRET_UNPACK_MEMORY ? LIMIT_SECRET_UNPACK_MEMORY - *look->memory : 0;
    if (spill->fd >= 0)
        return LIMIT_SECRET_SPOOL_BYTES;
    /* Twice, as it is while it grows. */
    return left / 2 < LIMIT_SPOOL_MEMORY ? left / 2 : LIMIT_SPOOL_MEMORY;
}

static struct error *look_in_any_order(struct secret_look *look, struct stream *stream,
                                       uint64_t front, bool surely)
{
    struct spill memory = {.fd = -1};
    struct spill *spill = look->into->spill ? look->into->spill : &memory;
    struct reading reading = {.look = look, .surely = surely};
    TRY(spool_open(&reading.spool, spill, stream, spool_most(look, spill)));
    uint64_t kept = spill->fd < 0 ? reading.spool.size : 0;
    *look->memory += kept;
    spool_view_open(&reading.listed, &reading.spool);
    spool_view_open(&reading.view, &reading.spool);
    spool_view_open(&reading.content, &reading.spool);
    reading.decoder = decoder_new(look->memory);
    struct error *error = look_at_spooled(&reading, stream, front);
    decoder_free(reading.decoder);
    zip_directory_free(&reading.directory);
    spool_view_close(&reading.content);
    spool_view_close(&reading.view);
    spool_view_close(&reading.listed);
    *look->memory -= kept;
    spool_close(&reading.spool);
    return error;
}

/* `front` bytes of the file were in front of it. */
static struct error *look_behind(struct secret_look *look, struct stream *stream, uint64_t front,
                                 bool surely)
{
    bool large = look->size > front && look->size - front > LIMIT_SECRET_SPOOL_BYTES;
    if (!secret_look_may_open(look))
        return secret_look_too_deep(look, stream);
    if (!large)
        return look_in_any_order(look, stream, front, surely);
    struct reading reading = {.look = look, .surely = surely, .decoder = decoder_new(look->memory)};
    struct error *error = look_front_to_back(&reading, stream, look->size);
    decoder_free(reading.decoder);
    return error;
}

static struct error *look_at_zip(struct secret_look *look, struct stream *stream)
{
    return look_behind(look, stream, 0, true);
}

/* Also the first of several files, and what might have become the first (8.5.3, 8.5.4). */
static bool is_zip(const struct secret_look *look, slice head)
{
    bool marked = slice_starts(head, ZIP_DESCRIPTOR_MAGIC) || slice_starts(head, SLICE("PK00"));
    return !(look->depth && look->depth == look->gap_depth) &&
           slice_starts(marked ? slice_from(head, 4) : head, ZIP_LOCAL_MAGIC);
}

/* -- a zip behind a script or program -------------------------------------------------------------
 */

bool secret_zip_begins(slice bytes)
{
    return zip_is_local(bytes);
}

struct error *secret_look_at_zip_behind(struct secret_look *look, struct stream *stream,
                                        uint64_t front)
{
    return look_behind(look, stream, front, false);
}

/* "#!" (PEP 441, and the scripts in front of jars), Windows' programs, Chrome's extensions, Java's
 * modules. */
static bool is_front(const struct secret_look *look, slice head)
{
    return secret_look_may_open(look) &&
           (slice_starts(head, SLICE("#!")) || slice_starts(head, SLICE("MZ")) ||
            slice_starts(head, SLICE("Cr24")) || slice_starts(head, SLICE("JM\1")));
}

/* Of the file's first bytes those in front of a zip, if it begins there. */
static slice before_zip(slice head)
{
    for (size_t i = 0; i + ZIP_LOCAL_HEADER <= head.len; i++)
        if (head.ptr[i] == 'P' && zip_is_local(slice_from(head, i)))
            return slice_first(head, i);
    return head;
}

bool secret_zip_front_is_text(slice head)
{
    head = before_zip(head);
    return memchr(head.ptr, '\0', head.len) == NULL;
}

/* Up to a zip, or the end. */
static struct error *read_front(struct stream *stream, struct secret_text *text,
                                struct zip_tail *tail, bool *found)
{
    slice magic = ZIP_LOCAL_MAGIC, bytes;
    for (;;) {
        TRY(stream_need(stream, ZIP_LOCAL_HEADER, &bytes));
        *found = zip_is_local(bytes);
        if (*found || bytes.len == 0)
            return NULL;
        TRY(stream_some(stream, &bytes));
        size_t at = zip_find(slice_from(bytes, 1), magic);
        if (at != SIZE_MAX)
            bytes.len = at + 1;
        else if (bytes.len >= magic.len)
            bytes.len -= magic.len - 1;
        secret_text_add(text, bytes);
        zip_tail_add(tail, bytes);
        stream_take(stream, bytes.len);
    }
}

static struct error *look_at_front(struct secret_look *look, struct stream *stream)
{
    slice head;
    bool found = false;
    TRY(stream_need(stream, SECRET_HEAD, &head));
    enum secret_mode mode = secret_zip_front_is_text(head) ? SECRET_TEXT : SECRET_BYTES;
    struct secret_text *text =
        secret_text_start(look->scanner, mode, look->path, secret_look_hit, look);
    struct zip_tail tail = {0};
    struct error *error = read_front(stream, text, &tail, &found);
    look->incomplete |= !secret_text_end(text);
    secret_look_settle(look);
    if (!error && found)
        return secret_look_at_zip_behind(look, stream, stream->position);
    if (!error)
        zip_tail_tell(&tail, look);
    return error;
}

const struct secret_kind secret_kind_zip = {"zip", is_zip, look_at_zip};
const struct secret_kind secret_kind_zip_front = {"what a zip may follow", is_front, look_at_front};
