/*
 * All rules' expressions as one Hyperscan database for text and one, of the surest rules, for
 * bytes. It tells where a rule's pattern may match; whether it does is seen in matcher.h.
 */
#ifndef PLIMSOLL_SECRET_DATABASE_H
#define PLIMSOLL_SECRET_DATABASE_H

#include "base/buffer.h"
#include "base/error.h"
#include "secret/rule.h"

struct secret_database;

enum secret_mode {
    SECRET_TEXT, /* all rules */
    SECRET_BYTES /* those of programs and other binary files */
};

/*
 * Compiles the rules, which takes a second or so; they stay the caller's. For this processor, or so
 * that it runs on most (`portable`).
 */
MUST_CHECK struct error *secret_database_make(struct secret_database **database,
                                              const struct secret_rule *const *rules, size_t count,
                                              bool portable);

/* As bytes for the cache, and back; an error when they are of another version or processor. */
MUST_CHECK struct error *secret_database_write(const struct secret_database *database,
                                               struct buffer *out);
MUST_CHECK struct error *secret_database_read(struct secret_database **database, slice bytes);

/* Called for each place where rule `rule` may end a match, in rising order of `end`. */
typedef void secret_candidate(void *context, size_t rule, size_t end);

/* False when Hyperscan failed. */
bool secret_database_scan(const struct secret_database *database, enum secret_mode mode,
                          slice bytes, secret_candidate *candidate, void *context);

void secret_database_free(struct secret_database *database);

#endif
