#include "layer/cache.h"
#include "base/interrupt.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/map.h"
#include "layer/cache_folder.h"
#include "layer/cache_form.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>

/* What was marked as used so lately is not marked again: it makes no difference to the order in
 * which hours and days are told apart. */
#define MARK_SECONDS 60

struct layer_cache {
    int folder; /* "layers" */
    uint64_t max_bytes;
    bool stored;
    struct arena arena;
    struct map touched; /* names of what this process stored or used: kept when others can go */
};

const char *layer_cache_place(struct arena *arena)
{
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/')
        return arena_format(arena, "%s/plimsoll", cache).ptr;
    if (home && *home)
        return arena_format(arena, "%s/.cache/plimsoll", home).ptr;
    return NULL;
}

struct error *layer_cache_open(struct layer_cache **cache, const char *folder, uint64_t max_bytes)
{
    int handle;
    *cache = NULL;
    TRY(cache_folder_open(&handle, folder, true));
    if (faccessat(handle, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        struct error *error = error_errno("cannot write to the cache folder %s", folder);
        close(handle);
        return error;
    }
    struct layer_cache *opened = memory_alloc(sizeof(*opened));
    *opened = (struct layer_cache){.folder = handle, .max_bytes = max_bytes};
    opened->touched.arena = &opened->arena;
    *cache = opened;
    return NULL;
}

static void touch(struct layer_cache *cache, const char *name)
{
    if (!map_get(&cache->touched, slice_from_text(name)))
        map_put(&cache->touched, arena_copy(&cache->arena, slice_from_text(name)), cache);
}

/* --- reading -------------------------------------------------------------------------------- */

/* *wrong says whether the file is to go: not when it merely could not be read this time. */
static bool read_file(int fd, slice key, struct arena *arena, slice *bytes, struct stat *info,
                      bool *wrong)
{
    uint64_t around = cache_form_length(key, SLICE_EMPTY);
    size_t got;
    *wrong = false;
    if (fstat(fd, info) < 0)
        return false;
    *wrong = true;
    if (!S_ISREG(info->st_mode) || !cache_is_own(info) || (uint64_t)info->st_size < around ||
        (uint64_t)info->st_size - around > LIMIT_RECORD_BYTES)
        return false;
    /* Not mapped: that would end the process when the file were cut meanwhile. */
    char *file = arena_alloc(arena, (size_t)info->st_size);
    CLEANUP_ERROR struct error *error = file_read_at(fd, file, (size_t)info->st_size, 0, &got);
    *wrong = !error;
    return !error && cache_form_read(slice_make(file, got), key, bytes);
}

static void mark_used(int fd, const struct stat *info)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    int64_t age = (int64_t)time(NULL) - info->st_mtim.tv_sec;
    /* Where it cannot be marked the record is good all the same. */
    if (age > MARK_SECONDS || age < -MARK_SECONDS)
        futimens(fd, times);
}

bool layer_cache_get(struct layer_cache *cache, slice key, struct arena *arena, slice *bytes)
{
    char name[CACHE_NAME_ROOM];
    struct stat info;
    bool wrong;
    *bytes = SLICE_EMPTY;
    cache_record_name(key, name);
    CLEANUP_CLOSE int fd =
        openat(cache->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        if (errno == ELOOP) /* a link, which plimsoll has not made */
            unlinkat(cache->folder, name, 0);
        return false;
    }
    if (!read_file(fd, key, arena, bytes, &info, &wrong)) {
        /* If another process has put a good one in its place meanwhile, that one is lost. It is
         * made anew the next time. */
        if (wrong)
            unlinkat(cache->folder, name, 0);
        return false;
    }
    mark_used(fd, &info);
    touch(cache, name);
    return true;
}

/* --- writing -------------------------------------------------------------------------------- */

/* Writing past `ulimit -f` would end the process with a signal. */
static bool may_be_written(uint64_t length)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
           (limit.rlim_cur == RLIM_INFINITY || length <= limit.rlim_cur);
}

static bool write_parts(int fd, slice key, slice bytes)
{
    CLEANUP_BUFFER struct buffer before = {0};
    CLEANUP_BUFFER struct buffer behind = {0};
    cache_form_write(key, bytes, &before, &behind);
    const slice parts[] = {buffer_slice(&before), bytes, buffer_slice(&behind)};
    for (size_t i = 0; i < 3; i++) {
        CLEANUP_ERROR struct error *error = file_write_all(fd, parts[i]);
        if (error)
            return false;
    }
    return true;
}

