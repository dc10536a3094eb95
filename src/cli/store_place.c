#include "cli/command.h"

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

/* Installed, or beside the program in its build folder. */
const char *store_place_of_starter(struct arena *arena)
{
    static const char installed[] = PLIMSOLL_DATA_FOLDER "/starter.db";
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof(self));
    if (length > 0 && (size_t)length < sizeof(self)) {
        slice folder = slice_dirname(slice_make(self, (size_t)length));
        const char *beside = arena_format(arena, "%.*s/starter.db", SLICE_ARG(folder)).ptr;
        if (access(beside, R_OK) == 0)
            return beside;
    }
    return access(installed, R_OK) == 0 ? installed : NULL;
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
