/*
 * The form of one file of the cache (layer/cache.h), apart from where the files lie:
 *
 *     head       16 bytes that name the form, its number, the length of the key, that of the bytes
 *     key        whole, so that a file under another key's name is not taken for it
 *     bytes      what was stored
 *     checksum   XXH3 of 128 bits over all that stands before it
 *
 * Numbers are little-endian, so a folder on a shared disk serves any machine. The checksum finds
 * damage, not malice: who may write the file could as well write a right one. That nobody else may
 * is seen to in cache.c.
 */
#ifndef PLIMSOLL_LAYER_CACHE_FORM_H
#define PLIMSOLL_LAYER_CACHE_FORM_H

#include "base/buffer.h"

enum {
    CACHE_FORM = 1, /* raised whenever the form changes; what has another number is not there */
    CACHE_FORM_HEAD = 16 + 4 + 4 + 8,
    CACHE_FORM_CHECKSUM = 16
};

/* Length of the file with `bytes` under `key`. */
uint64_t cache_form_length(slice key, slice bytes);

/* What stands before and behind `bytes` in the file; they are not copied for it. */
void cache_form_write(slice key, slice bytes, struct buffer *before, struct buffer *behind);

/* The bytes in a file's content. False when it is damaged, or is not of that key and form. */
bool cache_form_read(slice file, slice key, slice *bytes);

#endif
