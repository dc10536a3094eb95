/* The report formats that there are; each is defined in the file of its name. */
#ifndef PLIMSOLL_REPORT_REPORTS_H
#define PLIMSOLL_REPORT_REPORTS_H

#include "report/report.h"

extern const struct report_format report_table;
extern const struct report_format report_json;
extern const struct report_format report_trivy;
extern const struct report_format report_grype;

#endif
