/*
 * Files: read whole within a bound, and written whole or not at all.
 */
#ifndef PLIMSOLL_BASE_FILE_H
#define PLIMSOLL_BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

/* Reads `count` bytes at `offset`; fewer only at the end of the file (*got says how many). */
MUST_CHECK struct error *file_read_at(int fd, void *bytes, size_t count, uint64_t offset,
                                      size_t *got);

/* A whole file into the arena; larger than `limit` bytes is an error that says so. */
MUST_CHECK struct error *file_read_whole(struct arena *arena, int directory, const char *path,
                                         uint64_t limit, slice *bytes);

/*
 * All that comes out of a handle that cannot be asked for its size (a pipe, /dev/null), added to
 * `text`. Errors name it `name`; more than `limit` bytes is one.
 */
MUST_CHECK struct error *file_read_stream(int fd, const char *name, uint64_t limit,
                                          struct buffer *text);

/*
 * What tells a file, as it is now, from any other, and from itself once it has changed: device,
 * inode, size, times. Empty for one that was changed so lately that its times would not tell of
 * another change. In the arena.
 */
slice file_identity(int fd, struct arena *arena);

MUST_CHECK struct error *file_write_all(int fd, slice bytes);

/*
 * Writes beside `path` and renames: afterwards `path` holds all of `bytes`, or what it held before.
 * A path that is no regular file (/dev/stdout, a pipe) is written to as it is; of a link, what it
 * leads to is replaced.
 */
MUST_CHECK struct error *file_replace(const char *path, slice bytes);

#endif
