#include "cli/plan.h"
#include "cli/sbom_file.h"
#include "cli/scan.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/progress.h"
#include "source/source.h"

static struct source_options source_options_of(const struct options *options, int64_t deadline_ms)
{
    return (struct source_options){
        .platform = options->platform,
        .select = options->select,
        .verify = !options->no_verify,
        .attached_sbom = options->attached_sbom,
        .http = {.ca_file = options->ca_cert,
                 .client_certificate = options->client_cert,
                 .client_key = options->client_key,
                 .insecure = options->insecure,
                 .retries = LIMIT_HTTP_RETRIES,
                 .deadline_ms = deadline_ms},
        .username = options->username,
        .password = options->password,
        .registry_token = options->registry_token,
        .mirrors = options->registry_mirror,
        .order = options->image_src,
        .containerd_address = options->containerd_address,
        .containerd_namespace = options->containerd_namespace,
    };
}

static struct error *mark_base(const struct options *options, struct arena *arena,
                               const struct source_options *source, struct image *image)
{
    struct image *base;
    struct source_options plain = *source;
    plain.select = SLICE_EMPTY;
    plain.stream = NULL;
    TRY(error_wrap(source_open_name(&base, arena, options->base_image, &plain), "base image"));
    struct error *error = source_mark_base(image, base);
    image_close(base);
    return error;
}

static struct error *open_image(const struct options *options, struct arena *arena,
                                const char *name, const struct source_options *source,
                                struct image **image)
{
    TRY(options->input ? source_open(image, arena, name, source)
                       : source_open_name(image, arena, name, source));
    return options->base_image ? mark_base(options, arena, source, *image) : NULL;
}

static struct error *name_of(const struct options *options, const char **name)
{
    size_t most = options->input ? 0 : 1;
    if (options->word_count > most)
        return error_make(ERROR_USAGE, "one image at a time: \"%s\" is one too many",
                          options->words[most]);
    if (!options->input && options->word_count == 0)
        return error_make(ERROR_USAGE, "name an image: plimsoll image IMAGE, or plimsoll image "
                                       "--input FILE");
    *name = options->input ? source_without_word(options->input) : options->words[0];
    return NULL;
}

/* All that a scan by name needs, on top of the request. */
struct opened {
    struct scan_request request;
    struct caught_layers caught;
    struct bundle_visitor visitor;
    struct source_memory memory;
    struct source_options source;
    struct secrets secrets;
};

/* Packages as the attached SBOM lists them; of the image there is still all that is known. */
static struct error *take_sbom(struct scan_request *request)
{
    struct image *image = request->image;
    if (!request->options->attached_sbom || !image)
        return NULL;
    if (image->sbom.len == 0) {
        remark("no SBOM is attached to %.*s: its layers are read", SLICE_ARG(image->name));
        return NULL;
    }
    struct sbom *sbom = ARENA_NEW(request->arena, struct sbom);
    TRY(sbom_read(sbom, request->arena, "attached to the image", image->sbom));
    if (!sbom_is_about(sbom, image->digest))
        return error_make(ERROR_INPUT,
                          "the SBOM in %.*s is about another image: its statement does not name "
                          "%.*s; leave --sbom-sources out to read the layers",
                          SLICE_ARG(image->sbom_from), SLICE_ARG(image->digest));
    remark("the packages are those of the SBOM (%.*s%s%.*s) in %.*s", SLICE_ARG(sbom->format),
           sbom->tool.len ? ", by " : "", SLICE_ARG(sbom->tool), SLICE_ARG(image->sbom_from));
    if (image->layer_count == 0)
        return error_make(ERROR_INPUT, "the image has no layers of which an SBOM could speak");
    sbom_place_in(sbom, image);
    request->known = &sbom->inventory;
    request->known_problems = &sbom->problems;
    return NULL;
}

static void open_all(struct opened *opened, const struct options *options, struct arena *arena,
                     const char *name)
{
    int64_t deadline_ms = scan_deadline(options);
    struct scan_request *request = &opened->request;
    *opened =
        (struct opened){.caught = {.arena = arena, .options = options, .deadline_ms = deadline_ms},
                        .source = source_options_of(options, deadline_ms),
                        .request = {.options = options,
                                    .arena = arena,
                                    .name = name,
                                    .started = clock_microseconds(),
                                    .deadline_ms = deadline_ms,
                                    .caught = &opened->caught,
                                    .cache = scan_cache(options, arena)}};
    opened->visitor = catch_layers(&opened->caught);
    secrets_start(&opened->secrets, options, request->cache, arena);
    request->masking = &opened->secrets;
    if (options->scan_secrets)
        request->secrets = opened->caught.secrets = &opened->secrets;
    /* What the sources keep from one time to the next lies in the cache as well. */
    opened->memory = (struct source_memory){layer_cache_recall, layer_cache_keep, request->cache};
    opened->source.stream = options->plan ? NULL : &opened->visitor;
    opened->source.memory = request->cache ? &opened->memory : NULL;
    request->failure = open_image(options, arena, name, &opened->source, &request->image);
    if (request->failure)
        request->image = NULL;
    struct error *failure = take_sbom(request);
    if (failure) {
        request->failure = failure;
        image_close(request->image);
        request->image = NULL;
    }
}

static void close_all(struct opened *opened)
{
    secrets_close(&opened->secrets);
    layer_cache_close(opened->request.cache);
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    const char *name = NULL;
    struct opened opened;
    struct scan_request *request = &opened.request;
    TRY(name_of(options, &name));
    if (sbom_file_is(name) && options->plan)
        return error_make(ERROR_USAGE, "--plan is for images; %s is an SBOM", name);
    if (sbom_file_is(name))
        return sbom_file_scan(options, arena, name, exit_code);
    open_all(&opened, options, arena, name);
    struct error *error =
        options->plan && request->image
            ? plan_print(options, request->image, request->cache, request->secrets, arena)
            : scan_run(request, exit_code);
    close_all(&opened);
    return error;
}

struct error *scan_image_named(const struct options *options, struct arena *arena, const char *name,
                               const struct report **report)
{
    struct opened opened;
    open_all(&opened, options, arena, name);
    struct error *error = scan_collect(&opened.request, report);
    close_all(&opened);
    return error;
}

const struct command command_image = {
    .name = "image",
    .flag = FOR_IMAGE,
    .arguments = "IMAGE",
    .summary = "find the known vulnerabilities of an image",
    .text = "Finds the packages in an image's layers and looks them up in the advisory store. Says "
            "for each finding which layer and Dockerfile line it came with, and which version "
            "repairs it. IMAGE is a name, which is looked for in Docker, Podman, containerd and "
            "the registry (docker:NAME, podman:NAME, containerd:NAME, registry:NAME say which); "
            "or a file or folder (docker save, OCI layout; also .gz and .zst).",
    .example = "plimsoll image --severity HIGH,CRITICAL --ignore-unfixed --exit-code 1 app.tar",
    .run = run,
};
