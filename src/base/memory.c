#include "base/memory.h"

#include <stdalign.h>

enum { ARENA_FIRST_BLOCK = 4096, ARENA_LARGEST_BLOCK = 256 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size;
    size_t used;
    alignas(max_align_t) char bytes[];
};

static bool quiet;

void memory_exhausted_quietly(void)
{
    quiet = true;
}

_Noreturn void memory_exhausted(void)
{
    static const char message[] = "plimsoll: out of memory; nothing was decided. Give it more "
                                  "memory, or raise the limit that holds it (ulimit -v, cgroup)\n";
    if (!quiet && write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
        _exit(3);
    _exit(3);
}

void *memory_alloc(size_t size)
{
    void *at = malloc(size ? size : 1);
    if (!at)
        memory_exhausted();
    return at;
}

void *memory_resize(void *old, size_t size)
{
    void *at = realloc(old, size ? size : 1);
    if (!at)
        memory_exhausted();
    return at;
}

char *memory_text(slice s)
{
    char *copy = memory_alloc(s.len + 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

static struct arena_block *arena_grow(struct arena *arena, size_t need)
{
    size_t size = arena->newest ? arena->newest->size * 2 : ARENA_FIRST_BLOCK;
    if (size > ARENA_LARGEST_BLOCK)
        size = ARENA_LARGEST_BLOCK;
    if (size < need)
        size = need;
    struct arena_block *block = memory_alloc(sizeof(*block) + size);
    block->older = arena->newest;
    block->size = size;
    block->used = 0;
    arena->newest = block;
    return block;
}

static void *arena_take(struct arena *arena, size_t size, size_t alignment)
{
    struct arena_block *block = arena->newest;
    size_t start = block ? (block->used + alignment - 1) & ~(alignment - 1) : 0;
    if (size > SIZE_MAX / 2)
        memory_exhausted();
    if (!block || start > block->size || block->size - start < size) {
        block = arena_grow(arena, size);
        start = 0;
    }
    block->used = start + size;
    arena->used += size;
    return block->bytes + start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    return memset(arena_take(arena, size, alignof(max_align_t)), 0, size);
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        memory_exhausted();
    return arena_alloc(arena, total);
}

char *arena_text(struct arena *arena, slice s)
{
    char *copy = arena_take(arena, s.len + 1, 1);
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

slice arena_copy(struct arena *arena, slice s)
{
    return (slice){arena_text(arena, s), s.len};
}

slice arena_format(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    CLEANUP_FREE char *text = NULL;
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        memory_exhausted();
    return arena_copy(arena, slice_make(text, (size_t)length));
}

void arena_adopt(struct arena *into, struct arena *from)
{
    struct arena_block *oldest = from->newest;
    if (!oldest)
        return;
    while (oldest->older)
        oldest = oldest->older;
    oldest->older = into->newest;
    into->newest = from->newest;
    into->used += from->used;
    *from = (struct arena){0};
}

void arena_free(struct arena *arena)
{
    for (struct arena_block *block = arena->newest, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    *arena = (struct arena){0};
}

slice arena_lower(struct arena *arena, slice s)
{
    char *text = arena_text(arena, s);
    for (size_t i = 0; i < s.len; i++)
        text[i] = byte_lower(text[i]);
    return slice_make(text, s.len);
}

void *list_add(struct list *list, struct arena *arena, size_t item_size)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 1; /* most lists of a record hold one item */
        void *items = arena_array(arena, room, item_size);
        if (list->count)
            memcpy(items, list->items, list->count * item_size);
        list->items = items;
        list->room = room;
    }
    return (char *)list->items + item_size * list->count++;
}

slice list_join(const struct list *list, const char *between, struct arena *arena)
{
    const slice *items = list->items;
    size_t gap = strlen(between), length = 0;
    if (list->count == 1)
        return items[0];
    for (size_t i = 0; i < list->count; i++)
        length += items[i].len + (i ? gap : 0);
    char *text = arena_alloc(arena, length), *at = text;
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            at = mempcpy(at, between, gap);
        if (items[i].len)
            at = mempcpy(at, items[i].ptr, items[i].len);
    }
    return slice_make(text, length);
}
