/*
 * A finding: one vulnerability in one component. What match hands on to policy and report.
 */
#ifndef PLIMSOLL_MATCH_FINDING_H
#define PLIMSOLL_MATCH_FINDING_H

#include "inventory/inventory.h"
#include "store/store.h"

/* In rising order. */
enum severity {
    SEVERITY_UNKNOWN,
    SEVERITY_NEGLIGIBLE,
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL
};
enum { SEVERITY_COUNT = SEVERITY_CRITICAL + 1 };

extern const char *const severity_names[SEVERITY_COUNT]; /* "UNKNOWN" … "CRITICAL" */

/* A severity by its name, in any case; false when there is none of that name. */
bool severity_by_name(slice name, enum severity *severity);
/* A feed's own word ("Important", "moderate", "unimportant"); false when it says nothing. */
bool severity_by_word(slice word, enum severity *severity);

/* An advisory that says so. */
struct finding_source {
    slice ecosystem, id;
};

struct finding {
    slice id;            /* the preferred one: a CVE where there is one */
    struct list aliases; /* of slice: all others, sorted */
    enum severity severity;
    int score_tenths;      /* CVSS base score × 10, or -1 */
    slice vector;          /* or empty */
    slice severity_source; /* whose word the severity is, or empty */
    const struct component *component;
    struct list fixed;            /* of slice: versions that repair it, ascending */
    const char *status;           /* "fixed": a fix is there; "affected": none is known */
    struct list sources;          /* of struct finding_source */
    struct list advisories;       /* of const struct advisory *: those that say so */
    double epss, epss_percentile; /* below 0: not known */
    bool kev;
    /* Set by policy, and by match for what it does not count: */
    slice suppressed_reason; /* empty: not suppressed */
    slice suppressed_by, suppressed_until;
};

#endif
