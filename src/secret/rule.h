/*
 * Rules for secrets: what a credential of one kind looks like. Those that come with plimsoll are
 * data in rules/ (README.md there describes the fields), turned into a table at build time by
 * rules/compile.py; others come from the user's files.
 */
#ifndef PLIMSOLL_SECRET_RULE_H
#define PLIMSOLL_SECRET_RULE_H

#include "base/severity.h"

/* Where a match of the pattern may begin, seen from where the first look ended. */
enum secret_start {
    SECRET_STARTS_WITHIN, /* anywhere before it, as far as the pattern reaches */
    SECRET_STARTS_BEFORE, /* before it by what `find` takes: both begin in the same place */
    SECRET_STARTS_AT,     /* there: `find` is a name, and the pattern is of what follows it */
    SECRET_STARTS_BEHIND  /* soon behind it: `find` is a word near which a token may stand */
};

struct secret_rule {
    const char *id, *title;
    const char *pattern; /* PCRE; the secret is its group "secret" */
    const char *find;    /* Hyperscan: matches at least where the pattern does */
    const char *checks;  /* names from checks.h, by spaces */
    const char *near;    /* PCRE, caseless: must match in the neighbourhood; or "" */
    const char *prefix;  /* what every such secret begins with, so that it may be shown; or "" */
    const char *path;    /* PCRE: in files of such paths only; or NULL */
    const char *file;    /* such a path, for the examples of a rule with one; or NULL */
    const char *revoke;  /* address; or "" */
    const char *advice;  /* sentence; or "" */
    enum severity severity;
    bool weak;                    /* in installed packages' code mostly an example */
    bool bytes;                   /* sure enough for programs and other binary files */
    bool edge_before, edge_after; /* no letter or digit may stand there */
    bool own;                     /* from a file of the user's: placeholders are not looked for */
    enum secret_start start;
    unsigned find_least, find_most; /* bytes that `find` takes */
    unsigned reach;                 /* bytes of the longest match */
    /* Examples (shape.h), each ended by NULL: found, not found, and found as another rule's. */
    const char *const *good, *const *bad, *const *other;
};

/* Those that come with plimsoll. */
extern const struct secret_rule secret_rules[];
extern const size_t secret_rule_count;

#endif
