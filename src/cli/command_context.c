#include "cli/dockerignore.h"
#include "cli/scan.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/progress.h"
#include "base/text.h"
#include "report/reports.h"
#include "source/source.h"

#include <fcntl.h>
#include <ftw.h>

struct context {
    const struct options *options;
    struct arena *arena;
    const char *folder;
    struct dockerignore ignore;
    slice ignore_text;
    struct inventory inventory;
    uint64_t files, bytes, left_out, bytes_left_out;
    struct list lines; /* of slice: what .dockerignore should say */
};

/* nftw has no context of its own. */
static struct context *counting;

static int count_file(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)where;
    if (kind != FTW_F && kind != FTW_SL && kind != FTW_SLN)
        return 0;
    slice below = slice_from(slice_from_text(path), strlen(counting->folder) + 1);
    bool out = dockerignore_leaves_out(&counting->ignore, below);
    *(out ? &counting->left_out : &counting->files) += 1;
    *(out ? &counting->bytes_left_out : &counting->bytes) += (uint64_t)info->st_size;
    return 0;
}

static struct error *read_ignore(struct context *context)
{
    const char *path = arena_format(context->arena, "%s/.dockerignore", context->folder).ptr;
    if (access(path, F_OK) == 0)
        TRY(file_read_whole(context->arena, AT_FDCWD, path, LIMIT_SECRET_CONFIG_BYTES,
                            &context->ignore_text));
    dockerignore_read(&context->ignore, context->ignore_text, context->arena);
    counting = context;
    if (nftw(context->folder, count_file, 16, FTW_PHYS) != 0)
        return error_errno("cannot go through %s", context->folder);
    return NULL;
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

static struct error *find_secrets(struct context *context)
{
    struct secrets secrets;
    struct image *image;
    struct layer_outcome outcome = {0};
    bool from_cache = false;
    TRY(source_open_plain(&image, context->arena, context->folder));
    secrets_start(&secrets, context->options, NULL, context->arena);
    struct layer_reading reading = {.options = context->options,
                                    .arena = context->arena,
                                    .image = image,
                                    .secrets = &secrets,
                                    .deadline_ms = scan_deadline(context->options),
                                    .known_redirects = SIZE_MAX,
                                    .outcomes = &outcome,
                                    .from_cache = &from_cache};
    read_layers(&reading);
    struct error *error = complain(&outcome);
    if (!error && secrets.failure)
        error = error_make(secrets.failure->kind, "%s", secrets.failure->message);
    inventory_add_secrets(&context->inventory, context->arena, image, &outcome, NULL,
                          &secrets.rules);
    inventory_part_secrets(&context->inventory, context->arena);
    image_close(image);
    secrets_close(&secrets);
    return error;
}

static bool would_be_sent(const struct context *context, const struct image_secret *found)
{
    return found->suppressed_reason.len == 0 &&
           !dockerignore_leaves_out(&context->ignore, found->secret->file);
}

/* The line that leaves the file out: of git's folder the whole of it. */
static void add_line(struct context *context, slice file)
{
    const slice *lines = context->lines.items;
    slice line = slice_starts(file, SLICE(".git/")) ? SLICE(".git") : file;
    for (size_t i = 0; i < context->lines.count; i++)
        if (slice_equal(lines[i], line))
            return;
    *(slice *)list_add(&context->lines, context->arena, sizeof(slice)) = line;
}

static size_t collect_lines(struct context *context)
{
    const struct image_secret *secrets = context->inventory.secrets.items;
    size_t count = 0;
    for (size_t i = 0; i < context->inventory.secrets.count; i++)
        if (would_be_sent(context, &secrets[i])) {
            add_line(context, secrets[i].secret->file);
            count++;
        }
    return count;
}

static void write_json(const struct context *context, struct buffer *out)
{
    const struct image_secret *secrets = context->inventory.secrets.items;
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_field_number(&json, "files", (int64_t)context->files);
    json_field_number(&json, "bytes", (int64_t)context->bytes);
    json_field_number(&json, "files_left_out", (int64_t)context->left_out);
    json_field_number(&json, "bytes_left_out", (int64_t)context->bytes_left_out);
    json_put_key(&json, "secrets");
    json_begin_array(&json);
    for (size_t i = 0; i < context->inventory.secrets.count; i++) {
        if (!would_be_sent(context, &secrets[i]))
            continue;
        json_begin_object(&json);
        json_field(&json, "rule", secrets[i].secret->rule);
        json_field(&json, "severity", slice_from_text(severity_names[secrets[i].severity]));
        json_field(&json, "title", secrets[i].title);
        json_field(&json, "path", secrets[i].secret->path);
        json_field_number(&json, "line", (int64_t)secrets[i].secret->line);
        json_field(&json, "match", secrets[i].secret->match);
        json_field(&json, "fingerprint", secrets[i].secret->fingerprint);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_field_strings(&json, "dockerignore", context->lines.items, context->lines.count);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

static void write_text(const struct context *context, struct buffer *out)
{
    const struct image_secret *secrets = context->inventory.secrets.items;
    const slice *lines = context->lines.items;
    buffer_format(out, "%s: %llu files, %.*s, would be sent to a builder; ", context->folder,
                  (unsigned long long)context->files,
                  SLICE_ARG(text_size(context->arena, context->bytes)));
    buffer_format(out, ".dockerignore leaves out %llu, %.*s.\n",
                  (unsigned long long)context->left_out,
                  SLICE_ARG(text_size(context->arena, context->bytes_left_out)));
    for (size_t i = 0; i < context->inventory.secrets.count; i++) {
        if (!would_be_sent(context, &secrets[i]))
            continue;
        buffer_format(out, "  %-8s  ", severity_names[secrets[i].severity]);
        text_add_safe(out, secrets[i].secret->path);
        buffer_format(out, ":%llu  %.*s  %.*s\n", (unsigned long long)secrets[i].secret->line,
                      SLICE_ARG(secrets[i].title), SLICE_ARG(secrets[i].secret->match));
    }
    if (context->lines.count == 0) {
        buffer_text(out, "No secret is among them.\n");
        return;
    }
    buffer_text(out, "Lines for .dockerignore (--write adds them):\n");
    for (size_t i = 0; i < context->lines.count; i++) {
        buffer_text(out, "  ");
        text_add_safe(out, lines[i]);
        buffer_add_byte(out, '\n');
    }
}

/* Adds the lines at the end, where nothing after them takes them back. */
static struct error *write_ignore(const struct context *context)
{
    CLEANUP_BUFFER struct buffer text = {0};
    const slice *lines = context->lines.items;
    const char *path = arena_format(context->arena, "%s/.dockerignore", context->folder).ptr;
    buffer_add(&text, context->ignore_text);
    if (text.len && text.bytes[text.len - 1] != '\n')
        buffer_add_byte(&text, '\n');
    buffer_text(&text, "# secrets (plimsoll context)\n");
    for (size_t i = 0; i < context->lines.count; i++) {
        for (size_t j = 0; j < lines[i].len; j++) { /* what a pattern would read otherwise */
            if (strchr("*?[\\", lines[i].ptr[j]))
                buffer_add_byte(&text, '\\');
            buffer_add_byte(&text, lines[i].ptr[j]);
        }
        buffer_add_byte(&text, '\n');
    }
    return file_replace(path, buffer_slice(&text));
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    CLEANUP_BUFFER struct buffer out = {0};
    struct context context = {.options = options, .arena = arena};
    if (options->word_count > 1)
        return error_make(ERROR_USAGE, "one folder at a time");
    context.folder = options->word_count ? options->words[0] : ".";
    slice folder = slice_from_text(context.folder);
    while (folder.len > 1 && slice_ends(folder, SLICE("/")))
        folder.len--;
    context.folder = arena_text(arena, folder);
    TRY(read_ignore(&context));
    TRY(find_secrets(&context));
    size_t count = collect_lines(&context);
    if (options->write && count)
        TRY(write_ignore(&context));
    if (outputs_plain_format(&options->outputs) == &report_json)
        write_json(&context, &out);
    else
        write_text(&context, &out);
    if (count && options->policy.exit_code && !options->write)
        *exit_code = options->policy.exit_code;
    return command_write(options, &out);
}

const struct command command_context = {
    .name = "context",
    .flag = FOR_CONTEXT,
    .arguments = "[DIR]",
    .summary = "what a build would send, and the secrets in it",
    .text = "Says of a build's context how much of it would be sent to the builder, after its "
            ".dockerignore, which secrets are among it, and which lines would leave them out. "
            "--write adds those.",
    .example = "plimsoll context . --exit-code 1",
    .run = run,
};
