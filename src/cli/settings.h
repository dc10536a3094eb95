/*
 * plimsoll.yaml: every option as a key. The one in the working directory is read, or the one that
 * --config or PLIMSOLL_CONFIG names; environment and command line go before it.
 *
 * A file that merely lies in the working directory may have come with somebody else's sources. That
 * it was read, from where, and which keys it has, is said on stderr; and what writes files, says
 * whom to trust or keeps plimsoll quiet is taken only from a file that was named.
 */
#ifndef PLIMSOLL_CLI_SETTINGS_H
#define PLIMSOLL_CLI_SETTINGS_H

#include "cli/options.h"

/* Applies the file's keys that belong to the command; `named` is NULL where none was named. */
MUST_CHECK struct error *settings_apply(struct options *options, struct arena *arena,
                                        unsigned command, const char *named);

#endif
