#include "source/bundle.h"
#include "archive/tar.h"
#include "archive/unpacker.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* Of a packed bundle, members up to here that can be JSON are kept, and so much in all. */
#define KEEP_BYTES LIMIT_CONFIG_BYTES
#define KEEP_TOTAL (4 * LIMIT_CONFIG_BYTES)

enum bundle_kind { BUNDLE_FOLDER, BUNDLE_TAR, BUNDLE_PACKED };

struct bundle {
    enum bundle_kind kind;
    struct arena *arena;
    const char *path;
    int fd;
    struct feed feed; /* of a bundle that comes out of a process; else run is NULL */
    struct bundle_options options;
    uint64_t size, bytes_read, kept_total;
    struct list
        members;   /* of struct bundle_member *: those of a tar, or those opened in a folder */
    size_t *slots; /* hash table over members: index + 1 */
    size_t slot_count;
};

static struct bundle_member **members(const struct bundle *bundle)
{
    return bundle->members.items;
}

static void index_member(struct bundle *bundle, size_t at)
{
    slice path = members(bundle)[at]->path;
    size_t slot = slice_hash(path) & (bundle->slot_count - 1);
    while (bundle->slots[slot]) {
        /* The last one of a name counts, as when a tar is unpacked. */
        if (slice_equal(members(bundle)[bundle->slots[slot] - 1]->path, path))
            break;
        slot = (slot + 1) & (bundle->slot_count - 1);
    }
    bundle->slots[slot] = at + 1;
}

static struct bundle_member *add_member(struct bundle *bundle, slice path)
{
    struct bundle_member *member = ARENA_NEW(bundle->arena, struct bundle_member);
    member->path = arena_copy(bundle->arena, path);
    member->fd = -1;
    *(struct bundle_member **)list_add(&bundle->members, bundle->arena, sizeof(member)) = member;
    if (bundle->members.count * 2 > bundle->slot_count) {
        bundle->slot_count = bundle->slot_count ? bundle->slot_count * 4 : 64;
        bundle->slots = arena_array(bundle->arena, bundle->slot_count, sizeof(size_t));
        for (size_t i = 0; i < bundle->members.count; i++)
            index_member(bundle, i);
    } else {
        index_member(bundle, bundle->members.count - 1);
    }
    return member;
}

/* Whether a packed bundle's member can be a manifest or config, by its first bytes. */
static bool may_be_json(const struct bundle *bundle, const struct bundle_member *member,
                        slice first)
{
    bool list = slice_equal(member->path, SLICE("index.json")) ||
                slice_equal(member->path, SLICE("manifest.json"));
    return member->size <= KEEP_BYTES && (bundle->kept_total <= KEEP_TOTAL || list) &&
           (first.len == 0 || memchr("{[ \t\r\n", first.ptr[0], 6));
}

/* Keeps a member's bytes: they will not come by again cheaply. */
static struct error *keep_content(struct bundle *bundle, struct tar *tar,
                                  struct bundle_member *member, slice piece)
{
    CLEANUP_BUFFER struct buffer content = {0};
    while (piece.len) {
        buffer_add(&content, piece);
        TRY(tar_read(tar, &piece));
    }
    member->content = arena_copy(bundle->arena, buffer_slice(&content));
    member->kept = true;
    bundle->kept_total += content.len;
    return NULL;
}

/* Shows a member to the visitor, if it wants it. */
static struct error *show_content(const struct bundle_visitor *visitor, struct tar *tar, slice path,
                                  uint64_t size, slice piece)
{
    struct error *error = NULL;
    if (!visitor->begin(visitor->context, path, size))
        return NULL;
    while (!error && piece.len) {
        visitor->bytes(visitor->context, piece);
        error = tar_read(tar, &piece);
    }
    visitor->end(visitor->context);
    return error;
}

static struct error *index_packed_entry(struct bundle *bundle, struct tar *tar,
                                        struct bundle_member *member)
{
    slice first;
    TRY(tar_read(tar, &first));
    if (may_be_json(bundle, member, first))
        return keep_content(bundle, tar, member, first);
    if (!bundle->options.visitor || first.len == 0)
        return NULL;
    return show_content(bundle->options.visitor, tar, member->path, member->size, first);
}

