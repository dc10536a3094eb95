/* The walks of what lies in a folder, a root file system or one layer of overlayfs: part of
 * layer/walk.h. */
#include "layer/walk.h"
#include "layer/walk_internal.h"
#include "base/file.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { PIECE_BYTES = 128 * 1024 };

struct folder_walk {
    struct walk walk;
    int root;
    bool overlay;        /* one layer of overlayfs, not a root file system */
    char *bytes;         /* PIECE_BYTES, of the file at hand */
    struct arena names;  /* paths of folders still to be walked */
    struct list pending; /* of slice */
};

/* Never leaves the root, never follows a link: the kernel sees to both. */
static int open_below(int root, const char *path, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(flags | O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

struct file_content {
    struct folder_walk *folder;
    int fd;
    const char *path;
    uint64_t offset;
    bool ended; /* the kernel said so */
};

/* Opened when the first byte is asked for: most files are never. */
static struct error *file_next(void *context, slice *piece)
{
    struct file_content *content = context;
    size_t got;
    *piece = SLICE_EMPTY;
    if (content->ended)
        return NULL;
    if (content->fd < 0) {
        content->fd = open_below(content->folder->root, content->path, 0);
        if (content->fd < 0)
            return error_errno("cannot open it");
    }
    TRY(file_read_at(content->fd, content->folder->bytes, PIECE_BYTES, content->offset, &got));
    content->offset += got;
    content->ended = got < PIECE_BYTES;
    content->folder->walk.record->statistics.bytes_read += got;
    *piece = slice_make(content->folder->bytes, got);
    return NULL;
}

static struct error *file_skip(void *context, uint64_t count)
{
    struct file_content *content = context;
    content->offset += count;
    return NULL;
}

static enum entry_kind kind_of_mode(mode_t mode)
{
    if (S_ISREG(mode))
        return ENTRY_FILE;
    if (S_ISDIR(mode))
        return ENTRY_FOLDER;
    return S_ISLNK(mode) ? ENTRY_SYMLINK : ENTRY_OTHER;
}

/* The kernel's own file systems are no part of an image. */
static bool is_kernel_folder(slice path)
{
    return slice_equal(path, SLICE("proc")) || slice_equal(path, SLICE("sys")) ||
           slice_equal(path, SLICE("dev"));
}

static void tell_errno(struct folder_walk *folder, slice path, const char *what)
{
    walk_problem(&folder->walk, path,
                 arena_format(&folder->walk.scratch, "%s: %s", what, strerror(errno)));
}

static slice join(struct arena *arena, slice folder, const char *name)
{
    if (folder.len == 0)
        return arena_copy(arena, slice_from_text(name));
    return arena_format(arena, "%.*s/%s", SLICE_ARG(folder), name);
}

static struct error *no_content(void *context, slice *piece)
{
    (void)context;
    *piece = SLICE_EMPTY;
    return NULL;
}

/* What overlayfs says with devices and attributes, said as a layer's tar says it. */
static struct error *visit_whiteout(struct folder_walk *folder, slice inside, const char *name)
{
    struct entry entry = {.kind = ENTRY_FILE, .path = join(&folder->names, inside, name)};
    struct content nothing = {no_content, NULL, NULL};
    return walk_entry(&folder->walk, &entry, &nothing);
}

/*
 * The kernel reads these from "trusted." for root and from "user." for others ("userxattr"). An
 * image's tar can hold attributes of "user.", too: those that overlayfs would not look at must not
 * hide anything here. (Without a system call, which a worker has none for.)
 */
static const char *attribute_space(void)
{
    return getauxval(AT_EUID) == 0 ? "trusted.overlay." : "user.overlay.";
}

/* Its value, at most a byte of it; 0: there is none. 'y' is opaque, 'x' is not (Linux 6.7). */
static char attribute(int fd, const char *name)
{
    char whole[64], value[2] = {0};
    snprintf(whole, sizeof(whole), "%s%s", attribute_space(), name);
    ssize_t length = fgetxattr(fd, whole, value, sizeof(value));
    if (length < 0)
        return errno == ERANGE ? '?' : 0;
    return length > 0 ? value[0] : 0;
}

static struct error *visit_attributes(struct folder_walk *folder, int fd, slice path)
{
    if (attribute(fd, "redirect"))
        walk_problem(&folder->walk, path,
                     SLICE("this folder was renamed by overlayfs, so that its files lie elsewhere: "
                           "read the image from an archive or a registry"));
    if (path.len && attribute(fd, "opaque") == 'y')
        return visit_whiteout(folder, path, ".wh..wh..opq");
    return NULL;
}

static struct error *visit(struct folder_walk *folder, int parent, slice path)
{
    struct stat info;
    char target[LIMIT_PATH_BYTES + 1];
    const char *name = slice_basename(path).ptr;
    if (fstatat(parent, name, &info, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno != ENOENT)
            tell_errno(folder, path, "cannot look at it");
        return NULL;
    }
    if (folder->overlay && S_ISCHR(info.st_mode) && info.st_rdev == makedev(0, 0))
        return visit_whiteout(folder, slice_dirname(path),
                              arena_format(&folder->names, ".wh.%s", name).ptr);
    struct entry entry = {.kind = kind_of_mode(info.st_mode),
                          .path = path,
                          .size = (uint64_t)info.st_size,
                          .mode = info.st_mode & 07777,
                          .modified = info.st_mtime > 0 ? (uint64_t)info.st_mtime : 0};
    if (entry.kind == ENTRY_SYMLINK) {
        ssize_t length = readlinkat(parent, name, target, sizeof(target));
        if (length < 0)
            tell_errno(folder, path, "cannot read the link");
        entry.target = slice_make(target, length > 0 ? (size_t)length : 0);
    }
    if (entry.kind == ENTRY_FOLDER &&
        (folder->overlay || folder->walk.options->plain_folder || !is_kernel_folder(path)))
        *(slice *)list_add(&folder->pending, &folder->names, sizeof(slice)) = path;
    struct file_content content = {folder, -1, path.ptr, 0, false};
    struct content reader = {file_next, &content, file_skip};
    struct error *error = walk_entry(&folder->walk, &entry, &reader);
    if (content.fd >= 0)
        close(content.fd);
    if (error && error->kind != ERROR_LIMIT) {
        walk_file_problem(&folder->walk, path, slice_from_text(error->message));
        error_free(error);
        return NULL;
    }
    return error;
}

static struct error *walk_one_folder(struct folder_walk *folder, slice path)
{
    int fd = open_below(folder->root, path.len ? path.ptr : ".", O_DIRECTORY);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        tell_errno(folder, path, "cannot open the folder");
        return NULL;
    }
    struct error *error = folder->overlay ? visit_attributes(folder, fd, path) : NULL;
    for (struct dirent *item; !error;) {
        errno = 0;
        item = readdir(stream);
        if (!item && errno)
            tell_errno(folder, path, "cannot read the folder to its end");
        if (!item)
            break;
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        slice below = join(&folder->names, path, item->d_name);
        if (below.len > LIMIT_PATH_BYTES)
            error = error_make(ERROR_LIMIT, "a path has more than %d bytes", LIMIT_PATH_BYTES);
        else
            error = visit(folder, fd, below);
    }
    closedir(stream);
    return error;
}

static struct error *walk_tree(int root, bool overlay, const struct walk_options *options,
                               struct arena *arena, struct record *record)
{
    CLEANUP_FREE char *bytes = memory_alloc(PIECE_BYTES);
    struct folder_walk folder = {.root = root, .overlay = overlay, .bytes = bytes};
    struct error *error = NULL;
    walk_begin(&folder.walk, options, arena, record);
    folder.walk.whiteouts = overlay;
    folder.walk.unique_paths = true;
    *(slice *)list_add(&folder.pending, &folder.names, sizeof(slice)) = SLICE_EMPTY;
    while (!error && folder.pending.count)
        error = walk_one_folder(&folder, ((slice *)folder.pending.items)[--folder.pending.count]);
    arena_free(&folder.names);
    walk_end(&folder.walk);
    return error;
}

struct error *walk_folder(int root, const struct walk_options *options, struct arena *arena,
                          struct record *record)
{
    return walk_tree(root, false, options, arena, record);
}

struct error *walk_overlay(int folder, const struct walk_options *options, struct arena *arena,
                           struct record *record)
{
    return walk_tree(folder, true, options, arena, record);
}
