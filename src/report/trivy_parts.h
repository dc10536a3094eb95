/* What the files that write Trivy's JSON share. */
#ifndef PLIMSOLL_REPORT_TRIVY_PARTS_H
#define PLIMSOLL_REPORT_TRIVY_PARTS_H

#include "base/json_write.h"
#include "report/parts.h"
#include "report/peer_words.h"

struct trivy_writing {
    struct json_writer json;
    const struct report *report;
    struct finding *const *findings[2]; /* those that count, and those that are suppressed */
    size_t finding_count[2];
};

/* Left out when it is empty, as Trivy does. */
static inline void trivy_field(struct json_writer *json, const char *key, slice value)
{
    if (value.len)
        json_field(json, key, value);
}

/* What Trivy calls the distribution: "redhat" of "rhel"; "none" where there is none. */
slice trivy_family(const struct os *os);
/* A layer's digests, with its instruction on demand. */
void trivy_write_layer(struct json_writer *json, const struct image_layer *layer, bool created_by);
/* The member Metadata. */
void trivy_write_metadata(struct trivy_writing *writing);

#endif
