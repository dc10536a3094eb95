#include "cli/outputs.h"
#include "base/file.h"
#include "base/progress.h"
#include "base/limits.h"
#include "base/mustache.h"

#include <fcntl.h>

#include <sys/ioctl.h>
#include <sys/stat.h>

static struct error *no_format(slice name)
{
    CLEANUP_BUFFER struct buffer names = {0};
    for (size_t i = 0; i < report_format_count; i++)
        buffer_format(&names, "%s%s", i ? ", " : "", report_formats[i]->name);
    return error_make(ERROR_USAGE, "\"%.*s\" is no format; there is %.*s", SLICE_ARG(name),
                      SLICE_ARG(buffer_slice(&names)));
}

bool output_is_format(slice text)
{
    slice name = text, rest;
    slice_split(text, '=', &name, &rest);
    slice_split(name, '@', &name, &rest);
    return report_format_named(name) != NULL;
}

static void add_output(struct outputs *outputs, const struct report_format *format, slice version,
                       const char *path)
{
    outputs->items[outputs->count++] = (struct output){{format->name, path}, format, version};
}

struct error *output_add(struct outputs *outputs, slice text)
{
    slice name = text, path = SLICE_EMPTY, version = SLICE_EMPTY;
    slice_split(text, '=', &name, &path);
    slice_split(name, '@', &name, &version);
    const struct report_format *format = report_format_named(name);
    if (!format)
        return no_format(name);
    if (version.len && !format->versions)
        return error_make(ERROR_USAGE, "%s has no versions to choose from", format->name);
    if (version.len && !report_format_has_version(format, version))
        return error_make(ERROR_USAGE, "%s is not written as version \"%.*s\"; there is %s",
                          format->name, SLICE_ARG(version), format->versions);
    if (outputs->count == OUTPUTS)
        return error_make(ERROR_USAGE, "at most %d formats at once", OUTPUTS);
    if (slice_find(text, '=') != SIZE_MAX && path.len == 0)
        return error_make(ERROR_USAGE, "\"%.*s\" names no file", SLICE_ARG(text));
    add_output(outputs, format, version, path.len ? path.ptr : NULL);
    return NULL;
}

/* What is written last would be all that is left. */
static struct error *check_paths(struct destination *const *all, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            const char *a = all[i]->path, *b = all[j]->path;
            if (a && b && strcmp(a, b) == 0 && strncmp(a, "/dev/", 5) != 0)
                return error_make(ERROR_USAGE, "%s and %s would both be written to %s",
                                  all[j]->name, all[i]->name, a);
        }
    return NULL;
}

struct error *destinations_finish(struct destination *const *all, size_t count, const char *path)
{
    struct destination *plain = NULL;
    for (size_t i = 0; i < count; i++) {
        if (all[i]->path)
            continue;
        if (plain)
            return error_make(ERROR_USAGE,
                              "%s and %s would both be written to %s; say where one of them goes: "
                              "--format %s=FILE",
                              plain->name, all[i]->name, path ? path : "the same place",
                              all[i]->name);
        plain = all[i];
    }
    if (path && !plain)
        return error_make(ERROR_USAGE, "every format has a file already, so --output %s gets none",
                          path);
    if (plain)
        plain->path = path;
    return check_paths(all, count);
}

struct error *output_put(const char *path, const struct buffer *text)
{
    return path ? file_replace(path, buffer_slice(text))
                : file_write_all(STDOUT_FILENO, buffer_slice(text));
}

struct error *outputs_finish(struct outputs *outputs, const char *path)
{
    struct destination *all[OUTPUTS];
    if (outputs->count == 0)
        add_output(outputs, report_formats[0], SLICE_EMPTY, NULL);
    for (size_t i = 0; i < outputs->count; i++)
        all[i] = &outputs->items[i].to;
    return destinations_finish(all, outputs->count, path);
}

struct error *outputs_read_template(struct outputs *outputs, struct arena *arena, const char *path)
{
    bool needed = false;
    struct mustache mustache;
    for (size_t i = 0; i < outputs->count; i++)
        needed = needed || outputs->items[i].format->needs_template;
    if (!needed)
        return NULL;
    if (!path)
        return error_make(ERROR_USAGE, "--format template needs --template FILE");
    path += path[0] == '@';
    struct error *error =
        file_read_whole(arena, AT_FDCWD, path, LIMIT_TEMPLATE_BYTES, &outputs->template_text);
    if (!error)
        error = mustache_parse(&mustache, arena, outputs->template_text, path);
    if (error)
        error->kind = ERROR_USAGE;
    outputs->template_path = path;
    return error_wrap(error, "--template");
}

const struct report_format *outputs_plain_format(const struct outputs *outputs)
{
    return outputs->count ? outputs->items[0].format : report_formats[0];
}

bool outputs_show(const struct outputs *outputs, const struct report_format *format)
{
    for (size_t i = 0; i < outputs->count; i++)
        if (outputs->items[i].format == format && !outputs->items[i].to.path)
            return true;
    return false;
}

bool outputs_are_sboms(const struct outputs *outputs)
{
    bool all = outputs->count > 0;
    for (size_t i = 0; i < outputs->count; i++)
        all = all && outputs->items[i].format->is_sbom;
    return all;
}

bool outputs_want_prose(const struct outputs *outputs)
{
    bool any = false;
    for (size_t i = 0; i < outputs->count; i++)
        any = any || outputs->items[i].format->wants_prose;
    return any;
}

struct report_options outputs_terminal(void)
{
    struct report_options look = {0};
    struct winsize window;
    if (!isatty(STDOUT_FILENO))
        return look;
    const char *no_color = getenv("NO_COLOR"), *terminal = getenv("TERM");
    look.color = !(no_color && *no_color) && !(terminal && strcmp(terminal, "dumb") == 0);
    look.width =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col >= 40 ? window.ws_col : 80;
    return look;
}

/* What an earlier scan has left at that place would be taken for this one's. */
static struct error *say_nothing(const struct output *output)
{
    remark("there is nothing to state as %s, so none is written", output->to.name);
    struct stat status;
    bool is_file =
        output->to.path && lstat(output->to.path, &status) == 0 && S_ISREG(status.st_mode);
    if (is_file && unlink(output->to.path) != 0)
        return error_errno("%s: cannot remove what an earlier scan wrote", output->to.path);
    return NULL;
}

struct error *outputs_write(const struct outputs *outputs, const struct report *report)
{
    struct error *first = NULL;
    for (size_t i = 0; i < outputs->count; i++) {
        const struct output *output = &outputs->items[i];
        CLEANUP_BUFFER struct buffer text = {0};
        struct report_options look = {0};
        if (!output->to.path)
            look = outputs_terminal();
        struct error *error = NULL;
        look.version = output->version;
        look.failure = &error;
        output->format->write(report, &look, &text);
        if (!error && text.len == 0)
            error = say_nothing(output);
        else if (!error)
            error = output_put(output->to.path, &text);
        error = error_wrap(error, "cannot write the report (%s)", output->to.name);
        first = error_first(first, error);
    }
    return first;
}
