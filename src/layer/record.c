#include "layer/record.h"
#include "base/limits.h"

#define MAGIC SLICE("plimsoll-record")

/* One list for each struct, so that writer and reader cannot drift apart. */
#define PACKAGE_FIELDS(X)                                                                          \
    X(type)                                                                                        \
    X(name) X(version) X(arch) X(source_name) X(source_version) X(maintainer) X(license) X(build)
#define STATISTICS_NUMBERS(X)                                                                      \
    X(bytes_read) X(bytes_unpacked) X(entries) X(entries_read) X(peak_memory) X(cpu_microseconds)

static void write_package(struct buffer *out, const void *item)
{
    const struct package *package = item;
#define WRITE(field) buffer_add_string(out, package->field);
    PACKAGE_FIELDS(WRITE)
#undef WRITE
}

static bool read_package(slice *rest, void *item)
{
    struct package *package = item;
#define READ(field)                                                                                \
    if (!slice_pull_string(rest, &package->field))                                                 \
        return false;
    PACKAGE_FIELDS(READ)
#undef READ
    return true;
}

static void write_fact(struct buffer *out, const void *item)
{
    const struct fact *fact = item;
    buffer_add_string(out, fact->key);
    buffer_add_string(out, fact->value);
}

static bool read_fact(slice *rest, void *item)
{
    struct fact *fact = item;
    return slice_pull_string(rest, &fact->key) && slice_pull_string(rest, &fact->value);
}

static void write_path(struct buffer *out, const void *item)
{
    buffer_add_string(out, *(const slice *)item);
}

static bool read_path(slice *rest, void *item)
{
    return slice_pull_string(rest, (slice *)item);
}

static void write_whiteout(struct buffer *out, const void *item)
{
    const struct whiteout *whiteout = item;
    buffer_add_string(out, whiteout->path);
    buffer_add_number(out, whiteout->opaque);
}

static bool read_flag(slice *rest, bool *flag)
{
    uint64_t number;
    if (!slice_pull_number(rest, &number) || number > 1)
        return false;
    *flag = number != 0;
    return true;
}

static bool read_whiteout(slice *rest, void *item)
{
    struct whiteout *whiteout = item;
    return slice_pull_string(rest, &whiteout->path) && read_flag(rest, &whiteout->opaque);
}

static void write_link(struct buffer *out, const void *item)
{
    const struct link *link = item;
    buffer_add_string(out, link->path);
    buffer_add_string(out, link->target);
    buffer_add_number(out, link->hard);
}

static bool read_link(slice *rest, void *item)
{
    struct link *link = item;
    return slice_pull_string(rest, &link->path) && slice_pull_string(rest, &link->target) &&
           read_flag(rest, &link->hard);
}

static void write_problem(struct buffer *out, const void *item)
{
    const struct problem *problem = item;
    buffer_add_string(out, problem->path);
    buffer_add_string(out, problem->message);
}

static bool read_problem(slice *rest, void *item)
{
    struct problem *problem = item;
    return slice_pull_string(rest, &problem->path) && slice_pull_string(rest, &problem->message);
}

#define SECRET_TEXTS(X)                                                                            \
    X(rule) X(file) X(path) X(match) X(fingerprint) X(allowed) X(identity) X(variable)
#define SECRET_NUMBERS(X) X(line) X(column) X(cell) X(more) X(layer) X(modified) X(entry)

static void write_secret(struct buffer *out, const void *item)
{
    const struct secret *secret = item;
#define WRITE(field) buffer_add_string(out, secret->field);
    SECRET_TEXTS(WRITE)
#undef WRITE
#define WRITE(field) buffer_add_number(out, secret->field);
    SECRET_NUMBERS(WRITE)
#undef WRITE
}

static bool read_secret(slice *rest, void *item)
{
    struct secret *secret = item;
#define READ(field)                                                                                \
    if (!slice_pull_string(rest, &secret->field))                                                  \
        return false;
    SECRET_TEXTS(READ)
#undef READ
#define READ(field)                                                                                \
    if (!slice_pull_number(rest, &secret->field))                                                  \
        return false;
    SECRET_NUMBERS(READ)
#undef READ
    return true;
}

static void write_unopened(struct buffer *out, const void *item)
{
    const struct unopened *unopened = item;
    buffer_add_string(out, unopened->path);
    buffer_add_string(out, unopened->why);
    buffer_add_number(out, unopened->more);
}

static bool read_unopened(slice *rest, void *item)
{
    struct unopened *unopened = item;
    return slice_pull_string(rest, &unopened->path) && slice_pull_string(rest, &unopened->why) &&
           slice_pull_number(rest, &unopened->more);
}

