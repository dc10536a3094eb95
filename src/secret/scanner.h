/*
 * Looks through bytes for secrets: the rules' database first, then the second look at each
 * candidate. Bytes come in pieces, as they are read; what stands across two pieces is found as
 * well. Memory does not grow with what is looked through.
 *
 * Used by the worker; a scanner is made before the fork and shared copy-on-write.
 */
#ifndef PLIMSOLL_SECRET_SCANNER_H
#define PLIMSOLL_SECRET_SCANNER_H

#include "secret/database.h"

struct secret_scanner;

struct secret_matcher;

enum { SECRET_REACH = 8192 }; /* no match, with what is near it, takes more bytes */

/* Takes the database over; rules and their list stay the caller's. */
struct secret_scanner *secret_scanner_new(const struct secret_rule *const *rules, size_t count,
                                          struct secret_database *database);
void secret_scanner_free(struct secret_scanner *scanner);

/* The second look, with what is known of rules and what is allowed; the scanner's. */
struct secret_matcher *secret_scanner_matcher(struct secret_scanner *scanner);

/* The rule of whose looks there were too many since the last call, when a text was not looked
 * through to its end; or NULL. */
const char *secret_scanner_too_much(struct secret_scanner *scanner);

/* What was found; the slices are valid during the call only. */
struct secret_hit {
    const struct secret_rule *rule;
    size_t rule_index;
    slice secret;
    uint64_t start, end;           /* of the secret, bytes from the start */
    uint64_t line, column;         /* from 1; columns count bytes; 0 in bytes */
    slice line_before, line_after; /* the rest of its line, as far as it is at hand */
    slice name; /* of the entry whose value it is, where the kind tells; or empty */
};
typedef void secret_found(void *context, const struct secret_hit *hit);

struct secret_text;

/*
 * One file, or one piece of text (of no path, then). Its buffers stay with the scanner, so only one
 * at a time; the path must stay until its end.
 */
struct secret_text *secret_text_start(struct secret_scanner *scanner, enum secret_mode mode,
                                      slice path, secret_found *found, void *context);
void secret_text_add(struct secret_text *text, slice piece);
/* What was added ends here, and what follows stands `count` bytes further on: nothing is found
 * across the gap. */
void secret_text_gap(struct secret_text *text, uint64_t count);
/* False when there were more candidates than are looked at twice, or the database failed: then
 * there may be secrets that were not told. */
bool secret_text_end(struct secret_text *text);

/* The same for bytes that are all at hand; may be called while a text is under way. */
bool secret_scan(struct secret_scanner *scanner, enum secret_mode mode, slice path, slice bytes,
                 secret_found *found, void *context);

#endif
