/* Kinds of files that secrets are looked for in, each in its own way. One line each in kinds.c. */
#ifndef PLIMSOLL_SECRET_KINDS_H
#define PLIMSOLL_SECRET_KINDS_H

#include "secret/finder.h"

struct secret_kind {
    const char *name;
    /* By the file's first bytes (up to SECRET_HEAD of them) and its path. */
    bool (*recognise)(const struct secret_look *look, slice head);
    struct error *(*look)(struct secret_look *look, struct stream *stream);
};

enum { SECRET_HEAD = 1024 };

/* Whether what begins so is looked through as the text that it is, and as nothing else. */
bool secret_look_is_text(const struct secret_look *look, slice head);

extern const struct secret_kind secret_kind_notebook, secret_kind_manifest, secret_kind_program;
extern const struct secret_kind secret_kind_git_object, secret_kind_git_pack;
extern const struct secret_kind secret_kind_zip, secret_kind_zip_front;
extern const struct secret_kind secret_kind_tar, secret_kind_ar, secret_kind_cpio;
extern const struct secret_kind secret_kind_compressed, secret_kind_closed;

/* For the kinds of archives: tells that one has too many members. */
void secret_look_many_members(struct secret_look *look);

/* A zip may follow a program or a script: whether it begins so, and the look at it when `front`
 * bytes were in front of it. */
bool secret_zip_begins(slice bytes);
MUST_CHECK struct error *secret_look_at_zip_behind(struct secret_look *look, struct stream *stream,
                                                   uint64_t front);
/* Of the first bytes of what a zip may follow: whether that is text. */
bool secret_zip_front_is_text(slice head);

#endif
