/*
 * What the feeds share: the import under way, the documents that they are made of, and the tables
 * of what is known. Internal to src/store; import.c drives it.
 *
 * A feed is a file (a zip, a CSV, a facts file) or a folder. Most are made of JSON documents: one
 * in a file of its own, in a zip, in an array or on a line. What a document is shows in its
 * content, never in its name.
 */
#ifndef PLIMSOLL_STORE_FEED_H
#define PLIMSOLL_STORE_FEED_H

#include "base/json_read.h"
#include "store/writer.h"

/* An import under way. */
struct feed_import {
    struct store_writer writer;
    const struct import_options *options;
    struct arena *arena; /* the caller's: what the result holds lives there */
    uint64_t skipped;
    slice skipped_why;   /* of the first */
    uint64_t read;       /* documents and rows taken from the file at hand */
    uint64_t total_read; /* from all */
    slice facts_built;   /* the newest date of the facts files read; empty when there was none */
    bool alone;          /* the file at hand was named by the user, not found in a folder */
    bool fetched;        /* the file at hand was fetched, and can be fetched again */
    size_t at;           /* the number of the file at hand; SIZE_MAX: none is */
};

/* One JSON document of a feed. */
struct feed_document {
    slice source; /* what status calls the feed: "PyPI/all.zip" */
    slice path;   /* for messages: the file's path */
    slice entry;  /* for messages: the entry's name or "line 7"; may be empty */
    slice bytes;
};

/*
 * Counts an entry that could not be read; the first says why. Takes the error over: one that is not
 * the entry's own fault (ERROR_SYSTEM) is given back.
 */
MUST_CHECK struct error *feed_skip(struct feed_import *import, const struct feed_document *document,
                                   struct error *error);

/* A kind of JSON document. To add one: a file with these two functions, a line in documents.c. */
struct document_kind {
    const char *name;
    bool (*recognise)(const json_t *root);
    struct error *(*import)(struct feed_import *import, const struct feed_document *document,
                            const json_t *root);
};
extern const struct document_kind document_osv;
extern const struct document_kind document_cve;
extern const struct document_kind document_kev;
extern const struct document_kind document_eol;

/* Parses a document, finds its kind and imports it; one that is malformed or unknown is skipped. */
MUST_CHECK struct error *feed_document_import(struct feed_import *import,
                                              const struct feed_document *document);

/*
 * A kind of file. `recognise` is given the first bytes, 4 KiB of them if there are as many.
 * `import` is given the open file, at its start; it leaves it open.
 */
struct file_kind {
    const char *name;
    bool is_facts;
    bool (*recognise)(slice head);
    struct error *(*import)(struct feed_import *import, int file, slice path, slice source);
};
extern const struct file_kind file_zip;
extern const struct file_kind file_json;
extern const struct file_kind file_epss;
extern const struct file_kind file_facts;

/*
 * The first line of a facts file, once unpacked; docs/store.md has the lines that follow. A form
 * that reads otherwise gets another number.
 */
#define FACTS_MAGIC "plimsoll facts 1"

/* --- reading JSON ------------------------------------------------------------------------------
 */

/* Refuses what is too large or nested too deep before it is parsed. */
MUST_CHECK struct error *feed_json_parse(json_t **root, slice bytes);

/* A member that is text; empty when it is missing or something else. It lives as long as `object`.
 */
slice feed_json_text(const json_t *object, const char *name);
slice feed_json_slice(const json_t *text);

/* The JSON documents of one file: itself, the elements of an array, or one on each line. */
struct json_stream;
struct json_stream *json_stream_open(int file, slice path);
void json_stream_close(struct json_stream *stream);
/* The next document; *more is false after the last. It lives until the next call. */
MUST_CHECK struct error *json_stream_next(struct json_stream *stream, slice *bytes, bool *more);
uint64_t json_stream_position(const struct json_stream *stream);

/* "2026-07-23T14:34:38.04Z" in microseconds since 1970; 0 for what is no such date or of year 1. */
int64_t feed_time(slice text);

/* For the fuzzer and for tests: decodes one OSV advisory into the arena. */
MUST_CHECK struct error *feed_osv_decode(struct arena *arena, const json_t *root,
                                         struct feed_advisory *advisory);
/* Whether the advisory is an erratum, and one that repairs no vulnerability; by its id. */
void feed_look_for_erratum(struct feed_advisory *advisory);

#endif
