#include "archive/zip_directory.h"
#include "base/limits.h"

enum {
    COMMENT_MOST = 65535,
    ENDS_TRIED = 64, /* places near the end that look like the end record */
};

/* What the end record, and that of zip64 if there is one, say. */
struct zip_end {
    uint64_t at;   /* of the record in the spool */
    uint64_t back; /* of the first record that belongs to it: the directory ends there */
    uint64_t count, size, offset;
    bool split;
};

/* Where offsets count from: the spool's start, or that of what stood in front of it, or wherever it
 * is that the directory, which lies where its end record says, has the offset that it has. */
struct bases {
    uint64_t at[3];
};

static struct error *starts_at(struct spool_view *view, uint64_t at, slice magic, bool *starts)
{
    slice bytes;
    TRY(spool_view_show(view, at, magic.len, &bytes));
    *starts = slice_starts(bytes, magic);
    return NULL;
}

/* -- the end record -------------------------------------------------------------------------------
 */

static struct error *read_end64(struct spool_view *view, uint64_t at, struct zip_end *end,
                                bool *found)
{
    slice bytes;
    TRY(spool_view_show(view, at, ZIP_END64, &bytes));
    *found = bytes.len >= ZIP_END64 && slice_starts(bytes, ZIP_END64_MAGIC);
    if (!*found)
        return NULL;
    end->back = at;
    end->split = zip_number(bytes, 16, 4) != 0 || zip_number(bytes, 20, 4) != 0;
    end->count = zip_number(bytes, 32, 8);
    end->size = zip_number(bytes, 40, 8);
    end->offset = zip_number(bytes, 48, 8);
    return NULL;
}

/* The record of zip64 stands in front of the locator as a rule, whose own offset counts from where
 * all offsets do. */
static struct error *find_end64(struct spool_view *view, uint64_t front, struct zip_end *end)
{
    slice bytes;
    bool found = false;
    if (end->at < ZIP_LOCATOR)
        return NULL;
    uint64_t locator = end->at - ZIP_LOCATOR;
    TRY(spool_view_show(view, locator, ZIP_LOCATOR, &bytes));
    if (!slice_starts(bytes, ZIP_LOCATOR_MAGIC))
        return NULL;
    uint64_t told = zip_number(bytes, 8, 8);
    const uint64_t places[] = {told, told - front, locator - ZIP_END64};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !found; i++)
        if (places[i] < locator)
            TRY(read_end64(view, places[i], end, &found));
    return NULL;
}

static struct error *read_end(struct spool_view *view, uint64_t front, uint64_t at,
                              struct zip_end *end)
{
    slice bytes;
    TRY(spool_view_show(view, at, ZIP_END, &bytes));
    *end = (struct zip_end){
        .at = at,
        .back = at,
        .split = zip_number(bytes, 4, 2) != 0 || zip_number(bytes, 6, 2) != 0,
        .count = zip_number(bytes, 10, 2),
        .size = zip_number(bytes, 12, 4),
        .offset = zip_number(bytes, 16, 4),
    };
    return find_end64(view, front, end);
}

/* -- the directory --------------------------------------------------------------------------------
 */

/* Where the directory begins: in front of its end, or else where its offset says. */
static struct error *find_start(struct spool_view *view, uint64_t front, const struct zip_end *end,
                                struct zip_directory *directory, bool *found)
{
    const uint64_t places[] = {end->back - end->size, end->offset - front, end->offset};
    *found = false;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]) && !*found; i++) {
        directory->start = places[i];
        if (places[i] < end->back)
            TRY(starts_at(view, places[i], ZIP_DIRECTORY_MAGIC, found));
    }
    if (!*found && end->count == 0 && end->size == 0) {
        directory->start = end->back;
        *found = true;
    }
    return NULL;
}

static struct error *show_entry(struct spool_view *view, uint64_t at, uint64_t last,
                                struct zip_entry *entry, bool *found)
{
    slice bytes;
    *found = false;
    TRY(spool_view_show(view, at, ZIP_DIRECTORY_HEADER, &bytes));
    if (bytes.len < ZIP_DIRECTORY_HEADER || !slice_starts(bytes, ZIP_DIRECTORY_MAGIC) ||
        at + ZIP_DIRECTORY_HEADER > last)
        return NULL;
    zip_read_directory(entry, bytes);
    *found = true;
    if (entry->offset != UINT32_MAX)
        return NULL;
    TRY(spool_view_show(view, at + ZIP_DIRECTORY_HEADER + entry->name, entry->extra, &bytes));
    zip_read_extra(entry, slice_first(bytes, entry->extra), false);
    return NULL;
}

static void add_place(struct zip_directory *directory, size_t *room, uint64_t local, uint64_t entry)
{
    if (directory->count == *room) {
        *room = *room ? 2 * *room : 64;
        directory->places = memory_resize(directory->places, *room * sizeof(directory->places[0]));
    }
    directory->places[directory->count++] = (struct zip_place){local, entry};
}

