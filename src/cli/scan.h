/*
 * A scan from end to end: image → layer walk → inventory → match → policy → report. What the
 * commands `image` and `rootfs` share.
 */
#ifndef PLIMSOLL_CLI_SCAN_H
#define PLIMSOLL_CLI_SCAN_H

#include "cli/command.h"

/*
 * Scans the opened image (NULL: `failure` says why there is none; both are taken) and writes the
 * report.
 */
MUST_CHECK struct error *scan_run(const struct options *options, struct arena *arena,
                                  struct image *image, struct error *failure, const char *name,
                                  int *exit_code);

#endif