static struct error *index_entry(struct bundle *bundle, struct tar *tar, const struct entry *entry)
{
    if (bundle->members.count >= LIMIT_ARCHIVE_MEMBERS)
        return error_make(ERROR_LIMIT, "it has more than %d members", LIMIT_ARCHIVE_MEMBERS);
    if (tar->odd_path)
        return error_make(ERROR_INPUT, "a member's path climbs out of the archive: %.*s",
                          SLICE_ARG(entry->path));
    if (entry->kind == ENTRY_FOLDER || entry->kind == ENTRY_OTHER || entry->path.len == 0)
        return NULL;
    struct bundle_member *member = add_member(bundle, entry->path);
    if (entry->kind == ENTRY_SYMLINK)
        member->target = path_of_target(bundle->arena, entry->path, entry->target);
    if (entry->kind == ENTRY_HARDLINK)
        member->target = arena_copy(bundle->arena, entry->target);
    if (entry->kind != ENTRY_FILE)
        return NULL;
    if (tar->regions)
        return error_make(ERROR_INPUT,
                          "%.*s is stored as a sparse file; make the archive without "
                          "(tar --sparse)",
                          SLICE_ARG(entry->path));
    member->size = entry->size;
    if (bundle->kind == BUNDLE_PACKED)
        return index_packed_entry(bundle, tar, member);
    member->fd = bundle->fd;
    member->offset = tar_content_offset(tar);
    if (member->offset > bundle->size || member->size > bundle->size - member->offset)
        return error_make(
            ERROR_INPUT,
            "%.*s should have %llu bytes, but the file ends before: it was cut on its "
            "way; save the image again",
            SLICE_ARG(entry->path), (unsigned long long)entry->size);
    return NULL;
}

static struct error *index_tar(struct bundle *bundle, struct stream *stream)
{
    struct tar tar;
    struct error *error = NULL;
    const struct entry *entry = NULL;
    tar_start(&tar, stream);
    do {
        error = tar_next(&tar, &entry);
        if (!error && entry)
            error = index_entry(bundle, &tar, entry);
    } while (!error && entry);
    tar_free(&tar);
    bundle->bytes_read += stream->bytes_in;
    return error;
}

/* What a packed bundle's bytes come out of. */
struct producer {
    struct unpacker unpacker;
    struct feeder feeder;
    int output;
};

static struct error *producer_start(struct producer *producer, const struct bundle *bundle,
                                    struct stream **stream)
{
    int requests;
    *producer = (struct producer){0};
    if (bundle->feed.run) {
        TRY(feeder_start(&producer->feeder, &bundle->feed, 0, false, &producer->output, &requests));
        *stream = stream_from_pipe(producer->output, LIMIT_DAEMON_SILENCE_MS);
        return NULL;
    }
    TRY(unpacker_start(&producer->unpacker, bundle->fd, bundle->size));
    producer->output = producer->unpacker.output;
    *stream = stream_from_pipe(producer->output, LIMIT_UNPACKER_SILENCE_MS);
    return NULL;
}

/* Its word on what went wrong is the better one: a cut stream also looks like a cut tar. */
static struct error *producer_finish(struct producer *producer, struct bundle *bundle,
                                     struct error *error, bool early)
{
    struct error *cause = NULL;
    if (bundle->feed.run) {
        close(producer->output);
        slice failure = feeder_finish(&producer->feeder, bundle->arena);
        if (failure.len && !early)
            cause = error_make(ERROR_INPUT, "%.*s", SLICE_ARG(failure));
    } else {
        cause = unpacker_finish(&producer->unpacker, early);
    }
    if (!cause)
        return error;
    error_free(error);
    return cause;
}

static struct error *index_packed(struct bundle *bundle)
{
    struct producer producer;
    struct stream *stream;
    TRY(producer_start(&producer, bundle, &stream));
    struct error *error = index_tar(bundle, stream);
    if (!error)
        error = stream_drain(stream);
    if (bundle->feed.run)
        bundle->size = stream->bytes_in;
    stream_close(stream);
    bundle->bytes_read = bundle->size;
    return producer_finish(&producer, bundle, error, false);
}

/* -- the index of a packed bundle, kept for the next time -----------------------------------------
 */

#define INDEX_FORM "bundle index 1 "

static slice write_index(const struct bundle *bundle)
{
    CLEANUP_BUFFER struct buffer out = {0};
    buffer_add_number(&out, bundle->members.count);
    for (size_t i = 0; i < bundle->members.count; i++) {
        const struct bundle_member *member = members(bundle)[i];
        buffer_add_string(&out, member->path);
        buffer_add_string(&out, member->target);
        buffer_add_number(&out, member->size);
        buffer_add_number(&out, member->kept);
        buffer_add_string(&out, member->content);
    }
    return arena_copy(bundle->arena, buffer_slice(&out));
}

