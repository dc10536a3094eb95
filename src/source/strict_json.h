/*
 * JSON that says what an image is: manifests, indexes, configs. Readers disagree on a key that is
 * there twice, or in another case (Go's takes "Layers" for "layers"): an image that means one thing
 * to a scanner and another to a runtime is refused.
 */
#ifndef PLIMSOLL_SOURCE_STRICT_JSON_H
#define PLIMSOLL_SOURCE_STRICT_JSON_H

#include "base/json_read.h"

/* As json_read. */
MUST_CHECK struct error *strict_json_read(json_t **value, slice text, const char *what);

#endif
