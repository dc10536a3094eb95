/*
 * The second look: whether a rule's pattern, its edges, its neighbourhood and its checks hold where
 * the database says that they may.
 */
#ifndef PLIMSOLL_SECRET_MATCHER_H
#define PLIMSOLL_SECRET_MATCHER_H

#include "secret/database.h"
#include "secret/rule_file.h"

struct secret_matcher;

/* The rules stay the caller's. Their patterns are compiled when they are first needed. */
struct secret_matcher *secret_matcher_new(const struct secret_rule *const *rules, size_t count);

/* Compiles those of the user's own, to hear what is wrong with them. */
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

/* What is allowed; it stays the caller's. An error names the one that is wrong. */
MUST_CHECK struct error *secret_matcher_allow(struct secret_matcher *matcher,
                                              const struct secret_allow *allows, size_t count);

/* Whether the rule is for the file of that path. */
bool secret_matcher_is_for(struct secret_matcher *matcher, size_t rule, slice path);

/* What allows a secret of that rule in that file: its id; or NULL. */
const char *secret_matcher_allowed_by(struct secret_matcher *matcher, size_t rule, slice path,
                                      slice secret);

void secret_matcher_free(struct secret_matcher *matcher);

#endif
