#include "cli/options.h"
#include "base/limits.h"
#include "cli/peer_options.h"
#include "cli/sbom_file.h"
#include "cli/settings.h"

slice option_environment(struct arena *arena, const struct option *option)
{
    slice name = arena_format(arena, "PLIMSOLL_%s", option->name);
    char *text = arena_text(arena, name);
    for (char *c = text; *c; c++)
        *c = *c == '-' ? '_' : (char)(*c >= 'a' && *c <= 'z' ? *c - ('a' - 'A') : *c);
    return slice_make(text, name.len);
}

/* A switch from a file or the environment: on or off. */
static struct error *apply_switch(struct options *options, const struct option *option, slice from,
                                  const char *value)
{
    static const char *const yes[] = {"1", "true", "yes", "on"};
    static const char *const no[] = {"0", "false", "no", "off"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++)
        if (slice_equal_nocase(slice_from_text(value), slice_from_text(yes[i])))
            return option->apply(options, "");
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
        if (slice_equal_nocase(slice_from_text(value), slice_from_text(no[i])))
            return option->apply(options, NULL);
    return error_make(ERROR_USAGE, "%.*s is \"%s\"; it can be true or false", SLICE_ARG(from),
                      value);
}

struct error *option_apply_text(struct options *options, const struct option *option, slice from,
                                const char *value)
{
    if (!*value)
        return NULL;
    if (!option->argument)
        return apply_switch(options, option, from, value);
    return error_wrap(option->apply(options, value), "from %.*s", SLICE_ARG(from));
}

static struct error *apply_environment(struct options *options, struct arena *arena,
                                       unsigned command)
{
    const struct option *option;
    for (size_t i = 0; (option = option_numbered(i)) != NULL; i++) {
        slice variable = option_environment(arena, option);
        const char *value = getenv(variable.ptr);
        if (value && (option->commands & command) && option->letter != 'h')
            TRY(option_apply_text(options, option, variable, value));
    }
    return NULL;
}

static const struct option *find_option(slice name, char letter, unsigned command)
{
    const struct option *option;
    for (size_t i = 0; (option = option_numbered(i)) != NULL; i++) {
        if ((option->commands & command) &&
            (letter ? option->letter == letter : slice_equal(name, slice_from_text(option->name))))
            return option;
    }
    return NULL;
}

struct parser {
    struct options *options;
    struct arena *arena;
    unsigned command;
    int count, at;
    char **arguments;
};

static struct error *take_value(struct parser *parser, const struct option *option,
                                const char *attached)
{
    const char *value = attached;
    if (!value && parser->at + 1 < parser->count)
        value = parser->arguments[++parser->at];
    if (!value)
        return error_make(ERROR_USAGE, "--%s needs a value: --%s %s", option->name, option->name,
                          option->argument);
    return option->apply(parser->options, value);
}

/* A flag of another scanner that is no option here. */
static struct error *take_peer_flag(struct parser *parser, slice name, const char *attached)
{
    const struct peer_flag *flag = parser->command & FOR_SCAN ? peer_flag_named(name) : NULL;
    const char *value = attached;
    if (!flag)
        return error_make(ERROR_USAGE,
                          "there is no option --%.*s here; --help lists those there are",
                          SLICE_ARG(name));
    if (flag->takes_value && !value && parser->at + 1 < parser->count)
        value = parser->arguments[++parser->at];
    if (flag->takes_value && !value)
        return error_make(ERROR_USAGE, "--%s needs a value", flag->name);
    return peer_flag_take(flag, value);
}

/* --name, --name=value, --name value */
static struct error *parse_long(struct parser *parser, const char *argument)
{
    slice name = slice_from_text(argument + 2), value;
    bool attached = slice_split(name, '=', &name, &value);
    const struct option *option = find_option(name, 0, parser->command);
    if (!option)
        return take_peer_flag(parser, name, attached ? value.ptr : NULL);
    if (option->argument)
        return take_value(parser, option, attached ? value.ptr : NULL);
    if (attached && slice_equal(value, SLICE("false")))
        return option->apply(parser->options, NULL);
    if (attached && !slice_equal(value, SLICE("true")))
        return error_make(ERROR_USAGE, "--%s is a switch and takes no value", option->name);
    return option->apply(parser->options, "");
}

/* A letter with a value: -f json, -fjson; for -f high and -s squashed see peer_letter. */
static struct error *take_letter(struct parser *parser, const struct option *option,
                                 const char *attached)
{
    const char *value =
        attached || parser->at + 1 >= parser->count ? attached : parser->arguments[parser->at + 1];
    const char *meant = value ? peer_letter(option->letter, slice_from_text(value)) : NULL;
    const struct option *other =
        meant ? find_option(slice_from_text(meant), 0, parser->command) : NULL;
    if (meant && !other && (parser->command & FOR_SCAN))
        return take_peer_flag(parser, slice_from_text(meant), attached);
    return take_value(parser, other ? other : option, attached);
}

/* -q, -qv, -f json, -fjson */
static struct error *parse_letters(struct parser *parser, const char *argument)
{
    for (const char *letter = argument + 1; *letter; letter++) {
        const struct option *option = find_option(SLICE_EMPTY, *letter, parser->command);
        if (!option)
            return error_make(ERROR_USAGE,
                              "there is no option -%c here; --help lists those there "
                              "are",
                              *letter);
        if (option->argument)
            return take_letter(parser, option, letter[1] ? letter + 1 : NULL);
        TRY(option->apply(parser->options, ""));
    }
    return NULL;
}

