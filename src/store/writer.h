/*
 * A store under construction. The feeds hand it what they have read; it decides what stands when
 * one id comes twice and what of the old store is replaced, and writes the rows. Internal to
 * src/store.
 *
 * Advisories come in groups: one zip, or one folder of loose files, that a publisher made as a
 * whole. An advisory that speaks of several ecosystems is taken apart by their base ("Debian" of
 * "Debian:12"): each part is a row of its own and is replaced with its ecosystem. Of the same part
 * the newest `modified` stands, whatever order they come in.
 */
#ifndef PLIMSOLL_STORE_WRITER_H
#define PLIMSOLL_STORE_WRITER_H

#include "store/blob.h"
#include "store/import.h"
#include "store/schema.h"

#include <zstd.h>

/* One package of an advisory, as decoded from a feed. */
struct feed_package {
    slice ecosystem; /* "Debian:12" */
    slice name;      /* in normal form */
    struct affected_body body;
};

/* One advisory, as decoded from a feed. */
struct feed_advisory {
    slice id;
    slice base;           /* whose part it is, when that is known already; else empty */
    slice modified_text;  /* as in the feed, or empty */
    int64_t modified;     /* microseconds since 1970, 0 where there is no date */
    uint64_t fingerprint; /* of its document: decides between two that are equally new */
    bool withdrawn;
    bool harmless; /* an erratum that repairs no vulnerability: counted, never matched */
    bool erratum;  /* `related` are the vulnerabilities that it repairs */
    struct advisory_body body;
    struct feed_package *packages;
    size_t package_count;
    slice summary;
    slice details;
};

enum group_kind {
    GROUP_PUBLISHED, /* replaces the ecosystems that it speaks for */
    GROUP_SINGLE,    /* one advisory: replaces the one of that id, adds to its ecosystem */
    GROUP_FACTS      /* part of another store: brings its own lines of `feed` */
};

/* The feeds that are not of an ecosystem. */
enum writer_table { TABLE_CVE, TABLE_EPSS, TABLE_KEV, TABLE_EOL, TABLE_COUNT };

enum writer_query {
    WRITE_ECOSYSTEM,
    WRITE_ADVISORY,
    WRITE_AFFECTED,
    WRITE_ALIAS,
    WRITE_PROSE,
    WRITE_CVE,
    READ_CVE,
    WRITE_EPSS,
    WRITE_KEV,
    WRITE_EOL,
    WRITE_FEED,
    WRITE_WRITTEN,
    WRITE_META,
    READ_OLD_ADVISORY,
    WRITE_LOST,
    CLEAR_HELD,
    READ_FEED_ENTRIES,
    WRITER_QUERIES
};

struct writer_ecosystem {
    slice name;
    int64_t id;  /* row of `ecosystem` */
    size_t base; /* index of its base ("Debian" of "Debian:12"), which may be itself */
    bool held;   /* a group of this phase speaks for it */
    uint64_t entries;
    slice newest;
    int64_t newest_time;
    struct list sources; /* slice: the groups that spoke of it */
    uint64_t in_group;   /* of a base: advisories of the group at hand that name it */
};

struct writer_part;

struct store_writer {
    struct database *database;
    struct arena arena; /* lives as long as the import */
    bool facts_only;
    slice now;                  /* when the import began */
    struct list ecosystems;     /* struct writer_ecosystem */
    struct writer_part **parts; /* hash table of this phase, open addressing */
    size_t part_room;
    size_t part_count;
    bool any_lost;
    int64_t last_row; /* the newest row of `advisory` */
    int64_t last_old; /* the newest when the phase began */

    enum group_kind group_kind;
    slice group_source; /* "PyPI/all.zip" */
    slice group_folder; /* "PyPI": the folder that it lies in, or empty */
    enum { RELEASE_UNKNOWN, RELEASE_ONE, RELEASE_ANY } group_release; /* see place_packages */
    struct list group_parts;                                          /* struct writer_part * */
    uint64_t group_advisories; /* those that name a package */
    struct arena group_arena;

    struct writer_table_state {
        bool begun;
        slice newest;
        struct list sources;
    } tables[TABLE_COUNT];
    ZSTD_CCtx *compressor;
    struct blob packed;
    sqlite3_stmt *statements[WRITER_QUERIES];
};

MUST_CHECK struct error *writer_open(struct store_writer *writer, struct database *database,
                                     slice now, bool facts_only);
void writer_close(struct store_writer *writer);

/* A phase: all feeds of it stand side by side, and together replace what was there before. */
MUST_CHECK struct error *writer_begin_phase(struct store_writer *writer);
MUST_CHECK struct error *writer_end_phase(struct store_writer *writer);

MUST_CHECK struct error *writer_begin_group(struct store_writer *writer, enum group_kind kind,
                                            slice source, slice folder);
/* Puts the packages in order, and joins those that are named twice. */
MUST_CHECK struct error *writer_add(struct store_writer *writer, struct feed_advisory *advisory);
MUST_CHECK struct error *writer_end_group(struct store_writer *writer);

/*
 * Says that rows for that table come; the first time in a phase the old ones go. Of EPSS and KEV
 * the newest of a phase stands whole: *take says whether to hand on its rows. `newest` may be
 * empty.
 */
MUST_CHECK struct error *writer_begin_table(struct store_writer *writer, enum writer_table table,
                                            slice source, slice newest, bool *take);
MUST_CHECK struct error *writer_epss(struct store_writer *writer, int64_t cve, int64_t probability,
                                     int64_t percentile);
MUST_CHECK struct error *writer_kev(struct store_writer *writer, int64_t cve, slice date_added);
/* Words come beside those that another record of this phase has for the CVE. */
MUST_CHECK struct error *writer_cve(struct store_writer *writer, slice cve,
                                    const struct severity_word *words, size_t count);
MUST_CHECK struct error *writer_end_of_life(struct store_writer *writer, slice product,
                                            slice release, slice date, slice extended);

MUST_CHECK struct error *writer_feed(struct store_writer *writer, const struct store_feed *feed,
                                     bool from_facts);
/* The same, and its ecosystem is one that this phase replaces. */
MUST_CHECK struct error *writer_facts_feed(struct store_writer *writer,
                                           const struct store_feed *feed);
MUST_CHECK struct error *writer_meta(struct store_writer *writer, slice name, slice value);

/* For writer.c and settle.c. */
MUST_CHECK struct error *writer_statement(struct store_writer *writer, enum writer_query query,
                                          sqlite3_stmt **statement);
MUST_CHECK struct error *writer_ecosystem(struct store_writer *writer, slice name, size_t *index);
static inline struct writer_ecosystem *writer_ecosystem_at(const struct store_writer *writer,
                                                           size_t index)
{
    return (struct writer_ecosystem *)writer->ecosystems.items + index;
}
MUST_CHECK struct error *writer_write_affected(struct store_writer *writer, size_t ecosystem,
                                               slice package, int64_t row, slice id,
                                               const struct advisory_body *about,
                                               const struct affected_body *body);
MUST_CHECK struct error *writer_lose(struct store_writer *writer, int64_t row);
void writer_add_source(struct store_writer *writer, struct list *sources, slice source);

/* What one advisory says of one base, as this phase knows it. */
struct writer_part {
    slice name;
    size_t base;
    int64_t modified;
    uint64_t fingerprint;
    slice modified_text;
    int64_t row; /* 0: it is withdrawn or harmless and has none */
    enum group_kind kind;
    const size_t *ecosystems;
    size_t ecosystem_count; /* 0 until the group's end when it names no package */
};

#endif
