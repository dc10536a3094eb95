#include "archive/content_stream.h"

struct content_stream {
    struct stream stream;
    const struct content *content;
    char *own; /* for what stands across two pieces; NULL until something does */
    size_t room;
};

static char nothing[1]; /* never written to: what a window of no bytes points at */

static struct error *content_fill(struct stream *stream)
{
    struct content_stream *from = (struct content_stream *)stream;
    size_t kept = stream->end - stream->start;
    slice piece;
    /* What is kept is copied first: the next piece may lie in the same place. */
    if (kept > from->room)
        return error_make(ERROR_SYSTEM, "more is asked for at once than a stream can show");
    if (kept && !from->own)
        from->own = memory_alloc(from->room);
    if (kept)
        memmove(from->own, stream->buffer + stream->start, kept);
    stream->buffer = from->own ? from->own : nothing;
    stream->start = 0;
    stream->end = kept;
    struct error *error = from->content->next(from->content->context, &piece);
    stream->broken = error != NULL;
    if (error)
        return error;
    stream->ended = piece.len == 0;
    stream->bytes_in += piece.len;
    if (kept == 0 && piece.len) {
        stream->buffer = (char *)(uintptr_t)piece.ptr;
        stream->end = piece.len;
        return NULL;
    }
    if (kept + piece.len > from->room) {
        from->room = kept + piece.len;
        from->own = memory_resize(from->own, from->room);
        stream->buffer = from->own;
    }
    if (piece.len)
        memcpy(from->own + kept, piece.ptr, piece.len);
    stream->end = kept + piece.len;
    return NULL;
}

static struct error *content_seek(struct stream *stream, uint64_t count)
{
    const struct content *content = ((struct content_stream *)stream)->content;
    struct error *error = content->pass_over(content->context, count);
    stream->broken |= error != NULL;
    return error;
}

static void content_close(struct stream *stream)
{
    /* The stream frees its buffer, which may be the content's. */
    stream->buffer = ((struct content_stream *)stream)->own;
}

struct stream *stream_from_content(const struct content *content)
{
    struct content_stream *from = memory_alloc(sizeof(*from));
    *from = (struct content_stream){.content = content, .room = STREAM_WINDOW};
    from->stream.buffer = nothing;
    from->stream.fill = content_fill;
    from->stream.close = content_close;
    from->stream.seek = content->pass_over ? content_seek : NULL;
    from->stream.places_window = true;
    return &from->stream;
}
