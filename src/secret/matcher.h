/*
 * The second look: whether a rule's pattern, its edges, its neighbourhood and its checks hold where
 * the database says that they may.
 */
#ifndef PLIMSOLL_SECRET_MATCHER_H
#define PLIMSOLL_SECRET_MATCHER_H

#include "secret/database.h"

struct secret_matcher;

/* The rules stay the caller's. Their patterns are compiled when they are first needed. */
struct secret_matcher *secret_matcher_new(const struct secret_rule *const *rules, size_t count);

/* Compiles all of them, to hear what is wrong. */
MUST_CHECK struct error *secret_matcher_check(struct secret_matcher *matcher);

/* Where in the region: the secret, and all that the pattern matched. */
struct secret_match {
    size_t start, end;
    size_t secret_start, secret_end;
    bool holds; /* the pattern matched, and the checks hold as well */
};

/*
 * The first match of the rule that ends at `end` of the region or behind it and begins at or after
 * `from` and before `end` (for a rule that follows a word: soon after `end`); false when there is
 * none.
 */
bool secret_matcher_look(struct secret_matcher *matcher, size_t rule, enum secret_mode mode,
                         slice region, size_t from, size_t end, struct secret_match *match);

void secret_matcher_free(struct secret_matcher *matcher);

#endif
