/*
 * The folder in which the files of the cache (layer/cache.h) lie: opened only where nobody else can
 * have written, and gone over. All files lie in one folder, since file systems of today find a name
 * among 100,000 as fast as among ten, and going over one folder is quicker than over many.
 *
 * A record's file is named by the sha256 of its key. While it is written it is named
 * "partial-PID-RANDOM"; one whose process is gone is a leftover. Other names are not the cache's,
 * and are left alone.
 */
#ifndef PLIMSOLL_LAYER_CACHE_FOLDER_H
#define PLIMSOLL_LAYER_CACHE_FOLDER_H

#include "base/error.h"
#include <sys/stat.h>

enum { CACHE_NAME_LENGTH = 64, CACHE_NAME_ROOM = 80 };

/*
 * Opens "layers" in `folder`. With `make` both are made (mode 0700) when they are not there;
 * without it *handle is then -1, which is no error.
 */
MUST_CHECK struct error *cache_folder_open(int *handle, const char *folder, bool make);

/* Whether nobody but the effective user can have written the file or folder. */
bool cache_is_own(const struct stat *info);

/* Names with their NUL: of a key's record, and a new one to write under. */
void cache_record_name(slice key, char name[CACHE_NAME_ROOM]);
void cache_partial_name(char name[CACHE_NAME_ROOM]);

struct cache_file {
    const char *name; /* until the next file */
    bool leftover;    /* else a record */
    uint64_t bytes;
    struct timespec used;
};

typedef void cache_visit(void *context, const struct cache_file *file);

/* Shows each record and leftover to `visit`, which may remove it. What other processes add or
 * remove at the same time is shown or not. */
MUST_CHECK struct error *cache_folder_visit(int handle, cache_visit *visit, void *context);

#endif
