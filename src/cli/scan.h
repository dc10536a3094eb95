/*
 * A scan from end to end: image → layer walk → inventory → match → policy → report. What the
 * commands `image` and `rootfs` share.
 */
#ifndef PLIMSOLL_CLI_SCAN_H
#define PLIMSOLL_CLI_SCAN_H

#include "cli/command.h"
#include "cli/read_layers.h"

struct scan_request {
    const struct options *options;
    struct arena *arena;
    struct image *image;          /* opened; taken and closed. NULL: … */
    struct error *failure;        /* … why there is none; taken */
    const char *name;             /* of the image, as asked for */
    uint64_t started;             /* when opening it began: scan_now */
    int64_t deadline_ms;          /* when all must be done: http_now_ms; or 0 */
    struct caught_layers *caught; /* or NULL */
    struct layer_cache *cache;    /* or NULL; stays the caller's */
};

/* The cache, where it may be used: NULL else, with a remark when it should have been. */
struct layer_cache *scan_cache(const struct options *options, struct arena *arena);

/* Scans the image and writes the report. */
MUST_CHECK struct error *scan_run(const struct scan_request *request, int *exit_code);

/* When a scan that starts now must be done. */
int64_t scan_deadline(const struct options *options);

/* A clock in microseconds, for `started`: when opening the image began. */
uint64_t scan_now(void);

#endif
