#include "cli/command.h"
#include "base/json_write.h"
#include "base/text.h"
#include "report/reports.h"
#include "store/store.h"

static void write_json(const struct store_status *status, const char *path, struct buffer *out)
{
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_field(&json, "path", slice_from_text(path));
    json_field_or_null(&json, "built", status->built);
    json_field_bool(&json, "starter", status->starter);
    json_put_key(&json, "feeds");
    json_begin_array(&json);
    for (size_t i = 0; i < status->feed_count; i++) {
        json_begin_object(&json);
        json_field(&json, "ecosystem", status->feeds[i].ecosystem);
        json_field_number(&json, "entries", (int64_t)status->feeds[i].entries);
        json_field_or_null(&json, "source", status->feeds[i].source);
        json_field_or_null(&json, "newest", status->feeds[i].newest);
        json_field_or_null(&json, "imported", status->feeds[i].imported);
        json_field_or_null(&json, "checked", status->feeds[i].checked);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

static void write_text(const struct store_status *status, const char *path, struct buffer *out)
{
    buffer_format(out, "%s: %s, made %.*s\n\n%-18s %9s  %-10s  %-10s  %-10s  %s\n", path,
                  status->starter ? "the starter store" : "store",
                  SLICE_ARG(slice_first(status->built, 10)), "ECOSYSTEM", "ENTRIES", "NEWEST",
                  "IMPORTED", "CHECKED", "FROM");
    for (size_t i = 0; i < status->feed_count; i++) {
        const struct store_feed *feed = &status->feeds[i];
        buffer_format(out, "%-18.*s %9llu  %-10.*s  %-10.*s  %-10.*s  ", SLICE_ARG(feed->ecosystem),
                      (unsigned long long)feed->entries, SLICE_ARG(slice_first(feed->newest, 10)),
                      SLICE_ARG(slice_first(feed->imported, 10)),
                      SLICE_ARG(slice_first(feed->checked, 10)));
        text_add_safe(out, feed->source);
        buffer_add_byte(out, '\n');
    }
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    struct store *store;
    struct store_status status;
    CLEANUP_BUFFER struct buffer out = {0};
    const char *path = store_place(options, arena);
    if (options->word_count)
        return error_make(ERROR_USAGE, "db status takes no arguments");
    if (!path)
        return error_make(ERROR_INPUT, "there is no advisory store: `plimsoll db update` "
                                       "makes one");
    TRY(store_open(&store, path));
    struct error *error = store_status(store, arena, &status);
    store_close(store);
    TRY(error);
    if (outputs_plain_format(&options->outputs) == &report_json)
        write_json(&status, path, &out);
    else
        write_text(&status, path, &out);
    *exit_code = EXIT_CLEAN;
    return command_write(options, &out);
}

const struct command command_db_status = {
    .name = "db status",
    .flag = FOR_DB_STATUS,
    .arguments = "",
    .summary = "what the store holds, from where, how old",
    .text = "Lists the feeds in the store: how many entries, the newest date in each, when it was "
            "imported and from which file, and when `db update` last found it to be the newest.",
    .example = "plimsoll db status -f json",
    .run = run,
};
