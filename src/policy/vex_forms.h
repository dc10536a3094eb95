/* What the files that read VEX documents share. */
#ifndef PLIMSOLL_POLICY_VEX_FORMS_H
#define PLIMSOLL_POLICY_VEX_FORMS_H

#include "base/json_read.h"
#include "policy/vex.h"

struct vex_reading {
    struct vex *vex;
    struct vex_document *document;
    const char *file;
    struct arena *arena;
};

struct vex_form {
    const char *name;
    bool (*recognise)(const json_t *root);
    struct error *(*read)(struct vex_reading *reading, const json_t *root);
};

extern const struct vex_form vex_openvex, vex_cyclonedx, vex_csaf;

/* A new statement; it counts when vex_end has been called with it. */
struct vex_statement *vex_begin(struct vex_reading *reading, size_t number, enum vex_status status);
void vex_add_name(struct vex_reading *reading, struct vex_statement *statement, slice name);
/* Ends a statement: one that names no vulnerability or nothing that it is about is passed over. */
void vex_end(struct vex_reading *reading, struct vex_statement *statement);

MUST_CHECK struct error *vex_add_scope(struct vex_reading *reading, struct vex_statement *statement,
                                       const struct vex_thing *product,
                                       const struct vex_thing *part);

void vex_identify(struct vex_reading *reading, struct vex_thing *thing, slice identifier);

/* RFC 3339 to nanoseconds since 1970; INT64_MIN for anything else. */
int64_t vex_moment(slice text);
/* The first of those members that is a moment, else `otherwise`. */
int64_t vex_moment_of(const json_t *object, const char *const *members, int64_t otherwise);

/* "FILE: what is wrong" */
MUST_CHECK struct error *vex_wrong(const struct vex_reading *reading, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Adds "; more" to a text. */
slice vex_join(struct vex_reading *reading, slice text, slice more);

#endif
