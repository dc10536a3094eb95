/*
 * Version schemes: how the versions of an ecosystem are ordered, and whether one lies in an
 * advisory's affected range. Stands between the store (whose ranges it reads) and match.
 *
 * Everything works on slices, without allocating. To add a scheme: one file here and one line in
 * the table in version.c.
 */
#ifndef PLIMSOLL_VERSION_VERSION_H
#define PLIMSOLL_VERSION_VERSION_H

#include "base/slice.h"

struct version_scheme {
    const char *name; /* "dpkg", "pep440", "semver", … */

    /* Whether the text is a version of this scheme, whole and without rest. */
    bool (*valid)(slice version);

    /*
     * <0, 0, >0. A total order over all texts: those that are not valid come before all valid
     * ones, ordered among themselves by their bytes.
     */
    int (*compare)(slice a, slice b);

    /*
     * Orders an installed version against the bound of an affected range. The same as compare,
     * but for what a scheme says of bounds: in PEP 440 a bound without a local part ignores that
     * of the installed version (2.0.1+cu118 is 2.0.1 to a bound 2.0.1), one with it must equal it.
     */
    int (*compare_bound)(slice installed, slice bound);
};

/* The scheme of that name, or NULL. */
const struct version_scheme *version_scheme_named(slice name);

/*
 * The scheme of an OSV ecosystem ("PyPI", "Debian:12", "Go", …; what follows a ':' does not count),
 * or NULL for one that is not known here.
 */
const struct version_scheme *version_scheme_for(slice ecosystem);

/* The events of an OSV range (OSV schema 1.7, affected[].ranges[].events[]). */
enum range_event_kind {
    RANGE_INTRODUCED,    /* from this version on; "0" is before every version */
    RANGE_FIXED,         /* no more from this version on */
    RANGE_LAST_AFFECTED, /* no more after this version */
    RANGE_LIMIT          /* the range says nothing from this version on; "*" is no limit */
};

struct range_event {
    enum range_event_kind kind;
    slice version;
};

/* One range: its events, in any order. */
struct affected_range {
    const struct range_event *events;
    size_t event_count;
};

/*
 * Whether `installed` lies in the range, by OSV's evaluation algorithm (OSV schema, "Evaluation"):
 * events are taken in version order, limits are looked at first. When it does and the stretch it
 * lies in ends with a fix, *fixed is that version, else *fixed is empty. `fixed` may be NULL.
 */
bool version_in_range(const struct version_scheme *scheme, slice installed,
                      const struct affected_range *range, slice *fixed);

/*
 * Whether `installed` equals a version of an enumerated list (OSV affected[].versions[]), by the
 * scheme's rule for bounds: 1.0 and 1.0.0 are one version in PEP 440.
 */
bool version_in_list(const struct version_scheme *scheme, slice installed, const slice *versions,
                     size_t version_count);

#endif
