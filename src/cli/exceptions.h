/* Ignore files and VEX documents, as the command line and the working directory have them. */
#ifndef PLIMSOLL_CLI_EXCEPTIONS_H
#define PLIMSOLL_CLI_EXCEPTIONS_H

#include "cli/options.h"
#include "policy/exceptions.h"
#include "policy/vex.h"

struct scan_exceptions {
    struct exceptions exceptions;
    struct vex vex;
    struct target target;
    struct error *failure; /* of a file that nobody named; taken when it is told */
};

/* Reads them. What was named and cannot be used is a wrong usage; what was found in the working
 * directory and cannot be used is kept as `failure`. */
MUST_CHECK struct error *exceptions_load(struct scan_exceptions *loaded,
                                         const struct options *options, struct arena *arena);

/* Applies them, and says on stderr what came of it. VEX goes first: Grype's rules ask for it. */
void exceptions_use(struct scan_exceptions *loaded, const struct exception_scan *scan,
                    struct arena *arena);

#endif
