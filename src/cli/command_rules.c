#include "cli/command.h"
#include "base/json_write.h"
#include "report/reports.h"
#include "secret/rule_set.h"
#include "secret/shape.h"

static void add_examples(struct json_writer *json, const char *key, const char *const *shapes,
                         struct arena *arena)
{
    json_put_key(json, key);
    json_begin_array(json);
    for (; shapes && *shapes; shapes++) {
        CLEANUP_BUFFER struct buffer text = {0};
        slice shape = slice_from_text(*shapes);
        CLEANUP_ERROR struct error *error = shape_expand(shape, slice_hash(shape), &text);
        if (!error)
            json_put_string(json, arena_copy(arena, buffer_slice(&text)));
    }
    json_end_array(json);
}

static void write_json(const struct secret_rules *set, struct arena *arena, struct buffer *out)
{
    struct json_writer json = {.out = out};
    json_begin_object(&json);
    json_put_key(&json, "rules");
    json_begin_array(&json);
    for (size_t i = 0; i < set->count; i++) {
        const struct secret_rule *rule = set->rules[i];
        json_begin_object(&json);
        json_field(&json, "id", slice_from_text(rule->id));
        json_field(&json, "title", slice_from_text(rule->title));
        json_field(&json, "severity", slice_from_text(severity_names[rule->severity]));
        json_field_bool(&json, "in_binary_files", rule->bytes);
        json_field_or_null(&json, "path", slice_from_text(rule->path ? rule->path : ""));
        json_field_or_null(&json, "example_file", slice_from_text(rule->file ? rule->file : ""));
        json_field_or_null(&json, "revoke", slice_from_text(rule->revoke));
        json_field_or_null(&json, "advice", slice_from_text(rule->advice));
        add_examples(&json, "good", rule->good, arena);
        add_examples(&json, "bad", rule->bad, arena);
        add_examples(&json, "other", rule->other, arena);
        json_end_object(&json);
    }
    json_end_array(&json);
    json_end_object(&json);
    buffer_add_byte(out, '\n');
}

static void write_text(const struct secret_rules *set, struct buffer *out)
{
    for (size_t i = 0; i < set->count; i++)
        buffer_format(out, "%-9s %-40s %s\n", severity_names[set->rules[i]->severity],
                      set->rules[i]->id, set->rules[i]->title);
    buffer_format(out, "%zu rules\n", set->count);
}

static struct error *list(const struct options *options, struct arena *arena, int *exit_code)
{
    CLEANUP_BUFFER struct buffer out = {0};
    struct secret_rules set;
    (void)exit_code;
    if (options->word_count)
        return error_make(ERROR_USAGE, "rules list takes no arguments");
    secret_rules_list(&set, NULL, arena);
    if (outputs_plain_format(&options->outputs) == &report_json)
        write_json(&set, arena, &out);
    else
        write_text(&set, &out);
    return command_write(options, &out);
}

static struct error *test(const struct options *options, struct arena *arena, int *exit_code)
{
    CLEANUP_BUFFER struct buffer out = {0};
    struct secret_rules set;
    size_t tried, failed;
    if (options->word_count)
        return error_make(ERROR_USAGE, "rules test takes no arguments");
    secret_rules_list(&set, NULL, arena);
    TRY(secret_rules_open(&set, arena, NULL));
    struct error *error = secret_rules_test(&set, &out, &tried, &failed);
    buffer_format(&out, "%zu rules, %zu examples, %zu wrong\n", set.count, tried, failed);
    secret_rules_close(&set);
    if (error)
        return error;
    *exit_code = failed ? EXIT_GATE : EXIT_CLEAN;
    return command_write(options, &out);
}

const struct command command_rules_list = {
    .name = "rules list",
    .flag = FOR_RULES_LIST,
    .arguments = "",
    .summary = "list the rules for secrets",
    .text =
        "Lists what plimsoll looks for in files, environment and history: for each kind of "
        "secret its id, severity and name. With -f json also in which files, where only in some, "
        "where it is revoked, and examples made anew, which are no secrets.",
    .example = "plimsoll rules list",
    .run = list,
};

const struct command command_rules_test = {
    .name = "rules test",
    .flag = FOR_RULES_TEST,
    .arguments = "",
    .summary = "run the rules' own examples",
    .text = "Makes the examples that each rule brings with it, and looks whether the good ones are "
            "found and the bad ones are not. Ends with 1 when one is not as it should be.",
    .example = "plimsoll rules test",
    .run = test,
};
