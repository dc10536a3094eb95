/*
 * What the files of the schemes share among themselves: their entries for the table in version.c,
 * and comparing numbers as text.
 *
 * Numbers are never turned into integers: one of a thousand digits is a legal version in every
 * scheme, and must not wrap around into a small one.
 */
#ifndef PLIMSOLL_VERSION_SCHEME_H
#define PLIMSOLL_VERSION_SCHEME_H

#include "version/version.h"

extern const struct version_scheme version_scheme_dpkg;
extern const struct version_scheme version_scheme_pep440;
extern const struct version_scheme version_scheme_semver;

/* Pulls the bytes for which `belongs` holds off the front; empty when the first does not. */
static inline slice pull_while(slice *rest, bool (*belongs)(char byte))
{
    size_t length = 0;
    while (length < rest->len && belongs(rest->ptr[length]))
        length++;
    slice run = slice_first(*rest, length);
    if (length)
        *rest = slice_from(*rest, length);
    return run;
}

static inline slice pull_digits(slice *rest)
{
    return pull_while(rest, byte_is_digit);
}

/* Steps over one `byte` when it stands at the front. */
static inline bool pull_byte(slice *rest, char byte)
{
    if (rest->len == 0 || rest->ptr[0] != byte)
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

static inline bool all_digits(slice s)
{
    pull_digits(&s);
    return s.len == 0;
}

/* Orders two runs of digits by the number that they write; an empty one is 0. */
static inline int compare_numbers(slice a, slice b)
{
    while (pull_byte(&a, '0'))
        continue;
    while (pull_byte(&b, '0'))
        continue;
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return slice_compare(a, b);
}

/* Pulls "1.2.3" off the front: numbers with a point between each two. False when there is none. */
static inline bool pull_dotted_numbers(slice *rest, slice *numbers)
{
    slice start = *rest;
    if (pull_digits(rest).len == 0)
        return false;
    while (rest->len >= 2 && rest->ptr[0] == '.' && byte_is_digit(rest->ptr[1])) {
        pull_byte(rest, '.');
        pull_digits(rest);
    }
    *numbers = slice_first(start, start.len - rest->len);
    return true;
}

/* Orders "1.2.3" number by number; where one has no more, it has zeros: 1.2 is 1.2.0. */
static inline int compare_dotted_numbers(slice a, slice b)
{
    while (a.len || b.len) {
        int order = compare_numbers(pull_digits(&a), pull_digits(&b));
        if (order != 0)
            return order;
        pull_byte(&a, '.');
        pull_byte(&b, '.');
    }
    return 0;
}

/* The order that version.h gives to two texts of which at least one is not valid. */
static inline int compare_not_valid(slice a, bool a_valid, slice b, bool b_valid)
{
    if (a_valid != b_valid)
        return a_valid ? 1 : -1;
    return slice_compare(a, b);
}

#endif
