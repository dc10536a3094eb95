/*
 * Walks over Kubernetes manifests, YAML or JSON, one or many in a text, and finds the entries of
 * those of `kind: Secret`: what stands under `data` and `stringData`, before or behind the kind, in
 * blocks, flow style or lists of manifests, also where a manifest lies within another one's text.
 * Not a parser of YAML: lines that it does not understand (templates' above all) are passed over.
 */
#ifndef PLIMSOLL_SECRET_MANIFEST_H
#define PLIMSOLL_SECRET_MANIFEST_H

#include "base/slice.h"

struct manifest_entry {
    slice name;
    slice value;  /* as it stands there, without quotes; of several lines with their indentation */
    char quote;   /* '"', '\'', or 0 */
    bool encoded; /* in base64: of `data` */
};

typedef void manifest_entry_found(void *context, const struct manifest_entry *entry);

/* Slices are of the text. */
void manifest_walk(slice text, manifest_entry_found *found, void *context);

#endif
