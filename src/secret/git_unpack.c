#include "secret/git_unpack.h"

enum { WINDOW = 64 * 1024, MOST_AT_ONCE = 1 << 30 };

void git_unpack_open(struct git_unpack *unpack, const struct spool *spool)
{
    *unpack = (struct git_unpack){.spool = spool};
    if (inflateInit(&unpack->z) != Z_OK)
        memory_exhausted();
    if (!spool->memory)
        unpack->window = memory_alloc(WINDOW);
    unpack->piece = memory_alloc(GIT_PIECE);
}

void git_unpack_close(struct git_unpack *unpack)
{
    inflateEnd(&unpack->z);
    free(unpack->window);
    free(unpack->piece);
}

struct error *git_unpack_show(struct git_unpack *unpack, uint64_t at, uint64_t end, size_t want,
                              slice *bytes)
{
    const struct spool *spool = unpack->spool;
    end = end < spool->size ? end : spool->size;
    at = at < end ? at : end;
    uint64_t left = end - at;
    if (spool->memory) {
        *bytes = slice_make(spool->memory + at, (size_t)left);
        return NULL;
    }
    uint64_t past = at - unpack->window_at;
    bool shown = at >= unpack->window_at && past < unpack->window_count &&
                 unpack->window_count - past >= (want < left ? want : left);
    if (!shown) {
        size_t count = left < WINDOW ? (size_t)left : WINDOW;
        unpack->window_count = 0;
        TRY(spool_read(spool, at, unpack->window, count));
        unpack->window_at = at;
        unpack->window_count = count;
        past = 0;
    }
    slice window = slice_make(unpack->window, unpack->window_count);
    *bytes = left < WINDOW ? slice_first(slice_from(window, (size_t)past), (size_t)left)
                           : slice_from(window, (size_t)past);
    return NULL;
}

void git_unpack_begin(struct git_unpack *unpack, uint64_t at, uint64_t end)
{
    inflateReset(&unpack->z);
    unpack->z.avail_in = 0;
    unpack->at = at;
    unpack->end = end;
    unpack->state = GIT_UNPACKING;
}

static struct error *refill(struct git_unpack *unpack)
{
    slice packed;
    TRY(git_unpack_show(unpack, unpack->at, unpack->end, 1, &packed));
    packed = slice_first(packed, WINDOW);
    unpack->z.next_in = (unsigned char *)(uintptr_t)packed.ptr;
    unpack->z.avail_in = (unsigned)packed.len;
    unpack->at += packed.len;
    if (packed.len == 0)
        unpack->state = GIT_UNPACK_DAMAGED;
    return NULL;
}

struct error *git_unpack_some(struct git_unpack *unpack, char *bytes, size_t room, size_t *got)
{
    z_stream *z = &unpack->z;
    *got = 0;
    while (unpack->state == GIT_UNPACKING && *got < room) {
        if (z->avail_in == 0)
            TRY(refill(unpack));
        if (unpack->state != GIT_UNPACKING)
            break;
        unsigned most = room - *got < MOST_AT_ONCE ? (unsigned)(room - *got) : MOST_AT_ONCE;
        z->next_out = (unsigned char *)bytes + *got;
        z->avail_out = most;
        int code = inflate(z, Z_NO_FLUSH);
        *got += most - z->avail_out;
        if (code == Z_STREAM_END)
            unpack->state = GIT_UNPACK_ENDED;
        else if (code != Z_OK && code != Z_BUF_ERROR)
            unpack->state = GIT_UNPACK_DAMAGED;
    }
    return NULL;
}

struct error *git_unpack_pass(struct git_unpack *unpack, uint64_t size, bool *whole)
{
    uint64_t all = 0;
    do {
        size_t got;
        TRY(git_unpack_some(unpack, unpack->piece, GIT_PIECE, &got));
        all += got;
    } while (unpack->state == GIT_UNPACKING && all <= size);
    *whole = unpack->state == GIT_UNPACK_ENDED && all == size;
    return NULL;
}

uint64_t git_unpack_position(const struct git_unpack *unpack)
{
    return unpack->at - unpack->z.avail_in;
}
