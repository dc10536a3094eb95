/* Unpacks the zlib streams (RFC 1950) of a git pack that lies in a spool, in any order. */
#ifndef PLIMSOLL_SECRET_GIT_UNPACK_H
#define PLIMSOLL_SECRET_GIT_UNPACK_H

#include "archive/spool.h"

#include <zlib.h>

enum { GIT_PIECE = 64 * 1024 };

enum git_unpack_state { GIT_UNPACKING, GIT_UNPACK_ENDED, GIT_UNPACK_DAMAGED };

struct git_unpack {
    struct spool_view view;
    z_stream z;
    enum git_unpack_state state;
    uint64_t at, end; /* of the spool: what was not given to zlib yet, and where to stop */
    char *piece;      /* GIT_PIECE bytes for what need not be kept */
};

void git_unpack_open(struct git_unpack *unpack, const struct spool *spool);
void git_unpack_close(struct git_unpack *unpack);

/* Begins with the stream at `at`, which is to be over at `end`. */
void git_unpack_begin(struct git_unpack *unpack, uint64_t at, uint64_t end);
/* Unpacks up to `room` bytes; fewer where the stream ended or is damaged, as `state` says then. */
MUST_CHECK struct error *git_unpack_some(struct git_unpack *unpack, char *bytes, size_t room,
                                         size_t *got);
/* Unpacks all of it without keeping it; false when it is damaged or has not just `size` bytes. */
MUST_CHECK struct error *git_unpack_pass(struct git_unpack *unpack, uint64_t size, bool *whole);
/* Where the next byte that was not used lies. */
uint64_t git_unpack_position(const struct git_unpack *unpack);

#endif
