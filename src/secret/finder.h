/*
 * Looks through a file for secrets, in the way that its kind asks for: text as text, programs by
 * the surest rules, archives member by member, notebooks cell by cell, git's objects inflated,
 * weights of models not at all beyond their header. kinds.c has the table of kinds.
 */
#ifndef PLIMSOLL_SECRET_FINDER_H
#define PLIMSOLL_SECRET_FINDER_H

#include "archive/stream.h"
#include "archive/spool.h"
#include "secret/scanner.h"
#include "secret/secret.h"
#include "secret/unopened.h"

/* Where what a look finds goes, and what it may use. */
struct secret_finds {
    struct arena *arena;   /* what was found lives in it */
    struct list *secrets;  /* of struct secret */
    struct list *unopened; /* of struct unopened (unopened.h): archives not looked into */
    struct spill *spill;   /* for archives that are read in another order than they lie in */
};

/* What a look works with. */
struct secret_look {
    struct secret_scanner *scanner;
    slice file; /* the file's path */
    slice path; /* of the file or member at hand */
    const struct secret_finds *into;
    struct arena *arena;   /* of the file or member at hand: what is not settled yet */
    slice kept_path;       /* of the last that was found, as it is kept */
    uint64_t size;         /* of the file; 0 within an archive, where nobody says it for sure */
    unsigned depth;        /* of archives in archives */
    unsigned loose_depth;  /* at which the content of a loose git object stands; 0: at none */
    unsigned packed_depth; /* likewise of one in a pack */
    unsigned gap_depth;    /* likewise of what stands between the members of a zip, which is none */
    uint64_t *unpacked;    /* bytes from archives, so far, of the whole file */
    uint64_t *memory;      /* of what unpacks them, all that are open (decoder.h) */
    struct list *hits;     /* of struct pending (finder.c): of the text at hand */
    bool crowded;          /* too many of them for more */
    bool incomplete;       /* not all of it was looked through: so much looks like secrets */
};

/*
 * Looks through one file of `size` bytes (0: unknown) and adds what it finds. It need
 * not read all of the stream. An error is the stream's own, or says that not all of a text was
 * looked through; damage within the file, and a limit that an archive in it passes, are none: they
 * are added to what could not be opened.
 */
MUST_CHECK struct error *secret_find_in_file(struct secret_scanner *scanner, struct stream *stream,
                                             uint64_t size, slice path,
                                             const struct secret_finds *into);

/* The same for a short text that is at hand: an environment variable, a line of history. */
MUST_CHECK struct error *secret_find_in_text(struct secret_scanner *scanner, slice text, slice path,
                                             const struct secret_finds *into);

/* -- for the kinds -- */

/* One that was found but not settled yet: of several that overlap the surest rule counts. */
void secret_look_add(struct secret_look *look, const struct secret_hit *hit, uint64_t cell);
/* The same, unless one of the first `known` is of the same rule at the same place. */
void secret_look_add_new(struct secret_look *look, const struct secret_hit *hit, uint64_t cell,
                         size_t known);
/* As a callback of the scanner; the context is the look. */
void secret_look_hit(void *look, const struct secret_hit *hit);
/* Adds one that was settled in a look of its own (with its own `into`) to what was found. */
void secret_look_keep(struct secret_look *look, const struct secret *found);
/* Settles what was found since the last time and adds it to what was found. */
void secret_look_settle(struct secret_look *look);

/* All of a stream as text or bytes. */
MUST_CHECK struct error *secret_look_plain(struct secret_look *look, struct stream *stream,
                                           enum secret_mode mode, uint64_t most);
/* The same, behind what was read of it already. */
MUST_CHECK struct error *secret_look_plain_from(struct secret_look *look, slice before,
                                                struct stream *stream, enum secret_mode mode,
                                                uint64_t most);
/* Something within the file at hand: a member of an archive. Counts against the limits. */
MUST_CHECK struct error *secret_look_inside(struct secret_look *look, slice name,
                                            struct error *(*next)(void *context, slice *piece),
                                            void *context);
/* Notes that the file or member at hand could not be looked into, or not in full: "encrypted". */
void secret_look_unopened(struct secret_look *look, const char *why);
/* The same of a member of it; with an empty name, of itself. */
void secret_look_unopened_member(struct secret_look *look, slice name, const char *why);
/* Says what is wrong within the file or member at hand; an error that is none of it comes back. */
MUST_CHECK struct error *secret_look_settle_damage(struct secret_look *look, struct error *error,
                                                   const struct stream *stream);
/* Whether archives may still be opened at this depth. Where not, they go here. */
bool secret_look_may_open(const struct secret_look *look);
MUST_CHECK struct error *secret_look_too_deep(struct secret_look *look, struct stream *stream);
/* As content (content_stream.h) of another: what is left of a stream, which is the context. */
MUST_CHECK struct error *secret_look_next_of_stream(void *stream, slice *piece);
/* What is left of a stream behind an archive's end, by its kind; zeros are passed over. */
MUST_CHECK struct error *secret_look_behind(struct secret_look *look, struct stream *stream);
/* By its kind. */
MUST_CHECK struct error *secret_look_by_kind(struct secret_look *look, struct stream *stream);

#endif
