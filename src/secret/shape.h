/*
 * Shapes: examples of secrets without a secret in them. Text in which "{alnum:34}" stands for so
 * many letters and digits, "{github:ghp_}" for a token with its checksum, and so on;
 * rules/README.md has the list. The same seed gives the same text.
 */
#ifndef PLIMSOLL_SECRET_SHAPE_H
#define PLIMSOLL_SECRET_SHAPE_H

#include "base/buffer.h"
#include "base/error.h"

/* Adds the text to the buffer; an error names what is wrong with the shape. */
MUST_CHECK struct error *shape_expand(slice shape, uint64_t seed, struct buffer *out);

#endif
