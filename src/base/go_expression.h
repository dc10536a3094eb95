/*
 * Go's regular expressions (regexp/syntax), as far as a line of .dockerignore comes to one:
 * patternmatcher writes an expression for it, and what it does not escape ("^", "|", "{", "\d",
 * "[[:digit:]]") means there what it means in Go. "(" stands in it only as "(.*" + "/)?".
 *
 * A match goes through a path once, with all states that an expression can be in side by side: its
 * steps are bounded by the path's length times the expression's, whatever the expression.
 */
#ifndef PLIMSOLL_BASE_GO_EXPRESSION_H
#define PLIMSOLL_BASE_GO_EXPRESSION_H

#include "base/memory.h"

/* The expressions of one file, in one list of states. */
struct go_expressions {
    struct arena *arena;
    struct list states;          /* of struct go_state */
    struct list classes, ranges; /* of struct go_class, struct go_range */
    uint32_t *seen, *stack;      /* while one is matched, room for the longest each: when … */
    uint32_t *now, *next;        /* … a state was last entered; those that wait for a character */
    uint32_t now_count, next_count, moment;
    size_t longest;
    uint64_t steps; /* of matches so far; the caller may set it back */
};

struct go_expression {
    uint32_t first, count; /* its states */
    bool anchored;         /* matches nowhere but from the text's beginning */
};

enum go_compiled {
    GO_COMPILED,
    GO_MALFORMED, /* Go refuses it */
    GO_UNICODE,   /* has \p or \P: Unicode's tables are not here */
    GO_TOO_LARGE  /* more than LIMIT_DOCKERIGNORE_STATES with those before it */
};

enum go_compiled go_expression_compile(struct go_expressions *all, slice text,
                                       struct go_expression *expression);

/* Makes room for matches; to be called once, after the last expression is compiled. */
void go_expressions_finish(struct go_expressions *all);

/*
 * Whether the path matches, as Go's MatchString says it, or with `parents` one of the folders that
 * it is in. Where LIMIT_DOCKERIGNORE_STEPS is passed, `steps` is beyond it and the answer is none.
 */
bool go_expression_matches(struct go_expressions *all, const struct go_expression *expression,
                           slice path, bool parents);

/* For go_expression.c and go_expression_match.c alone. */
enum go_state_kind {
    GO_RUNE,         /* takes `what` */
    GO_CLASS,        /* takes what is in class `what` */
    GO_NO_LINE_END,  /* takes all but "\n" */
    GO_FORK,         /* goes on with the next state and, unless it is 0, `skip` states further */
    GO_JUMP,         /* goes on `skip` states further */
    GO_TEXT_BEGIN,   /* is passed at the text's beginning */
    GO_TEXT_END,     /* … at its end */
    GO_WORD_EDGE,    /* … between a letter, digit or "_" and what is none, in ASCII */
    GO_NO_WORD_EDGE, /* … elsewhere */
    GO_MATCH
};

struct go_state {
    enum go_state_kind kind;
    int32_t skip;
    uint32_t what;
};

struct go_class {
    uint32_t first, count; /* its ranges */
    bool negated;
};

struct go_range {
    uint32_t low, high;
};

#endif
