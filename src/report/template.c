/*
 * A template of the user's own (base/mustache.h), filled with the JSON report and the counts that a
 * template cannot make. Its file's ending says how values are escaped.
 */
#include "base/json_read.h"
#include "base/mustache.h"
#include "report/escapes.h"
#include "report/parts.h"
#include "report/reports.h"
#include "report/sentences.h"

struct ending {
    const char *ending;
    mustache_escape *escape;
};

static const struct ending endings[] = {
    {".html", xml_add_safe}, {".htm", xml_add_safe},          {".xml", xml_add_safe},
    {".svg", xml_add_safe},  {".md", markdown_add},           {".markdown", markdown_add},
    {".csv", csv_add},       {".json", json_add_quoted_text},
};

/* By the ending; one that only says that it is a template stands behind it. */
static mustache_escape *escape_for(slice path)
{
    const slice wrappers[] = {SLICE(".mustache"), SLICE(".tmpl"), SLICE(".tpl")};
    for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++)
        if (slice_ends(path, wrappers[i]))
            path.len -= wrappers[i].len;
    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++)
        if (slice_ends(path, slice_from_text(endings[i].ending)))
            return endings[i].escape;
    return NULL;
}

static void add_counts(const struct report *report, json_t *root)
{
    struct report_counts counts = report_count(report);
    size_t secrets;
    report_secrets(report, false, &secrets);
    json_t *object = json_object();
    for (int i = 0; i < SEVERITY_COUNT; i++)
        json_object_set_new(object, severity_small((enum severity)i),
                            json_integer((json_int_t)counts.by_severity[i]));
    json_object_set_new(object, "findings", json_integer((json_int_t)counts.all));
    json_object_set_new(object, "fixable", json_integer((json_int_t)counts.fixable));
    json_object_set_new(object, "exploited", json_integer((json_int_t)counts.exploited));
    json_object_set_new(object, "suppressed", json_integer((json_int_t)counts.suppressed));
    json_object_set_new(object, "secrets", json_integer((json_int_t)secrets));
    json_object_set_new(object, "components",
                        json_integer((json_int_t)report->inventory->components.count));
    json_object_set_new(root, "counts", object);
    json_object_set_new(root, "started", json_string(report->started));
    json_object_set_new(root, "version", json_string(report->version));
}

static struct error *fill(const struct report *report, const struct report_options *options,
                          struct buffer *out)
{
    CLEANUP_BUFFER struct buffer text = {0};
    CLEANUP_JSON json_t *root = NULL;
    struct mustache mustache;
    TRY(mustache_parse(&mustache, report->arena, report->template_text, report->template_path));
    report_json.write(report, options, &text);
    TRY(json_read_with(&root, buffer_slice(&text), "the report", JSON_ALLOW_NUL));
    add_counts(report, root);
    return mustache_render(&mustache, root, escape_for(slice_from_text(report->template_path)),
                           out);
}

static void write_template(const struct report *report, const struct report_options *options,
                           struct buffer *out)
{
    struct error *error = fill(report, options, out);
    if (options->failure)
        *options->failure = error;
    else
        error_free(error);
}

const struct report_format report_template = {
    .name = "template",
    .help = "a Mustache template of your own (--template FILE)",
    .needs_template = true,
    .write = write_template,
};
