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

/* Where in the region: all that the pattern matched, and the secret in it. */
struct secret_match {
    size_t start, end;
    size_t secret_start, secret_end;
};

enum secret_look_result {
    SECRET_NOTHING, /* no match begins in the window */
    SECRET_HOLDS,   /* one does, and the checks hold */
    SECRET_FAILS,   /* one does, but the checks do not hold: the next may begin behind its start */
    SECRET_TOO_MUCH /* the expression took more steps than it may */
};

/* Where in a region a match may begin, when the first look ended at `end`: from *first on, before
 * *last. */
void secret_matcher_window(const struct secret_rule *rule, size_t end, size_t *first, size_t *last);

/* The looks that follow are at another region, though it may lie in the same place. */
void secret_matcher_begin(struct secret_matcher *matcher);

/* How often an expression was tried on a text since the matcher was made. */
uint64_t secret_matcher_tries(const struct secret_matcher *matcher);

/*
 * The first match of the rule that begins at or after `first` and before `last`. Each start is to
 * be asked for once: callers go on behind it, so that all looks together take a bounded number of
 * steps for each byte of the region.
 */
enum secret_look_result secret_matcher_look(struct secret_matcher *matcher, size_t rule,
                                            enum secret_mode mode, slice region, size_t first,
                                            size_t last, struct secret_match *match);

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
