/* --help, the man page and the completions, all from the two tables. */
#include "cli/command.h"
#include "secret/rule_set.h"
#include "version_number.h"

#define INTRODUCTION                                                                               \
    "A ship's Plimsoll line says at a glance whether it may leave port. plimsoll says it of a "    \
    "container image: what is inside, what is wrong with it, who put it there."

static const struct {
    int code;
    const char *meaning;
} exit_codes[] = {
    {EXIT_CLEAN, "clean by the policy, or no gate was asked for"},
    {EXIT_GATE, "the gate found what it was told to stop (or the N of --exit-code)"},
    {EXIT_USAGE, "wrong usage"},
    {EXIT_UNTRUSTED, "could not scan, or could not trust the result: never a pass"},
};

static void add_wrapped(struct buffer *out, const char *text, size_t indent)
{
    slice rest = slice_from_text(text), word;
    size_t column = 0;
    while (slice_pull(&rest, ' ', &word)) {
        if (column && column + 1 + word.len > 80) {
            buffer_add_byte(out, '\n');
            column = 0;
        }
        if (column == 0) {
            buffer_format(out, "%*s", (int)indent, "");
            column = indent;
        } else {
            buffer_add_byte(out, ' ');
            column++;
        }
        buffer_add(out, word);
        column += word.len;
    }
    buffer_add_byte(out, '\n');
}

static void add_option(struct buffer *out, const struct option *option)
{
    CLEANUP_BUFFER struct buffer name = {0};
    if (option->letter)
        buffer_format(&name, "-%c, ", option->letter);
    else
        buffer_text(&name, "    ");
    buffer_format(&name, "--%s%s%s", option->name, option->argument ? " " : "",
                  option->argument ? option->argument : "");
    buffer_format(out, "  %-26.*s  %s\n", (int)name.len, name.bytes, option->help);
}

void help_command(const struct command *command, struct buffer *out)
{
    buffer_format(out, "Usage: plimsoll %s%s%s [options]\n\n", command->name,
                  *command->arguments ? " " : "", command->arguments);
    add_wrapped(out, command->text, 0);
    buffer_text(out, "\nOptions:\n");
    for (size_t i = 0; i < option_count; i++)
        if ((option_table[i].commands & command->flag) && *option_table[i].help)
            add_option(out, &option_table[i]);
    buffer_text(out, "\nEach option can come from the environment: --fail-on from "
                     "PLIMSOLL_FAIL_ON.\n\nExample:\n");
    buffer_format(out, "  %s\n", command->example);
}

void help_general(struct buffer *out)
{
    add_wrapped(out, INTRODUCTION, 0);
    buffer_text(out, "\nUsage: plimsoll COMMAND [options]\n\nCommands:\n");
    for (size_t i = 0; i < command_count; i++)
        buffer_format(out, "  %-16s  %s\n", command_table[i]->name, command_table[i]->summary);
    buffer_text(out, "\n`plimsoll COMMAND --help` says more of each; `plimsoll --version` its "
                     "version.\n\nExit codes:\n");
    for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++)
        buffer_format(out, "  %d  %s\n", exit_codes[i].code, exit_codes[i].meaning);
    buffer_format(out, "\nExample:\n  %s\n", command_image.example);
}

/* Text for troff: a hyphen that is to be typed, and a line that must not begin with a dot. */
static void add_troff(struct buffer *out, const char *text)
{
    if (*text == '.' || *text == '\'')
        buffer_text(out, "\\&");
    for (; *text; text++) {
        if (*text == '-')
            buffer_text(out, "\\-");
        else if (*text == '\\')
            buffer_text(out, "\\e");
        else
            buffer_add_byte(out, *text);
    }
}

static void add_man_option(struct buffer *out, const struct option *option)
{
    CLEANUP_ARENA struct arena arena = {0};
    buffer_text(out, ".TP\n\\fB");
    if (option->letter)
        buffer_format(out, "\\-%c\\fR, \\fB", option->letter);
    buffer_text(out, "\\-\\-");
    add_troff(out, option->name);
    buffer_text(out, "\\fR");
    if (option->argument)
        buffer_format(out, " \\fI%s\\fR", option->argument);
    buffer_add_byte(out, '\n');
    add_troff(out, option->help);
    buffer_format(out, " (%.*s)", SLICE_ARG(option_environment(&arena, option)));
    const char *before = "\n.br\nFor: ";
    for (size_t i = 0; i < command_count; i++) {
        if (!(command_table[i]->flag & option->commands))
            continue;
        buffer_format(out, "%s%s", before, command_table[i]->name);
        before = ", ";
    }
    buffer_text(out, ".\n");
}

