/*
 * Versions of Python packages: PEP 440, now "Version specifiers" of the Python packaging guide.
 *
 *     [v][epoch!]release[pre-release][post-release][dev-release][+local]
 *
 * What is valid and how it is ordered is what packaging.version.Version says, in every spelling
 * that it normalises (Appendix B of the PEP). White space around a version is ASCII's here; the
 * other spaces of Unicode, which Python would strip too, make a version not valid.
 */
#include "version/scheme.h"

/* Where a version stands among those of one release, before post- and dev-releases. */
enum phase {
    PHASE_DEV, /* "1.0.dev1": a dev-release of the release itself comes before its alphas */
    PHASE_ALPHA,
    PHASE_BETA,
    PHASE_CANDIDATE,
    PHASE_FINAL
};

struct pep440_version {
    slice epoch;
    slice release; /* "1.2.3" */
    enum phase phase;
    slice pre_number; /* of each number: digits; empty: not written, which is 0 */
    bool is_post;
    slice post_number;
    bool is_dev;
    slice dev_number;
    slice local; /* empty: none */
};

struct spelling {
    slice text;
    enum phase phase; /* of a pre-release; not looked at in the others */
};

/* A spelling that begins with another one has to come before it. */
static const struct spelling pre_spellings[] = {
    {SLICE("alpha"), PHASE_ALPHA},       {SLICE("a"), PHASE_ALPHA},
    {SLICE("beta"), PHASE_BETA},         {SLICE("b"), PHASE_BETA},
    {SLICE("preview"), PHASE_CANDIDATE}, {SLICE("pre"), PHASE_CANDIDATE},
    {SLICE("rc"), PHASE_CANDIDATE},      {SLICE("c"), PHASE_CANDIDATE},
    {SLICE_EMPTY, PHASE_FINAL},
};
static const struct spelling post_spellings[] = {
    {SLICE("post"), PHASE_FINAL},
    {SLICE("rev"), PHASE_FINAL},
    {SLICE("r"), PHASE_FINAL},
    {SLICE_EMPTY, PHASE_FINAL},
};
static const struct spelling dev_spellings[] = {
    {SLICE("dev"), PHASE_FINAL},
    {SLICE_EMPTY, PHASE_FINAL},
};

/* Python's \s below 128: also the four separators of ASCII. */
static bool is_space(char byte)
{
    return byte_is_space(byte) || (byte >= 0x1c && byte <= 0x1f);
}

static bool is_separator(char byte)
{
    return byte == '.' || byte == '_' || byte == '-';
}

static bool is_local_byte(char byte)
{
    return byte_is_digit(byte) || byte_is_alpha(byte);
}

static bool pull_separator(slice *rest)
{
    if (rest->len == 0 || !is_separator(rest->ptr[0]))
        return false;
    *rest = slice_from(*rest, 1);
    return true;
}

/*
 * Pulls "[separator]spelling[separator][number]" off the front and gives the spelling that it was;
 * NULL, and nothing pulled, when none of them stands there. The separator after a spelling belongs
 * to it also where no number follows: "1.0a.dev1" is "1.0a0.dev1".
 */
static const struct spelling *pull_suffix(slice *rest, const struct spelling *spellings,
                                          slice *number)
{
    slice suffix = *rest;
    pull_separator(&suffix);
    for (const struct spelling *spelling = spellings; spelling->text.len; spelling++) {
        if (!slice_equal_nocase(slice_first(suffix, spelling->text.len), spelling->text))
            continue;
        *rest = slice_from(suffix, spelling->text.len);
        pull_separator(rest);
        *number = pull_digits(rest);
        return spelling;
    }
    return NULL;
}

/* "1.0-1", the implicit spelling of "1.0.post1". */
static bool pull_implicit_post(slice *rest, slice *number)
{
    slice after = *rest;
    if (!pull_byte(&after, '-'))
        return false;
    *number = pull_digits(&after);
    if (number->len == 0)
        return false;
    *rest = after;
    return true;
}

static bool pull_local(slice *rest, slice *local)
{
    slice start = *rest;
    do {
        if (pull_while(rest, is_local_byte).len == 0)
            return false;
    } while (pull_separator(rest));
    *local = slice_first(start, start.len - rest->len);
    return true;
}

