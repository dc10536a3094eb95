/*
 * Content digests as OCI writes them: "sha256:" and 64 hex digits (OCI image specification,
 * descriptor.md, Digests); sha512 likewise.
 */
#ifndef PLIMSOLL_BASE_DIGEST_H
#define PLIMSOLL_BASE_DIGEST_H

#include "base/error.h"

struct digest; /* a running computation */

/* Whether the text is a digest of an algorithm known here, in canonical (lower case) form. */
bool digest_valid(slice text);

/* Has the library load what it loads at its first use, which a closed-in process cannot. */
void digest_prepare(void);

/* Starts one by the algorithm that `expected` names, which must be digest_valid; empty: sha256. */
struct digest *digest_start(slice expected);
void digest_add(struct digest *digest, const void *bytes, size_t count);
/* Ends and frees it; the text ("sha256:…") is in the arena. */
slice digest_finish(struct digest *digest, struct arena *arena);
void digest_free(struct digest *digest);

/* The sha256 of the bytes, as text in the arena. */
slice digest_of(slice bytes, struct arena *arena);

/* Whether `bytes` have the digest `expected`. */
bool digest_matches(slice bytes, slice expected);

/* An error unless `bytes` have the digest `expected`; `what` names them in the message. */
MUST_CHECK struct error *digest_check(slice bytes, slice expected, const char *what);

#endif
