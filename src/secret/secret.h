/* A secret that was found, as it goes into the layer record and the report: never the secret
 * itself. */
#ifndef PLIMSOLL_SECRET_SECRET_H
#define PLIMSOLL_SECRET_SECRET_H

#include "base/slice.h"

struct secret {
    slice rule;        /* its id */
    slice file;        /* the image's path of the file */
    slice path;        /* of the file; of what is packed in it after "!": "app.zip!conf/keys.env" */
    slice match;       /* redacted: "ghp_…a1f2" */
    slice fingerprint; /* keyed; the same for the same secret wherever it is */
    uint64_t line, column; /* from 1; 0 in binary files */
    uint64_t cell;         /* of a notebook, from 1; or 0 */
    uint64_t more;         /* so many more in this file are not listed one by one */
    uint64_t layer;        /* of an image's config: 1 + the layer that the text made; or 0 */
    uint64_t modified;     /* of the file, seconds since 1970; 0: not known */
    uint64_t entry;        /* which of the layer's entries the file is: the order of the list */
    slice allowed;         /* why it does not count; or empty */
    slice identity;        /* of the value, by whatever rule it was found; keyed, never shown */
    slice variable;  /* of an image's config, of a Kubernetes Secret: whose value it is; or empty */
    uint64_t offset; /* in the text in which it was found; records have it not */
};

#endif
