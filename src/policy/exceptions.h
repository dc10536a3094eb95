/*
 * Exceptions: the entries of ignore files. Each says what it is for, and may say why and until
 * when. Between match and the policy's filters; nothing is dropped, what an exception is for is
 * marked with its reason. An entry that has run out hides nothing, and one that is for nothing that
 * was found is not kept quiet about either.
 */
#ifndef PLIMSOLL_POLICY_EXCEPTIONS_H
#define PLIMSOLL_POLICY_EXCEPTIONS_H

#include "base/error.h"
#include "match/match.h"
#include "policy/target.h"

/* What the keys of an entry are compared with; exception_fields.c has the table. */
enum exception_field {
    FIELD_ID, /* of a vulnerability or any alias; a secret's rule. Always WAY_EQUAL */
    FIELD_FINGERPRINT,
    FIELD_PACKAGE,
    FIELD_VERSION,
    FIELD_TYPE,
    FIELD_UPSTREAM,
    FIELD_PURL,
    FIELD_PATH,
    FIELD_IMAGE,
    FIELD_NAMESPACE,
    FIELD_FIX_STATE,
    FIELD_MATCH_TYPE,
    FIELD_VEX_STATUS,
    FIELD_VEX_JUSTIFICATION,
    FIELD_COUNT
};

enum exception_way { WAY_EQUAL, WAY_GLOB, WAY_REGEX, WAY_PURL };

/* One value of one key. Of several for one field one must hold; of several fields all must. */
struct exception_key {
    enum exception_field field;
    enum exception_way way;
    slice wanted;
    void *compiled; /* of WAY_REGEX a pcre2_code, of WAY_PURL a struct purl */
};

/* What an entry may be for. */
enum { EXCEPT_FINDINGS = 1, EXCEPT_SECRETS = 2, EXCEPT_OTHERS = 4 };

enum exception_state {
    EXCEPTION_UNUSED,  /* nothing that was found is as it says */
    EXCEPTION_APPLIED, /* it hides something */
    EXCEPTION_EXPIRED, /* its date has come */
    EXCEPTION_SKIPPED  /* what it is for was not looked for */
};
extern const char *const exception_state_names[];

struct exception {
    const char *file;
    size_t line;
    slice what;     /* the id; where it has none, its keys in words */
    slice reason;   /* as it is written there, or empty */
    slice until;    /* "2026-12-31", or empty: from that day on it hides nothing */
    unsigned kinds; /* EXCEPT_… */
    struct list keys;
    unsigned fields; /* a bit for each field that a key is for */
    /* Set by exceptions_apply: */
    enum exception_state state;
    size_t findings; /* findings and secrets that are as it says */
};

struct exceptions {
    struct list entries; /* of struct exception *, in the order of the files */
    struct list files;   /* of const char * */
};

/* Adds a key to an entry; an error when the value cannot be understood (without file and line). */
MUST_CHECK struct error *exception_add_key(struct exception *exception, enum exception_field field,
                                           enum exception_way way, slice wanted,
                                           struct arena *arena);

/* Takes "2026-12-31", or a moment of that day, as the entry's date. */
MUST_CHECK struct error *exception_set_until(struct exception *exception, slice date,
                                             struct arena *arena);

/* Ends an entry: says in `what` what it is for, and puts it to the others. An error when it has no
 * key at all, or there are more entries than LIMIT_IGNORE_ENTRIES. */
MUST_CHECK struct error *exceptions_add(struct exceptions *exceptions, struct exception *exception,
                                        struct arena *arena);

/* What exceptions are applied to. */
struct exception_scan {
    const struct target *target;
    struct match_result *result;
    struct list *secrets; /* of struct image_secret */
    bool vulnerabilities_wanted, secrets_wanted;
    slice today; /* "2026-11-29" */
};

/* Marks what the entries are for as suppressed, with the reason, the place and the date, and sets
 * each entry's state. */
void exceptions_apply(struct exceptions *exceptions, const struct exception_scan *scan,
                      struct arena *arena);

/* How many entries of that file are in that state; with `found` also how much they are for. */
size_t exceptions_count(const struct exceptions *exceptions, const char *file,
                        enum exception_state state, size_t *found);

/* What a key is compared with: a finding, or a place of a secret in an image. */
struct exception_subject {
    const struct target *target;
    const struct finding *finding;     /* or NULL */
    const struct image_secret *secret; /* or NULL */
    const struct secret_place *place;  /* of the secret: the one that is asked about */
};

/* Whether all keys of the entry hold (exception_fields.c). */
bool exception_holds(const struct exception *exception, const struct exception_subject *subject);
/* "id", "package" … for messages. */
extern const char *const exception_field_names[FIELD_COUNT];

#endif
