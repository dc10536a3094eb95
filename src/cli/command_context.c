#include "cli/build_context.h"
#include "cli/scan.h"
#include "base/json_write.h"
#include "base/progress.h"
#include "base/text.h"
#include "report/reports.h"
#include "source/source.h"

#include <ftw.h>

/* A secret that would be sent. */
struct sent_secret {
    const struct image_secret *secret;
    slice path;
    size_t file; /* its number in the build context */
};

struct context {
    const struct options *options;
    struct arena *arena;
    int64_t deadline_ms;
    struct build_context build;
    size_t above; /* bytes of a file's path that are the folder's */
    uint64_t files, bytes, left_out, bytes_left_out;
    struct error *failure; /* while files are counted */
    struct list secrets;   /* of struct sent_secret */
};

/* nftw has no context of its own. */
static struct context *counting;

static int count_file(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    bool sent;
    (void)where;
    if (kind != FTW_F && kind != FTW_SL && kind != FTW_SLN)
        return 0;
    slice below = slice_from(slice_from_text(path), counting->above);
    while (slice_starts(below, SLICE("/")))
        below = slice_from(below, 1);
    counting->failure = build_context_sends(&counting->build, below, &sent);
    if (counting->failure)
        return -1;
    *(sent ? &counting->files : &counting->left_out) += 1;
    *(sent ? &counting->bytes : &counting->bytes_left_out) += (uint64_t)info->st_size;
    return 0;
}

static struct error *count_files(struct context *context)
{
    /* The folder itself may be a link, which is followed. */
    CLEANUP_FREE char *folder = realpath(context->build.folder, NULL);
    context->above = folder ? strlen(folder) : 0;
    counting = context;
    bool done = folder && nftw(folder, count_file, 16, FTW_PHYS) == 0;
    if (!done && !context->failure)
        return error_errno("cannot go through %s", context->build.folder);
    return context->failure;
}

/* What was found must be found in full: a file that cannot be read may hold a secret. */
static struct error *complain(const struct layer_outcome *outcome)
{
    const struct problem *problems = outcome->record.problems.items;
    if (!outcome->complete)
        return error_make(ERROR_INPUT, "%.*s", SLICE_ARG(outcome->failure));
    for (size_t i = 0; i < outcome->record.problems.count; i++)
        remark("%.*s: %.*s", SLICE_ARG(problems[i].path), SLICE_ARG(problems[i].message));
    if (outcome->record.problems.count)
        return error_make(ERROR_INPUT, "not all of it could be read");
    return NULL;
}

/* Looks through a folder or a file; the secrets are those of the inventory. */
static struct error *find_secrets(const struct context *context, const char *path,
                                  struct inventory *inventory)
{
    struct secrets secrets;
    struct image *image;
    struct layer_outcome outcome = {0};
    bool from_cache = false;
    TRY(source_open_plain(&image, context->arena, path));
    secrets_start(&secrets, context->options, NULL, context->arena);
    struct layer_reading reading = {.options = context->options,
                                    .arena = context->arena,
                                    .image = image,
                                    .secrets = &secrets,
                                    .deadline_ms = context->deadline_ms,
                                    .known_redirects = SIZE_MAX,
                                    .outcomes = &outcome,
                                    .from_cache = &from_cache};
    read_layers(&reading);
    struct error *error = complain(&outcome);
    if (!error && secrets.failure)
        error = error_make(secrets.failure->kind, "%s", secrets.failure->message);
    inventory_add_secrets(inventory, context->arena, image, &outcome, NULL, &secrets.rules);
    inventory_part_secrets(inventory, context->arena);
    image_close(image);
    secrets_close(&secrets);
    return error;
}

/* Older clients may send what newer ones leave out: said, though it does not count. */
static struct error *warn_of_older_clients(struct context *context, slice file, slice *warned)
{
    bool out;
    TRY(dockerignore_leaves_out_stepwise(&context->build.ignore, file, &out));
    if (!out && !slice_equal(*warned, file))
        remark("%.*s is left out, but older clients of docker's send it: give it a line of its own "
               "at the end of %s",
               SLICE_ARG(file), context->build.ignore_path);
    *warned = file;
    return NULL;
}