static void write_man(struct buffer *out)
{
    buffer_text(out, ".\\\" Made from the option table: plimsoll generate man\n"
                     ".TH PLIMSOLL 1 \"\" \"plimsoll " PLIMSOLL_VERSION "\"\n.SH NAME\n"
                     "plimsoll \\- container image security scanner\n.SH SYNOPSIS\n");
    for (size_t i = 0; i < command_count; i++) {
        buffer_format(out, ".B plimsoll %s\n", command_table[i]->name);
        buffer_format(out, "[\\fIoptions\\fR] %s\n.br\n", command_table[i]->arguments);
    }
    buffer_text(out, ".SH DESCRIPTION\n" INTRODUCTION "\n.SH COMMANDS\n");
    for (size_t i = 0; i < command_count; i++) {
        buffer_format(out, ".SS %s\n", command_table[i]->name);
        add_troff(out, command_table[i]->text);
        buffer_text(out, "\n.PP\n.EX\n");
        add_troff(out, command_table[i]->example);
        buffer_text(out, "\n.EE\n");
    }
    buffer_text(out, ".SH OPTIONS\nEach can also come from the environment, under the name in "
                     "parentheses; the command line goes first.\n");
    for (size_t i = 0; i < option_count; i++)
        if (*option_table[i].help)
            add_man_option(out, &option_table[i]);
    buffer_text(out, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < sizeof(exit_codes) / sizeof(exit_codes[0]); i++)
        buffer_format(out, ".TP\n.B %d\n%s\n", exit_codes[i].code, exit_codes[i].meaning);
    buffer_text(out, ".SH FILES\n.TP\n~/.local/share/plimsoll/store.db\nThe advisory store, once "
                     "\\fBdb import\\fR has made it; before, the starter store that comes with "
                     "plimsoll is used.\n.TP\n~/.cache/plimsoll\nWhat was found in layers, so that "
                     "none is read twice.\n");
}

static void write_bash(struct buffer *out)
{
    buffer_text(out, "# bash completion, made from the option table: plimsoll generate bash\n"
                     "_plimsoll()\n{\n    local current=${COMP_WORDS[COMP_CWORD]}"
                     " previous=${COMP_WORDS[COMP_CWORD-1]}\n    case $previous in\n");
    for (size_t i = 0; i < option_count; i++)
        if (option_table[i].values && *option_table[i].values)
            buffer_format(out,
                          "    --%s) COMPREPLY=($(compgen -W '%s' -- \"$current\")); return ;;\n",
                          option_table[i].name, option_table[i].values);
    buffer_text(out,
                "    esac\n    if [[ $current == -* ]]; then\n        COMPREPLY=($(compgen -W '");
    for (size_t i = 0; i < option_count; i++)
        if (*option_table[i].help)
            buffer_format(out, "--%s ", option_table[i].name);
    buffer_text(
        out,
        "' -- \"$current\"))\n    elif (( COMP_CWORD == 1 )); then\n"
        "        COMPREPLY=($(compgen -W 'image rootfs compare db cache help version' -- "
        "\"$current\") "
        "$(compgen -f -- \"$current\"))\n    elif [[ $previous == db ]]; then\n"
        "        COMPREPLY=($(compgen -W 'update import status export-facts' -- \"$current\"))\n"
        "    elif [[ $previous == cache ]]; then\n"
        "        COMPREPLY=($(compgen -W 'status clear' -- \"$current\"))\n"
        "    else\n        COMPREPLY=($(compgen -f -- \"$current\"))\n    fi\n}\n"
        "complete -o filenames -F _plimsoll plimsoll\n");
}

static void write_zsh(struct buffer *out)
{
    buffer_text(out, "#compdef plimsoll\n# made from the option table: plimsoll generate zsh\n"
                     "_arguments \\\n");
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &option_table[i];
        if (!*option->help)
            continue;
        buffer_format(out, "    '--%s[%s]%s%s%s' \\\n", option->name, option->help,
                      option->argument ? ":" : "", option->argument ? option->argument : "",
                      option->argument && !option->values ? ":_files" : "");
    }
    buffer_text(out,
                "    '1:command:(image rootfs compare db cache help version)' '*:file:_files'\n");
}

static void write_fish(struct buffer *out)
{
    buffer_text(out, "# fish completion, made from the option table: plimsoll generate fish\n"
                     "complete -c plimsoll -n __fish_use_subcommand -a 'image rootfs compare db "
                     "cache help version'\n"
                     "complete -c plimsoll -n '__fish_seen_subcommand_from db' -a 'update import "
                     "status export-facts'\n"
                     "complete -c plimsoll -n '__fish_seen_subcommand_from cache' -a 'status "
                     "clear'\n");
    for (size_t i = 0; i < option_count; i++) {
        const struct option *option = &option_table[i];
        if (!*option->help)
            continue;
        buffer_format(out, "complete -c plimsoll -l %s", option->name);
        if (option->letter)
            buffer_format(out, " -s %c", option->letter);
        if (option->argument)
            buffer_text(out, " -r");
        if (option->values && *option->values)
            buffer_format(out, " -x -a '%s'", option->values);
        buffer_format(out, " -d '%s'\n", option->help);
    }
}

static void write_secrets(struct buffer *out)
{
    CLEANUP_ERROR struct error *error = secret_rules_build(out);
    if (error) /* then scans compile them, or say why they cannot */
        out->len = 0;
}

bool help_generate(const char *what, struct buffer *out)
{
    static const struct {
        const char *name;
        void (*write)(struct buffer *out);
    } kinds[] = {{"man", write_man},
                 {"bash", write_bash},
                 {"zsh", write_zsh},
                 {"fish", write_fish},
                 {"secrets", write_secrets}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(what, kinds[i].name) == 0) {
            kinds[i].write(out);
            return true;
        }
    return false;
}
