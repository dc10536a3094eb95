/*
 * Versions and scores from the command line, for the differential tests: a question a line on
 * stdin, its answer a line on stdout.
 *
 *     SCHEME <tab> A <tab> B            -1, 0 or 1
 *     BOUND <tab> SCHEME <tab> A <tab> B   the same, A held against the bound B of a range
 *     VALID <tab> SCHEME <tab> A        1 or 0
 *     CVSS <tab> VECTOR                 the base score with one decimal, or "invalid"
 *
 * SCHEME is dpkg, pep440 or semver. A question that is none of these is answered with "?", and the
 * exit code is 1.
 */
#include "match/cvss.h"
#include "version/version.h"
#include <stdio.h>
#include <stdlib.h>

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static bool pull_scheme(slice *rest, const struct version_scheme **scheme)
{
    slice name;
    if (!slice_pull(rest, '\t', &name))
        return false;
    *scheme = version_scheme_named(name);
    return *scheme != NULL;
}

static bool answer_cvss(slice vector)
{
    struct cvss cvss;
    if (cvss_parse(vector, &cvss))
        printf("%d.%d\n", cvss.score_tenths / 10, cvss.score_tenths % 10);
    else
        puts("invalid");
    return true;
}

static bool answer_valid(slice rest)
{
    const struct version_scheme *scheme;
    if (!pull_scheme(&rest, &scheme) || rest.ptr == NULL)
        return false;
    printf("%d\n", scheme->valid(rest));
    return true;
}

static bool answer_compare(slice rest, bool bound)
{
    const struct version_scheme *scheme;
    slice a, b;
    if (!pull_scheme(&rest, &scheme) || !slice_pull(&rest, '\t', &a) ||
        !slice_pull(&rest, '\t', &b))
        return false;
    printf("%d\n", sign(bound ? scheme->compare_bound(a, b) : scheme->compare(a, b)));
    return true;
}

static bool answer(slice line)
{
    slice rest = line;
    slice kind;
    if (!slice_pull(&rest, '\t', &kind) || rest.ptr == NULL)
        return false;
    if (slice_equal(kind, SLICE("CVSS")))
        return answer_cvss(rest);
    if (slice_equal(kind, SLICE("VALID")))
        return answer_valid(rest);
    if (slice_equal(kind, SLICE("BOUND")))
        return answer_compare(rest, true);
    return answer_compare(line, false);
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int exit_code = EXIT_SUCCESS;
    while ((length = getline(&line, &room, stdin)) >= 0) {
        slice question = slice_make(line, (size_t)length);
        if (slice_ends(question, SLICE("\n")))
            question.len--;
        if (!answer(question)) {
            puts("?");
            exit_code = EXIT_FAILURE;
        }
    }
    free(line);
    return exit_code;
}
