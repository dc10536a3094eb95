/*
 * Rules of the user's own, in the forms that Trivy (trivy-secret.yaml) and gitleaks (gitleaks.toml)
 * have for them: rules, what is allowed, which of plimsoll's rules are left out or are the only
 * ones.
 */
#ifndef PLIMSOLL_SECRET_RULE_FILE_H
#define PLIMSOLL_SECRET_RULE_FILE_H

#include "base/error.h"
#include "secret/rule.h"

/* Something that is found but does not count; either expression may be NULL. */
struct secret_allow {
    const char *id;
    const char *rule;  /* of that rule alone; NULL: of any */
    const char *path;  /* PCRE, of the file */
    const char *regex; /* PCRE, of the secret */
};

struct secret_rule_file {
    struct list rules;    /* of struct secret_rule * */
    struct list allows;   /* of struct secret_allow */
    struct list disabled; /* of slice: ids of rules */
    struct list enabled;  /* of slice; not empty: only those of plimsoll's rules */
};

/* Reads the text of one, in YAML; `name` is the file's for messages. All of it lives in the arena.
 */
MUST_CHECK struct error *secret_rule_file_read(struct secret_rule_file *file, slice text,
                                               const char *name, struct arena *arena);

/* The same in TOML. */
MUST_CHECK struct error *secret_rule_file_read_toml(struct secret_rule_file *file, slice text,
                                                    const char *name, struct arena *arena);

/* -- for the readers of either form -- */

/* Which group of an expression is the secret: the one of that name, or of that number (from 1). */
struct secret_group {
    const char *name; /* or NULL */
    uint64_t number;  /* or 0 */
};

/*
 * Adds a rule of which id, title, severity, path and checks are given; the expression is Go's,
 * which names groups as PCRE does, and in which a dot is no line break unless (?s) says so.
 */
void secret_rule_file_add(struct secret_rule_file *file, struct secret_rule rule, const char *regex,
                          struct secret_group group, struct arena *arena);
void secret_rule_file_allow(struct secret_rule_file *file, struct secret_allow allow,
                            struct arena *arena);

/* Whether the rule of that id, which came with plimsoll, is to be used. */
bool secret_rule_file_uses(const struct secret_rule_file *file, const char *id);

#endif
