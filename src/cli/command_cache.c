#include "cli/command.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/text.h"
#include "layer/cache.h"
#include "report/reports.h"

#include <time.h>

const char *cache_place(const struct options *options, struct arena *arena)
{
    return options->cache_dir ? options->cache_dir : layer_cache_place(arena);
}

/* As RFC 3339 has it; empty for an empty cache. */
static slice moment(struct arena *arena, int64_t seconds)
{
    char text[32];
    struct tm parts;
    time_t value = (time_t)seconds;
    if (seconds == 0 || !gmtime_r(&value, &parts))
        return SLICE_EMPTY;
    return arena_copy(arena,
                      slice_make(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

static void write_json(const struct layer_cache_status *status, const char *path, slice oldest,
                       struct buffer *out)
{
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_field(&json, "path", slice_from_text(path));
    json_field_number(&json, "records", (int64_t)status->records);
    json_field_number(&json, "bytes", (int64_t)status->bytes);
    json_field_number(&json, "leftovers", (int64_t)status->leftovers);
    json_field_or_null(&json, "oldest", oldest);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

static void add_records(struct buffer *out, const struct layer_cache_status *status,
                        struct arena *arena)
{
    buffer_format(out, "%zu record%s", status->records, status->records == 1 ? "" : "s");
    if (status->records)
        buffer_format(out, ", %.*s", SLICE_ARG(text_size(arena, status->bytes)));
}

static void write_text(const struct layer_cache_status *status, const char *path, slice oldest,
                       struct arena *arena, struct buffer *out)
{
    text_add_safe(out, slice_from_text(path));
    buffer_text(out, ": ");
    add_records(out, status, arena);
    if (oldest.len)
        buffer_format(out, ", the least recently used of %.*s", SLICE_ARG(slice_first(oldest, 10)));
    buffer_add_byte(out, '\n');
    if (status->leftovers)
        buffer_format(out,
                      "%zu unfinished file%s of processes that were killed; the next scan that "
                      "stores a record removes what they left\n",
                      status->leftovers, status->leftovers == 1 ? "" : "s");
}

static struct error *find_place(const struct options *options, struct arena *arena,
                                const char *command, const char **path)
{
    *path = cache_place(options, arena);
    if (options->word_count)
        return error_make(ERROR_USAGE, "%s takes no arguments", command);
    if (!*path)
        return error_make(ERROR_USAGE, "there is no home folder that could hold the cache: name a "
                                       "folder with --cache-dir FOLDER");
    return NULL;
}

static struct error *run_status(const struct options *options, struct arena *arena, int *exit_code)
{
    struct layer_cache_status status;
    CLEANUP_BUFFER struct buffer out = {0};
    const char *path;
    TRY(find_place(options, arena, "cache status", &path));
    TRY(layer_cache_status(path, &status));
    slice oldest = moment(arena, status.oldest);
    if (outputs_plain_format(&options->outputs) == &report_json)
        write_json(&status, path, oldest, &out);
    else
        write_text(&status, path, oldest, arena, &out);
    *exit_code = EXIT_CLEAN;
    return command_write(options, &out);
}

static struct error *run_clear(const struct options *options, struct arena *arena, int *exit_code)
{
    struct layer_cache_status removed;
    CLEANUP_BUFFER struct buffer out = {0};
    const char *path;
    TRY(find_place(options, arena, "cache clear", &path));
    TRY(layer_cache_clear(path, &removed));
    *exit_code = EXIT_CLEAN;
    if (options->quiet)
        return NULL;
    text_add_safe(&out, slice_from_text(path));
    buffer_text(&out, ": removed ");
    add_records(&out, &removed, arena);
    buffer_add_byte(&out, '\n');
    return file_write_all(STDOUT_FILENO, buffer_slice(&out));
}

const struct command command_cache_status = {
    .name = "cache status",
    .flag = FOR_CACHE_STATUS,
    .arguments = "",
    .summary = "how many layers the cache remembers, and how large it is",
    .text = "What was found in a layer is kept, so that the layer is not read again in the next "
            "image that has it. This says where, of how many layers, and how much room it takes.",
    .example = "plimsoll cache status -f json",
    .run = run_status,
};

const struct command command_cache_clear = {
    .name = "cache clear",
    .flag = FOR_CACHE_CLEAR,
    .arguments = "",
    .summary = "forget what was found in layers",
    .text = "Removes all records of layers from the cache. No more than time is lost: layers are "
            "read again when they are next seen. Scans that run meanwhile are not disturbed.",
    .example = "plimsoll cache clear",
    .run = run_clear,
};
