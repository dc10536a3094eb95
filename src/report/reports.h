/* The report formats that there are; each is defined in the file of its name. */
#ifndef PLIMSOLL_REPORT_REPORTS_H
#define PLIMSOLL_REPORT_REPORTS_H

#include "report/report.h"

extern const struct report_format report_table;
extern const struct report_format report_json;
extern const struct report_format report_trivy;
extern const struct report_format report_grype;
extern const struct report_format report_cyclonedx;
extern const struct report_format report_cyclonedx_xml;
extern const struct report_format report_spdx_json;
extern const struct report_format report_spdx_tag_value;
extern const struct report_format report_spdx3;
extern const struct report_format report_html;
extern const struct report_format report_sarif;
extern const struct report_format report_junit;
extern const struct report_format report_gitlab;
extern const struct report_format report_github;
extern const struct report_format report_markdown;
extern const struct report_format report_csv;
extern const struct report_format report_openmetrics;
extern const struct report_format report_template;
extern const struct report_format report_openvex;

#endif
