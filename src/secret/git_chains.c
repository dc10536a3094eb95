#include "secret/git_chains.h"
#include "secret/git_delta.h"
#include "base/limits.h"

enum { LEAST_COST = 1024 }; /* bytes that even the smallest object counts as */

void git_chains_open(struct git_chains *chains, struct git_index *index, struct git_unpack *unpack)
{
    *chains = (struct git_chains){.index = index, .unpack = unpack};
}

static void forget(struct git_chains *chains, struct git_frame *frame)
{
    if (frame->bytes)
        chains->held -= frame->size;
    free(frame->bytes);
    frame->bytes = NULL;
}

static void pop(struct git_chains *chains)
{
    struct git_frame *last = &chains->frames[--chains->depth];
    forget(chains, last);
    free(last->note);
}

void git_chains_close(struct git_chains *chains)
{
    while (chains->depth)
        pop(chains);
    free(chains->frames);
}

/* Takes over the bytes of an object of which others are made. */
static void push(struct git_chains *chains, const struct git_made *made, char **bytes)
{
    uint32_t first = chains->index->objects[made->object].child;
    if (first == GIT_NONE) {
        free(made->note);
        return;
    }
    if (chains->depth == chains->room) {
        chains->room = chains->room ? 2 * chains->room : 16;
        chains->frames = memory_resize(chains->frames, chains->room * sizeof(*chains->frames));
    }
    chains->frames[chains->depth++] =
        (struct git_frame){made->object, first, *bytes, made->content.len, made->note};
    chains->held += made->content.len;
    *bytes = NULL;
}

/* The one that is wanted last is forgotten first; not the last, which is at work. */
static void make_room(struct git_chains *chains, uint64_t size)
{
    for (size_t i = 0; i + 1 < chains->depth && chains->held + size > LIMIT_GIT_MEMORY; i++)
        forget(chains, &chains->frames[i]);
}

/* An object as it is stored, unpacked; NULL where it is not what it was when the pack was read. */
static struct error *read_stored(struct git_chains *chains, uint32_t object, char **bytes)
{
    const struct git_index *index = chains->index;
    size_t size = index->objects[object].size, got = 0;
    CLEANUP_FREE char *room = memory_alloc(size + 1);
    *bytes = NULL;
    git_unpack_begin(chains->unpack, git_index_start(index, object), git_index_end(index, object));
    /* One byte more than there are, so that it comes to its end. */
    TRY(git_unpack_some(chains->unpack, room, size + 1, &got));
    if (got == size && chains->unpack->state == GIT_UNPACK_ENDED) {
        *bytes = room;
        room = NULL;
    }
    return NULL;
}

struct part {
    char *delta, *bytes; /* NULL: it could not be made */
    slice instructions;
    size_t size;
};

static void free_part(struct part *part)
{
    free(part->delta);
    free(part->bytes);
}

#define CLEANUP_PART __attribute__((unused, cleanup(free_part)))

/* The object of `size` bytes that the delta at hand makes of the base. */
static enum git_left apply(struct git_chains *chains, slice base, slice delta, struct part *part)
{
    uint64_t base_size, size;
    if (!git_delta_sizes(&delta, &base_size, &size) || base_size != base.len)
        return GIT_LEFT_DAMAGED;
    if (size > LIMIT_GIT_OBJECT_BYTES)
        return GIT_LEFT_LARGE;
    chains->made += size > LEAST_COST ? size : LEAST_COST;
    if (chains->made > chains->most)
        return GIT_LEFT_MUCH;
    make_room(chains, size + delta.len);
    part->instructions = delta;
    part->size = (size_t)size;
    part->bytes = memory_alloc(part->size + 1);
    if (git_delta_apply(delta, base, part->bytes, part->size))
        return GIT_LEFT_COUNT;
    free(part->bytes);
    part->bytes = NULL;
    return GIT_LEFT_DAMAGED;
}

