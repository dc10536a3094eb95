#include "cli/comparisons.h"

bool comparison_is_format(slice text)
{
    slice name = text, rest;
    slice_split(text, '=', &name, &rest);
    return compare_format_named(name) != NULL;
}

static void add(struct comparison_outputs *outputs, const struct compare_format *format,
                const char *path)
{
    outputs->items[outputs->count++] = (struct comparison_output){{format->name, path}, format};
}

struct error *comparison_add(struct comparison_outputs *outputs, slice text)
{
    slice name = text, path = SLICE_EMPTY;
    bool split = slice_split(text, '=', &name, &path);
    const struct compare_format *format = compare_format_named(name);
    if (!format)
        return error_make(ERROR_USAGE,
                          "\"%.*s\" is no format of a comparison; there is table, json, markdown "
                          "and html",
                          SLICE_ARG(name));
    if (outputs->count == COMPARISON_OUTPUTS)
        return error_make(ERROR_USAGE, "at most %d formats at once", COMPARISON_OUTPUTS);
    if (split && path.len == 0)
        return error_make(ERROR_USAGE, "\"%.*s\" names no file", SLICE_ARG(text));
    add(outputs, format, path.len ? path.ptr : NULL);
    return NULL;
}

struct error *comparison_finish(struct comparison_outputs *outputs, const char *path)
{
    struct destination *all[COMPARISON_OUTPUTS];
    if (outputs->count == 0)
        add(outputs, compare_formats[0], NULL);
    for (size_t i = 0; i < outputs->count; i++)
        all[i] = &outputs->items[i].to;
    return destinations_finish(all, outputs->count, path);
}

struct error *comparison_write(const struct comparison_outputs *outputs,
                               const struct comparison *comparison)
{
    struct error *first = NULL;
    for (size_t i = 0; i < outputs->count; i++) {
        const struct comparison_output *output = &outputs->items[i];
        CLEANUP_BUFFER struct buffer text = {0};
        struct report_options look = {0};
        if (!output->to.path)
            look = outputs_terminal();
        output->format->write(comparison, &look, &text);
        struct error *error = output_put(output->to.path, &text);
        error = error_wrap(error, "cannot write the comparison (%s)", output->to.name);
        first = error_first(first, error);
    }
    return first;
}
