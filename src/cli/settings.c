#include "cli/settings.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/yaml_read.h"

#include <fcntl.h>
#include <sys/stat.h>

#define USUAL_NAME "plimsoll.yaml"

struct reading {
    struct yaml_file yaml;
    struct options *options;
    struct arena *arena;
    unsigned command;
    bool named;
    struct buffer keys; /* that were applied, for the remark */
};

/* Options of which each item of a list is a value by itself; of all others it is one with commas.
 */
static bool adds_up(const struct option *option)
{
    static const char *const names[] = {"format", "vex", "ignorefile"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(option->name, names[i]) == 0)
            return true;
    return false;
}

/* What somebody else's file must not decide. */
static bool only_if_named(const struct option *option)
{
    static const char *const names[] = {"output",
                                        "file",
                                        "db",
                                        "db-source",
                                        "cache-dir",
                                        "ca-cert",
                                        "cacert",
                                        "client-cert",
                                        "client-key",
                                        "insecure",
                                        "username",
                                        "password",
                                        "registry-token",
                                        "registry-mirror",
                                        "containerd-address",
                                        "docker-host",
                                        "podman-host",
                                        "no-verify",
                                        "quiet",
                                        "plan",
                                        "sbom-sources",
                                        "write"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(option->name, names[i]) == 0)
            return true;
    return false;
}

/* The option of that name: the command's own where several commands have one. */
static const struct option *option_of(const struct reading *reading, slice key)
{
    const struct option *option, *found = NULL;
    for (size_t i = 0; (option = option_numbered(i)) != NULL; i++)
        if (slice_equal(key, slice_from_text(option->name)) && option->letter != 'h' &&
            strcmp(option->name, "config") != 0 &&
            (!found || (option->commands & reading->command)))
            found = option;
    return found;
}

static struct error *apply_text(struct reading *reading, const yaml_node_t *node,
                                const struct option *option, slice text)
{
    slice from =
        arena_format(reading->arena, "%s, line %zu", reading->yaml.name, yaml_file_line(node));
    if (slice_find(text, '\0') != SIZE_MAX)
        return yaml_file_wrong(&reading->yaml, node, "%s holds a NUL byte", option->name);
    if (!reading->named && strcmp(option->name, "format") == 0 && slice_find(text, '=') != SIZE_MAX)
        return yaml_file_wrong(&reading->yaml, node,
                               "that a report is written to a file is only taken from a file that "
                               "--config names");
    if (!option->argument)
        from = arena_format(reading->arena, "%.*s: %s", SLICE_ARG(from), option->name);
    return option_apply_text(reading->options, option, from, arena_text(reading->arena, text));
}

static struct error *apply_list(struct reading *reading, const yaml_node_t *list,
                                const struct option *option)
{
    CLEANUP_BUFFER struct buffer joined = {0};
    const yaml_node_t *item;
    for (size_t i = 0; (item = yaml_file_item(&reading->yaml, list, i)) != NULL; i++) {
        slice text;
        if (!yaml_file_text(&reading->yaml, item, &text))
            return yaml_file_wrong(&reading->yaml, item, "an item of %s must be text",
                                   option->name);
        if (adds_up(option)) {
            TRY(apply_text(reading, item, option, text));
            continue;
        }
        buffer_text(&joined, joined.len ? "," : "");
        buffer_add(&joined, text);
    }
    return apply_text(reading, list, option, buffer_slice(&joined));
}

static struct error *apply_pair(struct reading *reading, slice key, const yaml_node_t *value)
{
    const struct option *option = option_of(reading, key);
    slice text, safe = text_safe(reading->arena, key);
    if (!option)
        return yaml_file_wrong(&reading->yaml, value,
                               "there is no option \"%.*s\"; `plimsoll image --help` lists those "
                               "there are",
                               SLICE_ARG(safe));
    if (!reading->named && only_if_named(option))
        return yaml_file_wrong(&reading->yaml, value,
                               "%s is only taken from a file that --config or PLIMSOLL_CONFIG "
                               "names, since this one may be somebody else's",
                               option->name);
    if (!(option->commands & reading->command))
        return NULL;
    buffer_format(&reading->keys, "%s%s", reading->keys.len ? ", " : "", option->name);
    if (value->type == YAML_SEQUENCE_NODE && option->argument)
        return apply_list(reading, value, option);
    if (!yaml_file_text(&reading->yaml, value, &text))
        return yaml_file_wrong(&reading->yaml, value, "%s must be %s", option->name,
                               option->argument ? "text or a list of texts" : "true or false");
    return apply_text(reading, value, option, text);
}

static struct error *apply_pairs(struct reading *reading)
{
    const yaml_node_t *root = yaml_file_root(&reading->yaml);
    yaml_node_t *value;
    slice key;
    if (root && root->type != YAML_MAPPING_NODE &&
        !(yaml_file_text(&reading->yaml, root, &key) && key.len == 0))
        return yaml_file_wrong(&reading->yaml, root,
                               "options stand here as \"severity: HIGH\", one a line");
    for (size_t i = 0; yaml_file_pair(&reading->yaml, root, i, &key, &value); i++)
        TRY(apply_pair(reading, key, value));
    return NULL;
}

static void remark_file(struct reading *reading)
{
    char folder[4096];
    bool here = reading->yaml.name[0] != '/' && getcwd(folder, sizeof(folder));
    if (reading->keys.len == 0)
        return;
    slice text =
        arena_format(reading->arena, "options were read from %s%s%s: %.*s", here ? folder : "",
                     here ? "/" : "", reading->yaml.name, SLICE_ARG(buffer_slice(&reading->keys)));
    *(slice *)list_add(&reading->options->remarks, reading->arena, sizeof(slice)) =
        text_safe(reading->arena, text);
}

/* The one in the working directory, when it is a file. */
static bool is_there(void)
{
    struct stat info;
    return stat(USUAL_NAME, &info) == 0 && S_ISREG(info.st_mode);
}

struct error *settings_apply(struct options *options, struct arena *arena, unsigned command,
                             const char *named)
{
    struct reading reading = {
        .options = options, .arena = arena, .command = command, .named = named != NULL};
    const char *name = named ? named : USUAL_NAME;
    slice text;
    if (named ? strcmp(named, "/dev/null") == 0 : !is_there())
        return NULL;
    struct error *error = file_read_whole(arena, AT_FDCWD, name, LIMIT_SETTINGS_BYTES, &text);
    if (!error)
        error = yaml_file_read(&reading.yaml, text, name, arena);
    if (!error)
        error = apply_pairs(&reading);
    yaml_file_close(&reading.yaml);
    if (error)
        error->kind = ERROR_USAGE;
    else
        remark_file(&reading);
    buffer_free(&reading.keys);
    return error;
}
