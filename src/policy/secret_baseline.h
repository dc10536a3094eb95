/*
 * A baseline of secrets: those that are known already and do not count. Any JSON report of plimsoll
 * is one; the fingerprints in its `secrets` are what matters.
 */
#ifndef PLIMSOLL_POLICY_SECRET_BASELINE_H
#define PLIMSOLL_POLICY_SECRET_BASELINE_H

#include "base/error.h"
#include "inventory/inventory.h"

struct secret_baseline {
    slice *fingerprints; /* sorted, in the arena */
    size_t count;
    const char *path;
};

/* Reads the file; an error when it is no report of plimsoll. */
MUST_CHECK struct error *secret_baseline_read(struct secret_baseline *baseline, const char *path,
                                              struct arena *arena);

/* Whether the secret with that fingerprint is among them. */
bool secret_baseline_has(const struct secret_baseline *baseline, slice fingerprint);

/* Whether one of those fingerprints (of slice) is: a secret has one by each rule that found it. */
bool secret_baseline_has_any(const struct secret_baseline *baseline,
                             const struct list *fingerprints);

/* Marks those of `secrets` (of struct image_secret) that it has as suppressed. */
void secret_baseline_apply(const struct secret_baseline *baseline, struct list *secrets,
                           struct arena *arena);

#endif
