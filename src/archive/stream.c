#include "archive/read_ahead.h"
#include "base/file.h"

#include <errno.h>
#include <isa-l/crc.h>
#include <poll.h>

enum {
    BUFFER_BYTES = 128 * 1024,
    /* After a skip the next thing is a tar header and perhaps its extensions: read that much, and
     * twice as much each time that what follows is wanted or lies near. */
    READ_AFTER_SKIP = 1024,
    /* A gap up to here is cheaper to read through than to ask the kernel about twice. */
    GAP_READ_THROUGH = 512,
};

struct range_stream {
    struct stream stream;
    int fd;
    uint64_t offset, left;
    size_t step; /* bytes of the next read */
};

struct pipe_stream {
    struct stream stream;
    int fd, patience_ms;
};

void stream_digest_bytes(struct stream *stream, const void *bytes, size_t count)
{
    if (stream->digest)
        digest_add(stream->digest, bytes, count);
    if (stream->summed)
        stream->sum = crc32_gzip_refl(stream->sum, bytes, count);
}

static void digest_job(void *stream, const void *bytes, size_t count)
{
    stream_digest_bytes(stream, bytes, count);
}

void stream_filled(struct stream *stream, size_t count)
{
    const char *bytes = stream->buffer + stream->end;
    if (stream->hasher && count)
        stream->hashing =
            side_thread_add(stream->hasher, (struct side_job){digest_job, stream, bytes, count});
    else
        stream_digest_bytes(stream, bytes, count);
    stream->end += count;
}

struct error *stream_fill_by_read(struct stream *stream)
{
    size_t got;
    TRY(stream->read(stream, stream->buffer + stream->end, stream->room - stream->end, &got));
    stream->ended = got == 0;
    stream_filled(stream, got);
    stream->bytes_in += got;
    return NULL;
}

static void stream_init(struct stream *stream)
{
    stream->room = BUFFER_BYTES;
    stream->buffer = memory_alloc(BUFFER_BYTES);
    stream->fill = stream_fill_by_read;
}

static struct error *range_read(struct stream *stream, char *bytes, size_t room, size_t *got)
{
    struct range_stream *range = (struct range_stream *)stream;
    size_t count = room < range->step ? room : range->step;
    if (count > range->left)
        count = (size_t)range->left;
    *got = 0;
    if (count == 0)
        return NULL;
    TRY(file_read_at(range->fd, bytes, count, range->offset, got));
    if (*got == 0)
        return error_make(ERROR_INPUT,
                          "the file ends %llu bytes before it should; it was cut on its way: copy "
                          "it again",
                          (unsigned long long)range->left);
    range->offset += *got;
    range->left -= *got;
    if (range->step < BUFFER_BYTES)
        range->step *= 2;
    return NULL;
}

static struct error *too_short(struct stream *stream, uint64_t missing)
{
    stream->missing = missing;
    return error_make(ERROR_INPUT, "it ends %llu bytes before it should",
                      (unsigned long long)missing);
}

static struct error *range_seek(struct stream *stream, uint64_t count)
{
    struct range_stream *range = (struct range_stream *)stream;
    if (count > range->left)
        return too_short(stream, count - range->left);
    range->offset += count;
    range->left -= count;
    range->step = READ_AFTER_SKIP;
    return NULL;
}

struct stream *stream_from_range(int fd, uint64_t offset, uint64_t length)
{
    struct range_stream *range = memory_alloc(sizeof(*range));
    *range = (struct range_stream){.fd = fd, .offset = offset, .left = length};
    stream_init(&range->stream);
    range->step = 4 * READ_AFTER_SKIP;
    range->stream.read = range_read;
    range->stream.seek = range_seek;
    return &range->stream;
}

static struct error *pipe_read(struct stream *stream, char *bytes, size_t room, size_t *got)
{
    struct pipe_stream *pipe_stream = (struct pipe_stream *)stream;
    ssize_t count;
    struct pollfd wait = {.fd = pipe_stream->fd, .events = POLLIN};
    *got = 0;
    if (pipe_stream->patience_ms && poll(&wait, 1, pipe_stream->patience_ms) == 0)
        return error_make(
            ERROR_SYSTEM,
            "nothing came for %d seconds: the process that it comes from was stopped, "
            "or is stuck",
            pipe_stream->patience_ms / 1000);
    do
        count = read(pipe_stream->fd, bytes, room);
    while (count < 0 && errno == EINTR);
    if (count < 0)
        return error_errno("cannot read");
    *got = (size_t)count;
    return NULL;
}

struct stream *stream_from_pipe(int fd, int patience_ms)
{
    struct pipe_stream *stream = memory_alloc(sizeof(*stream));
    *stream = (struct pipe_stream){.fd = fd, .patience_ms = patience_ms};
    stream_init(&stream->stream);
    stream->stream.read = pipe_read;
    return &stream->stream;
}

struct memory_stream {
    struct stream stream;
    slice left;
};

