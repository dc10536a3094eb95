#include "layer/toc.h"
#include "base/digest.h"
#include "base/limits.h"

#include <stddef.h>

/* What an item says, before anything is made of it. */
struct fields {
    slice type, name, link, digest, chunk_digest, chunk_type;
    uint64_t size, mode, offset, end, inside, chunk_offset, chunk_size;
};

static const struct field {
    const char *key;
    size_t at;
    bool number;
} fields_known[] = {
    {"type", offsetof(struct fields, type), false},
    {"name", offsetof(struct fields, name), false},
    {"linkName", offsetof(struct fields, link), false},
    {"digest", offsetof(struct fields, digest), false},
    {"chunkDigest", offsetof(struct fields, chunk_digest), false},
    {"chunkType", offsetof(struct fields, chunk_type), false},
    {"size", offsetof(struct fields, size), true},
    {"mode", offsetof(struct fields, mode), true},
    {"offset", offsetof(struct fields, offset), true},
    {"endOffset", offsetof(struct fields, end), true},
    {"innerOffset", offsetof(struct fields, inside), true},
    {"chunkOffset", offsetof(struct fields, chunk_offset), true},
    {"chunkSize", offsetof(struct fields, chunk_size), true},
};
enum { FIELD_COUNT = sizeof(fields_known) / sizeof(fields_known[0]) };

static struct error *wrong(const struct toc_cursor *cursor, const char *why)
{
    return error_make(ERROR_INPUT, "its table of contents is wrong near byte %zu: %s",
                      json_scan_offset(&cursor->scan), why);
}

static struct error *check_form(const struct toc_cursor *cursor)
{
    return cursor->scan.failure ? wrong(cursor, cursor->scan.failure) : NULL;
}

/* Of the number itself: a sign, a fraction or an exponent is none of a size or a place. */
static struct error *read_number(struct toc_cursor *cursor, uint64_t *number)
{
    json_scan_peek(&cursor->scan);
    slice from = cursor->scan.rest;
    json_scan_skip(&cursor->scan);
    TRY(check_form(cursor));
    slice text = slice_first(from, from.len - cursor->scan.rest.len);
    if (slice_to_u64(text, number) && *number <= INT64_MAX)
        return NULL;
    return wrong(cursor, "a size or an offset is not a whole number above 0");
}

/* Go reads JSON keys in any case, so that "Name" beside "name" would be read one way here and
 * another way there. */
static struct error *find_field(struct toc_cursor *cursor, slice key, size_t *found)
{
    for (*found = 0; *found < FIELD_COUNT; ++*found) {
        slice known = slice_from_text(fields_known[*found].key);
        if (slice_equal(key, known))
            return NULL;
        if (slice_equal_nocase(key, known))
            return wrong(cursor, "a key is not written as it should be (upper and lower case)");
    }
    return NULL;
}

static struct error *read_field(struct toc_cursor *cursor, size_t at, struct fields *fields)
{
    void *into = (char *)fields + fields_known[at].at;
    if (json_scan_peek(&cursor->scan) == 'n') /* null: as if it were not there */
        json_scan_skip(&cursor->scan);
    else if (fields_known[at].number)
        return read_number(cursor, into);
    else
        json_scan_string(&cursor->scan, into);
    return check_form(cursor);
}

static struct error *read_fields(struct toc_cursor *cursor, struct fields *fields)
{
    unsigned seen = 0;
    slice key;
    *fields = (struct fields){0};
    json_scan_enter(&cursor->scan, '{');
    while (json_scan_key(&cursor->scan, &key)) {
        size_t at;
        TRY(find_field(cursor, key, &at));
        if (at == FIELD_COUNT) {
            json_scan_skip(&cursor->scan);
            continue;
        }
        if (seen & 1u << at)
            return wrong(cursor, "a key stands twice in one entry");
        seen |= 1u << at;
        TRY(read_field(cursor, at, fields));
    }
    return check_form(cursor);
}

