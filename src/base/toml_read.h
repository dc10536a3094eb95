/*
 * TOML 1.0 (toml.io/en/v1.0.0) into jansson's values: tables are objects, dates and times are
 * strings as they stand there. For small configuration files.
 */
#ifndef PLIMSOLL_BASE_TOML_READ_H
#define PLIMSOLL_BASE_TOML_READ_H

#include "base/json_read.h"

/* The caller owns *value (json_decref). An error names `what` and the line. */
MUST_CHECK struct error *toml_read(json_t **value, slice text, const char *what);

#endif
