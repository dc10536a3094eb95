/*
 * What Go's strings and path/filepath do with text: a .dockerignore means what builders, which are
 * written in Go, make of it. Bytes that are not UTF-8 are a character each, U+FFFD.
 */
#ifndef PLIMSOLL_BASE_GO_TEXT_H
#define PLIMSOLL_BASE_GO_TEXT_H

#include "base/memory.h"

enum { GO_REPLACEMENT = 0xfffd, GO_LAST_RUNE = 0x10ffff };

/* Pulls the first character off; there must be one. */
uint32_t go_pull_rune(slice *text);

/* The same, of a text that is not changed. */
uint32_t go_first_rune(slice text);

/* strings.TrimSpace: without Unicode's white space at both ends. */
slice go_trim_space(slice text);

/* filepath.Clean: the shortest path that is the same by name; "." for an empty one. */
slice go_clean_path(slice path, struct arena *arena);

/*
 * Whether filepath.Match(pattern, ".") ends with an error, which is how patternmatcher looks
 * whether a pattern is well formed. It stops where the pattern cannot match any more, so that a
 * fault behind that place is not seen.
 */
bool go_pattern_is_bad(slice pattern);

#endif
