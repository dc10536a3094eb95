/*
 * A zip file of a feed, read entry by entry. Stands between import.c and the file.
 *
 * The central directory is the list of entries; each local header must agree with it. An archive
 * whose entries overlap, whose directory does not end where the file says, or whose entries unpack
 * to more than the limits allow is refused whole; an entry that is damaged by itself is reported
 * and the next one can be read.
 */
#ifndef PLIMSOLL_STORE_ZIP_H
#define PLIMSOLL_STORE_ZIP_H

#include "base/error.h"

struct zip;

/* Opens and checks the directory. `path` is only used in messages. Takes over the descriptor. */
MUST_CHECK struct error *zip_open(struct zip **zip, int file, const char *path);
void zip_close(struct zip *zip);

/* Entries in the order in which they lie in the file. */
size_t zip_count(const struct zip *zip);
/* The name of an entry, as it stands in the directory: any bytes, it is never a path to open. */
slice zip_name(const struct zip *zip, size_t index);
/*
 * Reads an entry whole; *bytes live until the next call. An error of kind ERROR_INPUT or
 * ERROR_LIMIT is this entry's own, but once the archive as a whole has passed a limit each call
 * says so.
 */
MUST_CHECK struct error *zip_read(struct zip *zip, size_t index, slice *bytes);
/* Whether a limit on the whole archive was passed. */
bool zip_is_over_limit(const struct zip *zip);

#endif
