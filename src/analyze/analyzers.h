/* The analyzers that there are; each is defined in the file of its name. */
#ifndef PLIMSOLL_ANALYZE_ANALYZERS_H
#define PLIMSOLL_ANALYZE_ANALYZERS_H

#include "analyze/analyzer.h"

extern const struct analyzer analyzer_os_release;
extern const struct analyzer analyzer_dpkg;
extern const struct analyzer analyzer_python;
extern const struct analyzer analyzer_conda;
extern const struct analyzer analyzer_databases;
extern const struct analyzer analyzer_secret;

#endif
