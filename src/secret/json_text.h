/*
 * The strings of a JSON document as one text, with their escapes resolved, that knows of each of
 * its bytes where in the document it stands: what is found in the text is told at its place in the
 * file.
 */
#ifndef PLIMSOLL_SECRET_JSON_TEXT_H
#define PLIMSOLL_SECRET_JSON_TEXT_H

#include "base/buffer.h"
#include "base/json_scan.h"

struct json_text {
    slice document;
    struct buffer text;
    struct buffer marks; /* of struct json_text_mark: places that others are counted from */
    bool full;           /* not all of it was added: it is larger than the limit */
};

/* The document stays the caller's; it has less than 2 GiB. */
void json_text_start(struct json_text *text, slice document);

/* Adds what stands between a string's quotes: raw text of the document, escapes and all. */
void json_text_add_string(struct json_text *text, slice raw);

/* Adds what does not stand in the document; its place is that of what follows. */
void json_text_add_made(struct json_text *text, slice made, size_t place);

/*
 * Adds every string of the scan's next value: lines of a list one after the other, as their line
 * breaks are in them, and members each in a line as "key: value". The scan is of the document.
 */
void json_text_add_value(struct json_text *text, struct json_scan *scan);
/* The same with the raw key that was read of it. */
void json_text_add_member(struct json_text *text, slice key, struct json_scan *scan);

/* Where in the document the byte at `offset` of the text stands. */
size_t json_text_place(const struct json_text *text, size_t offset);

void json_text_free(struct json_text *text);

#endif
