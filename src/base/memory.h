/*
 * Memory: arenas, and cleanup attributes for what is not in one.
 *
 * One arena for each lifetime (an entry, a layer, a scan); it is freed whole. What an arena gave
 * lives as long as the arena. Running out of memory is not handled call by call: the process says
 * so on stderr and ends with exit code 3, so a scan without memory never looks like a clean one;
 * files are only ever replaced by rename, so nothing half-written takes the place of a whole one.
 */
#ifndef PLIMSOLL_BASE_MEMORY_H
#define PLIMSOLL_BASE_MEMORY_H

#include "base/slice.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct arena {
    struct arena_block *newest;
    size_t used; /* bytes handed out, for limits and --stats */
};

/* `size` bytes, zeroed, aligned for any type. Never NULL. */
void *arena_alloc(struct arena *arena, size_t size);
/* Room for `count` things of `size` bytes; the product is checked. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* Copies into the arena. arena_text ends the copy in NUL. */
slice arena_copy(struct arena *arena, slice s);
char *arena_text(struct arena *arena, slice s);
slice arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* A copy with its ASCII letters in lower case. */
slice arena_lower(struct arena *arena, slice s);
/* Moves all that `from` gave into `into`, where it lives on; `from` is empty then. */
void arena_adopt(struct arena *into, struct arena *from);
/* Frees everything; the arena can be used again. */
void arena_free(struct arena *arena);

#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))

/*
 * A growing array in an arena: doubles, old space is left to the arena.
 *     *(struct thing *)list_add(&list, arena, sizeof(struct thing)) = thing;
 */
struct list {
    void *items;
    size_t count;
    size_t room;
};
void *list_add(struct list *list, struct arena *arena, size_t item_size);

/* The items of a list of slices, with `between` between them; an only one is not copied. */
slice list_join(const struct list *list, const char *between, struct arena *arena);

/* malloc and realloc that end the process (exit code 3, with a message) instead of giving NULL. */
void *memory_alloc(size_t size);
void *memory_resize(void *old, size_t size);
char *memory_text(slice s);
_Noreturn void memory_exhausted(void);
/* From now on running out of memory ends the process without a message: a worker's parent tells. */
void memory_exhausted_quietly(void);

static inline void cleanup_free_pointer(void *at)
{
    free(*(void **)at);
}

static inline void cleanup_close_fd(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_close_file(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define CLEANUP_FREE __attribute__((unused, cleanup(cleanup_free_pointer)))
#define CLEANUP_CLOSE __attribute__((unused, cleanup(cleanup_close_fd)))
#define CLEANUP_FILE __attribute__((unused, cleanup(cleanup_close_file)))
#define CLEANUP_ARENA __attribute__((unused, cleanup(arena_free)))

#endif
