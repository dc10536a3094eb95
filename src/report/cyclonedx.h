/* What the files that write CycloneDX share. */
#ifndef PLIMSOLL_REPORT_CYCLONEDX_H
#define PLIMSOLL_REPORT_CYCLONEDX_H

#include "report/markup.h"
#include "report/report.h"

/* The list of vulnerabilities, with what is said of those that are suppressed (VEX). */
void cyclonedx_add_vulnerabilities(struct markup *markup, const struct report *report, bool is_14);

#endif