/* Written beside and renamed; false when that could not be done, and then nothing is left. */
static bool write_record(const struct layer_cache *cache, const char *name, slice key, slice bytes)
{
    char partial[CACHE_NAME_ROOM];
    cache_partial_name(partial);
    int fd =
        openat(cache->folder, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    bool whole = write_parts(fd, key, bytes);
    /* Some file systems say only here that the disk is full. After a power cut the file may hold
     * anything; its reader finds that out, so it is not worth an fsync. */
    whole = close(fd) == 0 && whole;
    if (whole && renameat(cache->folder, partial, cache->folder, name) == 0)
        return true;
    unlinkat(cache->folder, partial, 0);
    return false;
}

void layer_cache_put(struct layer_cache *cache, slice key, slice bytes)
{
    char name[CACHE_NAME_ROOM];
    if (bytes.len > cache->max_bytes / 2 || bytes.len > LIMIT_RECORD_BYTES ||
        key.len > UINT32_MAX || !may_be_written(cache_form_length(key, bytes)))
        return;
    cache_record_name(key, name);
    interrupt_hold();
    bool stored = write_record(cache, name, key, bytes);
    interrupt_release();
    if (!stored)
        return;
    cache->stored = true;
    touch(cache, name);
}

/* --- trimming ------------------------------------------------------------------------------- */

struct candidate {
    char name[CACHE_NAME_LENGTH + 1];
    bool touched;
    uint64_t bytes;
    struct timespec used;
};

struct trim {
    struct layer_cache *cache;
    uint64_t total;
    struct arena arena;
    struct list candidates; /* of struct candidate */
};

static void sum(void *context, const struct cache_file *file)
{
    struct trim *trim = context;
    if (file->leftover)
        unlinkat(trim->cache->folder, file->name, 0);
    else
        trim->total += file->bytes;
}

static void collect(void *context, const struct cache_file *file)
{
    struct trim *trim = context;
    if (file->leftover)
        return;
    struct candidate *candidate = list_add(&trim->candidates, &trim->arena, sizeof(*candidate));
    *candidate = (struct candidate){
        .touched = map_get(&trim->cache->touched, slice_from_text(file->name)) != NULL,
        .bytes = file->bytes,
        .used = file->used};
    memcpy(candidate->name, file->name, CACHE_NAME_LENGTH);
    trim->total += file->bytes;
}

/* What goes first comes first. */
static int compare_candidates(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;
    if (one->touched != other->touched)
        return one->touched ? 1 : -1;
    if (one->used.tv_sec != other->used.tv_sec)
        return one->used.tv_sec < other->used.tv_sec ? -1 : 1;
    if (one->used.tv_nsec != other->used.tv_nsec)
        return one->used.tv_nsec < other->used.tv_nsec ? -1 : 1;
    return memcmp(one->name, other->name, CACHE_NAME_LENGTH);
}

/* Down to nine tenths, so that the next processes need not trim again; what this one has touched
 * goes only as far as it must. */
static void remove_candidates(struct trim *trim)
{
    const struct candidate *candidates = trim->candidates.items;
    uint64_t most = trim->cache->max_bytes, aim = most - most / 10;
    for (size_t i = 0; i < trim->candidates.count; i++) {
        if (trim->total <= (candidates[i].touched ? most : aim))
            return;
        if (unlinkat(trim->cache->folder, candidates[i].name, 0) == 0 || errno == ENOENT)
            trim->total -= candidates[i].bytes;
    }
}

static void trim_records(struct layer_cache *cache)
{
    struct trim trim = {.cache = cache};
    CLEANUP_ERROR struct error *error = cache_folder_visit(cache->folder, sum, &trim);
    if (error || trim.total <= cache->max_bytes)
        return;
    /* Only now, since most runs need no list. */
    trim.total = 0;
    error = cache_folder_visit(cache->folder, collect, &trim);
    if (!error && trim.candidates.count) {
        qsort(trim.candidates.items, trim.candidates.count, sizeof(struct candidate),
              compare_candidates);
        remove_candidates(&trim);
    }
    arena_free(&trim.arena);
}

bool layer_cache_recall(void *cache, slice key, struct arena *arena, slice *bytes)
{
    return layer_cache_get(cache, key, arena, bytes);
}

void layer_cache_keep(void *cache, slice key, slice bytes)
{
    layer_cache_put(cache, key, bytes);
}

void layer_cache_close(struct layer_cache *cache)
{
    if (!cache)
        return;
    if (cache->stored)
        trim_records(cache);
    close(cache->folder);
    arena_free(&cache->arena);
    free(cache);
}

/* --- for `plimsoll cache` ------------------------------------------------------------------- */

static void count(void *context, const struct cache_file *file)
{
    struct layer_cache_status *status = context;
    if (file->leftover) {
        status->leftovers++;
        return;
    }
    if (status->records == 0 || file->used.tv_sec < status->oldest)
        status->oldest = file->used.tv_sec;
    status->records++;
    status->bytes += file->bytes;
}

struct error *layer_cache_status(const char *folder, struct layer_cache_status *status)
{
    CLEANUP_CLOSE int handle = -1;
    *status = (struct layer_cache_status){0};
    TRY(cache_folder_open(&handle, folder, false));
    return handle < 0 ? NULL : cache_folder_visit(handle, count, status);
}

struct clearing {
    int folder;
    struct layer_cache_status removed;
    struct error *error;
};

static void clear_one(void *context, const struct cache_file *file)
{
    struct clearing *clearing = context;
    if (unlinkat(clearing->folder, file->name, 0) == 0)
        count(&clearing->removed, file);
    else if (errno != ENOENT && !clearing->error)
        clearing->error = error_errno("cannot remove the record %s", file->name);
}

struct error *layer_cache_clear(const char *folder, struct layer_cache_status *removed)
{
    CLEANUP_CLOSE int handle = -1;
    struct clearing clearing = {0};
    size_t before;
    *removed = (struct layer_cache_status){0};
    TRY(cache_folder_open(&handle, folder, false));
    if (handle < 0)
        return NULL;
    clearing.folder = handle;
    /* Again until nothing comes: some file systems skip names while others are removed. */
    do {
        before = clearing.removed.records + clearing.removed.leftovers;
        struct error *error = cache_folder_visit(handle, clear_one, &clearing);
        if (!clearing.error)
            clearing.error = error;
        else
            error_free(error);
    } while (!clearing.error && clearing.removed.records + clearing.removed.leftovers > before);
    *removed = clearing.removed;
    return error_wrap(clearing.error, "%s", folder);
}
