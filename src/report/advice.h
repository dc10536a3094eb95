/* The one sentence of advice that matters most: which upgrade takes away how many findings. */
#ifndef PLIMSOLL_REPORT_ADVICE_H
#define PLIMSOLL_REPORT_ADVICE_H

#include "report/report.h"

/* Empty when no upgrade is known to help. */
slice advice_write(const struct report *report);

#endif
