/*
 * Walks through a zip from front to back, as it comes, by the headers in front of its members
 * (PKWARE APPNOTE 6.3.10, 4.3.7 to 4.3.9): for what has no directory, or is too large to be kept
 * until the directory at its end is there. What lies between members is shown, too: nothing is
 * passed over in silence.
 */
#ifndef PLIMSOLL_ARCHIVE_ZIP_WALK_H
#define PLIMSOLL_ARCHIVE_ZIP_WALK_H

#include "archive/zip_header.h"

enum zip_part { ZIP_NOTHING_MORE, ZIP_MEMBER, ZIP_BETWEEN };

struct zip_walk;

/* The stream below stays the caller's; it has `size` bytes, or UINT64_MAX when nobody knows. */
struct zip_walk *zip_walk_open(struct stream *below, uint64_t size, struct decoder *decoder);
void zip_walk_close(struct zip_walk *walk);

/* What comes next; what is left of the part before is passed over. */
MUST_CHECK struct error *zip_walk_next(struct zip_walk *walk, enum zip_part *part);

/* Of the member at hand, until the next. */
slice zip_walk_name(const struct zip_walk *walk);

/* The next piece of the part at hand, until the next call; empty at its end. */
MUST_CHECK struct error *zip_walk_read(void *walk, slice *piece);

/* Why the member at hand could not be read, or not in full; NULL when nothing is wrong so far. */
const char *zip_walk_problem(const struct zip_walk *walk);

/* Whether one was read to its end and had the checksum that it should. */
bool zip_walk_met_member(const struct zip_walk *walk);
/* Whether what follows the members, a directory, was there. */
bool zip_walk_met_directory(const struct zip_walk *walk);

#endif
