/* SBOMs in files: opened and scanned as images are. */
#ifndef PLIMSOLL_CLI_SBOM_FILE_H
#define PLIMSOLL_CLI_SBOM_FILE_H

#include "cli/options.h"
#include "sbom/sbom.h"

/* "sbom:FILE", or a file that by its first bytes is an SBOM rather than an image. */
bool sbom_file_is(const char *name);

/* Reads it; "-" is stdin. */
MUST_CHECK struct error *sbom_file_read(struct sbom *sbom, struct arena *arena, const char *name);

/* Judges what is in it, and writes the reports. */
MUST_CHECK struct error *sbom_file_scan(const struct options *options, struct arena *arena,
                                        const char *name, int *exit_code);
/* The same without writing, for those who compare. */
MUST_CHECK struct error *sbom_file_collect(const struct options *options, struct arena *arena,
                                           const char *name, const struct report **report);
/* Writes the reports of an SBOM that has been read or put together; `deadline_ms` is what
 * scan_deadline gave before reading began. */
MUST_CHECK struct error *sbom_write(const struct options *options, struct arena *arena,
                                    struct sbom *sbom, int64_t deadline_ms, int *exit_code);

#endif