/* The epoch and the release, which both begin with a number. */
static bool pull_release(slice *rest, struct pep440_version *version)
{
    slice after = *rest;
    slice epoch = pull_digits(&after);
    if (epoch.len && pull_byte(&after, '!')) {
        version->epoch = epoch;
        *rest = after;
    }
    return pull_dotted_numbers(rest, &version->release);
}

static bool parse(slice text, struct pep440_version *version)
{
    *version = (struct pep440_version){.phase = PHASE_FINAL};

    pull_while(&text, is_space);
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    if (!pull_byte(&text, 'v'))
        pull_byte(&text, 'V');
    if (!pull_release(&text, version))
        return false;

    const struct spelling *pre = pull_suffix(&text, pre_spellings, &version->pre_number);
    version->is_post = pull_implicit_post(&text, &version->post_number) ||
                       pull_suffix(&text, post_spellings, &version->post_number);
    version->is_dev = pull_suffix(&text, dev_spellings, &version->dev_number);
    if (pre)
        version->phase = pre->phase;
    else if (version->is_dev && !version->is_post)
        version->phase = PHASE_DEV;

    if (pull_byte(&text, '+') && !pull_local(&text, &version->local))
        return false;
    return text.len == 0;
}

static int compare_nocase(slice a, slice b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int order = byte_lower(a.ptr[i]) - byte_lower(b.ptr[i]);
        if (order != 0)
            return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

/* In local versions numbers come after words, the other way round than in SemVer. */
static int compare_local_segments(slice a, slice b)
{
    bool a_number = all_digits(a);
    bool b_number = all_digits(b);
    if (a_number && b_number)
        return compare_numbers(a, b);
    if (a_number != b_number)
        return a_number ? 1 : -1;
    return compare_nocase(a, b);
}

static int compare_locals(slice a, slice b)
{
    while (a.len && b.len) {
        int order =
            compare_local_segments(pull_while(&a, is_local_byte), pull_while(&b, is_local_byte));
        if (order != 0)
            return order;
        pull_separator(&a);
        pull_separator(&b);
    }
    return (a.len != 0) - (b.len != 0);
}

static int compare_public(const struct pep440_version *a, const struct pep440_version *b)
{
    int order = compare_numbers(a->epoch, b->epoch);
    if (order == 0)
        order = compare_dotted_numbers(a->release, b->release);
    if (order == 0)
        order = (int)a->phase - (int)b->phase;
    if (order == 0)
        order = compare_numbers(a->pre_number, b->pre_number);
    if (order == 0)
        order = a->is_post - b->is_post;
    if (order == 0)
        order = compare_numbers(a->post_number, b->post_number);
    if (order == 0)
        order = b->is_dev - a->is_dev; /* a dev-release comes before what it leads to */
    if (order == 0)
        order = compare_numbers(a->dev_number, b->dev_number);
    return order;
}

static bool pep440_valid(slice text)
{
    struct pep440_version version;
    return parse(text, &version);
}

static int pep440_compare(slice a, slice b)
{
    struct pep440_version first, second;
    bool first_valid = parse(a, &first);
    bool second_valid = parse(b, &second);
    if (!first_valid || !second_valid)
        return compare_not_valid(a, first_valid, b, second_valid);

    int order = compare_public(&first, &second);
    return order != 0 ? order : compare_locals(first.local, second.local);
}

static int pep440_compare_bound(slice installed, slice bound)
{
    struct pep440_version first, second;
    bool first_valid = parse(installed, &first);
    bool second_valid = parse(bound, &second);
    if (!first_valid || !second_valid)
        return compare_not_valid(installed, first_valid, bound, second_valid);

    int order = compare_public(&first, &second);
    if (order != 0 || second.local.len == 0)
        return order;
    return compare_locals(first.local, second.local);
}

const struct version_scheme version_scheme_pep440 = {
    .name = "pep440",
    .valid = pep440_valid,
    .compare = pep440_compare,
    .compare_bound = pep440_compare_bound,
};
