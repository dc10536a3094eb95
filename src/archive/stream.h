/*
 * Streams of bytes that stack: a range of a file or a pipe at the bottom, gzip or zstd on top, tar
 * reading from whatever it is given. The reader is shown a window into the stream's own buffer, so
 * nothing is copied on the way.
 *
 * Used by the worker only; a stream owns its buffers, its digest and the stream below it.
 */
#ifndef PLIMSOLL_ARCHIVE_STREAM_H
#define PLIMSOLL_ARCHIVE_STREAM_H

#include "base/digest.h"
#include "base/error.h"
#include "base/side_thread.h"

enum {
    STREAM_WINDOW = 64 * 1024, /* bytes that stream_need can be asked for */
    STREAM_MAGIC = 8,          /* bytes that tell how a stream is packed */
    STREAM_SPARES = 3,         /* buffers that are hashed while the next one is filled */
};

struct read_ahead;

/* A buffer whose bytes were handed over to be hashed. */
struct stream_spare {
    char *bytes;
    uint64_t hashing; /* the last job on it */
};

struct stream {
    char *buffer;
    size_t room;
    size_t start, end;     /* the window: bytes read and not yet taken */
    uint64_t position;     /* of the window's start in the stream */
    uint64_t bytes_in;     /* bytes asked of what lies below */
    bool ended;            /* nothing follows the window */
    bool broken;           /* what it stands on failed, not what came of it */
    uint64_t missing;      /* bytes by which it was too short for a stream_skip that failed */
    struct digest *digest; /* of the bytes as they come, or NULL */
    bool summed;           /* a CRC-32 of them is computed likewise … */
    uint32_t sum;          /* … this one */
    /* With a thread that computes it the buffers take turns, so that one is filled while others are
     * hashed. */
    struct side_thread *hasher;
    struct stream_spare spares[STREAM_SPARES];
    size_t oldest_spare;
    uint64_t hashing;         /* the last job on `buffer` */
    struct read_ahead *ahead; /* or NULL */
    bool places_window; /* its fill puts the window where it wants, not at the end of `buffer` */

    /* Reads some bytes to buffer + end (there is room), advances end, or sets ended. */
    struct error *(*fill)(struct stream *stream);
    /* Reads up to `room` bytes to where it is told; *got is 0 at the end. NULL where only fill can.
     */
    struct error *(*read)(struct stream *stream, char *bytes, size_t room, size_t *got);
    /* Moves on by `count` bytes without reading them; NULL when that cannot be done. */
    struct error *(*seek)(struct stream *stream, uint64_t count);
    void (*close)(struct stream *stream); /* of what it stands on; or NULL */
};

/* A range of a file that can be seeked: reads little around skipped parts. The fd stays the
 * caller's. */
struct stream *stream_from_range(int fd, uint64_t offset, uint64_t length);

/*
 * A pipe or socket, read to its end; the fd stays the caller's. With `patience_ms` above 0 it is an
 * error when nothing comes for so long (not for workers, which may not wait that way).
 */
struct stream *stream_from_pipe(int fd, int patience_ms);

/* Bytes in memory (the caller's). */
struct stream *stream_from_memory(slice bytes);

/*
 * Computes a digest of every byte from the stream's start on, so it must be called before any is
 * taken; by the algorithm of `expected`, sha256 when it is empty; in the thread, or without one
 * (NULL) as the bytes are read. From then on nothing is passed over unread.
 */
void stream_hash(struct stream *stream, slice expected, struct side_thread *hasher);

/*
 * From now on the thread reads the stream (unpacks it, for one that does), ahead of whoever takes
 * its bytes. What it reads is hashed when stream_hash was called before: by the thread that was
 * given there, else by this one. What lies below belongs to the thread as well, until the end was
 * reached.
 */
void stream_read_ahead(struct stream *stream, struct side_thread *thread);

/* A `fill` for those that have `read`. */
MUST_CHECK struct error *stream_fill_by_read(struct stream *stream);

/* For those that fill a stream: `count` bytes more stand at the end of its window. */
void stream_filled(struct stream *stream, size_t count);

/*
 * What is compressed on `below` (which it takes), unpacked: gzip (RFC 1952, every member) or zstd
 * (RFC 8878, every frame, skippable frames passed over), or `below` itself when neither is there by
 * its first bytes. Compressions that are no layer's (xz, bzip2, lz4, compress) are an error, as is
 * what passes the ratio limits. *name is "gzip", "zstd" or "none".
 */
MUST_CHECK struct error *stream_unpack(struct stream **stream, struct stream *below,
                                       const char **name);

/* Whether stream_unpack would unpack (or refuse) what begins with these STREAM_MAGIC bytes. */
bool stream_is_packed(slice head);

/*
 * Of a stream that stream_unpack made, before its first byte is asked for: gzip's checksums are
 * computed where the digest is, beside the unpacking, and compared by stream_check once all was
 * read. For other compressions nothing changes.
 */
void stream_check_later(struct stream *stream);
/*
 * In its place, where both the packed and the unpacked bytes are compared with digests that the
 * image names: then the checksums of gzip (RFC 1952, 2.3.1) and of zstd's frames (RFC 8878, 3.1.1)
 * would say nothing more, and are left out.
 */
void stream_check_by_digests(struct stream *stream);
MUST_CHECK struct error *stream_check(struct stream *stream);

/* For those that read bytes of a stream: adds them to its digest and its sum. */
void stream_digest_bytes(struct stream *stream, const void *bytes, size_t count);

/* Shows up to `want` (≤ STREAM_WINDOW) bytes without taking them; fewer only at the end. */
MUST_CHECK struct error *stream_need(struct stream *stream, size_t want, slice *window);
/* Shows what is there, at least one byte unless the stream has ended. */
MUST_CHECK struct error *stream_some(struct stream *stream, slice *window);
/* Takes bytes that were shown. */
void stream_take(struct stream *stream, size_t count);
/* Passes over `count` bytes; an error when the stream ends before. */
MUST_CHECK struct error *stream_skip(struct stream *stream, uint64_t count);
/* Reads what is left, so that digests cover all of it. */
MUST_CHECK struct error *stream_drain(struct stream *stream);

/* Returns when all that was read is hashed. */
void stream_wait(struct stream *stream);

/* The stream's digest ("sha256:…"), once drained; empty when there is none to give. */
slice stream_digest(struct stream *stream, struct arena *arena);
void stream_close(struct stream *stream);

static inline void cleanup_stream(struct stream **stream)
{
    stream_close(*stream);
}
#define CLEANUP_STREAM __attribute__((unused, cleanup(cleanup_stream)))

#endif
