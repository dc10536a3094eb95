/* What may be shown of a secret. */
#ifndef PLIMSOLL_SECRET_REDACT_H
#define PLIMSOLL_SECRET_REDACT_H

#include "base/memory.h"
#include "secret/rule.h"

/* "ghp_…a1f2": what all of its kind begin with, and the last four where it is long; of short ones
 * and of passwords nothing but "…". In the arena. */
slice secret_redacted(const struct secret_rule *rule, slice secret, struct arena *arena);

/* 32 hex digits: HMAC-SHA-256 (RFC 2104) of rule and secret, cut. In the arena. */
slice secret_fingerprint(const struct secret_rule *rule, slice secret, struct arena *arena);

/*
 * 16 bytes that tell the value from all others, by whatever rule it was found: keyed likewise. For
 * records only, which tell by it that two are one; no report has it. White space and escaped line
 * ends make no difference: a key is the same in one line and in many.
 */
slice secret_identity(slice secret, struct arena *arena);

/* The key of both, for this process; without it they are keyed with a well-known one. */
void secret_fingerprint_key(slice key);

#endif
