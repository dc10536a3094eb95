/*
 * Text for people: UTF-8, and what a terminal must not be handed. Names and paths from an image can
 * hold escape sequences, line ends and bidirectional controls; printed raw they would play with the
 * terminal or forge lines in a log.
 */
#ifndef PLIMSOLL_BASE_TEXT_H
#define PLIMSOLL_BASE_TEXT_H

#include "base/buffer.h"

/* Bytes of the UTF-8 character at the front (Unicode 3.9, table 3-7), 0 when it is not one. */
size_t utf8_length(slice s);

/* The code point of the character at the front, `length` (utf8_length) bytes long. */
uint32_t utf8_decode(slice s, size_t length);
/* Whether a terminal must not be handed that character as it is. */
bool text_is_unsafe(uint32_t code);

/*
 * Appends `s` with everything that is not printable made visible: control characters (C0, DEL, C1),
 * bidirectional and invisible format characters, line separators and bytes that are not UTF-8
 * become
 * "\x1b", "\u202e", "\xff".
 */
void text_add_safe(struct buffer *out, slice s);

/* The same into an arena. */
slice text_safe(struct arena *arena, slice s);

/* Appends `s` as UTF-8: what is none, and control characters but line ends and tabs, is U+FFFD. */
void text_add_utf8(struct buffer *out, slice s);

/*
 * How many bytes at the front are printable ASCII and none of those in `stop`: what writers can
 * take over as it is.
 */
size_t text_plain_run(slice s, const char *stop);

/* Columns that safe text takes on a terminal: characters, wide ones count two, combining none. */
size_t text_width(slice s);

/* Appends `s`, cut to `width` columns with "…" at its end when it is wider; returns its width. */
size_t text_add_cut(struct buffer *out, slice s, size_t width);

/* "1.2 GiB", "17 KiB", "3 B" */
slice text_size(struct arena *arena, uint64_t bytes);

#endif
