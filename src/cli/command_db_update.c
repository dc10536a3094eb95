#include "cli/command.h"
#include "base/interrupt.h"
#include "base/limits.h"
#include "base/progress.h"
#include "store/update.h"

static void show_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
    (void)context;
    progress_show(what, done, total);
}

static struct error *unknown_word(const char *word)
{
    CLEANUP_BUFFER struct buffer names = {0};
    for (size_t i = 0; i < publisher_count; i++)
        buffer_format(&names, "%s%s", i ? ", " : "", publishers[i].word);
    return error_make(ERROR_USAGE, "nobody publishes \"%s\" that is known here; there is %.*s",
                      word, SLICE_ARG(buffer_slice(&names)));
}

/* Those that are named, else the standard ones. */
static struct error *choose(const struct options *options, struct arena *arena,
                            struct update_options *update)
{
    const struct publisher **wanted =
        arena_array(arena, publisher_count + options->word_count, sizeof(*wanted));
    size_t count = 0;
    for (size_t i = 0; i < options->word_count; i++) {
        wanted[count] = publisher_named(slice_from_text(options->words[i]));
        if (!wanted[count++])
            return unknown_word(options->words[i]);
    }
    for (size_t i = 0; i < publisher_count && options->word_count == 0; i++)
        if (publishers[i].standard)
            wanted[count++] = &publishers[i];
    update->wanted = wanted;
    update->wanted_count = count;
    return NULL;
}

/* What became of each; the exit code says whether one of them failed. */
static void print_lines(const struct update_line *lines, size_t count, bool quiet, int *exit_code)
{
    for (size_t i = 0; i < count; i++) {
        const struct update_line *line = &lines[i];
        if (line->state == UPDATE_FAILED) {
            *exit_code = EXIT_UNTRUSTED;
            fprintf(stderr, "plimsoll: %s is not updated: %.*s. What the store held of it stays.\n",
                    line->publisher->word, SLICE_ARG(line->message));
        } else if (!quiet) {
            printf("%s: %s (%.*s)\n", line->publisher->word,
                   line->state == UPDATE_DONE ? "updated" : "nothing new", SLICE_ARG(line->from));
        }
    }
}

static bool any_is_new(const struct update_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (lines[i].state == UPDATE_DONE)
            return true;
    return false;
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    const char *path = options->db ? options->db : store_place_of_user(arena);
    bool made = false;
    struct update_line *lines;
    struct update_options update = {.http = {.ca_file = options->ca_cert,
                                             .client_certificate = options->client_cert,
                                             .client_key = options->client_key,
                                             .insecure = options->insecure,
                                             .retries = LIMIT_HTTP_RETRIES},
                                    .insecure = options->insecure,
                                    .sources = options->db_source,
                                    .progress = show_progress};
    if (!path)
        return error_make(ERROR_USAGE, "there is no home folder to keep the store in: name a file "
                                       "with --db FILE");
    TRY(choose(options, arena, &update));
    if (options->timeout_ms)
        update.http.deadline_ms = http_now_ms() + options->timeout_ms;
    interrupt_after(options->timeout_ms);
    if (!options->db)
        TRY(store_place_prepare(path, arena, &made));
    struct error *error = store_update(path, &update, arena, &lines);
    if (made && (error || !any_is_new(lines, update.wanted_count)))
        unlink(path); /* the starter itself does as well, and is renewed with the program */
    TRY(error);
    progress_clear();
    *exit_code = EXIT_CLEAN;
    print_lines(lines, update.wanted_count, options->quiet, exit_code);
    return NULL;
}

const struct command command_db_update = {
    .name = "db update",
    .flag = FOR_DB_UPDATE,
    .arguments = "[ECOSYSTEM…]",
    .summary = "fetch what publishers of advisories have into the store",
    .text =
        "Fetches OSV's advisories (by default of the ecosystems that images hold: Debian, Ubuntu, "
        "PyPI), EPSS scores and CISA's list of exploited vulnerabilities over HTTPS, only what "
        "changed since last time, and puts it into the store. A feed that cannot be fetched, or "
        "is not what it should be, leaves what the store held of it, and the command ends "
        "with 3. --db-source names a mirror, which may be a folder.",
    .example = "plimsoll db update PyPI Debian epss kev",
    .run = run,
};
