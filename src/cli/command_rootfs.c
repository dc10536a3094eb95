#include "cli/scan.h"
#include "base/clock.h"
#include "source/source.h"

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    struct scan_request request = {.options = options,
                                   .arena = arena,
                                   .started = clock_microseconds(),
                                   .deadline_ms = scan_deadline(options)};
    if (options->word_count > 1)
        return error_make(ERROR_USAGE, "one folder at a time: \"%s\" is one too many",
                          options->words[1]);
    if (options->word_count == 0)
        return error_make(ERROR_USAGE, "name a folder: plimsoll rootfs DIR");
    request.name = options->words[0];
    request.failure = source_open_folder(&request.image, arena, request.name);
    if (request.failure)
        request.image = NULL;
    struct secrets secrets = {0};
    request.cache = scan_cache(options, arena);
    if (options->scan_secrets) {
        secrets_start(&secrets, options, request.cache, arena);
        request.secrets = request.masking = &secrets;
    }
    struct error *error = scan_run(&request, exit_code);
    secrets_close(&secrets);
    layer_cache_close(request.cache);
    return error;
}

const struct command command_rootfs = {
    .name = "rootfs",
    .flag = FOR_ROOTFS,
    .arguments = "DIR",
    .summary = "the same for a root file system in a folder",
    .text = "Looks at a folder that holds a root file system (an unpacked image, a chroot, a "
            "mounted disk). Links in it are never followed out of it; /proc, /sys and /dev in it "
            "are left out.",
    .example = "plimsoll rootfs /srv/chroot --fail-on high",
    .run = run,
};