static const struct type {
    const char *name;
    enum entry_kind kind;
} types[] = {
    {"reg", ENTRY_FILE},          {"dir", ENTRY_FOLDER}, {"symlink", ENTRY_SYMLINK},
    {"hardlink", ENTRY_HARDLINK}, {"char", ENTRY_OTHER}, {"block", ENTRY_OTHER},
    {"fifo", ENTRY_OTHER},
};

static struct error *find_kind(struct toc_cursor *cursor, slice type, enum entry_kind *kind)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (slice_equal(type, slice_from_text(types[i].name))) {
            *kind = types[i].kind;
            return NULL;
        }
    return wrong(cursor, "an entry is of no known type");
}

/* The chunk's size is left out where it is all that is left of the file. */
static void set_chunk(struct toc_item *item, const struct fields *fields, uint64_t file_size)
{
    uint64_t rest = fields->chunk_offset < file_size ? file_size - fields->chunk_offset : 0;
    item->offset = fields->offset;
    item->inside = fields->inside;
    item->chunk_offset = fields->chunk_offset;
    item->chunk_size = fields->chunk_size ? fields->chunk_size : rest;
    item->zeros = slice_equal(fields->chunk_type, SLICE("zeros"));
    item->digest = fields->chunk_digest;
    if (item->digest.len == 0 && !item->further && item->chunk_size == file_size)
        item->digest = fields->digest;
}

static struct error *make_item(struct toc_cursor *cursor, const struct fields *fields)
{
    struct toc_item *item = &cursor->item;
    *item = (struct toc_item){.name = fields->name, .link = fields->link};
    item->further = slice_equal(fields->type, SLICE("chunk"));
    if (item->further) {
        if (!cursor->in_file || slice_hash(fields->name) != cursor->file_name)
            return wrong(cursor, "a chunk does not stand behind the file that it belongs to");
        item->kind = ENTRY_FILE;
    } else {
        TRY(find_kind(cursor, fields->type, &item->kind));
        cursor->in_file = item->kind == ENTRY_FILE;
        cursor->file_size = cursor->in_file ? fields->size : 0;
        cursor->file_end = fields->end;
        cursor->file_name = slice_hash(fields->name);
        item->mode = (unsigned)(fields->mode & 07777);
    }
    item->size = cursor->file_size;
    item->end = cursor->file_end;
    if (cursor->in_file)
        set_chunk(item, fields, cursor->file_size);
    return NULL;
}

struct error *toc_next(struct toc_cursor *cursor)
{
    struct fields fields;
    arena_free(&cursor->arena);
    cursor->ended = !json_scan_item(&cursor->scan);
    TRY(check_form(cursor));
    if (cursor->ended)
        return NULL;
    TRY(read_fields(cursor, &fields));
    return make_item(cursor, &fields);
}

/* The document's own keys up to "entries"; *found is false when they end before. */
static struct error *find_entries(struct toc_cursor *cursor, bool *found)
{
    slice key;
    *found = false;
    while (json_scan_key(&cursor->scan, &key)) {
        if (slice_equal(key, SLICE("entries"))) {
            *found = true;
            return NULL;
        }
        if (slice_equal_nocase(key, SLICE("entries")))
            return wrong(cursor, "a key is not written as it should be (upper and lower case)");
        if (slice_equal(key, SLICE("version")))
            TRY(read_number(cursor, &cursor->version));
        else
            json_scan_skip(&cursor->scan);
    }
    return check_form(cursor);
}

struct error *toc_start(struct toc_cursor *cursor, const struct toc *toc)
{
    bool found;
    *cursor = (struct toc_cursor){0};
    json_scan_start(&cursor->scan, toc->json, &cursor->arena);
    json_scan_enter(&cursor->scan, '{');
    TRY(find_entries(cursor, &found));
    if (!found)
        return wrong(cursor, "it lists no entries");
    json_scan_enter(&cursor->scan, '[');
    return check_form(cursor);
}

void toc_end(struct toc_cursor *cursor)
{
    arena_free(&cursor->arena);
}

/* -- the check of the whole -----------------------------------------------------------------------
 */

