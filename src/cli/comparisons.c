#include "cli/comparisons.h"
#include "base/file.h"
#include "cli/outputs.h"

bool comparison_is_format(slice text)
{
    slice name = text, rest;
    slice_split(text, '=', &name, &rest);
    return compare_format_named(name) != NULL;
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
    outputs->items[outputs->count++] =
        (struct comparison_output){format, path.len ? path.ptr : NULL};
    return NULL;
}

struct error *comparison_finish(struct comparison_outputs *outputs, const char *path)
{
    struct comparison_output *plain = NULL;
    if (outputs->count == 0)
        outputs->items[outputs->count++].format = compare_formats[0];
    for (size_t i = 0; i < outputs->count; i++) {
        struct comparison_output *output = &outputs->items[i];
        if (output->path)
            continue;
        if (plain)
            return error_make(ERROR_USAGE,
                              "%s and %s would both be written to the same place; say where one "
                              "of them goes: --format %s=FILE",
                              plain->format->name, output->format->name, output->format->name);
        plain = output;
    }
    if (path && !plain)
        return error_make(ERROR_USAGE, "every format has a file already, so --output %s gets none",
                          path);
    if (plain)
        plain->path = path;
    return NULL;
}

struct error *comparison_write(const struct comparison_outputs *outputs,
                               const struct comparison *comparison)
{
    struct error *first = NULL;
    for (size_t i = 0; i < outputs->count; i++) {
        const struct comparison_output *output = &outputs->items[i];
        CLEANUP_BUFFER struct buffer text = {0};
        struct report_options look = {0};
        if (!output->path)
            look = outputs_terminal();
        output->format->write(comparison, &look, &text);
        struct error *error = output->path ? file_replace(output->path, buffer_slice(&text))
                                           : file_write_all(STDOUT_FILENO, buffer_slice(&text));
        error = error_wrap(error, "cannot write the comparison (%s)", output->format->name);
        if (first)
            error_free(error);
        else
            first = error;
    }
    return first;
}
