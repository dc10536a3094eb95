/*
 * The rules that a scan looks with, ready to be used: those that come with plimsoll, and their
 * database, which is compiled once and then taken from the cache.
 */
#ifndef PLIMSOLL_SECRET_RULE_SET_H
#define PLIMSOLL_SECRET_RULE_SET_H

#include "secret/rule_file.h"
#include "secret/scanner.h"

/* Where compiled databases are kept; any of it may be missing. */
struct secret_memory {
    slice built; /* what secret_rules_build wrote */
    bool (*recall)(void *context, slice key, struct arena *arena, slice *bytes);
    void (*keep)(void *context, slice key, slice bytes);
    void *context;
};

struct secret_rules {
    const struct secret_rule *const *rules;
    size_t count;
    const struct secret_rule_file *file; /* or NULL */
    slice digest;                        /* of all that makes a difference to what is found */
    struct secret_scanner *scanner;
};

/* The rules and their digest, in the arena, without a scanner: plimsoll's and those of the user's
 * file (NULL for none; it stays the caller's). */
void secret_rules_list(struct secret_rules *set, const struct secret_rule_file *file,
                       struct arena *arena);

/* Makes the scanner of a set that was listed: secret_rules_close frees it. */
MUST_CHECK struct error *secret_rules_open(struct secret_rules *set, struct arena *arena,
                                           const struct secret_memory *memory);
/* The database of the rules that come with plimsoll, for secret_memory.built: made at build time.
 */
MUST_CHECK struct error *secret_rules_build(struct buffer *out);

void secret_rules_close(struct secret_rules *set);

/* The rule of that id, or NULL. */
const struct secret_rule *secret_rule_named(const struct secret_rules *set, slice id);

/*
 * Runs each rule's own examples and adds a line for each that is found where it should not be, or
 * the other way round, to `out`. Returns how many there are.
 */
MUST_CHECK struct error *secret_rules_test(const struct secret_rules *set, struct buffer *out,
                                           size_t *tried, size_t *failed);

#endif
