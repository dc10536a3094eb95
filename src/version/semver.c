/*
 * Semantic Versioning 2.0.0, for the ecosystems whose OSV ranges are of type SEMVER.
 *
 * The order is that of section 11. What is taken for a version is wider than the specification,
 * because module paths, tags and advisories write more than it allows:
 *   - a 'v' may stand in front: Go's versions have it, OSV's for Go have it not;
 *   - there may be one number, two, or more than three; those missing are 0 ("1.2", "1.2.3.4");
 *   - numbers may have leading zeros, which do not count ("2022.01.0").
 * Go's pseudo-versions (v0.0.0-20220412211240-33da011f77ad) are ordinary pre-releases, and its
 * "+incompatible" and "+dirty" are ordinary build metadata.
 *
 * Pre-releases are ordered plainly everywhere. The rule of npm's own ranges, that a pre-release
 * only matches a bound of the same three numbers, is no part of OSV.
 */
#include "version/scheme.h"

struct semver {
    slice numbers;    /* "1.2.3" */
    slice prerelease; /* what stands after the '-'; empty: a release */
};

static bool is_identifier_byte(char byte)
{
    return byte_is_digit(byte) || byte_is_alpha(byte) || byte == '-';
}

/* Pulls identifiers off the front, of one byte at least, with a point between each two. */
static bool pull_identifiers(slice *rest, slice *identifiers)
{
    slice start = *rest;
    do {
        if (pull_while(rest, is_identifier_byte).len == 0)
            return false;
    } while (pull_byte(rest, '.'));
    *identifiers = slice_first(start, start.len - rest->len);
    return true;
}

static bool parse(slice text, struct semver *version)
{
    version->prerelease = SLICE_EMPTY;
    if (!pull_byte(&text, 'v'))
        pull_byte(&text, 'V');
    if (!pull_dotted_numbers(&text, &version->numbers))
        return false;
    if (pull_byte(&text, '-') && !pull_identifiers(&text, &version->prerelease))
        return false;
    slice build; /* does not count in the order: section 10 */
    if (pull_byte(&text, '+') && !pull_identifiers(&text, &build))
        return false;
    return text.len == 0;
}

static int compare_identifiers(slice a, slice b)
{
    bool a_number = all_digits(a);
    bool b_number = all_digits(b);
    if (a_number && b_number)
        return compare_numbers(a, b);
    if (a_number != b_number)
        return a_number ? -1 : 1;
    return slice_compare(a, b);
}

static int compare_prereleases(slice a, slice b)
{
    /* The release comes after all of its pre-releases; among those a longer one after its start. */
    if (a.len == 0 || b.len == 0)
        return (a.len == 0) - (b.len == 0);
    while (a.len && b.len) {
        int order = compare_identifiers(pull_while(&a, is_identifier_byte),
                                        pull_while(&b, is_identifier_byte));
        if (order != 0)
            return order;
        pull_byte(&a, '.');
        pull_byte(&b, '.');
    }
    return (a.len != 0) - (b.len != 0);
}

static bool semver_valid(slice text)
{
    struct semver version;
    return parse(text, &version);
}

static int semver_compare(slice a, slice b)
{
    struct semver first, second;
    bool first_valid = parse(a, &first);
    bool second_valid = parse(b, &second);
    if (!first_valid || !second_valid)
        return compare_not_valid(a, first_valid, b, second_valid);

    int order = compare_dotted_numbers(first.numbers, second.numbers);
    return order != 0 ? order : compare_prereleases(first.prerelease, second.prerelease);
}

const struct version_scheme version_scheme_semver = {
    .name = "semver",
    .valid = semver_valid,
    .compare = semver_compare,
    .compare_bound = semver_compare,
};