/* Options by which a scan can end otherwise than with 0. */
static bool is_gate(const struct options *options)
{
    return options->policy.exit_code || options->policy.has_fail_on ||
           options->policy.exit_on_eol || options->db_max_age;
}

/* What need not be looked for, and what cannot be. */
static struct error *finish_scanners(struct options *options, unsigned command)
{
    bool only_sboms = (command & FOR_SCAN) && outputs_are_sboms(&options->outputs);
    if (options->plan && is_gate(options))
        return error_make(ERROR_USAGE, "--plan says what would be read and judges nothing, so it "
                                       "goes with no gate");
    if (command & FOR_SBOM_OUT)
        options->scan_vulnerabilities = options->scan_secrets = false;
    if ((command & FOR_SBOM_SCAN) && options->scanners_given && !options->scan_vulnerabilities)
        return error_make(ERROR_USAGE, "--scanners: an SBOM tells nothing of secrets; there is "
                                       "vuln");
    if (only_sboms && options->scanners_given && options->scan_secrets)
        return error_make(ERROR_USAGE, "--scanners: SBOMs have no place for secrets; say where "
                                       "they go, as --format json=FILE");
    if (only_sboms && !options->scanners_given && !is_gate(options))
        options->scan_vulnerabilities = options->scan_secrets = false;
    return NULL;
}

static bool is_sbom_given(const struct options *options)
{
    return options->input ? sbom_file_is(options->input)
                          : options->word_count == 1 && sbom_file_is(options->words[0]);
}

/* Only scans are written in every format. */
static struct error *finish_outputs(struct options *options, struct arena *arena, unsigned command)
{
    const struct report_format *format = outputs_plain_format(&options->outputs);
    if (command & FOR_COMPARE)
        return comparison_finish(&options->comparisons, options->output);
    bool any = command & (FOR_REPORT | FOR_SBOM_OUT);
    /* An SBOM that is given is judged, and seen as an image is. */
    bool wants_sbom = (command & FOR_SBOM_OUT) || ((command & FOR_SBOM) && !is_sbom_given(options));
    if (wants_sbom && options->outputs.count == 0)
        TRY(output_add(&options->outputs, SLICE("cyclonedx")));
    if (!any && (options->outputs.count > 1 || !report_is_plain(format)))
        return error_make(ERROR_USAGE, "--format: here there is table and json, not %s",
                          format->name);
    TRY(outputs_finish(&options->outputs, options->output));
    TRY(outputs_read_template(&options->outputs, arena, options->template_file));
    if ((command & FOR_SBOM_OUT) && !outputs_are_sboms(&options->outputs))
        return error_make(ERROR_USAGE, "--format: SBOMs come as cyclonedx, cyclonedx-xml, spdx, "
                                       "spdx-tag-value or spdx3");
    if (!any && options->outputs.items[0].to.path)
        options->output = options->outputs.items[0].to.path;
    return finish_scanners(options, command);
}

/* What adds up begins anew in a place that goes before the last one. */
static void begin_place(struct options *options)
{
    options->severities_begun = options->db_sources_begun = options->outputs_begun = false;
    options->begun = 0;
    options->ignore_files.begun = options->vex.begun = false;
}

static struct error *parse_arguments(struct parser *parser)
{
    struct options *options = parser->options;
    struct list words = {0};
    bool only_words = false;
    const char *input = options->input;
    begin_place(options);
    for (parser->at = 0; parser->at < parser->count; parser->at++) {
        const char *argument = parser->arguments[parser->at];
        if (only_words || argument[0] != '-' || argument[1] == '\0')
            *(const char **)list_add(&words, parser->arena, sizeof(char *)) = argument;
        else if (strcmp(argument, "--") == 0)
            only_words = true;
        else
            TRY(argument[1] == '-' ? parse_long(parser, argument)
                                   : parse_letters(parser, argument));
    }
    if (words.count && options->input == input)
        options->input = NULL; /* an image on the command line goes before PLIMSOLL_INPUT */
    options->words = words.items;
    options->word_count = words.count;
    return NULL;
}

static void set_defaults(struct options *options)
{
    *options = (struct options){
        .cache_size = LIMIT_CACHE_BYTES, .scan_vulnerabilities = true, .scan_secrets = true};
    for (int i = 0; i < SEVERITY_COUNT; i++)
        options->policy.severities[i] = true;
}

struct error *options_parse(struct options *options, struct arena *arena, unsigned command,
                            int count, char **arguments)
{
    struct parser parser = {options, arena, command, count, 0, arguments};
    /* The first time is to know which file to read, which goes before all the others. */
    set_defaults(options);
    TRY(apply_environment(options, arena, command));
    TRY(parse_arguments(&parser));
    if (options->help)
        return NULL;
    const char *config = options->config;
    set_defaults(options);
    TRY(settings_apply(options, arena, command, config));
    begin_place(options);
    TRY(apply_environment(options, arena, command));
    TRY(parse_arguments(&parser));
    return finish_outputs(options, arena, command);
}
