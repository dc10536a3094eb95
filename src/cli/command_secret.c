#include "cli/scan.h"
#include "base/clock.h"
#include "source/source.h"

static struct error *run(const struct options *given, struct arena *arena, int *exit_code)
{
    struct options options = *given;
    struct secrets secrets;
    struct scan_request request = {.options = &options,
                                   .arena = arena,
                                   .started = clock_microseconds(),
                                   .deadline_ms = scan_deadline(given)};
    options.scan_vulnerabilities = false;
    if (options.word_count != 1)
        return error_make(ERROR_USAGE, "name one folder or file: plimsoll secret PATH (or - for "
                                       "what comes through a pipe)");
    request.name = options.words[0];
    request.failure = source_open_plain(&request.image, arena, request.name);
    if (request.failure)
        request.image = NULL;
    request.cache = scan_cache(&options, arena);
    secrets_start(&secrets, &options, request.cache, arena);
    request.secrets = request.masking = &secrets;
    struct error *error = scan_run(&request, exit_code);
    secrets_close(&secrets);
    layer_cache_close(request.cache);
    return error;
}

const struct command command_secret = {
    .name = "secret",
    .flag = FOR_SECRET,
    .arguments = "PATH",
    .summary = "look for secrets in a folder, a file or a pipe",
    .text =
        "Looks for keys, tokens and passwords in a folder, a file, or with - in what comes "
        "through a pipe. Archives in it are opened, git's objects and notebooks are understood. "
        "What is found is shown redacted.",
    .example = "plimsoll secret . --exit-code 1",
    .run = run,
};
