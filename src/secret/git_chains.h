/*
 * Puts together what a git pack has as deltas (gitformat-pack): from an object that is stored whole
 * to those that are made of it, and on to those that are made of them. Each is made once where
 * memory allows it; how much is held, and made in all, is bounded.
 */
#ifndef PLIMSOLL_SECRET_GIT_CHAINS_H
#define PLIMSOLL_SECRET_GIT_CHAINS_H

#include "secret/git_index.h"

/* An object of which deltas are still to be put together. */
struct git_frame {
    uint32_t object, next; /* the delta that is next */
    char *bytes;           /* NULL: forgotten, since others take so much room */
    size_t size;
    char *note;
};

struct git_chains {
    struct git_index *index;
    struct git_unpack *unpack;
    struct git_frame *frames; /* each made of the one before, or of what is made of it */
    size_t depth, room;
    uint64_t held;       /* bytes of all frames */
    uint64_t made, most; /* bytes put together so far; beyond them no delta is */
};

void git_chains_open(struct git_chains *chains, struct git_index *index, struct git_unpack *unpack);
void git_chains_close(struct git_chains *chains);

/* One that was put together; the slices are valid during the call only. */
struct git_made {
    uint32_t object;
    slice content;
    slice base, instructions; /* that it was made of; both empty where it is stored whole */
    const char *base_note;    /* what `use` noted of the base, or NULL */
    char *note; /* NULL; `use` can set it to memory of its own, which is freed when it is not needed
                   any more */
};
/* Is given each object once, in any order; those that wait for its id are to be attached by it. */
typedef struct error *git_made_use(void *context, struct git_made *made);

/*
 * Gives an object that is stored whole, of LIMIT_GIT_OBJECT_BYTES at most, to `use`, then all that
 * is made of it. Of what could not be made `left` says why. An error is the spool's, or of `use`.
 */
MUST_CHECK struct error *git_chains_follow(struct git_chains *chains, uint32_t root,
                                           git_made_use *use, void *context);

#endif
