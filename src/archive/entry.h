/*
 * One entry of a layer (a file, folder, link …) as the walk shows it to analyzers, whether it comes
 * from a tar or from a folder on disk.
 */
#ifndef PLIMSOLL_ARCHIVE_ENTRY_H
#define PLIMSOLL_ARCHIVE_ENTRY_H

#include "base/error.h"

enum entry_kind {
    ENTRY_FILE,
    ENTRY_FOLDER,
    ENTRY_SYMLINK,
    ENTRY_HARDLINK,
    ENTRY_OTHER /* device, FIFO, socket */
};

struct entry {
    enum entry_kind kind;
    slice path;        /* relative to the root, no leading "/" or "./", no "." or ".." in it */
    slice target;      /* of a symlink as written; of a hard link in the form of `path` */
    uint64_t size;     /* of a file's content, holes included */
    unsigned mode;     /* permission bits */
    uint64_t modified; /* seconds since 1970; 0 where that is not known */
};

/*
 * Puts a path of a tar header or a link into the form that entries have: "./a//b/../c" → "a/c".
 * The root itself becomes an empty path. False when it climbs above the root (*normal is then what
 * it names with the root as its ceiling), which a runtime refuses or clamps.
 */
bool path_normalize(struct arena *arena, slice path, slice *normal);

/* A symlink's target as a path in that form: relative ones start at the link's folder. */
slice path_of_target(struct arena *arena, slice link, slice target);

#endif