/* False when it is malformed; then nothing of it counts. */
static bool read_index(struct bundle *bundle, slice bytes)
{
    uint64_t count, kept;
    slice path, target;
    if (!slice_pull_number(&bytes, &count) || count > LIMIT_ARCHIVE_MEMBERS)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!slice_pull_string(&bytes, &path) || !slice_pull_string(&bytes, &target))
            return false;
        struct bundle_member *member = add_member(bundle, path);
        member->target = target;
        if (!slice_pull_number(&bytes, &member->size) || !slice_pull_number(&bytes, &kept) ||
            !slice_pull_string(&bytes, &member->content))
            return false;
        member->kept = kept != 0;
    }
    return bytes.len == 0;
}

static bool recall_index(struct bundle *bundle)
{
    const struct source_memory *memory = bundle->options.memory;
    slice bytes;
    if (!memory || bundle->options.key.len == 0 ||
        !memory->get(memory->context, bundle->options.key, bundle->arena, &bytes))
        return false;
    if (read_index(bundle, bytes))
        return true;
    bundle->members = (struct list){0};
    bundle->slot_count = 0;
    return false;
}

/* Goes through a packed bundle, unless it was gone through before. */
static struct error *index_or_recall(struct bundle *bundle)
{
    const struct source_memory *memory = bundle->options.memory;
    if (recall_index(bundle))
        return NULL;
    TRY(index_packed(bundle));
    if (memory && bundle->options.key.len)
        memory->put(memory->context, bundle->options.key, write_index(bundle));
    return NULL;
}

static struct error *open_file(struct bundle *bundle)
{
    char head[1024];
    size_t got;
    TRY(file_read_at(bundle->fd, head, sizeof(head), 0, &got));
    slice magic = slice_make(head, got);
    if (got == 0)
        return error_make(ERROR_INPUT, "the file is empty");
    const char *name = "none";
    struct stream *head_stream = stream_from_memory(magic);
    CLEANUP_ERROR struct error *packing = stream_unpack(&head_stream, head_stream, &name);
    stream_close(head_stream);
    if (strcmp(name, "none") != 0) {
        bundle->kind = BUNDLE_PACKED;
        return index_or_recall(bundle);
    }
    bundle->kind = BUNDLE_TAR;
    struct stream *stream = stream_from_range(bundle->fd, 0, bundle->size);
    struct error *error = index_tar(bundle, stream);
    stream_close(stream);
    if (error && bundle->members.count == 0) {
        error_free(error);
        return error_make(ERROR_INPUT,
                          "this is neither a tar (also .gz or .zst) nor a folder with an image in "
                          "it; make one with `docker save -o FILE IMAGE` or `skopeo copy … "
                          "oci-archive:FILE`");
    }
    return error;
}

static slice key_of_file(const struct bundle *bundle)
{
    slice identity = file_identity(bundle->fd, bundle->arena);
    return identity.len ? arena_format(bundle->arena, INDEX_FORM "%.*s", SLICE_ARG(identity))
                        : SLICE_EMPTY;
}

struct error *bundle_open_feed(struct bundle **bundle, struct arena *arena, const struct feed *feed,
                               const struct bundle_options *options)
{
    *bundle = ARENA_NEW(arena, struct bundle);
    **bundle = (struct bundle){.arena = arena, .kind = BUNDLE_PACKED, .fd = -1, .feed = *feed};
    (*bundle)->options = *options;
    if (options->key.len)
        (*bundle)->options.key = arena_format(arena, INDEX_FORM "%.*s", SLICE_ARG(options->key));
    return index_or_recall(*bundle);
}

struct error *bundle_open(struct bundle **bundle, struct arena *arena, const char *path,
                          const struct bundle_options *options)
{
    struct stat info;
    *bundle = ARENA_NEW(arena, struct bundle);
    **bundle = (struct bundle){.arena = arena, .path = path};
    if (options)
        (*bundle)->options = *options;
    (*bundle)->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if ((*bundle)->fd < 0 || fstat((*bundle)->fd, &info) < 0)
        return error_errno("cannot open %s", path);
    if (S_ISDIR(info.st_mode))
        return NULL;
    if (!S_ISREG(info.st_mode))
        return error_make(ERROR_INPUT, "%s is neither a file nor a folder", path);
    (*bundle)->size = (uint64_t)info.st_size;
    (*bundle)->options.key = key_of_file(*bundle);
    return error_wrap(open_file(*bundle), "%s", path);
}

void bundle_close(struct bundle *bundle)
{
    if (!bundle)
        return;
    for (size_t i = 0; i < bundle->members.count; i++)
        if (members(bundle)[i]->fd >= 0 && members(bundle)[i]->fd != bundle->fd)
            close(members(bundle)[i]->fd);
    if (bundle->fd >= 0)
        close(bundle->fd);
    bundle->fd = -1;
}

