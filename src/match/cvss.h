/*
 * CVSS base scores from vectors: 2.0, 3.0, 3.1 and 4.0 (FIRST's specifications; v2.0 section 3.2.1,
 * v3.x sections 7 and 7.4 with Appendix A of 3.1 for rounding, v4.0 section 8 and its lookup
 * table).
 */
#ifndef PLIMSOLL_MATCH_CVSS_H
#define PLIMSOLL_MATCH_CVSS_H

#include "base/slice.h"

enum cvss_version { CVSS_2_0 = 20, CVSS_3_0 = 30, CVSS_3_1 = 31, CVSS_4_0 = 40 };

struct cvss {
    enum cvss_version version;
    int score_tenths; /* base score × 10: 0 … 100 */
};

/*
 * Reads a vector ("CVSS:3.1/AV:N/…", or "AV:N/AC:L/Au:N/…" for 2.0, also in parentheses) and
 * computes its base score. Temporal, threat, environmental and supplemental metrics may stand in
 * it: for 2.0 and 3.x they do not change the base score; for 4.0 the threat and environmental
 * metrics are left out of account likewise (the score is CVSS-B).
 * False on anything that the specification does not allow: unknown or repeated metrics, missing
 * base metrics, values of another metric.
 */
bool cvss_parse(slice vector, struct cvss *cvss);

#endif
