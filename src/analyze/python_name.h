/* Names of Python projects in their normal form. */
#ifndef PLIMSOLL_ANALYZE_PYTHON_NAME_H
#define PLIMSOLL_ANALYZE_PYTHON_NAME_H

#include "base/memory.h"

/* PEP 503: lower case, each run of '-', '_' and '.' one '-'. The result is in the arena. */
slice python_name_normalize(struct arena *arena, slice name);

#endif
