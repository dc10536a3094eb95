/*
 * A finding: one vulnerability in one component. What match hands on to policy and report.
 */
#ifndef PLIMSOLL_MATCH_FINDING_H
#define PLIMSOLL_MATCH_FINDING_H

#include "base/severity.h"
#include "inventory/inventory.h"
#include "store/store.h"

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
    slice summary, details; /* in words (details are often Markdown); empty: not known, not asked */
    /* Set by policy, and by match for what it does not count: */
    slice suppressed_reason; /* empty: not suppressed */
    slice suppressed_by, suppressed_until;
    bool excepted; /* by an entry of an ignore file */
    /* What a VEX statement says of it: "not_affected", …; empty where none does. */
    slice vex_status, vex_justification;
};

#endif
