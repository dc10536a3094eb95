/*
 * What a delta changes in a text, with so much around it as a secret may take: the rest stands in
 * the text that it was made of, where it was looked through. So a file of which a line changes a
 * thousand times is not looked through a thousand times.
 */
#ifndef PLIMSOLL_SECRET_GIT_CHANGES_H
#define PLIMSOLL_SECRET_GIT_CHANGES_H

#include "base/error.h"

struct git_changes {
    slice text;
    struct list stretches; /* of struct git_stretch, in order: whole lines that are shown */
    size_t at;             /* the stretch that is shown next */
    size_t line_breaks;    /* that are shown before it, so that lines keep their numbers */
};

/* `instructions` made `text` of `base`; the lists are in the arena. */
void git_changes_find(struct git_changes *changes, slice text, slice base, slice instructions,
                      struct arena *arena);

/* As content: the stretches, and between them the line breaks of what is left out. */
MUST_CHECK struct error *git_changes_next(void *changes, slice *piece);

#endif
