/* How bad something is: vulnerabilities, secrets and misconfigurations alike. */
#ifndef PLIMSOLL_BASE_SEVERITY_H
#define PLIMSOLL_BASE_SEVERITY_H

#include "base/slice.h"

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

#endif
