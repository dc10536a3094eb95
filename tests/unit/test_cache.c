/* The cache of layer records: what it gives is what was stored under that key, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "base/limits.h"
#include "layer/cache.h"
#include "layer/cache_folder.h"
#include "layer/cache_form.h"

enum { HOUR = 3600, DAY = 24 * HOUR };

struct fixture {
    char base[64];
    char folder[80]; /* of the cache, in `base` */
    struct arena arena;
};

static int setup(void **state)
{
    struct fixture *fixture = memory_alloc(sizeof(*fixture));
    *fixture = (struct fixture){.base = "/tmp/plimsoll-cache-XXXXXX"};
    assert_non_null(mkdtemp(fixture->base));
    snprintf(fixture->folder, sizeof(fixture->folder), "%s/cache", fixture->base);
    *state = fixture;
    return 0;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status, (void)kind, (void)place;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    nftw(fixture->base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    arena_free(&fixture->arena);
    free(fixture);
    return 0;
}

static struct layer_cache *open_cache(struct fixture *fixture, uint64_t max_bytes)
{
    struct layer_cache *cache;
    assert_null(layer_cache_open(&cache, fixture->folder, max_bytes));
    assert_non_null(cache);
    return cache;
}

/* The message with which the cache refuses `folder`. */
static const char *refusal(struct fixture *fixture, const char *folder)
{
    struct layer_cache *cache = (struct layer_cache *)fixture;
    CLEANUP_ERROR struct error *error = layer_cache_open(&cache, folder, LIMIT_GIB);
    assert_non_null(error);
    assert_null(cache);
    return arena_text(&fixture->arena, slice_from_text(error->message));
}

static const char *record_path(struct fixture *fixture, const char *key)
{
    char name[CACHE_NAME_ROOM];
    cache_record_name(slice_from_text(key), name);
    return arena_format(&fixture->arena, "%s/layers/%s", fixture->folder, name).ptr;
}

static void write_bytes(const char *path, slice bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static slice read_bytes(struct fixture *fixture, const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = arena_alloc(&fixture->arena, 4096);
    size_t count = fread(bytes, 1, 4096, file);
    fclose(file);
    return slice_make(bytes, count);
}

static bool exists(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0;
}

static void set_age(const char *path, int64_t seconds)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = time(NULL) - seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static int64_t age_of(const char *path)
{
    struct stat info;
    assert_int_equal(lstat(path, &info), 0);
    return time(NULL) - info.st_mtim.tv_sec;
}

static void put_text(struct layer_cache *cache, const char *key, const char *text)
{
    layer_cache_put(cache, slice_from_text(key), slice_from_text(text));
}

/* What lies under the key; "none" when nothing does. */
static const char *get_text(struct fixture *fixture, struct layer_cache *cache, const char *key)
{
    slice bytes;
    if (!layer_cache_get(cache, slice_from_text(key), &fixture->arena, &bytes)) {
        assert_int_equal(bytes.len, 0);
        return "none";
    }
    return arena_text(&fixture->arena, bytes);
}

static slice zeros(struct fixture *fixture, size_t count)
{
    return slice_make(arena_alloc(&fixture->arena, count), count);
}

static struct layer_cache_status status_of(struct fixture *fixture)
{
    struct layer_cache_status status;
    assert_null(layer_cache_status(fixture->folder, &status));
    return status;
}

/* Files of any name in the folder of the records. */
static size_t count_files(struct fixture *fixture)
{
    const char *path = arena_format(&fixture->arena, "%s/layers", fixture->folder).ptr;
    DIR *folder = opendir(path);
    size_t count = 0;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* --- there and back ------------------------------------------------------------------------- */

static void test_there_and_back(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    slice found, binary = SLICE("a\0b\n"), key = SLICE("key\0with NUL");
    assert_string_equal(get_text(fixture, cache, "one"), "none");
    put_text(cache, "one", "1");
    put_text(cache, "empty", "");
    put_text(cache, "", "of no key");
    layer_cache_put(cache, key, binary);
    assert_string_equal(get_text(fixture, cache, "one"), "1");
    assert_string_equal(get_text(fixture, cache, "empty"), "");
    assert_string_equal(get_text(fixture, cache, ""), "of no key");
    assert_string_equal(get_text(fixture, cache, "key"), "none");
    assert_true(layer_cache_get(cache, key, &fixture->arena, &found));
    assert_true(slice_equal(found, binary));
    put_text(cache, "one", "another");
    assert_string_equal(get_text(fixture, cache, "one"), "another");
    layer_cache_close(cache);
    cache = open_cache(fixture, LIMIT_GIB);
    assert_string_equal(get_text(fixture, cache, "one"), "another");
    layer_cache_close(cache);
    layer_cache_close(NULL);
    assert_int_equal(count_files(fixture), 4);
}

static void test_large(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, 4 * LIMIT_RECORD_BYTES);
    slice large = zeros(fixture, LIMIT_RECORD_BYTES + 1), found;
    layer_cache_put(cache, SLICE("too large"), large);
    assert_string_equal(get_text(fixture, cache, "too large"), "none");
    large.len--;
    layer_cache_put(cache, SLICE("large"), large);
    assert_true(layer_cache_get(cache, SLICE("large"), &fixture->arena, &found));
    assert_true(slice_equal(large, found));
    layer_cache_close(cache);
    cache = open_cache(fixture, 100);
    layer_cache_put(cache, SLICE("over half"), slice_first(large, 51));
    assert_string_equal(get_text(fixture, cache, "over half"), "none");
    layer_cache_close(cache);
}

static void test_place(void **state)
{
    struct fixture *fixture = *state;
    setenv("XDG_CACHE_HOME", "/x", 1);
    setenv("HOME", "/h", 1);
    assert_string_equal(layer_cache_place(&fixture->arena), "/x/plimsoll");
    setenv("XDG_CACHE_HOME", "relative", 1);
    assert_string_equal(layer_cache_place(&fixture->arena), "/h/.cache/plimsoll");
    unsetenv("XDG_CACHE_HOME");
    assert_string_equal(layer_cache_place(&fixture->arena), "/h/.cache/plimsoll");
    unsetenv("HOME");
    assert_null(layer_cache_place(&fixture->arena));
}

/* --- damage --------------------------------------------------------------------------------- */

/* The file is refused, and gone. */
static void expect_refused(struct fixture *fixture, struct layer_cache *cache, const char *key)
{
    assert_string_equal(get_text(fixture, cache, key), "none");
    assert_false(exists(record_path(fixture, key)));
}

static void test_damage(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    const char *path = record_path(fixture, "key");
    put_text(cache, "key", "content");
    slice whole = read_bytes(fixture, path);
    assert_int_equal(whole.len, cache_form_length(SLICE("key"), SLICE("content")));
    char *copy = arena_text(&fixture->arena, whole);
    for (size_t i = 0; i < whole.len; i++) {
        for (int bit = 0; bit < 8; bit++) {
            copy[i] = (char)(whole.ptr[i] ^ 1 << bit);
            write_bytes(path, slice_make(copy, whole.len));
            expect_refused(fixture, cache, "key");
        }
        copy[i] = whole.ptr[i];
        write_bytes(path, slice_first(whole, i));
        expect_refused(fixture, cache, "key");
    }
    slice more = slice_make(copy, whole.len + 1); /* with the NUL behind it */
    write_bytes(path, more);
    expect_refused(fixture, cache, "key");
    write_bytes(path, zeros(fixture, whole.len));
    expect_refused(fixture, cache, "key");
    write_bytes(path, whole);
    assert_string_equal(get_text(fixture, cache, "key"), "content");
    layer_cache_close(cache);
}

/* A file that is right in itself, but lies where that of another key belongs. */
static void test_other_key(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    put_text(cache, "kea", "content");
    assert_int_equal(rename(record_path(fixture, "kea"), record_path(fixture, "keb")), 0);
    expect_refused(fixture, cache, "keb");
    put_text(cache, "key", "content");
    assert_int_equal(rename(record_path(fixture, "key"), record_path(fixture, "ke")), 0);
    expect_refused(fixture, cache, "ke");
    layer_cache_close(cache);
}

/* Larger than any record can be: not even read. */
static void test_file_of_any_size(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    put_text(cache, "key", "content");
    assert_int_equal(truncate(record_path(fixture, "key"), 1LL << 40), 0);
    size_t used = fixture->arena.used;
    expect_refused(fixture, cache, "key");
    assert_true(fixture->arena.used - used < 4096);
    layer_cache_close(cache);
}

/* --- what others could have written --------------------------------------------------------- */

static void test_files_of_others(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    const char *path = record_path(fixture, "key");
    const char *elsewhere = arena_format(&fixture->arena, "%s/elsewhere", fixture->base).ptr;
    static const mode_t modes[] = {0620, 0602, 0666};
    for (size_t i = 0; i < 3; i++) {
        put_text(cache, "key", "content");
        assert_int_equal(chmod(path, modes[i]), 0);
        expect_refused(fixture, cache, "key");
    }
    put_text(cache, "key", "content");
    assert_int_equal(chmod(path, 0444), 0);
    assert_string_equal(get_text(fixture, cache, "key"), "content");
    assert_int_equal(rename(path, elsewhere), 0);
    assert_int_equal(symlink(elsewhere, path), 0);
    expect_refused(fixture, cache, "key");
    assert_true(exists(elsewhere));
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_refused(fixture, cache, "key");
    assert_int_equal(mkdir(path, 0700), 0);
    assert_string_equal(get_text(fixture, cache, "key"), "none");
    put_text(cache, "key", "content");
    assert_string_equal(get_text(fixture, cache, "key"), "none");
    assert_int_equal(count_files(fixture), 1);
    layer_cache_close(cache);
}

static void test_owner(void **state)
{
    struct fixture *fixture = *state;
    if (geteuid() != 0)
        skip();
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    const char *layers = arena_format(&fixture->arena, "%s/layers", fixture->folder).ptr;
    put_text(cache, "key", "content");
    assert_int_equal(chown(record_path(fixture, "key"), 12345, 0), 0);
    expect_refused(fixture, cache, "key");
    layer_cache_close(cache);
    assert_int_equal(chown(layers, 12345, 0), 0);
    assert_non_null(strstr(refusal(fixture, fixture->folder), "another user"));
    assert_int_equal(chown(layers, 0, 0), 0);
    assert_int_equal(chown(fixture->folder, 12345, 0), 0);
    assert_non_null(strstr(refusal(fixture, fixture->folder), "another user"));
}

static void test_folder(void **state)
{
    struct fixture *fixture = *state;
    const char *layers = arena_format(&fixture->arena, "%s/layers", fixture->folder).ptr;
    const char *deep = arena_format(&fixture->arena, "%s/a/b//c/", fixture->base).ptr;
    const char *link = arena_format(&fixture->arena, "%s/link", fixture->base).ptr;
    const char *file = arena_format(&fixture->arena, "%s/file", fixture->base).ptr;
    struct layer_cache *cache;
    struct stat info;
    layer_cache_close(open_cache(fixture, LIMIT_GIB));
    assert_int_equal(lstat(layers, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(lstat(fixture->folder, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_null(layer_cache_open(&cache, deep, LIMIT_GIB));
    layer_cache_close(cache);

    assert_int_equal(symlink(fixture->folder, link), 0);
    assert_non_null(strstr(refusal(fixture, link), "link"));
    const char *slash = arena_format(&fixture->arena, "%s/", link).ptr;
    assert_non_null(strstr(refusal(fixture, slash), "link"));
    write_bytes(file, SLICE(""));
    assert_non_null(strstr(refusal(fixture, file), "no folder"));
    assert_non_null(refusal(fixture, arena_format(&fixture->arena, "%s/x", file).ptr));
    assert_non_null(refusal(fixture, ""));
    assert_non_null(strstr(refusal(fixture, "/proc/plimsoll"), "cannot make"));

    static const mode_t modes[] = {0770, 0707, 01777};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(chmod(fixture->folder, modes[i]), 0);
        assert_non_null(strstr(refusal(fixture, fixture->folder), "others can write"));
        assert_int_equal(chmod(fixture->folder, 0755), 0);
        assert_int_equal(chmod(layers, modes[i]), 0);
        assert_non_null(strstr(refusal(fixture, fixture->folder), "others can write"));
        assert_int_equal(chmod(layers, 0700), 0);
    }
    assert_int_equal(rename(layers, arena_format(&fixture->arena, "%s/l", fixture->base).ptr), 0);
    assert_int_equal(symlink("../l", layers), 0);
    assert_non_null(strstr(refusal(fixture, fixture->folder), "link"));
}

/* --- what stays and what goes --------------------------------------------------------------- */

static const char *const letters[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
enum { LETTERS = sizeof(letters) / sizeof(letters[0]), CONTENT = 1000 };

/* A record of each letter; the earlier in the alphabet, the longer not used. */
static uint64_t fill(struct fixture *fixture)
{
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    for (size_t i = 0; i < LETTERS; i++)
        layer_cache_put(cache, slice_from_text(letters[i]), zeros(fixture, CONTENT));
    layer_cache_close(cache);
    for (size_t i = 0; i < LETTERS; i++)
        set_age(record_path(fixture, letters[i]), (int64_t)(LETTERS - i) * DAY);
    return cache_form_length(SLICE("a"), zeros(fixture, CONTENT));
}

static const char *remaining(struct fixture *fixture)
{
    CLEANUP_BUFFER struct buffer text = {0};
    for (char letter = 'a'; letter <= 'z'; letter++)
        if (exists(record_path(fixture, (char[]){letter, '\0'})))
            buffer_add_byte(&text, letter);
    return arena_text(&fixture->arena, buffer_slice(&text));
}

static void test_trim(void **state)
{
    struct fixture *fixture = *state;
    uint64_t each = fill(fixture);
    struct layer_cache *cache = open_cache(fixture, 5 * each);
    layer_cache_close(cache);
    assert_string_equal(remaining(fixture), "abcdefghij"); /* nothing was stored */

    cache = open_cache(fixture, 11 * each);
    layer_cache_put(cache, SLICE("z"), zeros(fixture, CONTENT));
    layer_cache_close(cache);
    assert_string_equal(remaining(fixture), "abcdefghijz"); /* just so much */

    cache = open_cache(fixture, 8 * each);
    slice bytes;
    assert_true(layer_cache_get(cache, SLICE("a"), &fixture->arena, &bytes));
    layer_cache_put(cache, SLICE("y"), zeros(fixture, CONTENT));
    assert_int_equal(age_of(record_path(fixture, "a")) / HOUR, 0);
    layer_cache_close(cache);
    assert_string_equal(remaining(fixture), "aghijyz"); /* at most 7.2 of them */
    assert_true(status_of(fixture).bytes <= 8 * each);
}

/* What this process has touched goes last, even when its file looks old, and only as needed. */
static void test_trim_own(void **state)
{
    struct fixture *fixture = *state;
    uint64_t each = fill(fixture);
    struct layer_cache *cache = open_cache(fixture, 3 * each);
    slice bytes;
    assert_true(layer_cache_get(cache, SLICE("b"), &fixture->arena, &bytes));
    layer_cache_put(cache, SLICE("k"), zeros(fixture, CONTENT));
    layer_cache_put(cache, SLICE("l"), zeros(fixture, CONTENT));
    layer_cache_put(cache, SLICE("m"), zeros(fixture, CONTENT));
    set_age(record_path(fixture, "b"), 90 * DAY);
    set_age(record_path(fixture, "k"), 91 * DAY);
    layer_cache_close(cache);
    assert_string_equal(remaining(fixture), "blm");
}

static void test_used(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    const char *path = record_path(fixture, "key");
    put_text(cache, "key", "content");
    set_age(path, 10);
    get_text(fixture, cache, "key");
    assert_true(age_of(path) >= 10); /* so lately that it is not worth a write */
    set_age(path, -DAY);
    get_text(fixture, cache, "key");
    assert_true(age_of(path) >= 0 && age_of(path) < HOUR);
    layer_cache_close(cache);
}

/* A process number that no process has. */
static pid_t dead_process(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return child;
}

static void test_leftovers(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    struct arena *arena = &fixture->arena;
    const char *layers = arena_format(arena, "%s/layers", fixture->folder).ptr;
    long own = (long)getpid();
    const char *dead = arena_format(arena, "%s/partial-%ld-1", layers, (long)dead_process()).ptr;
    const char *old = arena_format(arena, "%s/partial-%ld-2", layers, own).ptr;
    const char *alive = arena_format(arena, "%s/partial-%ld-3", layers, own).ptr;
    const char *others[] = {"partial-x-1", "partial--1", "README", "partial-0-1"};
    write_bytes(dead, SLICE("x"));
    write_bytes(old, SLICE("x"));
    write_bytes(alive, SLICE("x"));
    set_age(old, 2 * HOUR);
    for (size_t i = 0; i < 4; i++)
        write_bytes(arena_format(arena, "%s/%s", layers, others[i]).ptr, SLICE("x"));
    assert_int_equal(status_of(fixture).leftovers, 2);
    put_text(cache, "key", "content");
    layer_cache_close(cache);
    assert_false(exists(dead) || exists(old));
    assert_true(exists(alive));
    assert_int_equal(count_files(fixture), 6);
    assert_int_equal(status_of(fixture).leftovers, 0);
}

static void test_status_and_clear(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache_status removed, status = status_of(fixture);
    assert_int_equal(status.records + status.bytes + status.leftovers, 0);
    assert_int_equal(status.oldest, 0);
    assert_null(layer_cache_clear(fixture->folder, &removed));
    assert_false(exists(fixture->folder)); /* neither makes it */
    uint64_t each = fill(fixture);
    status = status_of(fixture);
    assert_int_equal(status.records, LETTERS);
    assert_int_equal(status.bytes, LETTERS * each);
    assert_true(status.oldest > time(NULL) - (LETTERS + 1) * DAY);
    assert_true(status.oldest < time(NULL) - (LETTERS - 1) * DAY);
    assert_null(layer_cache_clear(fixture->folder, &removed));
    assert_memory_equal(&removed, &status, sizeof(status));
    assert_string_equal(remaining(fixture), "");
    assert_int_equal(chmod(fixture->folder, 0777), 0);
    CLEANUP_ERROR struct error *error = layer_cache_status(fixture->folder, &status);
    assert_non_null(error);
    CLEANUP_ERROR struct error *clear_error = layer_cache_clear(fixture->folder, &removed);
    assert_non_null(clear_error);
}

/* --- when the machine refuses --------------------------------------------------------------- */

static void test_no_handles(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, 10);
    struct rlimit limit, none;
    put_text(cache, "one", "1");
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = (struct rlimit){3, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    put_text(cache, "two", "2");
    const char *found = get_text(fixture, cache, "one");
    layer_cache_close(cache);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_string_equal(found, "none");
    cache = open_cache(fixture, LIMIT_GIB);
    assert_string_equal(get_text(fixture, cache, "one"), "1");
    layer_cache_close(cache);
}

/* A write past the limit would end the process with SIGXFSZ. */
static void test_file_size_limit(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    struct rlimit limit, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = (struct rlimit){1000, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    layer_cache_put(cache, SLICE("large"), zeros(fixture, 1000));
    put_text(cache, "small", "1");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_string_equal(get_text(fixture, cache, "large"), "none");
    assert_string_equal(get_text(fixture, cache, "small"), "1");
    assert_int_equal(count_files(fixture), 1);
    layer_cache_close(cache);
}

/* The folder goes away beneath an open cache. */
static void test_folder_gone(void **state)
{
    struct fixture *fixture = *state;
    struct layer_cache *cache = open_cache(fixture, LIMIT_GIB);
    put_text(cache, "one", "1");
    nftw(fixture->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_string_equal(get_text(fixture, cache, "one"), "none");
    put_text(cache, "one", "1");
    assert_string_equal(get_text(fixture, cache, "one"), "none");
    layer_cache_close(cache);
}

/* --- many at once --------------------------------------------------------------------------- */

enum { PROCESSES = 50, KEYS = 12, ROUNDS = 60 };

/* Bytes that tell the key, and which differ with each writing in length and content. */
static slice content_of(struct arena *arena, unsigned key, unsigned version)
{
    size_t length = 64 + (key * 7919 + version * 104729) % 60000;
    char *bytes = arena_alloc(arena, length);
    memset(bytes, (int)('a' + (key + version) % 26), length);
    snprintf(bytes, 64, "%u %u %zu", key, version, length);
    return slice_make(bytes, length);
}

static bool is_content_of(struct arena *arena, slice bytes, unsigned key)
{
    slice rest = bytes, word;
    uint64_t found, version;
    if (!slice_pull(&rest, ' ', &word) || !slice_to_u64(word, &found) || found != key ||
        !slice_pull(&rest, ' ', &word) || !slice_to_u64(word, &version))
        return false;
    return slice_equal(bytes, content_of(arena, key, (unsigned)version));
}

/* Ends with 1 when it was ever handed wrong bytes; with 2 when it never got any; else with 0. */
static int use_cache(const char *folder, unsigned seed)
{
    struct layer_cache *cache = NULL;
    size_t hits = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        CLEANUP_ARENA struct arena arena = {0};
        unsigned key = (seed * 31 + round * 17 + round / 5) % KEYS;
        slice name = arena_format(&arena, "key %u", key), bytes;
        /* Small enough that closing removes records all the time. */
        if (!cache && layer_cache_open(&cache, folder, 250000))
            return 3;
        if (layer_cache_get(cache, name, &arena, &bytes)) {
            hits++;
            if (!is_content_of(&arena, bytes, key))
                return 1;
        }
        layer_cache_put(cache, name, content_of(&arena, key, seed + round));
        if (layer_cache_get(cache, name, &arena, &bytes) && !is_content_of(&arena, bytes, key))
            return 1;
        if (round % 10 == 9) {
            layer_cache_close(cache);
            cache = NULL;
        }
    }
    layer_cache_close(cache);
    return hits ? 0 : 2;
}

/* Changes bytes of records, and cuts them, while others use them. */
static int damage_cache(const char *folder)
{
    char layers[128];
    snprintf(layers, sizeof(layers), "%s/layers", folder);
    int handle = open(layers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (unsigned round = 0; round < 200; round++) {
        char key[32], name[CACHE_NAME_ROOM];
        int length = snprintf(key, sizeof(key), "key %u", round % KEYS);
        cache_record_name(slice_make(key, (size_t)length), name);
        CLEANUP_CLOSE int fd = openat(handle, name, O_WRONLY | O_CLOEXEC);
        if (fd >= 0 && round % 2 ? pwrite(fd, "?", 1, round * 13 % 500) < 0 : ftruncate(fd, 50) < 0)
            continue;
        usleep(2000);
    }
    return 0;
}

static void test_many_processes(void **state)
{
    struct fixture *fixture = *state;
    pid_t children[PROCESSES + 1];
    size_t killed = 0, helped = 0;
    layer_cache_close(open_cache(fixture, LIMIT_GIB));
    for (unsigned i = 0; i <= PROCESSES; i++) {
        children[i] = fork();
        if (children[i] == 0)
            _exit(i == PROCESSES ? damage_cache(fixture->folder) : use_cache(fixture->folder, i));
        assert_true(children[i] > 0);
    }
    for (unsigned i = 0; i < PROCESSES; i += 5) {
        usleep(3000 * (i % 7));
        kill(children[i], SIGKILL);
    }
    for (unsigned i = 0; i <= PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        if (WIFSIGNALED(status)) {
            assert_int_equal(WTERMSIG(status), SIGKILL);
            assert_int_equal(i % 5, 0);
            killed++;
        } else {
            assert_true(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 2);
            helped += i < PROCESSES && WEXITSTATUS(status) == 0;
        }
    }
    print_message("%zu processes were killed, %zu found records, %zu leftovers\n", killed, helped,
                  status_of(fixture).leftovers);
    assert_true(helped > 0);
    struct layer_cache *cache = open_cache(fixture, 250000);
    put_text(cache, "last", "1");
    layer_cache_close(cache);
    struct layer_cache_status status = status_of(fixture);
    assert_int_equal(status.leftovers, 0);
    assert_int_equal(status.records, count_files(fixture));
    assert_true(status.bytes <= 250000);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_there_and_back),  TEST(test_large),
        TEST(test_place),           TEST(test_damage),
        TEST(test_other_key),       TEST(test_file_of_any_size),
        TEST(test_files_of_others), TEST(test_owner),
        TEST(test_folder),          TEST(test_trim),
        TEST(test_trim_own),        TEST(test_used),
        TEST(test_leftovers),       TEST(test_status_and_clear),
        TEST(test_no_handles),      TEST(test_file_size_limit),
        TEST(test_folder_gone),     TEST(test_many_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
