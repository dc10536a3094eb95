/*
 * Versions of Debian packages: [epoch:]upstream_version[-debian_revision], Debian Policy 5.6.12.
 *
 * Ordered as `dpkg --compare-versions` orders them, and valid when `dpkg --validate-version`
 * accepts them without a warning. Where policy and dpkg differ dpkg wins, since it is what decides
 * on the machine which version is newer.
 */
#include "version/scheme.h"

/* dpkg keeps the epoch in an int. */
#define EPOCH_MAX SLICE("2147483647")

struct dpkg_version {
    slice epoch; /* digits; empty: none, which is 0 */
    slice upstream;
    slice revision; /* empty: none, which is the same as "0" */
};

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_revision_byte(char byte)
{
    return byte_is_digit(byte) || byte_is_alpha(byte) || byte == '.' || byte == '+' || byte == '~';
}

static bool is_upstream_byte(char byte)
{
    return is_revision_byte(byte) || byte == '-' || byte == ':';
}

/* What strtol(3), with which dpkg reads it, takes for a number of 0 … INT_MAX: " +1" and "-0" are.
 */
static bool read_epoch(slice text, slice *epoch)
{
    pull_while(&text, byte_is_space);
    bool negative = pull_byte(&text, '-');
    if (!negative)
        pull_byte(&text, '+');
    *epoch = pull_digits(&text);
    if (epoch->len == 0 || text.len != 0)
        return false;
    return compare_numbers(*epoch, negative ? SLICE_EMPTY : EPOCH_MAX) <= 0;
}

static bool parse(slice text, struct dpkg_version *version)
{
    pull_while(&text, is_blank);
    while (text.len && is_blank(text.ptr[text.len - 1]))
        text.len--;
    if (slice_find(text, ' ') != SIZE_MAX || slice_find(text, '\t') != SIZE_MAX)
        return false;

    *version = (struct dpkg_version){SLICE_EMPTY, text, SLICE_EMPTY};
    slice epoch;
    if (slice_split(text, ':', &epoch, &version->upstream) && !read_epoch(epoch, &version->epoch))
        return false;

    size_t hyphen = slice_find_last(version->upstream, '-');
    if (hyphen != SIZE_MAX) {
        version->revision = slice_from(version->upstream, hyphen + 1);
        version->upstream = slice_first(version->upstream, hyphen);
        if (version->revision.len == 0)
            return false;
    }
    if (version->upstream.len == 0 || !byte_is_digit(version->upstream.ptr[0]))
        return false;

    slice upstream = version->upstream;
    slice revision = version->revision;
    pull_while(&upstream, is_upstream_byte);
    pull_while(&revision, is_revision_byte);
    return upstream.len == 0 && revision.len == 0;
}

static bool starts_with_text(slice part)
{
    return part.len && !byte_is_digit(part.ptr[0]);
}

/* Place of the first byte in the order: '~', then the end or a number, then letters, then others.
 */
static int text_weight(slice part)
{
    if (!starts_with_text(part))
        return 0;
    if (part.ptr[0] == '~')
        return -1;
    int byte = (unsigned char)part.ptr[0];
    return byte_is_alpha(part.ptr[0]) ? byte : byte + 256;
}

/* Orders two upstream versions or two revisions: text and number in turn, from the front. */
static int compare_part(slice a, slice b)
{
    while (a.len || b.len) {
        while (starts_with_text(a) || starts_with_text(b)) {
            int order = text_weight(a) - text_weight(b);
            if (order != 0)
                return order;
            a = slice_from(a, 1);
            b = slice_from(b, 1);
        }
        int order = compare_numbers(pull_digits(&a), pull_digits(&b));
        if (order != 0)
            return order;
    }
    return 0;
}

static bool dpkg_valid(slice text)
{
    struct dpkg_version version;
    return parse(text, &version);
}

static int dpkg_compare(slice a, slice b)
{
    struct dpkg_version first, second;
    bool first_valid = parse(a, &first);
    bool second_valid = parse(b, &second);
    if (!first_valid || !second_valid)
        return compare_not_valid(a, first_valid, b, second_valid);

    int order = compare_numbers(first.epoch, second.epoch);
    if (order == 0)
        order = compare_part(first.upstream, second.upstream);
    if (order == 0)
        order = compare_part(first.revision, second.revision);
    return order;
}

const struct version_scheme version_scheme_dpkg = {
    .name = "dpkg",
    .valid = dpkg_valid,
    .compare = dpkg_compare,
    .compare_bound = dpkg_compare,
};
