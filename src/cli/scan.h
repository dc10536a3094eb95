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
    int64_t started;              /* when opening it began: clock_microseconds */
    int64_t deadline_ms;          /* when all must be done: clock_milliseconds; or 0 */
    struct caught_layers *caught; /* or NULL */
    struct layer_cache *cache;    /* or NULL; stays the caller's */
    struct secrets *secrets;      /* or NULL: not looked for; stays the caller's */
    struct secrets *masking;      /* or NULL: rules by which instructions are shown masked */
    /* What is in the image, where it is known already and no layer need be read; or NULL. */
    const struct inventory *known;
    const struct list *known_problems; /* with it: of slice, what could not be read at the time */
};

/* The cache, where it may be used: NULL else, with a remark when it should have been. */
struct layer_cache *scan_cache(const struct options *options, struct arena *arena);

/* Scans the image and writes the report. */
MUST_CHECK struct error *scan_run(const struct scan_request *request, int *exit_code);

/*
 * Scans the image, says on stderr what went wrong, and writes nothing. The report lives in the
 * request's arena, and so does its image, which is the caller's to close.
 */
MUST_CHECK struct error *scan_collect(const struct scan_request *request,
                                      const struct report **report);

/*
 * Opens the image of that name (or path) as `plimsoll image` does, and scans it likewise. A wrong
 * usage is an error; an image that cannot be read is a report that says so.
 */
MUST_CHECK struct error *scan_image_named(const struct options *options, struct arena *arena,
                                          const char *name, const struct report **report);

/* Now; or, for reports that come out the same again, what SOURCE_DATE_EPOCH says. */
const char *scan_moment(struct arena *arena);

/* When a scan that starts now must be done. */
int64_t scan_deadline(const struct options *options);

#endif
