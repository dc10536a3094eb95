/*
 * What the formats for pipelines say of a finding or a secret, in words. Not made safe: each format
 * escapes in its own way. In the report's arena.
 */
#ifndef PLIMSOLL_REPORT_SENTENCES_H
#define PLIMSOLL_REPORT_SENTENCES_H

#include "report/report.h"

/* "debian 12", or "unknown". */
slice system_words(const struct report *report);
/* "openssl 3.0.11-1", or the name alone. */
slice component_words(const struct report *report, const struct component *component);
/* "Upgrade openssl to 3.0.15-1.", or that no version repairs it. */
slice remedy_sentence(const struct report *report, const struct finding *finding);
/* "Layer 2 (own layers): RUN pip install …"; the instruction is cut where it is long. */
slice layer_words(const struct report *report, size_t layer);
/* "Excluded by --severity (--severity)": the reason, who says so and until when. */
slice suppression_words(const struct report *report, slice reason, slice by, slice until);
static inline slice finding_suppression(const struct report *report, const struct finding *finding)
{
    return suppression_words(report, finding->suppressed_reason, finding->suppressed_by,
                             finding->suppressed_until);
}

/* "app/.env:3:14", "nb.ipynb:20:1 (cell 3)", "config:Env (TOKEN)": of the first place … */
slice secret_place(const struct report *report, const struct image_secret *found);
/* … or of any, with its layer: "app/.env:3:14 (layer 2, deleted in layer 3)", and "not counted"
 * where that is so. */
slice secret_place_words(const struct report *report, const struct secret_place *place);
/* "Also in config:Env (TOKEN), app/b.env:1:7 (layer 2) and 4 more places."; empty when it stands in
 * one place only. */
slice secret_other_places(const struct report *report, const struct image_secret *found);
/* Where it is from, with "deleted in layer 3, still readable in layer 2" where that is so. */
slice secret_origin(const struct report *report, const struct image_secret *found);
/*
 * The file that a secret lies in, as a path of the image; of the config, its own path. Of a folder
 * that was named by a path below the working directory, as a path from there: so checkouts know it.
 */
slice secret_file(const struct report *report, const struct secret *secret);

/* "critical 2, high 1", the worst first, without those of which there is none; or empty. */
slice severity_words(const struct report *report, const size_t counts[SEVERITY_COUNT]);

/* "critical", "high" …: for what is written small. */
const char *severity_small(enum severity severity);

#endif