static void write_masked(struct buffer *out, const void *item)
{
    const struct masked_text *masked = item;
    buffer_add_number(out, masked->layer);
    buffer_add_string(out, masked->text);
}

static bool read_masked(slice *rest, void *item)
{
    struct masked_text *masked = item;
    return slice_pull_number(rest, &masked->layer) && slice_pull_string(rest, &masked->text);
}

static void write_list(struct buffer *out, const struct list *list, size_t item_size,
                       void (*write)(struct buffer *, const void *))
{
    buffer_add_number(out, list->count);
    for (size_t i = 0; i < list->count; i++)
        write(out, (const char *)list->items + i * item_size);
}

/* A byte on the pipe can become many in memory: an honest worker's record stays below this. */
static bool room_left(const struct arena *arena)
{
    return arena->used < 3 * LIMIT_RECORD_BYTES;
}

/* Every item takes at least a byte, so a count larger than what is left is a lie. */
static bool read_list(slice *rest, struct arena *arena, struct list *list, size_t item_size,
                      bool (*read)(slice *, void *))
{
    uint64_t count;
    if (!slice_pull_number(rest, &count) || count > rest->len)
        return false;
    *list = (struct list){0};
    for (uint64_t i = 0; i < count; i++)
        if (!room_left(arena) || !read(rest, list_add(list, arena, item_size)))
            return false;
    return true;
}

static void write_evidence(struct buffer *out, const void *item)
{
    const struct evidence *evidence = item;
    buffer_add_string(out, evidence->path);
    buffer_add_string(out, evidence->place);
    buffer_add_number(out, evidence->dormant);
    buffer_add_string(out, evidence->analyzer);
    write_list(out, &evidence->packages, sizeof(struct package), write_package);
    write_list(out, &evidence->facts, sizeof(struct fact), write_fact);
    write_list(out, &evidence->owned, sizeof(slice), write_path);
}

static bool read_evidence(slice *rest, struct arena *arena, struct evidence *evidence)
{
    return slice_pull_string(rest, &evidence->path) && slice_pull_string(rest, &evidence->place) &&
           read_flag(rest, &evidence->dormant) && slice_pull_string(rest, &evidence->analyzer) &&
           read_list(rest, arena, &evidence->packages, sizeof(struct package), read_package) &&
           read_list(rest, arena, &evidence->facts, sizeof(struct fact), read_fact) &&
           read_list(rest, arena, &evidence->owned, sizeof(slice), read_path);
}

static bool read_all_evidence(slice *rest, struct arena *arena, struct list *list)
{
    uint64_t count;
    if (!slice_pull_number(rest, &count) || count > rest->len)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!room_left(arena) ||
            !read_evidence(rest, arena, list_add(list, arena, sizeof(struct evidence))))
            return false;
    return true;
}

static void write_set(struct buffer *out, const struct path_set *set)
{
    buffer_add_number(out, set->count);
    buffer_add(out, slice_make(set->hashes, set->count * sizeof(uint64_t)));
}

static bool read_set(slice *rest, struct arena *arena, struct path_set *set)
{
    uint64_t count;
    slice bytes;
    if (!slice_pull_number(rest, &count) || count > rest->len / sizeof(uint64_t) ||
        !slice_pull_bytes(rest, count * sizeof(uint64_t), &bytes))
        return false;
    uint64_t *hashes = arena_array(arena, count ? count : 1, sizeof(uint64_t));
    if (count)
        memcpy(hashes, bytes.ptr, bytes.len);
    for (uint64_t i = 1; i < count; i++)
        if (hashes[i] < hashes[i - 1])
            return false;
    *set = (struct path_set){hashes, count};
    return true;
}

static void write_brought(struct buffer *out, const struct list *list)
{
    const struct brought_files *brought = list->items;
    buffer_add_number(out, list->count);
    for (size_t i = 0; i < list->count; i++) {
        buffer_add_string(out, brought[i].package);
        buffer_add_number(out, brought[i].written);
        write_set(out, &brought[i].files);
    }
}

static bool read_brought(slice *rest, struct arena *arena, struct list *list)
{
    uint64_t count;
    if (!slice_pull_number(rest, &count) || count > rest->len)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct brought_files *brought =
            room_left(arena) ? list_add(list, arena, sizeof(*brought)) : NULL;
        if (!brought || !slice_pull_string(rest, &brought->package) ||
            !slice_pull_number(rest, &brought->written) || !read_set(rest, arena, &brought->files))
            return false;
    }
    return true;
}

static void write_statistics(struct buffer *out, const struct record_statistics *statistics)
{
#define WRITE(field) buffer_add_number(out, statistics->field);
    STATISTICS_NUMBERS(WRITE)
#undef WRITE
    buffer_add_number(out, statistics->digest_skipped);
    buffer_add_string(out, statistics->compression);
    buffer_add_string(out, statistics->digest);
    buffer_add_string(out, statistics->diff_id);
}

