#include "layer/ranges_ahead.h"

enum { BUFFER_BYTES = STREAM_WINDOW };

static uint64_t end_of(struct layer_range range)
{
    return range.offset + range.count;
}

static struct layer_range *first_wanted(struct ranges_ahead *ahead)
{
    return &ahead->wanted[ahead->wanted_first];
}

static struct layer_range *first_asked(struct ranges_ahead *ahead)
{
    return &ahead->asked[ahead->asked_first];
}

static void forget_wanted(struct ranges_ahead *ahead)
{
    ahead->wanted_first = (ahead->wanted_first + 1) % RANGES_WANTED;
    ahead->wanted_count--;
}

static void forget_asked(struct ranges_ahead *ahead)
{
    ahead->asked_first = (ahead->asked_first + 1) % LAYER_BYTES_AHEAD;
    ahead->asked_count--;
}

bool ranges_full(const struct ranges_ahead *ahead)
{
    return ahead->wanted_count == RANGES_WANTED || ahead->asked_count + 1 >= LAYER_BYTES_AHEAD;
}

struct error *ranges_ask(struct ranges_ahead *ahead)
{
    if (ahead->gathered.count == 0)
        return NULL;
    TRY(layer_bytes_ask(ahead->bytes, ahead->gathered));
    ahead->asked[(ahead->asked_first + ahead->asked_count) % LAYER_BYTES_AHEAD] = ahead->gathered;
    ahead->asked_count++;
    ahead->gathered.count = 0;
    return NULL;
}

struct error *ranges_want(struct ranges_ahead *ahead, struct layer_range range)
{
    struct layer_range *gathered = &ahead->gathered;
    ahead->wanted[(ahead->wanted_first + ahead->wanted_count++) % RANGES_WANTED] = range;
    if (gathered->count && range.offset - end_of(*gathered) <= RANGES_GAP_ASKED) {
        gathered->count = end_of(range) - gathered->offset;
        return NULL;
    }
    TRY(ranges_ask(ahead));
    *gathered = range;
    return NULL;
}

/* Moves on to `offset` in what was asked for. */
static struct error *pass_to(struct ranges_ahead *ahead, uint64_t offset)
{
    for (; ahead->asked_count; forget_asked(ahead)) {
        struct layer_range *asked = first_asked(ahead);
        if (offset < end_of(*asked))
            return layer_bytes_pass(ahead->bytes, asked,
                                    offset > asked->offset ? offset - asked->offset : 0);
        TRY(layer_bytes_pass(ahead->bytes, asked, asked->count));
    }
    return NULL;
}

struct stretch {
    struct stream stream;
    struct ranges_ahead *ahead;
    uint64_t left;
};

static struct error *stretch_fill(struct stream *stream)
{
    struct stretch *stretch = (struct stretch *)stream;
    struct ranges_ahead *ahead = stretch->ahead;
    size_t room = stream->room - stream->end, got;
    stream->ended = stretch->left == 0;
    if (stream->ended)
        return NULL;
    if (room > stretch->left)
        room = (size_t)stretch->left;
    struct layer_range *asked = first_asked(ahead);
    TRY(layer_bytes_read(ahead->bytes, asked, stream->buffer + stream->end, room, &got));
    if (asked->count == 0)
        forget_asked(ahead);
    stretch->left -= got;
    stream_filled(stream, got);
    stream->bytes_in += got;
    return NULL;
}

struct error *ranges_open(struct ranges_ahead *ahead, uint64_t offset, struct stream **stream)
{
    while (ahead->wanted_count && first_wanted(ahead)->offset < offset)
        forget_wanted(ahead);
    if (ahead->wanted_count == 0 || first_wanted(ahead)->offset != offset)
        return error_make(ERROR_SYSTEM,
                          "bytes at %llu are to be read that were not planned for: this is a fault "
                          "of plimsoll, please report it",
                          (unsigned long long)offset);
    if (ahead->gathered.count && ahead->gathered.offset <= offset)
        TRY(ranges_ask(ahead));
    TRY(pass_to(ahead, offset));
    struct stretch *stretch = memory_alloc(sizeof(*stretch));
    *stretch = (struct stretch){
        .stream = {.room = BUFFER_BYTES,
                   .buffer = memory_alloc(BUFFER_BYTES),
                   .fill = stretch_fill},
        .ahead = ahead,
        .left = first_wanted(ahead)->count,
    };
    forget_wanted(ahead);
    *stream = &stretch->stream;
    return NULL;
}
