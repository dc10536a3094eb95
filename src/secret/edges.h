/*
 * Where a token stands by itself: not as a piece of a longer word. What is written beside a token
 * without being part of it is told from letters: escapes of other languages (\n, %3D, \u003d), a
 * terminal's colours (ECMA-48, 5.4), and what binary forms put in front of a string: its length, or
 * an opcode (pickle, marshal, MessagePack, CBOR, protocol buffers).
 */
#ifndef PLIMSOLL_SECRET_EDGES_H
#define PLIMSOLL_SECRET_EDGES_H

#include "base/slice.h"

/* Whether a token may begin at `start`: nothing before it belongs to it. */
bool secret_edge_before(slice region, size_t start);

/* Whether a token may end before `end`: no letter or digit follows. */
bool secret_edge_after(slice region, size_t end);

/*
 * Where the string ends that begins at `start` and whose length stands in front of it, as a byte
 * behind an opcode (or anything that is no letter, in `binary`); SIZE_MAX where none does. All of
 * the string is printable.
 */
size_t secret_counted_end(slice region, size_t start, bool binary);

#endif
