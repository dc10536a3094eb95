#include "layer/cache_folder.h"
#include "base/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/random.h>
#include <time.h>

#define PARTIAL "partial-"
/* No record takes so long to write: another process has got the number of the one that began it. */
#define LEFTOVER_SECONDS 3600

bool cache_is_own(const struct stat *info)
{
    return info->st_uid == geteuid() && !(info->st_mode & (S_IWGRP | S_IWOTH));
}

/* --- opening -------------------------------------------------------------------------------- */

static struct error *check_folder(int handle, const char *path)
{
    struct stat info;
    if (fstat(handle, &info) < 0)
        return error_errno("cannot look at the cache folder %s", path);
    if (info.st_uid != geteuid())
        return error_make(ERROR_INPUT,
                          "the cache folder %s belongs to another user, who could have written "
                          "anything into it: name one of your own with --cache-dir",
                          path);
    if (!cache_is_own(&info))
        return error_make(ERROR_INPUT,
                          "others can write to the cache folder %s: take that from them with "
                          "`chmod go-w`, or name another folder with --cache-dir",
                          path);
    return NULL;
}

/* One step: `name` in the folder `above`, `path` in words. */
static struct error *open_step(int *handle, int above, const char *name, const char *path,
                               bool make)
{
    int not_made = make && mkdirat(above, name, 0700) < 0 ? errno : 0;
    *handle = -1;
    int opened = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (opened < 0 && errno == ENOENT && !make)
        return NULL;
    if (opened < 0 && errno == ENOENT) {
        errno = not_made ? not_made : ENOENT;
        return error_errno("cannot make the cache folder %s", path);
    }
    if (opened < 0 && (errno == ENOTDIR || errno == ELOOP))
        return error_make(ERROR_INPUT,
                          "the cache folder %s is no folder, or a link to one: name a folder with "
                          "--cache-dir",
                          path);
    if (opened < 0)
        return error_errno("cannot open the cache folder %s", path);
    struct error *error = check_folder(opened, path);
    if (error)
        close(opened);
    else
        *handle = opened;
    return error;
}

/* Those above the cache's own folder; where one cannot be made, the next step says why. */
static void make_folders_above(const char *path)
{
    CLEANUP_ARENA struct arena arena = {0};
    char *part = arena_text(&arena, slice_from_text(path));
    for (char *at = part + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(part, 0700);
        *at = '/';
    }
}

struct error *cache_folder_open(int *handle, const char *folder, bool make)
{
    CLEANUP_ARENA struct arena arena = {0};
    CLEANUP_CLOSE int above = -1;
    /* "link/" would be followed in spite of O_NOFOLLOW. */
    slice path = slice_from_text(folder);
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    const char *text = arena_text(&arena, path);
    *handle = -1;
    if (path.len == 0)
        return error_make(ERROR_USAGE, "the cache folder has no name: name one with --cache-dir");
    if (make)
        make_folders_above(text);
    TRY(open_step(&above, AT_FDCWD, text, text, make));
    if (above < 0)
        return NULL;
    return open_step(handle, above, "layers", arena_format(&arena, "%s/layers", text).ptr, make);
}

/* --- names ---------------------------------------------------------------------------------- */

void cache_record_name(slice key, char name[CACHE_NAME_ROOM])
{
    CLEANUP_ARENA struct arena arena = {0};
    slice digest = digest_of(key, &arena);
    slice hex = slice_from(digest, slice_find(digest, ':') + 1);
    snprintf(name, CACHE_NAME_ROOM, "%.*s", SLICE_ARG(hex));
}

void cache_partial_name(char name[CACHE_NAME_ROOM])
{
    /* Processes in two containers that share the folder may have the same number. Without random
     * bytes O_EXCL still keeps them apart. */
    uint64_t number = 0;
    if (getrandom(&number, sizeof(number), GRND_NONBLOCK) < 0)
        number = 0;
    snprintf(name, CACHE_NAME_ROOM, PARTIAL "%ld-%016llx", (long)getpid(),
             (unsigned long long)number);
}

static bool is_record_name(slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if (!byte_is_digit(name.ptr[i]) && !(name.ptr[i] >= 'a' && name.ptr[i] <= 'f'))
            return false;
    return name.len == CACHE_NAME_LENGTH;
}

static bool is_partial_name(slice name, pid_t *process)
{
    slice number, rest;
    uint64_t value;
    if (!slice_starts(name, SLICE(PARTIAL)) ||
        !slice_split(slice_from(name, strlen(PARTIAL)), '-', &number, &rest) ||
        !slice_to_u64(number, &value) || value == 0 || value > INT32_MAX)
        return false;
    *process = (pid_t)value;
    return true;
}

/* --- going over it -------------------------------------------------------------------------- */

static bool is_leftover(pid_t process, const struct stat *info)
{
    int64_t age = (int64_t)time(NULL) - info->st_mtim.tv_sec;
    return (kill(process, 0) < 0 && errno == ESRCH) || age > LEFTOVER_SECONDS ||
           age < -LEFTOVER_SECONDS;
}

static void visit_entry(int handle, const char *name, cache_visit *visit, void *context)
{
    struct stat info;
    pid_t process = 0;
    bool record = is_record_name(slice_from_text(name));
    if (!record && !is_partial_name(slice_from_text(name), &process))
        return;
    /* Not there any more: another process has removed it. */
    if (fstatat(handle, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || S_ISDIR(info.st_mode))
        return;
    if (!record && !is_leftover(process, &info))
        return;
    struct cache_file file = {name, !record, (uint64_t)info.st_size, info.st_mtim};
    visit(context, &file);
}

struct error *cache_folder_visit(int handle, cache_visit *visit, void *context)
{
    /* A handle of its own, with a place in the folder of its own. */
    int own = openat(handle, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = own < 0 ? NULL : fdopendir(own);
    if (!folder) {
        struct error *error = error_errno("cannot list the cache folder");
        if (own >= 0)
            close(own);
        return error;
    }
    const struct dirent *entry;
    while ((errno = 0, entry = readdir(folder)))
        visit_entry(handle, entry->d_name, visit, context);
    struct error *error = errno ? error_errno("cannot list the cache folder") : NULL;
    closedir(folder);
    return error;
}
