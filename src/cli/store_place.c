#include "cli/command.h"

#include <errno.h>
#include <sys/stat.h>

#ifndef PLIMSOLL_DATA_FOLDER
#define PLIMSOLL_DATA_FOLDER "/usr/local/share/plimsoll"
#endif

const char *store_place_of_user(struct arena *arena)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");
    if (data && *data == '/')
        return arena_format(arena, "%s/plimsoll/store.db", data).ptr;
    if (home && *home)
        return arena_format(arena, "%s/.local/share/plimsoll/store.db", home).ptr;
    return NULL;
}

/* Beside the program in its build folder, or installed. */
const char *data_place(const char *name, struct arena *arena)
{
    const char *installed = arena_format(arena, PLIMSOLL_DATA_FOLDER "/%s", name).ptr;
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
    if (length > 0 && (size_t)length < sizeof(self)) {
        slice folder = slice_dirname(slice_make(self, (size_t)length));
        const char *beside = arena_format(arena, "%.*s/%s", SLICE_ARG(folder), name).ptr;
        if (access(beside, R_OK) == 0)
            return beside;
    }
    return access(installed, R_OK) == 0 ? installed : NULL;
}

const char *store_place_of_starter(struct arena *arena)
{
    return data_place("starter.db", arena);
}

const char *store_place(const struct options *options, struct arena *arena)
{
    if (options->db)
        return options->db;
    const char *own = store_place_of_user(arena);
    if (own && access(own, F_OK) == 0)
        return own;
    return store_place_of_starter(arena);
}

static struct error *make_folders(const char *file)
{
    CLEANUP_ARENA struct arena arena = {0};
    char *path = arena_text(&arena, slice_dirname(slice_from_text(file)));
    for (char *at = path + 1; *path; at++) {
        bool last = *at == '\0';
        if (*at != '/' && !last)
            continue;
        *at = '\0';
        if (mkdir(path, 0777) < 0 && errno != EEXIST)
            return error_errno("cannot make the folder %s for the store", path);
        if (last)
            break;
        *at = '/';
    }
    return NULL;
}

struct error *store_place_to_write(const struct options *options, struct arena *arena,
                                   const char **path, const char **begin_with)
{
    *path = options->db ? options->db : store_place_of_user(arena);
    *begin_with = options->db ? NULL : store_place_of_starter(arena);
    if (!*path)
        return error_make(ERROR_USAGE, "there is no home folder to keep the store in: name a file "
                                       "with --db FILE");
    return options->db ? NULL : make_folders(*path);
}
