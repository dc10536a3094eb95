/*
 * Archives that could not be looked into for secrets, or not in full: encrypted, damaged, packed in
 * a way that is not known, too deep in other archives. They are told, never passed over in silence.
 */
#ifndef PLIMSOLL_SECRET_UNOPENED_H
#define PLIMSOLL_SECRET_UNOPENED_H

#include "base/memory.h"

struct unopened {
    slice path;    /* of the file; of the archive in it after "!" */
    slice why;     /* "encrypted", "damaged: …" */
    uint64_t more; /* so many more are not told one by one */
};

/* Adds one to a list of struct unopened, or counts it where there are LIMIT_UNOPENED_PER_LAYER
 * already; the slices are copied into the arena. */
void unopened_add(struct list *list, struct arena *arena, slice path, slice why);
/* Adds those of another list, whose slices are shared. */
void unopened_join(struct list *list, const struct list *other, struct arena *arena);
/* By path, so that their order does not depend on who found them. */
void unopened_sort(struct list *list);

#endif
