/*
 * Mustache (mustache.github.io, the specification's modules interpolation, sections, inverted and
 * comments): a template and a JSON value make a text. No logic, no partials, no lambdas, no other
 * delimiters. Names with dots are looked up part by part; {{.}} is the value itself.
 *
 * Beyond the specification: a list as a variable is its items with ", " between; in a section over
 * a list {{-first}}, {{-last}} and {{-index}} tell where one is. What is false, null, missing, an
 * empty text or an empty list is not there; 0 is.
 */
#ifndef PLIMSOLL_BASE_MUSTACHE_H
#define PLIMSOLL_BASE_MUSTACHE_H

#include "base/buffer.h"
#include "base/error.h"
#include <jansson.h>

struct mustache {
    struct list tokens; /* of struct mustache_token */
};

/* Puts a variable's text into the output so that it is only text there. */
typedef void mustache_escape(struct buffer *out, slice text);

/*
 * Reads a template; its tokens live in the arena and point into the text. Errors name `path`, the
 * line and what stands there: a tag that does not end, a section that does not, what is not known
 * here.
 */
MUST_CHECK struct error *mustache_parse(struct mustache *mustache, struct arena *arena, slice text,
                                        const char *path);

/*
 * Writes what it makes of `root` (an object). `escape` may be NULL: as it stands. Errors: an output
 * over LIMIT_TEMPLATE_OUTPUT_BYTES, more than LIMIT_TEMPLATE_STEPS tags gone through.
 */
MUST_CHECK struct error *mustache_render(const struct mustache *mustache, const json_t *root,
                                         mustache_escape *escape, struct buffer *out);

#endif
