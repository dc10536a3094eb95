#include "archive/read_ahead.h"

#include <stdatomic.h>

enum {
    PIECES = 12,
    PIECE_BYTES = 256 * 1024,
    FRONT = STREAM_WINDOW, /* room before a piece for what of the one before was not taken */
};

struct piece {
    struct read_ahead *ahead;
    char *bytes; /* FRONT + PIECE_BYTES */
    size_t got;
    struct error *error;
    uint64_t read, hashed; /* numbers of its jobs: of the reader, of the hasher */
};

struct read_ahead {
    struct stream *stream;
    struct side_thread *thread, *hasher;
    struct piece pieces[PIECES];
    size_t next; /* the piece that comes after the window's */
    bool ended;  /* the thread's: nothing more is to be read */
    bool failed; /* the reader's: it was told why */
    char *first; /* the stream's own buffer */
    atomic_bool stop;
};

static void read_piece(void *context, const void *bytes, size_t count)
{
    (void)bytes, (void)count;
    struct piece *piece = context;
    struct read_ahead *ahead = piece->ahead;
    piece->got = 0;
    if (ahead->ended || atomic_load(&ahead->stop))
        return;
    struct stream *stream = ahead->stream;
    piece->error = stream->read(stream, piece->bytes + FRONT, PIECE_BYTES, &piece->got);
    ahead->ended = piece->error || piece->got == 0;
}

static void hash_piece(void *context, const void *bytes, size_t count)
{
    const struct piece *piece = context;
    (void)count;
    stream_digest_bytes(piece->ahead->stream, bytes, piece->got);
}

static void hash(struct piece *piece)
{
    struct side_job job = {.run = hash_piece, .context = piece, .bytes = piece->bytes + FRONT};
    const struct stream *stream = piece->ahead->stream;
    if (stream->digest || stream->summed)
        piece->hashed = side_thread_add(piece->ahead->hasher, job);
}

/* One thread does its jobs in their order; where another hashes, it must be done with the bytes. */
static void ask_for(struct piece *piece)
{
    struct read_ahead *ahead = piece->ahead;
    bool alone = ahead->hasher == ahead->thread;
    if (!alone)
        side_thread_wait(ahead->hasher, piece->hashed);
    piece->read =
        side_thread_add(ahead->thread, (struct side_job){.run = read_piece, .context = piece});
    if (alone)
        hash(piece);
}

struct read_ahead *read_ahead_start(struct stream *stream, struct side_thread *thread,
                                    struct side_thread *hasher)
{
    struct read_ahead *ahead = memory_alloc(sizeof(*ahead));
    *ahead = (struct read_ahead){
        .stream = stream, .thread = thread, .hasher = hasher, .first = stream->buffer};
    for (size_t i = 0; i < PIECES; i++) {
        ahead->pieces[i] =
            (struct piece){.ahead = ahead, .bytes = memory_alloc(FRONT + PIECE_BYTES)};
        ask_for(&ahead->pieces[i]);
    }
    return ahead;
}

struct error *read_ahead_fill(struct stream *stream)
{
    struct read_ahead *ahead = stream->ahead;
    struct piece *piece = &ahead->pieces[ahead->next];
    size_t kept = stream->end - stream->start;
    if (ahead->failed)
        return error_make(ERROR_SYSTEM, "it cannot be read any further");
    side_thread_wait(ahead->thread, piece->read);
    if (piece->error) {
        struct error *error = piece->error;
        piece->error = NULL;
        ahead->failed = true;
        return error;
    }
    stream->ended = piece->got == 0;
    if (stream->ended)
        return NULL;
    if (ahead->hasher != ahead->thread)
        hash(piece);
    memcpy(piece->bytes + FRONT - kept, stream->buffer + stream->start, kept);
    if (stream->buffer != ahead->first)
        ask_for(&ahead->pieces[(ahead->next + PIECES - 1) % PIECES]);
    stream->buffer = piece->bytes;
    stream->start = FRONT - kept;
    stream->end = FRONT + piece->got;
    stream->bytes_in += piece->got;
    ahead->next = (ahead->next + 1) % PIECES;
    return NULL;
}

void read_ahead_wait(struct read_ahead *ahead)
{
    for (size_t i = 0; i < PIECES; i++)
        side_thread_wait(ahead->hasher, ahead->pieces[i].hashed);
}

bool read_ahead_stop(struct read_ahead *ahead)
{
    atomic_store(&ahead->stop, true);
    for (size_t i = 0; i < PIECES; i++)
        if (!side_thread_is_done(ahead->thread, ahead->pieces[i].read))
            return false;
    read_ahead_wait(ahead);
    ahead->stream->buffer = ahead->first;
    ahead->stream->ahead = NULL;
    for (size_t i = 0; i < PIECES; i++) {
        error_free(ahead->pieces[i].error);
        free(ahead->pieces[i].bytes);
    }
    free(ahead);
    return true;
}