static void add_secret(struct context *context, const struct image_secret *secret, bool outside)
{
    slice path = outside ? slice_from_text(context->build.dockerfile) : secret->secret->path;
    size_t file = build_context_add_file(&context->build, secret->secret->file, outside);
    *(struct sent_secret *)list_add(&context->secrets, context->arena, sizeof(struct sent_secret)) =
        (struct sent_secret){secret, path, file};
}

static struct error *collect_secrets(struct context *context)
{
    struct inventory inventory = {0};
    slice warned = SLICE_EMPTY;
    TRY(find_secrets(context, context->build.folder, &inventory));
    const struct image_secret *secrets = inventory.secrets.items;
    for (size_t i = 0; i < inventory.secrets.count; i++) {
        bool sent;
        if (secrets[i].suppressed_reason.len)
            continue;
        TRY(build_context_sends(&context->build, secrets[i].secret->file, &sent));
        if (sent)
            add_secret(context, &secrets[i], false);
        else
            TRY(warn_of_older_clients(context, secrets[i].secret->file, &warned));
    }
    return NULL;
}

/* A Dockerfile outside the folder goes to the builder beside it. */
static struct error *collect_secrets_of_dockerfile(struct context *context)
{
    struct inventory inventory = {0};
    if (!context->build.dockerfile_given || context->build.dockerfile_below[0].len)
        return NULL;
    TRY(find_secrets(context, context->build.dockerfile, &inventory));
    const struct image_secret *secrets = inventory.secrets.items;
    for (size_t i = 0; i < inventory.secrets.count; i++)
        if (secrets[i].suppressed_reason.len == 0)
            add_secret(context, &secrets[i], true);
    return NULL;
}

static slice path_of_file(const struct context *context, const struct context_file *file)
{
    return file->outside ? slice_from_text(context->build.dockerfile) : file->path;
}

/* Whether --write has added lines. */
static bool has_written(const struct context *context)
{
    return context->options->write && context->build.lines.count > 0;
}

static void write_json_secret(const struct sent_secret *sent, struct json_writer *json)
{
    const struct image_secret *secret = sent->secret;
    json_begin_object(json);
    json_field(json, "rule", secret->secret->rule);
    json_field(json, "severity", slice_from_text(severity_names[secret->severity]));
    json_field(json, "title", secret->title);
    json_field(json, "path", sent->path);
    json_field_number(json, "line", (int64_t)secret->secret->line);
    json_field(json, "match", secret->secret->match);
    json_field(json, "fingerprint", secret->secret->fingerprint);
    json_end_object(json);
}

static void write_json_advice(const struct context *context, struct json_writer *json)
{
    const struct context_file *files = context->build.files.items;
    json_put_key(json, "not_left_out");
    json_begin_array(json);
    for (size_t i = 0; i < context->build.files.count; i++) {
        if (files[i].remedy == REMEDY_LINE)
            continue;
        json_begin_object(json);
        json_field(json, "path", path_of_file(context, &files[i]));
        json_field(json, "advice", slice_from_text(context_advice[files[i].remedy]));
        json_end_object(json);
    }
    json_end_array(json);
}

