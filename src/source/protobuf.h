/* Protocol Buffers, as far as containerd's answers need it: encoding.md of protobuf.dev. */
#ifndef PLIMSOLL_SOURCE_PROTOBUF_H
#define PLIMSOLL_SOURCE_PROTOBUF_H

#include "base/buffer.h"

struct protobuf_field {
    uint64_t number;
    slice bytes;    /* of a string, bytes or message; empty for numbers */
    uint64_t value; /* of a number */
};

/* The next field of a message; false at its end, or where it is malformed (*rest not empty then).
 */
bool protobuf_pull(slice *rest, struct protobuf_field *field);

/* The first field of that number that has bytes; empty when there is none. */
slice protobuf_find(slice message, uint64_t number);

/* Adds a string field (of fewer than 2^28 bytes). */
void protobuf_add(struct buffer *message, unsigned number, slice text);

#endif
