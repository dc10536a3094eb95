/*
 * Reads JSON (RFC 8259) by walking over it: for large documents of which a few values are wanted.
 * Nothing is built and nothing is copied, but for strings with escapes. (Small documents that are
 * looked at from several sides go through jansson: base/json_read.h.)
 *
 *     json_scan_start(&scan, text, arena);
 *     json_scan_enter(&scan, '{');
 *     while (json_scan_key(&scan, &key)) {
 *         if (slice_equal(key, SLICE("name")))  json_scan_string(&scan, &name);
 *         else                                  json_scan_skip(&scan);
 *     }
 *     if (scan.failure) …
 *
 * The first failure sticks: every call after it returns false.
 */
#ifndef PLIMSOLL_BASE_JSON_SCAN_H
#define PLIMSOLL_BASE_JSON_SCAN_H

#include "base/memory.h"

struct json_scan {
    slice rest;
    slice whole;
    struct arena *arena;
    const char *failure; /* what is wrong, NULL while all is well */
    unsigned depth;
    bool first; /* just entered an object or array */
};

void json_scan_start(struct json_scan *scan, slice text, struct arena *arena);

/* The next value's first byte: '{' '[' '"' '-' or a digit, 't' 'f' 'n'; 0 at the end. */
char json_scan_peek(struct json_scan *scan);

/* Steps into an object ('{') or array ('['); fails when the next value is another. */
bool json_scan_enter(struct json_scan *scan, char bracket);

/* The next key of the object; false after its last, having stepped out of it. */
bool json_scan_key(struct json_scan *scan, slice *key);

/* Whether the array has a next item; false after its last, having stepped out of it. */
bool json_scan_item(struct json_scan *scan);

/* A string's value; escapes are resolved in the arena. */
bool json_scan_string(struct json_scan *scan, slice *value);

/* The same for what stands between the quotes as it is; json_unescape_one resolves it. */
bool json_scan_raw_key(struct json_scan *scan, slice *raw);
bool json_scan_raw_string(struct json_scan *scan, slice *raw);

/* The first character of a raw string: writes the *count bytes that it stands for, and returns how
 * many it takes; 0 at the end, and for an escape that is none. */
size_t json_unescape_one(slice raw, char out[4], size_t *count);

/* Steps over one value of any kind, checking its form. */
bool json_scan_skip(struct json_scan *scan);

/* Nothing but white space is left. */
bool json_scan_end(struct json_scan *scan);

/* Offset in bytes of where the scan stands, for messages. */
size_t json_scan_offset(const struct json_scan *scan);

/* Whether no object or array in the text lies deeper than `limit`; a cheap look before a parser. */
bool json_depth_within(slice text, unsigned limit);

#endif
