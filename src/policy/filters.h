/*
 * Filters that other scanners have and people bring along: by kind of package, by what the advisory
 * says of a fix, by path. A part of policy: what they take out stays in the report as suppressed,
 * by the option that asked for it; components stay as they are.
 */
#ifndef PLIMSOLL_POLICY_FILTERS_H
#define PLIMSOLL_POLICY_FILTERS_H

#include "base/error.h"
#include "match/match.h"

enum { PATH_FILTERS = 64, STATUS_FILTERS = 16 };

struct path_filter {
    slice pattern;  /* without a slash in front */
    const char *by; /* the option */
    bool folders;   /* the pattern names folders: all below goes with them */
    bool files;     /* the pattern names files */
};

struct filters {
    struct path_filter paths[PATH_FILTERS];
    size_t path_count;
    bool leave_out_system, leave_out_libraries; /* of --pkg-types */
    const char *statuses[STATUS_FILTERS];       /* as findings have them */
    const char *status_by[STATUS_FILTERS];
    size_t status_count;
    bool only_notfixed;
};

/* Patterns with commas between; texts are the caller's and live on. */
MUST_CHECK struct error *filters_add_paths(struct filters *filters, const char *by, slice list,
                                           bool folders, bool files);
/* Takes back the patterns of that option. */
void filters_drop_paths(struct filters *filters, const char *by);
/* "os,library": what is not named is left out. */
MUST_CHECK struct error *filters_set_types(struct filters *filters, slice list);
/* Trivy's words of a fix's status, and Grype's. */
MUST_CHECK struct error *filters_add_statuses(struct filters *filters, const char *by, slice list);

/* Marks findings and secrets (of struct image_secret) that a filter takes out. */
void filters_apply(const struct filters *filters, struct arena *arena, struct match_result *result,
                   struct list *secrets);

/* Whether what could not be judged is of a kind that is left out. */
bool filters_leave_out(const struct filters *filters, const struct unjudged *unjudged);

#endif
