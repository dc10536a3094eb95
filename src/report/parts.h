/* What the files that write reports share: which findings, in which order, and words for them. */
#ifndef PLIMSOLL_REPORT_PARTS_H
#define PLIMSOLL_REPORT_PARTS_H

#include "base/json_write.h"
#include "report/report.h"

struct report_counts {
    size_t by_severity[SEVERITY_COUNT];
    size_t all, fixable, exploited, suppressed;
};

/*
 * The findings that count (or those that are suppressed), the most severe first, then by what is
 * exploited, by component and id. In the report's arena.
 */
struct finding *const *report_findings(const struct report *report, bool suppressed, size_t *count);
/* The secrets, likewise. */
const struct image_secret *const *report_secrets(const struct report *report, bool suppressed,
                                                 size_t *count);

/* How many findings there are (not secrets), by severity those that count. */
struct report_counts report_count(const struct report *report);

/* The layer that a finding's component came with. */
static inline const struct image_layer *report_layer_of(const struct report *report,
                                                        const struct finding *finding)
{
    return &report->image->layers[finding->component->layer];
}

/* Whether a filter of the command line took it away, by which nobody says anything of it. */
static inline bool report_is_filtered(const struct finding *finding)
{
    return slice_starts(finding->suppressed_by, SLICE("--"));
}
/* Whether it is a VEX document that took it away. */
static inline bool report_is_by_vex(const struct finding *finding)
{
    return finding->suppressed_reason.len && !finding->excepted && finding->vex_status.len &&
           !report_is_filtered(finding);
}

/* "1.2, 1.3", or empty. */
slice report_fixed(const struct finding *finding, struct arena *arena);
/* Where a person reads more of it: NVD for a CVE, GitHub for a GHSA, else OSV. */
slice report_url(const struct finding *finding, struct arena *arena);
/* What a finding is called in one line: its summary, else "CVE-… in NAME". Not made safe. */
slice report_title(const struct finding *finding, struct arena *arena);
/* "base image", "own layers", or empty where nothing tells. */
slice report_origin(enum base_state base);
/* A file in which the component was found: its first location, or empty. */
slice report_location(const struct component *component);

/*
 * 32 hexadecimal digits that tell a finding from all others of any image, and stay the same from
 * one scan to the next while name, version and place of the component do.
 */
slice report_fingerprint(const struct finding *finding, struct arena *arena);

/* A UUID (RFC 9562, version 8) that is the same for the same seed. */
slice report_uuid(slice seed, struct arena *arena);

/*
 * For formats of others that have no place for it: what could not be read or judged, as an object
 * of our own ("plimsoll") that their readers pass over. Nothing when all was.
 */
void report_put_incomplete(const struct report *report, struct json_writer *json);
/* Whether a hash is of a kind and a length that CycloneDX and SPDX know, in hexadecimal. */
bool report_is_hash(const struct component_hash *hash);
/* The CPE, or empty where it is no CPE 2.2 or 2.3. */
slice report_cpe(const struct component *component);
/* What the image as a whole carries in SBOMs: a list of struct sbom_property. */
struct list report_image_properties(const struct report *report);
/* What tells this image, as it was found, from any other: for names that stay the same. */
slice report_identity(const struct report *report);
/* The image's package URL ("pkg:oci/app@sha256:…?repository_url=…&tag=…"); empty without digest. */
slice report_image_purl(const struct report *report);

/* Appends text as XML 1.0 character data or attribute value: what XML cannot hold is U+FFFD. */
void xml_add(struct buffer *out, slice text);

#endif