struct check {
    const struct toc *toc;
    uint64_t items, unpacked;
    uint64_t file_size, covered; /* of the file at hand: how far its chunks have come */
    uint64_t offset, inside;     /* the last chunk's place; `inside` is its end */
    uint64_t file_end;           /* no other file's chunks begin before */
    bool any;                    /* there was a chunk before */
};

static struct error *end_file(const struct check *check, const struct toc_cursor *cursor)
{
    if (check->covered == check->file_size)
        return NULL;
    return wrong(cursor, "the chunks of the file before do not add up to its size");
}

static struct error *check_place(const struct check *check, const struct toc_cursor *cursor)
{
    const struct toc_item *item = &cursor->item;
    if (item->offset >= check->toc->data_end || item->end > check->toc->data_end)
        return wrong(cursor, "a file's content lies behind the end of the layer's content");
    if (item->offset == 0 && item->inside == 0)
        return wrong(cursor, "it is not said where a file's content lies");
    if (item->end && item->end <= item->offset)
        return wrong(cursor, "a file's content ends before it begins");
    if (check->any && item->offset < check->offset)
        return wrong(cursor, "the contents of files are not in the order in which they lie");
    if (check->any && item->offset == check->offset && item->inside < check->inside)
        return wrong(cursor, "the contents of two files overlap");
    if (!item->further && item->offset < check->file_end)
        return wrong(cursor, "the contents of two files overlap");
    return NULL;
}

static struct error *check_chunk(struct check *check, const struct toc_cursor *cursor)
{
    const struct toc_item *item = &cursor->item;
    if (item->further && item->chunk_size == 0)
        return wrong(cursor, "a chunk is empty");
    if (item->chunk_size == 0)
        return NULL;
    if (item->chunk_offset != check->covered || item->chunk_size > item->size - check->covered)
        return wrong(cursor, "the chunks of a file do not follow each other");
    TRY(check_place(check, cursor));
    check->covered += item->chunk_size;
    check->any = true;
    check->offset = item->offset;
    check->inside = item->inside + item->chunk_size;
    check->file_end = item->end;
    return NULL;
}

static struct error *check_item(struct check *check, const struct toc_cursor *cursor)
{
    const struct toc_item *item = &cursor->item;
    if (++check->items > LIMIT_LAYER_ENTRIES)
        return error_make(ERROR_LIMIT,
                          "its table of contents has more than %d entries, the limit of a layer",
                          LIMIT_LAYER_ENTRIES);
    if (!item->further) {
        TRY(end_file(check, cursor));
        check->file_size = item->size;
        check->covered = 0;
        check->unpacked += item->size;
        if (item->size > LIMIT_LAYER_BYTES || check->unpacked > LIMIT_LAYER_BYTES)
            return error_make(ERROR_LIMIT,
                              "its files have more than %llu bytes, the limit of a layer",
                              (unsigned long long)LIMIT_LAYER_BYTES);
    }
    return check_chunk(check, cursor);
}

/* What stands behind the entries. */
static struct error *check_rest(struct toc_cursor *cursor)
{
    bool again;
    TRY(find_entries(cursor, &again));
    if (again)
        return wrong(cursor, "it lists entries twice");
    json_scan_end(&cursor->scan);
    TRY(check_form(cursor));
    if (cursor->version != 1)
        return error_make(ERROR_INPUT,
                          "its table of contents is of version %llu, and only version 1 is known: "
                          "read the layer whole (--no-lazy)",
                          (unsigned long long)cursor->version);
    return NULL;
}

static struct error *check_all(struct check *check, struct toc_cursor *cursor)
{
    TRY(toc_start(cursor, check->toc));
    for (;;) {
        TRY(toc_next(cursor));
        if (cursor->ended)
            break;
        TRY(check_item(check, cursor));
    }
    TRY(end_file(check, cursor));
    return check_rest(cursor);
}

struct error *toc_check(const struct toc *toc, uint64_t *unpacked)
{
    struct check check = {.toc = toc};
    struct toc_cursor cursor;
    struct error *error = check_all(&check, &cursor);
    toc_end(&cursor);
    *unpacked = check.unpacked;
    return error;
}