static void write_json(const struct context *context, struct buffer *out)
{
    const struct build_context *build = &context->build;
    const struct sent_secret *secrets = context->secrets.items;
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_field_or_null(&json, "dockerfile", slice_from_text(build->dockerfile));
    json_field(&json, "ignore_file", slice_from_text(build->ignore_path));
    json_field_number(&json, "files", (int64_t)context->files);
    json_field_number(&json, "bytes", (int64_t)context->bytes);
    json_field_number(&json, "files_left_out", (int64_t)context->left_out);
    json_field_number(&json, "bytes_left_out", (int64_t)context->bytes_left_out);
    json_put_key(&json, "secrets");
    json_begin_array(&json);
    for (size_t i = 0; i < context->secrets.count; i++)
        write_json_secret(&secrets[i], &json);
    json_end_array(&json);
    json_field_strings(&json, "dockerignore", build->lines.items, build->lines.count);
    json_field_bool(&json, "written", has_written(context));
    write_json_advice(context, &json);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

static void write_text_lines(const struct context *context, struct buffer *out)
{
    const struct build_context *build = &context->build;
    const struct context_file *files = build->files.items;
    const slice *lines = build->lines.items;
    if (build->lines.count && has_written(context)) {
        buffer_text(out, "Added to ");
        text_add_safe(out, slice_from_text(build->ignore_path));
        buffer_text(out, ":\n");
    } else if (build->lines.count) {
        buffer_text(out, "Lines for ");
        text_add_safe(out, slice_from_text(build->ignore_path));
        buffer_text(out, " (--write adds them):\n");
    } else if (context->options->write) {
        buffer_text(out, "Nothing was written.\n");
    }
    for (size_t i = 0; i < build->lines.count; i++) {
        buffer_text(out, "  ");
        text_add_safe(out, lines[i]);
        buffer_add_byte(out, '\n');
    }
    for (size_t i = 0; i < build->files.count; i++) {
        if (files[i].remedy == REMEDY_LINE)
            continue;
        text_add_safe(out, path_of_file(context, &files[i]));
        buffer_format(out, ": %s.\n", context_advice[files[i].remedy]);
    }
}

static void write_text(const struct context *context, struct buffer *out)
{
    const struct build_context *build = &context->build;
    const struct sent_secret *secrets = context->secrets.items;
    buffer_format(out, "%s: %llu files, %.*s, would be sent to a builder; ", build->folder,
                  (unsigned long long)context->files,
                  SLICE_ARG(text_size(context->arena, context->bytes)));
    text_add_safe(out, slice_basename(slice_from_text(build->ignore_path)));
    buffer_format(out, " leaves out %llu, %.*s.\n", (unsigned long long)context->left_out,
                  SLICE_ARG(text_size(context->arena, context->bytes_left_out)));
    for (size_t i = 0; i < context->secrets.count; i++) {
        const struct secret *secret = secrets[i].secret->secret;
        buffer_format(out, "  %-8s  ", severity_names[secrets[i].secret->severity]);
        text_add_safe(out, secrets[i].path);
        buffer_format(out, ":%llu  %.*s  %.*s\n", (unsigned long long)secret->line,
                      SLICE_ARG(secrets[i].secret->title), SLICE_ARG(secret->match));
    }
    if (context->secrets.count == 0)
        buffer_text(out, "No secret is among them.\n");
    write_text_lines(context, out);
}

/* How many secrets a build sends from now on. */
static size_t count_remaining(const struct context *context)
{
    const struct context_file *files = context->build.files.items;
    const struct sent_secret *secrets = context->secrets.items;
    size_t count = 0;
    for (size_t i = 0; i < context->secrets.count; i++)
        count += !has_written(context) || files[secrets[i].file].remedy != REMEDY_LINE;
    return count;
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    CLEANUP_BUFFER struct buffer out = {0};
    struct context context = {.options = options, .arena = arena};
    if (options->word_count > 1)
        return error_make(ERROR_USAGE, "one folder at a time");
    slice folder = slice_from_text(options->word_count ? options->words[0] : ".");
    while (folder.len > 1 && slice_ends(folder, SLICE("/")))
        folder.len--;
    context.deadline_ms = scan_deadline(options);
    TRY(build_context_open(&context.build, arena_text(arena, folder), options->dockerfile, arena));
    TRY(count_files(&context));
    TRY(collect_secrets(&context));
    TRY(collect_secrets_of_dockerfile(&context));
    TRY(build_context_find_lines(&context.build));
    if (has_written(&context))
        TRY(build_context_write(&context.build));
    if (outputs_plain_format(&options->outputs) == &report_json)
        write_json(&context, &out);
    else
        write_text(&context, &out);
    if (options->policy.exit_code && count_remaining(&context))
        *exit_code = options->policy.exit_code;
    return command_write(options, &out);
}

const struct command command_context = {
    .name = "context",
    .flag = FOR_CONTEXT,
    .arguments = "[DIR]",
    .summary = "what a build would send, and the secrets in it",
    .text = "Says of a build's context how much of it would be sent to the builder, after its "
            "Dockerfile.dockerignore or .dockerignore, which secrets are among it, and which lines "
            "would leave them out, or what else to do. --write adds those lines.",
    .example = "plimsoll context . --exit-code 1",
    .run = run,
};
