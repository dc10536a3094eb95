/* plimsoll: says of a container image what a ship's Plimsoll line says of a ship. */
#include "cli/command.h"
#include "cli/peer_options.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/text.h"
#include "version_number.h"

#include <signal.h>

const struct command *const command_table[] = {
    &command_image,      &command_rootfs,       &command_db_import,    &command_db_update,
    &command_db_status,  &command_db_export,    &command_cache_status, &command_cache_clear,
    &command_secret,     &command_context,      &command_rules_list,   &command_rules_test,
    &command_sbom_scan,  &command_sbom_convert, &command_sbom_merge,   &command_sbom_validate,
    &command_sbom_score, &command_sbom,         &command_compare,
};
const size_t command_count = sizeof(command_table) / sizeof(command_table[0]);

struct error *command_write(const struct options *options, const struct buffer *out)
{
    return output_put(options->output, out);
}

static int print(const struct buffer *text, FILE *stream)
{
    if (fwrite(text->bytes, 1, text->len, stream) == text->len && fflush(stream) == 0)
        return EXIT_CLEAN;
    fputs("plimsoll: cannot write the output\n", stderr);
    return EXIT_UNTRUSTED;
}

/* "db import" takes two words; *used says how many arguments the name takes. */
static const struct command *find_command(int count, char **arguments, int *used)
{
    for (size_t i = 0; i < command_count; i++) {
        slice name = slice_from_text(command_table[i]->name), first, second;
        *used = 1;
        if (!slice_split(name, ' ', &first, &second)) {
            if (slice_equal(name, slice_from_text(arguments[0])))
                return command_table[i];
            continue;
        }
        *used = 2;
        if (count > 1 && slice_equal(first, slice_from_text(arguments[0])) &&
            slice_equal(second, slice_from_text(arguments[1])))
            return command_table[i];
    }
    return NULL;
}

static int fail(struct error *error)
{
    CLEANUP_ARENA struct arena arena = {0};
    progress_clear();
    slice safe = text_safe(&arena, slice_from_text(error->message));
    fprintf(stderr, "plimsoll: %.*s\n", SLICE_ARG(safe));
    int code = error->kind == ERROR_USAGE ? EXIT_USAGE : EXIT_UNTRUSTED;
    error_free(error);
    return code;
}

static int run_command(const struct command *command, int count, char **arguments)
{
    CLEANUP_ARENA struct arena arena = {0};
    struct options options;
    struct error *error = options_parse(&options, &arena, command->flag, count, arguments);
    if (error)
        return fail(error_wrap(error, "plimsoll %s", command->name));
    if (options.help) {
        CLEANUP_BUFFER struct buffer text = {0};
        help_command(command, &text);
        return print(&text, stdout);
    }
    int code = EXIT_CLEAN;
    progress_setup(options.quiet, options.verbose);
    const slice *remarks = options.remarks.items;
    for (size_t i = 0; i < options.remarks.count; i++)
        remark("%.*s", SLICE_ARG(remarks[i]));
    if (command->flag & FOR_SCAN)
        peer_variables_remark(&arena);
    error = command->run(&options, &arena, &code);
    progress_clear();
    return error ? fail(error) : code;
}

/* What is said without a command: help, the version, and what the build asks for. */
static bool run_word(int count, char **arguments, int *code)
{
    CLEANUP_BUFFER struct buffer text = {0};
    *code = EXIT_CLEAN;
    if (count == 0 || strcmp(arguments[0], "--help") == 0 || strcmp(arguments[0], "-h") == 0 ||
        strcmp(arguments[0], "help") == 0)
        help_general(&text);
    else if (strcmp(arguments[0], "--version") == 0 || strcmp(arguments[0], "version") == 0)
        buffer_text(&text, "plimsoll " PLIMSOLL_VERSION "\n");
    else if (count != 2 || strcmp(arguments[0], "generate") != 0 ||
             !help_generate(arguments[1], &text))
        return false;
    *code = print(&text, count ? stdout : stderr);
    if (count == 0)
        *code = EXIT_USAGE;
    return true;
}

/* The names of the commands of two words that begin with `group`, with commas; empty: none do. */
static void list_group(slice group, struct buffer *names)
{
    slice first, second;
    for (size_t i = 0; i < command_count; i++)
        if (slice_split(slice_from_text(command_table[i]->name), ' ', &first, &second) &&
            slice_equal(first, group))
            buffer_format(names, "%s%s", names->len ? ", " : "", command_table[i]->name);
}

/* `db` or `cache` without one of its commands. */
static int run_group(const char *group, slice names, const char *word)
{
    CLEANUP_BUFFER struct buffer text = {0};
    if (word && strcmp(word, "--help") != 0 && strcmp(word, "-h") != 0)
        return fail(error_make(ERROR_USAGE, "there is no command \"%s %s\"; there is %.*s", group,
                               word, SLICE_ARG(names)));
    help_general(&text);
    int code = print(&text, word ? stdout : stderr);
    return word ? code : EXIT_USAGE;
}

int main(int count, char **arguments)
{
    int used, code;
    /* A reader that goes away, or a worker that dies, shows as an error of the write. */
    signal(SIGPIPE, SIG_IGN);
    interrupt_setup();
    count--;
    arguments++;
    if (run_word(count, arguments, &code))
        return code;
    const struct command *command = find_command(count, arguments, &used);
    if (command)
        return run_command(command, count - used, arguments + used);
    CLEANUP_BUFFER struct buffer group = {0};
    list_group(slice_from_text(arguments[0]), &group);
    if (group.len)
        return run_group(arguments[0], buffer_slice(&group), count > 1 ? arguments[1] : NULL);
    /* `plimsoll IMAGE` means `plimsoll image IMAGE`. */
    code = run_command(&command_image, count, arguments);
    if (code == EXIT_UNTRUSTED && strcspn(arguments[0], "/:.@-") == strlen(arguments[0]))
        remark(
            "\"%s\" was taken for an image, since it is no command; `plimsoll --help` lists those",
            arguments[0]);
    return code;
}