static bool read_statistics(slice *rest, struct record_statistics *statistics)
{
#define READ(field)                                                                                \
    if (!slice_pull_number(rest, &statistics->field))                                              \
        return false;
    STATISTICS_NUMBERS(READ)
#undef READ
    return read_flag(rest, &statistics->digest_skipped) &&
           slice_pull_string(rest, &statistics->compression) &&
           slice_pull_string(rest, &statistics->digest) &&
           slice_pull_string(rest, &statistics->diff_id);
}

void record_add_problem(struct record *record, struct arena *arena, struct error *error)
{
    if (!error)
        return;
    struct problem *problem = list_add(&record->problems, arena, sizeof(*problem));
    *problem = (struct problem){.message = arena_copy(arena, slice_from_text(error->message))};
    error_free(error);
}

struct error *record_check_digest(slice found, slice named, const char *what)
{
    if (found.len == 0 || named.len == 0 || slice_equal(found, named))
        return NULL;
    return error_make(ERROR_INPUT,
                      "its %s is %.*s, but the image names %.*s: it was changed or damaged on its "
                      "way; fetch the image again (--no-verify reads it all the same)",
                      what, SLICE_ARG(found), SLICE_ARG(named));
}

void record_write(const struct record *record, struct buffer *out)
{
    size_t start = out->len;
    buffer_add(out, MAGIC);
    buffer_add_number(out, RECORD_FORMAT);
    write_list(out, &record->evidence, sizeof(struct evidence), write_evidence);
    write_list(out, &record->whiteouts, sizeof(struct whiteout), write_whiteout);
    write_list(out, &record->links, sizeof(struct link), write_link);
    write_list(out, &record->problems, sizeof(struct problem), write_problem);
    write_list(out, &record->secrets, sizeof(struct secret), write_secret);
    write_brought(out, &record->brought);
    write_list(out, &record->unopened, sizeof(struct unopened), write_unopened);
    write_list(out, &record->masked, sizeof(struct masked_text), write_masked);
    write_set(out, &record->files);
    write_set(out, &record->folders);
    write_statistics(out, &record->statistics);
    uint64_t checksum = slice_hash(slice_from(buffer_slice(out), start));
    buffer_add(out, slice_make(&checksum, sizeof(checksum)));
}

static bool read_body(slice rest, struct arena *arena, struct record *record)
{
    return read_all_evidence(&rest, arena, &record->evidence) &&
           read_list(&rest, arena, &record->whiteouts, sizeof(struct whiteout), read_whiteout) &&
           read_list(&rest, arena, &record->links, sizeof(struct link), read_link) &&
           read_list(&rest, arena, &record->problems, sizeof(struct problem), read_problem) &&
           read_list(&rest, arena, &record->secrets, sizeof(struct secret), read_secret) &&
           read_brought(&rest, arena, &record->brought) &&
           read_list(&rest, arena, &record->unopened, sizeof(struct unopened), read_unopened) &&
           read_list(&rest, arena, &record->masked, sizeof(struct masked_text), read_masked) &&
           read_set(&rest, arena, &record->files) && read_set(&rest, arena, &record->folders) &&
           read_statistics(&rest, &record->statistics) && rest.len == 0;
}

struct error *record_read(slice bytes, struct arena *arena, struct record *record)
{
    uint64_t checksum, format;
    *record = (struct record){0};
    if (bytes.len == 0)
        return error_make(ERROR_INPUT, "it handed back nothing");
    if (bytes.len < sizeof(checksum) || bytes.len > LIMIT_RECORD_BYTES)
        return error_make(ERROR_INPUT, "it handed back %zu bytes, which are no layer record",
                          bytes.len);
    slice body = slice_first(bytes, bytes.len - sizeof(checksum));
    memcpy(&checksum, bytes.ptr + body.len, sizeof(checksum));
    if (checksum != slice_hash(body) || !slice_starts(body, MAGIC))
        return error_make(ERROR_INPUT, "what it handed back is cut or garbled");
    body = slice_from(body, MAGIC.len);
    if (!slice_pull_number(&body, &format) || format != RECORD_FORMAT)
        return error_make(ERROR_INPUT, "its layer record has a form not known here");
    CLEANUP_ARENA struct arena own = {0};
    if (!read_body(body, &own, record)) {
        *record = (struct record){0};
        return error_make(ERROR_INPUT, "its layer record is malformed, or takes more memory than "
                                       "one may");
    }
    arena_adopt(arena, &own);
    record_sort_problems(record);
    unopened_sort(&record->unopened);
    return NULL;
}