static struct error *read_entries(struct spool_view *view, const struct zip_end *end,
                                  struct zip_directory *directory)
{
    size_t room = 0;
    for (uint64_t at = directory->start;;) {
        struct zip_entry entry;
        bool found;
        TRY(show_entry(view, at, end->back, &entry, &found));
        if (!found)
            return NULL;
        directory->many = directory->count == LIMIT_SECRET_ARCHIVE_MEMBERS;
        if (directory->many)
            return NULL;
        add_place(directory, &room, entry.offset, at);
        at += ZIP_DIRECTORY_HEADER + entry.name + entry.extra + entry.comment;
    }
}

/* By the first member whose header is where one of the ways to count has it. */
static struct error *settle_places(struct spool_view *view, const struct bases *bases,
                                   struct zip_directory *directory)
{
    enum { TRIED = 16 };
    uint64_t base = bases->at[0];
    bool found = false;
    for (size_t i = 0; i < directory->count && i < TRIED && !found; i++)
        for (size_t j = 0; j < 3 && !found; j++) {
            base = bases->at[j];
            TRY(starts_at(view, directory->places[i].local + base, ZIP_LOCAL_MAGIC, &found));
        }
    base = found ? base : bases->at[0];
    for (size_t i = 0; i < directory->count; i++)
        directory->places[i].local += base;
    return NULL;
}

static bool is_before(const struct zip_place *a, const struct zip_place *b)
{
    return a->local != b->local ? a->local < b->local : a->entry < b->entry;
}

static void sift_down(struct zip_place *places, size_t at, size_t count)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && is_before(&places[child], &places[child + 1]))
            child++;
        if (!is_before(&places[at], &places[child]))
            return;
        struct zip_place moved = places[at];
        places[at] = places[child];
        places[child] = moved;
    }
}

/* A heap sort: qsort asks the kernel how much memory there is, which a worker may not. As a rule
 * they lie in order. */
static void sort_places(struct zip_place *places, size_t count)
{
    size_t in_order = 1;
    while (in_order < count && is_before(&places[in_order - 1], &places[in_order]))
        in_order++;
    if (in_order >= count)
        return;
    for (size_t i = count / 2; i-- > 0;)
        sift_down(places, i, count);
    for (size_t last = count; last-- > 1;) {
        struct zip_place largest = places[0];
        places[0] = places[last];
        places[last] = largest;
        sift_down(places, 0, last);
    }
}

static struct error *read_directory(struct spool_view *view, uint64_t front,
                                    const struct zip_end *end, struct zip_directory *directory,
                                    bool *found)
{
    *directory = (struct zip_directory){
        .announced = end->count,
        .split = end->split,
        .last = end->at,
        .end = end->at + ZIP_END,
    };
    TRY(find_start(view, front, end, directory, found));
    if (!*found)
        return NULL;
    const struct bases bases = {{directory->start - end->offset, 0, -front}};
    TRY(read_entries(view, end, directory));
    TRY(settle_places(view, &bases, directory));
    sort_places(directory->places, directory->count);
    return NULL;
}

/* Those whose comment is what is left of the file come first: others may stand in a comment, or
 * something was put behind the zip. */
static struct error *find_in_tail(struct zip_directory *directory, struct spool_view *view,
                                  uint64_t front, slice tail, bool exact, bool *found)
{
    uint64_t before = view->spool->size - tail.len;
    int tried = 0;
    for (size_t at = tail.len - ZIP_END + 1; at-- > 0 && tried < ENDS_TRIED;) {
        slice bytes = slice_from(tail, at);
        struct zip_end end;
        if (!slice_starts(bytes, ZIP_END_MAGIC))
            continue;
        if (exact != (zip_number(bytes, 20, 2) == bytes.len - ZIP_END))
            continue;
        tried++;
        TRY(read_end(view, front, before + at, &end));
        TRY(read_directory(view, front, &end, directory, found));
        if (*found)
            return NULL;
    }
    return NULL;
}

struct error *zip_directory_find(struct zip_directory *directory, struct spool_view *view,
                                 uint64_t front, bool *found)
{
    uint64_t size = view->spool->size;
    size_t count = size < COMMENT_MOST + ZIP_END ? (size_t)size : COMMENT_MOST + ZIP_END;
    *found = false;
    *directory = (struct zip_directory){0};
    if (count < ZIP_END)
        return NULL;
    CLEANUP_FREE char *tail = memory_alloc(count);
    TRY(spool_read(view->spool, size - count, tail, count));
    TRY(find_in_tail(directory, view, front, slice_make(tail, count), true, found));
    if (!*found)
        TRY(find_in_tail(directory, view, front, slice_make(tail, count), false, found));
    return NULL;
}

void zip_directory_free(struct zip_directory *directory)
{
    free(directory->places);
    *directory = (struct zip_directory){0};
}
