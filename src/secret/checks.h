/*
 * The second look at what a rule's pattern matched: is it a placeholder, is it random enough, does
 * its own structure hold (checksums, encodings, keys that parse)? Names are those of the field
 * `check` in rules/README.md.
 */
#ifndef PLIMSOLL_SECRET_CHECKS_H
#define PLIMSOLL_SECRET_CHECKS_H

#include "base/slice.h"

/* Whether it stands for a secret without being one: "xxxx", "<your key>", "${TOKEN}", "EXAMPLE". */
bool secret_is_placeholder(slice secret);

/* Whether it is one of base64's letters (RFC 4648, 4): a letter, a digit, "+" or "/". */
static inline bool secret_is_base64(char c)
{
    return byte_is_alpha(c) || byte_is_digit(c) || c == '+' || c == '/';
}

/* Whether there are checks of all those names (with their numbers, as "entropy:3.5 mixed"). */
bool secret_checks_known(const char *checks);

/* Whether all of them hold. */
bool secret_checks_hold(const char *checks, slice secret);

/* The six characters that GitHub and npm put at the end of a token. */
void secret_github_checksum(slice random, char checksum[6]);

/* Bits for each character, by how often each occurs. */
double secret_entropy(slice text);

/*
 * Base64 of either alphabet, with or without padding; white space, and line breaks as JSON escapes
 * them, are passed over. At most `room` bytes are written; SIZE_MAX when it is none.
 */
size_t secret_decode_base64(slice text, char *bytes, size_t room);

#endif
