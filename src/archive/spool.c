#include "archive/spool.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <unistd.h>

/* Bytes up to here stay in memory, where there is a file for more. */
enum { IN_MEMORY = 1024 * 1024 };

static struct error *write_out(struct spool *spool, slice bytes)
{
    const struct spill *spill = spool->spill;
    if (lseek(spill->fd, (off_t)(spool->offset + spool->size), SEEK_SET) < 0)
        return error_errno("cannot seek in the spill file");
    TRY(error_wrap(file_write_all(spill->fd, bytes), "spill file"));
    spool->size += bytes.len;
    return NULL;
}

/* From memory to the file, whose end it takes. */
static struct error *move_to_file(struct spool *spool, struct buffer *memory)
{
    spool->offset = spool->spill->used;
    spool->size = 0;
    TRY(write_out(spool, buffer_slice(memory)));
    memory->len = 0;
    return NULL;
}

static struct error *keep(struct spool *spool, struct buffer *memory, bool *in_file, slice bytes)
{
    bool fits = memory->len + bytes.len <= IN_MEMORY;
    if (!*in_file && !fits && spool->spill->fd >= 0) {
        TRY(move_to_file(spool, memory));
        *in_file = true;
    }
    if (*in_file)
        return write_out(spool, bytes);
    if (!fits && memory->len + bytes.len > LIMIT_SPOOL_MEMORY)
        return error_make(ERROR_LIMIT,
                          "it has more than %llu bytes, and there is no temporary "
                          "folder to keep it in ($TMPDIR)",
                          (unsigned long long)LIMIT_SPOOL_MEMORY);
    buffer_add(memory, bytes);
    spool->size += bytes.len;
    return NULL;
}

static struct error *fill(struct spool *spool, struct buffer *memory, struct stream *stream,
                          uint64_t most)
{
    bool in_file = false;
    for (;;) {
        slice window;
        TRY(stream_some(stream, &window));
        spool->whole = window.len == 0;
        if (spool->whole || spool->size == most)
            break;
        if (window.len > most - spool->size)
            window = slice_first(window, (size_t)(most - spool->size));
        TRY(keep(spool, memory, &in_file, window));
        stream_take(stream, window.len);
    }
    if (in_file) {
        spool->spill->used += spool->size;
        return NULL;
    }
    spool->memory = memory_alloc(memory->len + 1);
    memcpy(spool->memory, buffer_slice(memory).ptr, memory->len);
    return NULL;
}

struct error *spool_open(struct spool *spool, struct spill *spill, struct stream *stream,
                         uint64_t most)
{
    CLEANUP_BUFFER struct buffer memory = {0};
    *spool = (struct spool){.spill = spill};
    struct error *error = fill(spool, &memory, stream, most);
    if (error)
        spool->size = 0;
    return error;
}

void spool_close(struct spool *spool)
{
    if (!spool->memory && spool->size) {
        spool->spill->used = spool->offset;
        /* Disk space is given back at once: the next archive may be as large. */
        if (ftruncate(spool->spill->fd, (off_t)spool->offset) < 0)
            spool->spill->used = spool->offset;
    }
    free(spool->memory);
    *spool = (struct spool){0};
}

struct error *spool_read(const struct spool *spool, uint64_t at, void *bytes, size_t count)
{
    if (at > spool->size || count > spool->size - at)
        return error_make(ERROR_INPUT, "it ends before byte %llu",
                          (unsigned long long)(at + count));
    if (spool->memory) {
        memcpy(bytes, spool->memory + at, count);
        return NULL;
    }
    for (size_t done = 0; done < count;) {
        ssize_t got = pread(spool->spill->fd, (char *)bytes + done, count - done,
                            (off_t)(spool->offset + at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_errno("cannot read the spill file");
        if (got == 0)
            return error_make(ERROR_SYSTEM, "the spill file ends before its time");
        done += (size_t)got;
    }
    return NULL;
}

struct stream *spool_stream(const struct spool *spool, uint64_t at, uint64_t count)
{
    at = at < spool->size ? at : spool->size;
    count = count < spool->size - at ? count : spool->size - at;
    if (spool->memory || count == 0)
        return stream_from_memory(
            slice_make(spool->memory ? spool->memory + at : "", (size_t)count));
    return stream_from_range(spool->spill->fd, spool->offset + at, count);
}

void spool_view_open(struct spool_view *view, const struct spool *spool)
{
    *view = (struct spool_view){.spool = spool};
    if (!spool->memory)
        view->window = memory_alloc(SPOOL_WINDOW);
}

void spool_view_close(struct spool_view *view)
{
    free(view->window);
    *view = (struct spool_view){0};
}

struct error *spool_view_show_to(struct spool_view *view, uint64_t at, uint64_t end, size_t want,
                                 slice *bytes)
{
    const struct spool *spool = view->spool;
    end = end < spool->size ? end : spool->size;
    at = at < end ? at : end;
    uint64_t left = end - at, past = at - view->window_at;
    if (spool->memory) {
        *bytes = slice_make(spool->memory + at, (size_t)left);
        return NULL;
    }
    bool shown = at >= view->window_at && past < view->window_count &&
                 view->window_count - past >= (want < left ? want : left);
    if (!shown) {
        size_t count = left < SPOOL_WINDOW ? (size_t)left : SPOOL_WINDOW;
        view->window_count = 0;
        TRY(spool_read(spool, at, view->window, count));
        view->window_at = at;
        view->window_count = count;
        past = 0;
    }
    slice window = slice_from(slice_make(view->window, view->window_count), (size_t)past);
    *bytes = left < window.len ? slice_first(window, (size_t)left) : window;
    return NULL;
}

struct error *spool_view_show(struct spool_view *view, uint64_t at, size_t want, slice *bytes)
{
    return spool_view_show_to(view, at, UINT64_MAX, want, bytes);
}

struct error *spool_view_next(void *context, slice *piece)
{
    struct spool_view *view = context;
    *piece = SLICE_EMPTY;
    if (view->at >= view->end)
        return NULL;
    TRY(spool_view_show(view, view->at, 1, piece));
    if (piece->len > view->end - view->at)
        piece->len = (size_t)(view->end - view->at);
    view->at += piece->len;
    return NULL;
}
