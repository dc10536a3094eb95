/*
 * Several workers on one layer, each going over all of it, looking for secrets in those files that
 * no other one has taken: the first that comes to a file takes it. So they are done at the same
 * time, whatever the files cost, and one that starts late helps with what is left.
 */
#ifndef PLIMSOLL_LAYER_CLAIMS_H
#define PLIMSOLL_LAYER_CLAIMS_H

#include "base/slice.h"

/* Memory that the processes forked after this share. */
struct claims;

/* NULL when there is no memory for it. */
struct claims *claims_new(void);
void claims_free(struct claims *claims);

/* Whether processes that are forked from now on share it: those of other layers shall not. */
void claims_share(struct claims *claims, bool shared);

/*
 * Takes the walk's entry `number`, a file of that path; false when another worker did. Where the
 * walks differ a file may be taken twice, but is never left out. Files beyond the number that there
 * is room for are not for helpers.
 */
bool claims_take(struct claims *claims, size_t number, slice path, bool helper);
/* The same by the path alone, where each walk comes to a path only once. */
bool claims_take_path(struct claims *claims, slice path, bool helper);

#endif
