#include "cli/command.h"
#include "base/progress.h"
#include "store/import.h"

static void show_progress(void *context, const char *path, uint64_t done, uint64_t total)
{
    (void)context;
    progress_show(path, done, total);
}

static void print_result(const struct import_result *result)
{
    for (size_t i = 0; i < result->feed_count; i++)
        printf("%.*s: %llu entries\n", SLICE_ARG(result->feeds[i].ecosystem),
               (unsigned long long)result->feeds[i].entries);
    if (result->skipped)
        remark("%llu entries could not be read and were left out; the first: %.*s",
               (unsigned long long)result->skipped, SLICE_ARG(result->skipped_why));
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    const char *path;
    struct import_options import = {.facts_only = options->facts_only,
                                    .built = options->built,
                                    .starter = options->starter,
                                    .progress = show_progress};
    struct import_result result;
    if (options->word_count == 0)
        return error_make(ERROR_USAGE, "name what to import: plimsoll db import PATH…");
    TRY(store_place_to_write(options, arena, &path, &import.begin_with));
    TRY(error_wrap(store_import(path, options->words, options->word_count, &import, arena, &result),
                   "cannot import; the store is as it was"));
    progress_clear();
    if (!options->quiet)
        print_result(&result);
    *exit_code = EXIT_CLEAN;
    return NULL;
}

const struct command command_db_import = {
    .name = "db import",
    .flag = FOR_DB_IMPORT,
    .arguments = "PATH…",
    .summary = "put published advisory feeds into the store",
    .text =
        "Takes feeds in the form in which they are published: OSV (ECOSYSTEM/all.zip, a folder, "
        "single JSON), EPSS (CSV, also .gz), CISA's KEV, CVE records (5.1), endoflife.date. What "
        "a feed holds replaces what the store held of it. The store is replaced whole or not at "
        "all.",
    .example = "plimsoll db import PyPI/all.zip Debian/all.zip epss_scores-current.csv.gz",
    .run = run,
};