static struct error *memory_read(struct stream *stream, char *bytes, size_t room, size_t *got)
{
    struct memory_stream *memory = (struct memory_stream *)stream;
    slice piece = slice_first(memory->left, room);
    if (piece.len)
        memcpy(bytes, piece.ptr, piece.len);
    *got = piece.len;
    memory->left = slice_from(memory->left, piece.len);
    return NULL;
}

struct stream *stream_from_memory(slice bytes)
{
    struct memory_stream *memory = memory_alloc(sizeof(*memory));
    *memory = (struct memory_stream){.left = bytes};
    stream_init(&memory->stream);
    memory->stream.read = memory_read;
    return &memory->stream;
}

void stream_hash(struct stream *stream, slice expected, struct side_thread *hasher)
{
    stream->digest = digest_start(expected);
    digest_add(stream->digest, stream->buffer + stream->start, stream->end - stream->start);
    stream->seek = NULL;
    stream->hasher = hasher;
}

/* Goes on in the buffer that has waited longest, once that is hashed; what is not taken yet comes
 * along. */
static void switch_buffers(struct stream *stream)
{
    struct stream_spare *spare = &stream->spares[stream->oldest_spare];
    struct stream_spare full = {stream->buffer, stream->hashing};
    if (!spare->bytes)
        spare->bytes = memory_alloc(stream->room);
    side_thread_wait(stream->hasher, spare->hashing);
    memcpy(spare->bytes, stream->buffer + stream->start, stream->end - stream->start);
    stream->buffer = spare->bytes;
    stream->hashing = spare->hashing;
    *spare = full;
    stream->oldest_spare = (stream->oldest_spare + 1) % STREAM_SPARES;
    stream->end -= stream->start;
    stream->start = 0;
}

/* Room for more at the end of the buffer, by moving the window to the front of one. */
static void make_room(struct stream *stream)
{
    bool empty = stream->start == stream->end;
    bool full = stream->room - stream->end < STREAM_WINDOW / 2 && stream->start;
    if (stream->hasher && stream->start && (empty || full)) {
        switch_buffers(stream);
    } else if (empty) {
        stream->start = stream->end = 0;
    } else if (full) {
        memmove(stream->buffer, stream->buffer + stream->start, stream->end - stream->start);
        stream->end -= stream->start;
        stream->start = 0;
    }
}

struct error *stream_need(struct stream *stream, size_t want, slice *window)
{
    while (stream->end - stream->start < want && !stream->ended) {
        if (!stream->places_window)
            make_room(stream);
        TRY(stream->fill(stream));
    }
    *window =
        slice_first(slice_make(stream->buffer + stream->start, stream->end - stream->start), want);
    return NULL;
}

struct error *stream_some(struct stream *stream, slice *window)
{
    TRY(stream_need(stream, 1, window));
    *window = slice_make(stream->buffer + stream->start, stream->end - stream->start);
    return NULL;
}

void stream_take(struct stream *stream, size_t count)
{
    stream->start += count;
    stream->position += count;
}

struct error *stream_skip(struct stream *stream, uint64_t count)
{
    size_t at_hand = stream->end - stream->start;
    if (count > at_hand && stream->seek && count - at_hand > GAP_READ_THROUGH) {
        TRY(stream->seek(stream, count - at_hand));
        stream->position += count;
        stream->start = stream->end = 0;
        return NULL;
    }
    while (count) {
        slice window;
        TRY(stream_some(stream, &window));
        if (window.len == 0)
            return too_short(stream, count);
        size_t step = window.len < count ? window.len : (size_t)count;
        stream_take(stream, step);
        count -= step;
    }
    return NULL;
}

struct error *stream_drain(struct stream *stream)
{
    for (;;) {
        slice window;
        TRY(stream_some(stream, &window));
        if (window.len == 0)
            return NULL;
        stream_take(stream, window.len);
    }
}

void stream_read_ahead(struct stream *stream, struct side_thread *thread)
{
    stream->ahead = read_ahead_start(stream, thread, stream->hasher ? stream->hasher : thread);
    stream->fill = read_ahead_fill;
    stream->places_window = true;
    stream->seek = NULL;
}

void stream_wait(struct stream *stream)
{
    if (stream->ahead)
        read_ahead_wait(stream->ahead);
    if (!stream->hasher)
        return;
    side_thread_wait(stream->hasher, stream->hashing);
    for (size_t i = 0; i < STREAM_SPARES; i++)
        side_thread_wait(stream->hasher, stream->spares[i].hashing);
}

slice stream_digest(struct stream *stream, struct arena *arena)
{
    if (!stream->digest)
        return SLICE_EMPTY;
    stream_wait(stream);
    slice text = digest_finish(stream->digest, arena);
    stream->digest = NULL;
    return text;
}

void stream_close(struct stream *stream)
{
    if (!stream)
        return;
    /* A thread that waits for a pipe cannot be called off; it keeps what it may still write to. */
    if (stream->ahead && !read_ahead_stop(stream->ahead))
        return;
    stream_wait(stream);
    if (stream->close)
        stream->close(stream);
    digest_free(stream->digest);
    free(stream->buffer);
    for (size_t i = 0; i < STREAM_SPARES; i++)
        free(stream->spares[i].bytes);
    free(stream);
}
