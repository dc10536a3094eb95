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
                                  uint64_t started, int *exit_code);

/* A clock in microseconds, for `started`: when opening the image began. */
uint64_t scan_now(void);

#endif