static struct error *put_together(struct git_chains *chains, slice base, uint32_t object,
                                  struct part *part)
{
    struct git_object *at = &chains->index->objects[object];
    enum git_left left = chains->made > chains->most ? GIT_LEFT_MUCH : GIT_LEFT_LARGE;
    *part = (struct part){.instructions = SLICE_EMPTY};
    at->type = chains->index->objects[at->base].type;
    if (left == GIT_LEFT_LARGE && at->size <= LIMIT_GIT_OBJECT_BYTES) {
        make_room(chains, at->size);
        TRY(read_stored(chains, object, &part->delta));
        left = part->delta ? apply(chains, base, slice_make(part->delta, at->size), part)
                           : GIT_LEFT_DAMAGED;
    }
    at->left = left;
    return NULL;
}

/* Makes again what was forgotten, from where its chain begins. */
static struct error *make_again(struct git_chains *chains, struct git_frame *frame)
{
    const struct git_object *objects = chains->index->objects;
    size_t count = 0;
    if (chains->made > chains->most)
        return NULL;
    for (uint32_t at = frame->object; at != GIT_NONE; at = objects[at].base)
        count++;
    CLEANUP_FREE uint32_t *chain = memory_alloc(count * sizeof(*chain));
    for (uint32_t at = frame->object, i = 0; at != GIT_NONE; at = objects[at].base)
        chain[i++] = at;
    frame->size = objects[chain[count - 1]].size;
    make_room(chains, frame->size);
    TRY(read_stored(chains, chain[count - 1], &frame->bytes));
    chains->held += frame->bytes ? frame->size : 0;
    while (frame->bytes && --count > 0) {
        CLEANUP_PART struct part part = {0};
        slice base = slice_make(frame->bytes, frame->size);
        TRY(put_together(chains, base, chain[count - 1], &part));
        forget(chains, frame);
        frame->bytes = part.bytes;
        frame->size = part.size;
        chains->held += frame->bytes ? frame->size : 0;
        part.bytes = NULL;
    }
    return NULL;
}

/* Too much was put together: what is made of it is told as that. */
static void leave(struct git_chains *chains, const struct git_frame *frame)
{
    struct git_object *objects = chains->index->objects;
    for (uint32_t i = frame->next; i != GIT_NONE; i = objects[i].sibling)
        objects[i].left = GIT_LEFT_MUCH;
    pop(chains);
}

/* The next delta of the object on top, which goes when that was its last. */
static struct error *next_delta(struct git_chains *chains, git_made_use *use, void *context)
{
    struct git_frame *top = &chains->frames[chains->depth - 1];
    struct git_object *object = &chains->index->objects[top->next];
    CLEANUP_PART struct part part = {0};
    struct git_made made = {.object = top->next, .base_note = top->note};
    if (!top->bytes)
        TRY(make_again(chains, top));
    if (!top->bytes) {
        leave(chains, top);
        return NULL;
    }
    made.base = slice_make(top->bytes, top->size);
    top->next = object->sibling;
    TRY(put_together(chains, made.base, made.object, &part));
    object->made = part.bytes != NULL;
    made.content = slice_make(part.bytes, part.size);
    made.instructions = part.instructions;
    struct error *error = part.bytes ? use(context, &made) : NULL;
    if (top->next == GIT_NONE)
        pop(chains);
    if (part.bytes)
        push(chains, &made, &part.bytes);
    return error;
}

struct error *git_chains_follow(struct git_chains *chains, uint32_t root, git_made_use *use,
                                void *context)
{
    struct git_object *object = &chains->index->objects[root];
    CLEANUP_FREE char *bytes = NULL;
    make_room(chains, object->size);
    TRY(read_stored(chains, root, &bytes));
    if (!bytes)
        return NULL;
    struct git_made made = {.object = root, .content = slice_make(bytes, object->size)};
    made.base = made.instructions = SLICE_EMPTY;
    object->made = true;
    struct error *error = use(context, &made);
    push(chains, &made, &bytes);
    while (!error && chains->depth)
        error = next_delta(chains, use, context);
    return error;
}
