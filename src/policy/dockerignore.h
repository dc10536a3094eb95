/*
 * .dockerignore: what of a folder is not sent to a builder. Read as moby's patternmatcher and its
 * ignorefile read it, which docker, BuildKit and others use, oddities included: "[!a]" is "!" or
 * "a", "a|b" is either, "**" is no line end, and a blank at a line's end is dropped.
 *
 * What a builder refuses is an error here, too: of a line that is no pattern at once, of one that
 * cannot be made an expression when a path comes to it.
 */
#ifndef PLIMSOLL_POLICY_DOCKERIGNORE_H
#define PLIMSOLL_POLICY_DOCKERIGNORE_H

#include "base/buffer.h"
#include "base/error.h"
#include "base/go_expression.h"

struct dockerignore {
    const char *name;     /* in messages */
    struct list patterns; /* of struct dockerignore_pattern (dockerignore.c) */
    struct go_expressions expressions;
    bool *of_folder; /* which patterns match a folder, while a path is gone along */
    struct arena *arena;
};

/* Reads the text of one, which stays; no text leaves out nothing. */
MUST_CHECK struct error *dockerignore_read(struct dockerignore *ignore, const char *name,
                                           slice text, struct arena *arena);

/*
 * Whether a file at `path` (relative to the folder) is left out: the last line that matches it, or
 * a folder that it is in, decides (patternmatcher's MatchesOrParentMatches).
 */
MUST_CHECK struct error *dockerignore_leaves_out(struct dockerignore *ignore, slice path,
                                                 bool *out);

/*
 * The same as docker's older clients find it, which go from folder to folder and do not look at a
 * line that would change nothing there (MatchesUsingParentResults): the line is then missing for
 * the files in it. "a", "!a/b", "a" send a/b.
 */
MUST_CHECK struct error *dockerignore_leaves_out_stepwise(struct dockerignore *ignore, slice path,
                                                          bool *out);

/* Adds the line that leaves out the file, without its end; false where no line can: the name has a
 * line end in it. */
bool dockerignore_add_line(struct buffer *out, slice path);

#endif
