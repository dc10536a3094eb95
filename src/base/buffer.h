/*
 * A growable run of bytes: what writers write into. Owned by whoever holds the struct;
 * buffer_free gives the bytes back. buffer_slice is valid until the next append.
 */
#ifndef PLIMSOLL_BASE_BUFFER_H
#define PLIMSOLL_BASE_BUFFER_H

#include "base/memory.h"

struct buffer {
    char *bytes;
    size_t len;
    size_t room;
};

/* Room for `more` bytes behind the last; returns where they begin. */
char *buffer_reserve(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, slice s);
void buffer_add_byte(struct buffer *buffer, char byte);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Percent-encodes (RFC 3986, 2.1) all but letters, digits and the bytes in `plain`. */
void buffer_add_percent(struct buffer *buffer, slice s, const char *plain);
void buffer_free(struct buffer *buffer);

static inline void buffer_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, slice_from_text(text));
}

static inline slice buffer_slice(const struct buffer *buffer)
{
    return slice_make(buffer->bytes ? buffer->bytes : "", buffer->len);
}

/* Binary forms that the record and the store's blobs are made of: LEB128 and length-prefixed. */
void buffer_add_number(struct buffer *buffer, uint64_t number);
void buffer_add_string(struct buffer *buffer, slice s);

/* Their readers: pull off the front of *rest; false when it ends too early or a number is wider. */
bool slice_pull_number(slice *rest, uint64_t *number);
bool slice_pull_string(slice *rest, slice *string);
bool slice_pull_bytes(slice *rest, size_t count, slice *bytes);

#define CLEANUP_BUFFER __attribute__((unused, cleanup(buffer_free)))

#endif
