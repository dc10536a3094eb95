/* What the files that write SPDX share: packages as SPDX sees them. */
#ifndef PLIMSOLL_REPORT_SPDX_PARTS_H
#define PLIMSOLL_REPORT_SPDX_PARTS_H

#include "report/report.h"

struct spdx_package {
    slice id;   /* "Package-deb-zlib1g-1a2b3c4d": to be put behind "SPDXRef-" or a namespace */
    slice name; /* without control characters, which tag-value has no way to write */
    slice version, purl, cpe, supplier;
    slice license;   /* an expression; empty: not known */
    slice extracted; /* the licence's name, where `license` is a LicenseRef made for it */
    slice purpose;   /* "CONTAINER", "OPERATING-SYSTEM", "LIBRARY" */
    slice locations; /* "acquired from …", or empty */
    slice notes;     /* properties, a line each; or empty */
    const struct component *component; /* or NULL */
};

struct spdx_document {
    const struct spdx_package *packages; /* the image itself, its distribution, then components */
    size_t count;
    slice name, space; /* of the document; a URI without "#" */
};

struct spdx_document spdx_document_of(const struct report *report);

/* Packages of which each brings a licence that is not on SPDX's list, every licence once. */
struct spdx_extracted_list {
    const struct spdx_package **packages;
    size_t count;
};
struct spdx_extracted_list spdx_extracted(const struct spdx_document *document,
                                          struct arena *arena);

/* "SHA256" of CycloneDX's "SHA-256", "SHA3-256" as it is. */
slice spdx_algorithm(slice algorithm, struct arena *arena);

#endif
