/*
 * The advisory store: one SQLite file, looked up by (ecosystem, package). Stands between the feeds
 * (import.h fills it) and match, which asks it about each component.
 *
 * What a lookup gives lives in the arena handed to it. The store is opened read-only for scans and
 * never changed in place: an import writes a new file beside it and renames that.
 */
#ifndef PLIMSOLL_STORE_STORE_H
#define PLIMSOLL_STORE_STORE_H

#include "base/error.h"
#include "version/version.h"

#define STORE_SCHEMA_VERSION 1

struct store;

/*
 * Opens the store at `path` read-only. Errors: not there, not a store, made by another schema
 * version, damaged; each message says what to do (`plimsoll db import …`).
 */
MUST_CHECK struct error *store_open(struct store **store, const char *path);
void store_close(struct store *store);

/* One advisory's word on one package. */
struct advisory {
    slice id;             /* "PYSEC-2021-1", "DEBIAN-CVE-2024-1", … */
    slice ecosystem;      /* as in the feed: "PyPI", "Debian:12" */
    slice package;        /* in the ecosystem's normal form */
    slice urgency;        /* the feed's word for this package ("unimportant", "high"), or empty */
    const slice *aliases; /* other ids of the same vulnerability */
    size_t alias_count;
    const slice *upstream; /* ids of the vulnerabilities that this advisory is derived from */
    size_t upstream_count;
    const slice *related; /* ids that the advisory names; for errata the CVEs it repairs */
    size_t related_count;
    const struct affected_range *ranges;
    size_t range_count;
    const slice *versions; /* affected versions that stand in no range */
    size_t version_count;
};

/*
 * All advisories on a package that are not withdrawn, in the order of their ids. `ecosystem` must
 * match whole; `package` is given in normal form. None found: *count is 0.
 */
MUST_CHECK struct error *store_lookup(struct store *store, struct arena *arena, slice ecosystem,
                                      slice package, const struct advisory **advisories,
                                      size_t *count);

/* Whether the store holds any feed of that ecosystem ("Debian:12"): without one it cannot judge. */
MUST_CHECK struct error *store_has_ecosystem(struct store *store, slice ecosystem, bool *has);

/*
 * A package's name in its ecosystem's normal form, in which the store keeps it and store_lookup
 * wants it: PyPI by PEP 503, NuGet, Packagist and Bitnami in lower case, all others as they stand.
 */
slice store_package_name(struct arena *arena, slice ecosystem, slice name);

/* What one source says of one vulnerability's severity. */
struct severity_word {
    slice source; /* "PyPI", "CVE (CNA name)", "CVE (CISA-ADP)", "AlmaLinux", … */
    slice vector; /* CVSS vector, or empty */
    slice word;   /* "Important", "HIGH", …: where there is no vector */
};

/*
 * What is known of the severity of a vulnerability under that id (an advisory's or a CVE's), the
 * advisory's own vectors first, then CVE records', then other feeds' vectors, then words in the
 * same order. CVE records and other feeds are found through store_cves_of. An erratum's word counts
 * for each CVE that it repairs.
 */
MUST_CHECK struct error *store_severities(struct store *store, struct arena *arena, slice id,
                                          const struct severity_word **words, size_t *count);

/* EPSS probability and percentile (0 … 1) of a CVE; false where there is none. */
bool store_epss(struct store *store, slice cve, double *probability, double *percentile);
/* Whether CISA lists the CVE as known to be exploited; *date_added (may be NULL) "2024-01-31". */
bool store_kev(struct store *store, struct arena *arena, slice cve, slice *date_added);

/*
 * CVE ids known to be the same vulnerability as `id`, through any advisory's aliases, in order. A
 * CVE is itself only; an advisory derived from exactly one upstream vulnerability is that one. For
 * an erratum, which repairs several, they stand in `related` instead. At most
 * LIMIT_ALIASES_FOLLOWED ids are looked at on the way.
 */
MUST_CHECK struct error *store_cves_of(struct store *store, struct arena *arena, slice id,
                                       const slice **cves, size_t *count);

/*
 * End of life of a product's release ("debian", "12"): *date is "2026-06-11", "true" or "false" as
 * the feed has it, empty where nothing is known. *extended is the end of extended support likewise.
 */
MUST_CHECK struct error *store_end_of_life(struct store *store, struct arena *arena, slice product,
                                           slice release, slice *date, slice *extended);

/* An advisory's summary and details; both empty where there are none or the store has facts only.
 */
MUST_CHECK struct error *store_prose(struct store *store, struct arena *arena, slice id,
                                     slice *summary, slice *details);

/* One feed in the store, for `plimsoll db status` and the report. */
struct store_feed {
    slice ecosystem; /* "PyPI", "Debian:12"; "epss", "kev", "cve", "eol" for the others */
    slice source;    /* file name it was imported from */
    uint64_t entries;
    slice newest;   /* newest modification date in it, "2026-08-21T…" */
    slice imported; /* when it was imported */
    slice checked;  /* when `db update` last knew it to be what its publisher has; or empty */
};

struct store_status {
    const struct store_feed *feeds; /* ordered by ecosystem */
    size_t feed_count;
    slice built;  /* when the store was made; for one from facts: when the facts were made */
    bool starter; /* made of the facts that ship with the source */
};
MUST_CHECK struct error *store_status(struct store *store, struct arena *arena,
                                      struct store_status *status);

#endif
