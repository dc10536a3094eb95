#include "cli/scan.h"
#include "source/source.h"

#include <errno.h>

static struct error *open_image(const struct options *options, struct arena *arena,
                                const char *path, struct image **image)
{
    struct source_options source = {
        .platform = options->platform, .select = options->select, .verify = !options->no_verify};
    if (access(path, F_OK) < 0 && errno == ENOENT && !options->input)
        return error_make(ERROR_INPUT,
                          "there is no file or folder %s. This version reads images from files: "
                          "`docker save -o FILE %s`, then `plimsoll image --input FILE`",
                          path, path);
    TRY(source_open(image, arena, path, &source));
    if (!options->base_image)
        return NULL;
    struct image *base;
    struct source_options base_source = {.platform = options->platform,
                                         .verify = !options->no_verify};
    TRY(error_wrap(source_open(&base, arena, options->base_image, &base_source), "base image"));
    struct error *error = source_mark_base(*image, base);
    image_close(base);
    return error;
}

/* Other tools' ways to say what a path is; it is recognised without. */
static const char *without_transport(const char *path)
{
    static const char *const transports[] = {"docker-archive:", "oci-archive:", "oci-dir:", "oci:"};
    for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++)
        if (slice_starts(slice_from_text(path), slice_from_text(transports[i])) &&
            access(path, F_OK) < 0)
            return path + strlen(transports[i]);
    return path;
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    struct image *image = NULL;
    const char *path = options->input;
    size_t most = path ? 0 : 1;
    if (options->word_count > most)
        return error_make(ERROR_USAGE, "one image at a time: \"%s\" is one too many",
                          options->words[most]);
    if (!path && options->word_count == 0)
        return error_make(ERROR_USAGE, "name an image: plimsoll image FILE, or plimsoll image "
                                       "--input FILE");
    if (!path)
        path = options->words[0];
    path = without_transport(path);
    uint64_t started = scan_now();
    struct error *failure = open_image(options, arena, path, &image);
    return scan_run(options, arena, failure ? NULL : image, failure, path, started, exit_code);
}

const struct command command_image = {
    .name = "image",
    .flag = FOR_IMAGE,
    .arguments = "FILE",
    .summary = "find the known vulnerabilities of an image",
    .text = "Reads an image from a file or folder (docker save, OCI layout; also .gz and .zst), "
            "finds the packages in its layers, and looks them up in the advisory store. Says for "
            "each finding which layer and Dockerfile line it came with, and which version repairs "
            "it.",
    .example = "plimsoll image --severity HIGH,CRITICAL --ignore-unfixed --exit-code 1 app.tar",
    .run = run,
};
