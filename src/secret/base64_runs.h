/* Stretches of base64 in a text, decoded: Kubernetes' secrets, credentials of docker login. */
#ifndef PLIMSOLL_SECRET_BASE64_RUNS_H
#define PLIMSOLL_SECRET_BASE64_RUNS_H

#include "base/slice.h"

typedef void base64_run(void *context, size_t start, size_t end, slice decoded);

/* Calls back for each that decodes to text, in order, with where it stands in `text`; line breaks
 * between long lines are part of it. What follows the first LIMIT_SECRET_ENCODED_BYTES of one is
 * left out. */
void base64_runs(slice text, base64_run *found, void *context);

#endif
