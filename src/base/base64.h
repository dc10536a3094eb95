/* Base64 with padding (RFC 4648, section 4). */
#ifndef PLIMSOLL_BASE_BASE64_H
#define PLIMSOLL_BASE_BASE64_H

#include "base/memory.h"

/* In the arena, with a NUL behind it. */
slice base64_encode(slice bytes, struct arena *arena);

/* In the arena; white space around it is passed over. Empty when it is none, or longer than `most`
 * (at most INT_MAX) characters. */
slice base64_decode(slice text, size_t most, struct arena *arena);

#endif
