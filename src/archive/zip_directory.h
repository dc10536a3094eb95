/* A zip's directory, read from its end (PKWARE APPNOTE 6.3.10, 4.3.12 to 4.3.16), when the zip lies
 * in a spool. */
#ifndef PLIMSOLL_ARCHIVE_ZIP_DIRECTORY_H
#define PLIMSOLL_ARCHIVE_ZIP_DIRECTORY_H

#include "archive/spool.h"
#include "archive/zip_header.h"

/* Of a member, bytes from the spool's start. */
struct zip_place {
    uint64_t local; /* where its local header should be */
    uint64_t entry; /* the directory's own */
};

struct zip_directory {
    struct zip_place *places; /* in the order in which members lie in the zip */
    size_t count;
    uint64_t start, end; /* of the directory and its end record, without the comment */
    uint64_t last;       /* where the end record begins */
    uint64_t announced;  /* so many members it says that it has */
    bool many;  /* there are more than LIMIT_SECRET_ARCHIVE_MEMBERS: the rest is left out */
    bool split; /* it says that parts of the zip are in other files */
};

/*
 * Finds the directory of a zip that lies in the spool from its start on, and that had `front` bytes
 * in front of it, which may count in the directory's offsets. *found is false when there is none.
 */
MUST_CHECK struct error *zip_directory_find(struct zip_directory *directory,
                                            struct spool_view *view, uint64_t front, bool *found);
void zip_directory_free(struct zip_directory *directory);

#endif
