/*
 * A spool keeps the bytes of a stream so that they can be read again and in any order: what is
 * small in memory, the rest in the spill file that the parent opened for the worker. A spill file
 * serves several spools, one above the other, for archives in archives.
 */
#ifndef PLIMSOLL_ARCHIVE_SPOOL_H
#define PLIMSOLL_ARCHIVE_SPOOL_H

#include "archive/stream.h"

/* The file that spools lie in; one for each worker. */
struct spill {
    int fd;        /* to write to and to seek in; or -1: memory alone */
    uint64_t used; /* bytes from its start that spools take */
};

struct spool {
    struct spill *spill;
    char *memory; /* NULL: it lies in the file */
    uint64_t offset, size;
    bool whole; /* the stream ended within the bytes that were asked for */
};

/*
 * Takes up to `most` bytes of the stream; `whole` tells whether that was all of it, otherwise the
 * rest is still in the stream. An error when the stream breaks, or when there is no room. What it
 * took is freed by spool_close, in the reverse order of opening.
 */
MUST_CHECK struct error *spool_open(struct spool *spool, struct spill *spill, struct stream *stream,
                                    uint64_t most);
void spool_close(struct spool *spool);

/* Copies `count` bytes from `at` on; an error (ERROR_INPUT) where there are not so many. */
MUST_CHECK struct error *spool_read(const struct spool *spool, uint64_t at, void *bytes,
                                    size_t count);

/* A stream over a part of it (cut to what is there). Several may be open at once. */
struct stream *spool_stream(const struct spool *spool, uint64_t at, uint64_t count);

/* The same without a stream's own buffer: in memory the bytes are shown where they lie. */
struct spool_view {
    const struct spool *spool;
    char *window; /* bytes of the spool, where that is a file … */
    uint64_t window_at;
    size_t window_count;
    uint64_t at, end; /* for spool_view_next: the next byte, and where to stop */
};

void spool_view_open(struct spool_view *view, const struct spool *spool);
void spool_view_close(struct spool_view *view);

/* Shows bytes from `at` on, at least `want` (≤ SPOOL_WINDOW) of them if there are so many; until
 * the next call. */
enum { SPOOL_WINDOW = 64 * 1024 };
MUST_CHECK struct error *spool_view_show(struct spool_view *view, uint64_t at, size_t want,
                                         slice *bytes);
/* The same of what lies in front of `end`: nothing behind it is read. */
MUST_CHECK struct error *spool_view_show_to(struct spool_view *view, uint64_t at, uint64_t end,
                                            size_t want, slice *bytes);
/* The next piece from view->at on, up to view->end; as a stream's content (content_stream.h). */
MUST_CHECK struct error *spool_view_next(void *view, slice *piece);

#endif
