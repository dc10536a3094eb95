#include "store/download_folder.h"
#include "base/interrupt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#define PREFIX ".plimsoll-update-"

/* One folder in it, and files: as deep as a feed's name goes. */
static void remove_all(const char *path, unsigned depth)
{
    CLEANUP_ARENA struct arena arena = {0};
    DIR *folder = depth < 3 ? opendir(path) : NULL;
    for (struct dirent *item; folder && (item = readdir(folder));) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        const char *below = arena_format(&arena, "%s/%s", path, item->d_name).ptr;
        if (unlink(below) < 0)
            remove_all(below, depth + 1);
    }
    if (folder)
        closedir(folder);
    rmdir(path);
}

/* Those of processes that are no more. */
static void clear_leftovers(const char *parent, struct arena *arena)
{
    DIR *folder = opendir(parent);
    for (struct dirent *item; folder && (item = readdir(folder));) {
        uint64_t pid;
        slice name = slice_from_text(item->d_name);
        if (!slice_starts(name, SLICE(PREFIX)) ||
            !slice_to_u64(slice_from(name, strlen(PREFIX)), &pid) || pid > INT32_MAX)
            continue;
        if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
            remove_all(arena_format(arena, "%s/%s", parent, item->d_name).ptr, 0);
    }
    if (folder)
        closedir(folder);
}

static void remember(struct list *list, const char *path, struct arena *arena)
{
    *(const char **)list_add(list, arena, sizeof(path)) = path;
    interrupt_remember(path);
}

static void forget(struct list *list, int (*take_away)(const char *path))
{
    const char **paths = list->items;
    for (size_t i = list->count; i-- > 0;) {
        take_away(paths[i]);
        interrupt_forget(paths[i]);
    }
    *list = (struct list){0};
}

struct error *download_folder_open(struct download_folder *folder, const char *store_path,
                                   struct arena *arena)
{
    slice parent = slice_dirname(slice_from_text(store_path));
    const char *beside = parent.len ? arena_text(arena, parent) : ".";
    *folder = (struct download_folder){0};
    clear_leftovers(beside, arena);
    folder->path = arena_format(arena, "%s/" PREFIX "%ld", beside, (long)getpid());
    if (mkdir(folder->path.ptr, 0700) < 0 && errno != EEXIST)
        return error_errno("cannot make the folder %s to download to", folder->path.ptr);
    remember(&folder->folders, folder->path.ptr, arena);
    return NULL;
}

struct error *download_folder_create(struct download_folder *folder, const char *name,
                                     struct arena *arena, const char **path, int *fd)
{
    *path = arena_format(arena, "%.*s/%s", SLICE_ARG(folder->path), name).ptr;
    const char *below = arena_text(arena, slice_dirname(slice_from_text(*path)));
    if (mkdir(below, 0700) == 0)
        remember(&folder->folders, below, arena);
    *fd = open(*path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        return error_errno("cannot write %s", *path);
    remember(&folder->files, *path, arena);
    return NULL;
}

void download_folder_close(struct download_folder *folder)
{
    forget(&folder->files, unlink);
    forget(&folder->folders, rmdir);
}
