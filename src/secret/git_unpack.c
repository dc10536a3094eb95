#include "secret/git_unpack.h"

enum { MOST_AT_ONCE = 1 << 30 };

void git_unpack_open(struct git_unpack *unpack, const struct spool *spool)
{
    *unpack = (struct git_unpack){0};
    spool_view_open(&unpack->view, spool);
    if (inflateInit(&unpack->z) != Z_OK)
        memory_exhausted();
    unpack->piece = memory_alloc(GIT_PIECE);
}

void git_unpack_close(struct git_unpack *unpack)
{
    inflateEnd(&unpack->z);
    spool_view_close(&unpack->view);
    free(unpack->piece);
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
    TRY(spool_view_show_to(&unpack->view, unpack->at, unpack->end, 1, &packed));
    packed = slice_first(packed, SPOOL_WINDOW);
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
