/*
 * Words of other scanners' JSON: what Trivy and Grype call the kinds of packages, and where a
 * finding's severity comes from. Shared by the two writers that speak their forms.
 */
#ifndef PLIMSOLL_REPORT_PEER_WORDS_H
#define PLIMSOLL_REPORT_PEER_WORDS_H

#include "report/report.h"

/* A type of component (a purl type) in the words of others. */
struct peer_type {
    const char *purl;         /* "pypi" */
    const char *trivy_type;   /* "python-pkg" */
    const char *trivy_target; /* "Python" */
    const char *grype_type;   /* "python" */
    const char *language;     /* "python", or empty */
    const char *matcher;      /* "python-matcher" */
};

/* Never NULL: for a type that is not in the table all words are empty or the type's own. */
const struct peer_type *peer_type_of(const struct component *component);

/* "3.1" of "CVSS:3.1/AV:…", "2.0" of a vector without such a beginning. */
slice peer_cvss_version(slice vector);

/* The finding's GHSA id where it has one, or empty. */
slice peer_ghsa(const struct finding *finding);

/* 16 hexadecimal digits for a component, the same from one scan to the next. */
slice peer_component_id(const struct component *component, struct arena *arena);

#endif
