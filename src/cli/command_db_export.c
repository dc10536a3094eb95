#include "cli/command.h"
#include "store/import.h"

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    struct store *store;
    const char *path = store_place(options, arena);
    if (options->word_count != 1)
        return error_make(ERROR_USAGE, "name one file: plimsoll db export-facts FILE");
    if (!path)
        return error_make(ERROR_INPUT, "there is no advisory store to export");
    TRY(store_open(&store, path));
    struct error *error = store_export_facts(store, options->words[0]);
    store_close(store);
    *exit_code = EXIT_CLEAN;
    return error;
}

const struct command command_db_export = {
    .name = "db export-facts",
    .flag = FOR_DB_EXPORT,
    .arguments = "FILE",
    .summary = "write the store's facts as a compact file",
    .text =
        "Writes ids, aliases, packages, version ranges, severity vectors and dates, without "
        "prose, as a file that `db import` reads. The starter store that comes with plimsoll is "
        "made of one.",
    .example = "plimsoll db export-facts facts.zst",
    .run = run,
};
