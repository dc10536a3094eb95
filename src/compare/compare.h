/*
 * Comparing scans: two of them, change by change, or several, ranked. Given sides (side.h), it
 * hands a comparison on to one of the writers (formats.h). Pure functions: no clock, no files.
 *
 * Everything in a comparison lives in the arena it was made in, or in its sides.
 */
#ifndef PLIMSOLL_COMPARE_COMPARE_H
#define PLIMSOLL_COMPARE_COMPARE_H

#include "compare/side.h"

#define COMPARE_SCHEMA_VERSION "1.0.0"

enum package_fate {
    PACKAGE_ADDED,
    PACKAGE_REMOVED,
    PACKAGE_UPGRADED,
    PACKAGE_DOWNGRADED,
    PACKAGE_CHANGED, /* to another version, of which nobody knows whether it is higher */
    PACKAGE_UNCHANGED
};
enum { PACKAGE_FATES = PACKAGE_UNCHANGED + 1 };

/* What became of a package; before is NULL for one that was added, after for one removed. */
struct package_change {
    enum package_fate fate;
    const struct side_package *before, *after;
};

enum fate { FATE_NEW, FATE_FIXED, FATE_UNCHANGED };
enum { FATES = FATE_UNCHANGED + 1 };

/*
 * What became of a finding. One is the same on both sides when it is the same vulnerability (by its
 * id or any alias) of the same package (by type and name), at whatever version.
 */
struct finding_change {
    enum fate fate;
    const struct side_finding *before, *after; /* one of them NULL for new and fixed */
    slice version_before, version_after;       /* of its package; empty: it was not there */
};

struct secret_change {
    enum fate fate;
    const struct side_secret *secret; /* as after, else as before */
};

struct side_counts {
    size_t by_severity[SEVERITY_COUNT];
    size_t all, fixable, exploited, secrets;
    size_t in_base, in_own; /* findings of layers of which it is known */
};

/* What makes a comparison of two end with 1. */
struct compare_gates {
    bool has_max_new;
    enum severity max_new; /* from this severity on … */
    uint64_t most_new;     /* … so many new findings are let pass */
    bool has_min_reduction;
    unsigned min_reduction; /* per cent */
    bool allow_unjudged;
};

struct comparison {
    struct arena *arena;
    const struct side *sides;
    size_t side_count;
    struct side_counts *counts; /* one a side */
    struct compare_gates gates;
    /* of two sides, where it is possible */
    struct list packages; /* of struct package_change */
    struct list findings; /* of struct finding_change */
    struct list secrets;  /* of struct secret_change */
    size_t package_fates[PACKAGE_FATES], finding_fates[FATES], secret_fates[FATES];
    /* of more: indices of the sides, best first, and why the first is first */
    size_t *ranking;
    slice reason;
    /* of either */
    struct list notes; /* of slice: what to know when reading it */
    size_t untrusted;  /* errors of all sides */
    int exit_code;
    struct list reasons;  /* of slice: why it does not pass, or what was overlooked on demand */
    slice today, version; /* "2026-08-21"; of this program */
};

/* Fills all but sides, side_count, arena, gates, today and version, which are given. */
void compare_run(struct comparison *comparison);

/* What became of the packages, sorted by fate, type and name. */
void compare_packages(struct list *changes, struct arena *arena, const struct side *before,
                      const struct side *after);
/* What became of the findings; `packages` are the changes of the packages. */
void compare_findings(struct list *changes, struct arena *arena, const struct side *before,
                      const struct side *after, const struct list *packages);
/* Puts copies in place of the sides, in which it is told which secrets are the same, and each is
 * there once. Before anything is counted. */
void compare_join_secrets(struct comparison *comparison);
/* What became of the secrets of two sides that were joined. */
void compare_secrets(struct list *changes, struct arena *arena, const struct side *before,
                     const struct side *after);

struct side_counts compare_count(const struct side *side);

/* Ranks the sides, and puts into words why the first is first. */
void compare_rank(struct comparison *comparison);
/* Whether the side's distribution has reached its end of life by `today`. */
bool compare_is_end_of_life(const struct side *side, slice today);

/* Decides by the gates and by what could not be trusted. */
void compare_decide(struct comparison *comparison);

/* The change from before to after in tenths of a per cent; false when there was nothing before. */
bool compare_percent(uint64_t before, uint64_t after, int64_t *tenths);

extern const char *const package_fate_names[PACKAGE_FATES]; /* "added" … */
extern const char *const fate_names[FATES];                 /* "new", "fixed", "unchanged" */

static inline bool compare_is_pair(const struct comparison *comparison)
{
    return comparison->side_count == 2;
}

/* Whether of each side there is anything: else no number says anything. */
bool compare_is_possible(const struct comparison *comparison);

#endif
