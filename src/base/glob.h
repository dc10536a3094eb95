/*
 * Patterns for paths as shells and gitignore have them: "*" and "?" stay within a part between
 * slashes, "**" as a part of its own stands for any number of parts, "[a-z]" and "[!a-z]" are one
 * byte, "{a,b}" is either, "\" takes the next byte as it is.
 */
#ifndef PLIMSOLL_BASE_GLOB_H
#define PLIMSOLL_BASE_GLOB_H

#include "base/slice.h"

/* Whether the whole text is as the pattern says. A pattern that takes more than LIMIT_GLOB_STEPS
 * to find out matches nothing. */
bool glob_match(slice pattern, slice text);

/* Whether the pattern can be understood: its brackets and braces are closed. */
bool glob_valid(slice pattern);

#endif
