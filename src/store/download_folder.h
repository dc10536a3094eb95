/*
 * Where feeds are downloaded to: a folder beside the store, on the same volume, with the process's
 * number in its name. Removed at the end, when the program is stopped, or by the next one when it
 * was killed. Internal to src/store.
 */
#ifndef PLIMSOLL_STORE_DOWNLOAD_FOLDER_H
#define PLIMSOLL_STORE_DOWNLOAD_FOLDER_H

#include "base/error.h"

struct download_folder {
    slice path;
    struct list files, folders; /* of const char *: what was made, in this order */
};

/* Makes it, and clears what processes that are gone have left. */
MUST_CHECK struct error *download_folder_open(struct download_folder *folder,
                                              const char *store_path, struct arena *arena);

/* A new file at `name` ("PyPI/all.zip") in it, open for writing. */
MUST_CHECK struct error *download_folder_create(struct download_folder *folder, const char *name,
                                                struct arena *arena, const char **path, int *fd);

void download_folder_close(struct download_folder *folder);

#endif
