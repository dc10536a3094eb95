/*
 * What `plimsoll compare` compares: turns a word of the command line into a side. One table of
 * kinds (sides.c); the first that knows the thing by its content opens it.
 */
#ifndef PLIMSOLL_CLI_SIDES_H
#define PLIMSOLL_CLI_SIDES_H

#include "compare/side.h"
#include "cli/options.h"

/*
 * Fills the side, which lives in `arena`; what a scan needs besides is given back before this
 * returns. A wrong usage is an error; what cannot be read is a side with errors.
 */
MUST_CHECK struct error *side_open(struct side *side, struct arena *arena,
                                   const struct options *options, const char *name);

/* Whether that side would be an SBOM. */
bool side_is_sbom(const char *name);

#endif
