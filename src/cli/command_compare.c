#include "base/limits.h"
#include "base/progress.h"
#include "cli/scan.h"
#include "cli/sides.h"
#include "version_number.h"

static struct error *check_words(const struct options *options)
{
    const struct compare_gates *gates = &options->gates;
    if (options->word_count < 2)
        return error_make(ERROR_USAGE,
                          "name two images or saved reports, or more: plimsoll compare "
                          "BEFORE AFTER");
    if (options->word_count > LIMIT_COMPARED)
        return error_make(ERROR_USAGE, "at most %d at once", LIMIT_COMPARED);
    if (options->word_count > 2 && (gates->has_max_new || gates->has_min_reduction))
        return error_make(ERROR_USAGE, "--max-new and --min-reduction are gates between two: name "
                                       "one before and one after");
    return NULL;
}

/* An SBOM tells nothing of secrets: beside one they are not compared. */
static struct error *leave_secrets_out(struct options *options)
{
    for (size_t i = 0; i < options->word_count && options->scan_secrets; i++) {
        if (!side_is_sbom(options->words[i]))
            continue;
        if (options->scanners_given)
            return error_make(ERROR_USAGE,
                              "--scanners: %s is an SBOM, which tells nothing of secrets; compare "
                              "with --scanners vuln",
                              options->words[i]);
        remark("%s is an SBOM, which tells nothing of secrets: they are not compared",
               options->words[i]);
        options->scan_secrets = false;
    }
    return NULL;
}

static struct error *run(const struct options *given, struct arena *arena, int *exit_code)
{
    struct options copy = *given;
    const struct options *options = &copy;
    TRY(check_words(given));
    TRY(leave_secrets_out(&copy));
    struct comparison comparison = {
        .arena = arena,
        .side_count = options->word_count,
        .gates = options->gates,
        .today = slice_first(slice_from_text(scan_moment(arena)), strlen("2026-08-21")),
        .version = SLICE(PLIMSOLL_VERSION),
    };
    struct side *sides = arena_array(arena, options->word_count, sizeof(*sides));
    for (size_t i = 0; i < options->word_count; i++)
        TRY(side_open(&sides[i], arena, options, options->words[i]));
    comparison.sides = sides;
    comparison.gates.allow_unjudged = options->policy.allow_unjudged;
    compare_run(&comparison);
    *exit_code = comparison.exit_code;
    return comparison_write(&options->comparisons, &comparison);
}

const struct command command_compare = {
    .name = "compare",
    .flag = FOR_COMPARE,
    .arguments = "BEFORE AFTER…",
    .summary = "what became better and worse from one image to another; or rank several",
    .text =
        "Compares two images: packages added, removed, upgraded and downgraded; findings fixed, "
        "new and unchanged; secrets; sizes. Given three or more, ranks them, to choose a base "
        "image. Each is an image, named as for `plimsoll image`, or a report saved with "
        "-f json.",
    .example = "plimsoll compare app:1 app:2 --max-new high --min-reduction 50",
    .run = run,
};
