#include "policy/ignore_file.h"
#include "base/buffer.h"
#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>

const struct ignore_form *const ignore_forms[] = {
    &ignore_own,
    &ignore_trivy,
    &ignore_trivy_yaml,
    &ignore_grype,
};
const size_t ignore_form_count = sizeof(ignore_forms) / sizeof(ignore_forms[0]);

static bool is_among(slice text, const char *const *words)
{
    for (; words && *words; words++)
        if (slice_equal(text, slice_from_text(*words)))
            return true;
    return false;
}

/* A section of one of the forms at the beginning of a line: then it is YAML, whatever its name. */
static bool has_section(slice text, const char *const *sections)
{
    slice line, key, rest = text;
    while (rest.len && slice_pull_line(&rest, &line))
        if (slice_split(line, ':', &key, &line) && is_among(key, sections))
            return true;
    return false;
}

static bool is_yaml(slice name, slice text)
{
    if (slice_ends(name, SLICE(".yaml")) || slice_ends(name, SLICE(".yml")))
        return true;
    for (size_t i = 0; i < ignore_form_count; i++)
        if (has_section(text, ignore_forms[i]->sections))
            return true;
    return false;
}

/* Grype's and our own list have one name: they are told apart by what only Grype's entries hold. */
static bool has_grype_keys(slice text)
{
    static const char *const keys[] = {"vulnerability:", "fix-state:",  "include-aliases:",
                                       "vex-status:",    "match-type:", "namespace:"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (slice_contains(text, slice_from_text(keys[i])))
            return true;
    slice line, key, value, rest = text;
    while (rest.len && slice_pull_line(&rest, &line)) /* "package:" with keys of its own */
        if (slice_split(line, ':', &key, &value) && slice_ends(key, SLICE("package")) &&
            (slice_trim(value).len == 0 || slice_starts(slice_trim(value), SLICE("{"))))
            return true;
    return false;
}

static const struct ignore_form *form_of(slice name, slice text)
{
    if (!is_yaml(name, text))
        return &ignore_trivy;
    for (size_t i = 0; i < ignore_form_count; i++)
        if (ignore_forms[i]->sections &&
            slice_contains(name, slice_from_text(ignore_forms[i]->word)))
            return ignore_forms[i];
    if (has_section(text, ignore_trivy_yaml.sections))
        return &ignore_trivy_yaml;
    return has_grype_keys(text) ? &ignore_grype : &ignore_own;
}

struct error *ignore_file_parse(struct exceptions *exceptions, const char *path, slice text,
                                struct arena *arena)
{
    struct ignore_reading reading = {exceptions, path, arena};
    if (slice_starts(slice_trim(text), SLICE("{")) && slice_contains(text, SLICE("\"statements\"")))
        return error_make(ERROR_INPUT, "%s is a VEX document; give it with --vex", path);
    return form_of(slice_basename(slice_from_text(path)), text)->read(&reading, text);
}

/* Whatever can be read: /dev/null is an empty one, and a shell's <(…) is a pipe. */
static struct error *read_all(const char *path, struct buffer *text)
{
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_errno("cannot open %s", path);
    return file_read_stream(fd, path, LIMIT_IGNORE_BYTES, text);
}

struct error *ignore_file_read(struct exceptions *exceptions, const char *path, struct arena *arena)
{
    CLEANUP_BUFFER struct buffer text = {0};
    TRY(error_wrap(read_all(path, &text), "the ignore file"));
    *(const char **)list_add(&exceptions->files, arena, sizeof(char *)) = path;
    return error_wrap(
        ignore_file_parse(exceptions, path, arena_copy(arena, buffer_slice(&text)), arena),
        "the ignore file");
}

/* What is there and cannot be opened is to be told. */
static bool is_there(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

struct error *ignore_files_find(struct exceptions *exceptions, struct arena *arena)
{
    for (size_t i = 0; i < ignore_form_count; i++)
        for (const char *const *name = ignore_forms[i]->files; *name; name++)
            if (is_there(*name))
                TRY(ignore_file_read(exceptions, *name, arena));
    return NULL;
}