static struct bundle_member *look_up(const struct bundle *bundle, slice path)
{
    if (bundle->slot_count == 0)
        return NULL;
    size_t slot = slice_hash(path) & (bundle->slot_count - 1);
    for (; bundle->slots[slot]; slot = (slot + 1) & (bundle->slot_count - 1)) {
        struct bundle_member *member = members(bundle)[bundle->slots[slot] - 1];
        if (slice_equal(member->path, path))
            return member;
    }
    return NULL;
}

/* A file below the folder; the kernel sees to it that no link leads out. */
static struct error *open_below(struct bundle *bundle, slice path,
                                const struct bundle_member **member)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
    struct stat info;
    char *name = arena_text(bundle->arena, path);
    int fd = (int)syscall(SYS_openat2, bundle->fd, name, &how, sizeof(how));
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return NULL;
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        struct error *error =
            fd < 0 ? error_errno("cannot open %s/%s", bundle->path, name)
                   : error_make(ERROR_INPUT, "%s/%s is not a regular file", bundle->path, name);
        if (fd >= 0)
            close(fd);
        return error;
    }
    struct bundle_member *opened = add_member(bundle, path);
    opened->fd = fd;
    opened->size = (uint64_t)info.st_size;
    *member = opened;
    return NULL;
}

struct error *bundle_find(struct bundle *bundle, slice path, const struct bundle_member **member)
{
    slice normal;
    *member = NULL;
    if (!path_normalize(bundle->arena, path, &normal) || normal.len == 0)
        return error_make(ERROR_INPUT, "it names %.*s, which lies outside", SLICE_ARG(path));
    for (int depth = 0; depth < LIMIT_LINK_DEPTH; depth++) {
        *member = look_up(bundle, normal);
        if (!*member && bundle->kind == BUNDLE_FOLDER)
            return open_below(bundle, normal, member);
        if (!*member || (*member)->target.len == 0)
            return NULL;
        normal = (*member)->target;
    }
    *member = NULL;
    return error_make(ERROR_LIMIT, "%.*s leads through more than %d links", SLICE_ARG(path),
                      LIMIT_LINK_DEPTH);
}

struct error *bundle_read(struct bundle *bundle, const struct bundle_member *member, uint64_t limit,
                          slice *bytes)
{
    if (member->size > limit)
        return error_make(ERROR_LIMIT, "%.*s has %llu bytes, more than the limit of %llu",
                          SLICE_ARG(member->path), (unsigned long long)member->size,
                          (unsigned long long)limit);
    if (member->fd < 0 && !member->kept)
        return error_make(
            ERROR_INPUT,
            "%.*s is not JSON, or the compressed archive holds more than %llu MiB of it; "
            "unpack the archive first",
            SLICE_ARG(member->path), (unsigned long long)(KEEP_TOTAL / LIMIT_MIB));
    if (member->fd < 0) {
        *bytes = member->content;
        return NULL;
    }
    char *text = arena_alloc(bundle->arena, (size_t)member->size + 1);
    size_t got;
    TRY(file_read_at(member->fd, text, (size_t)member->size, member->offset, &got));
    if (got < member->size)
        return error_make(ERROR_INPUT, "%.*s is cut", SLICE_ARG(member->path));
    bundle->bytes_read += got;
    *bytes = slice_make(text, got);
    return NULL;
}

bool bundle_is_packed(const struct bundle *bundle)
{
    return bundle->kind == BUNDLE_PACKED;
}

static struct error *replay_entries(struct tar *tar, const struct bundle_visitor *visitor)
{
    const struct entry *entry;
    slice first;
    for (;;) {
        TRY(tar_next(tar, &entry));
        if (!entry)
            return NULL;
        if (entry->kind != ENTRY_FILE)
            continue;
        TRY(tar_read(tar, &first));
        TRY(show_content(visitor, tar, entry->path, entry->size, first));
    }
}

struct error *bundle_replay(struct bundle *bundle, const struct bundle_visitor *visitor)
{
    struct producer producer;
    struct stream *stream;
    struct tar tar;
    TRY(producer_start(&producer, bundle, &stream));
    tar_start(&tar, stream);
    struct error *error = replay_entries(&tar, visitor);
    tar_free(&tar);
    stream_close(stream);
    bundle->bytes_read += bundle->size;
    return producer_finish(&producer, bundle, error, error == NULL);
}

uint64_t bundle_size(const struct bundle *bundle)
{
    return bundle->size;
}

uint64_t bundle_bytes_read(const struct bundle *bundle)
{
    return bundle->bytes_read;
}
