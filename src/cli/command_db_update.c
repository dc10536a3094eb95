#include "cli/command.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/text.h"
#include "store/update.h"

static void show_progress(void *context, const char *what, uint64_t done, uint64_t total)
{
    (void)context;
    progress_show(what, done, total);
}

/* --- what, and from where --------------------------------------------------------------------- */

static struct error *unknown_word(const char *word, struct arena *arena)
{
    return error_make(ERROR_USAGE,
                      "\"%s\" is no feed that is published; there is %.*s. Of a distribution, one "
                      "release can be named: Debian:12",
                      word, SLICE_ARG(publication_names(arena)));
}

static bool is_listed(const struct list *publications, slice name)
{
    const struct publication *known = publications->items;
    for (size_t i = 0; i < publications->count; i++)
        if (slice_equal(known[i].name, name))
            return true;
    return false;
}

static struct error *list_publications(const struct options *options, struct arena *arena,
                                       struct list *publications)
{
    if (options->word_count == 0)
        *publications = publications_by_default(arena);
    for (size_t i = 0; i < options->word_count; i++) {
        struct publication publication;
        if (!publication_named(slice_from_text(options->words[i]), arena, &publication))
            return unknown_word(options->words[i], arena);
        if (!is_listed(publications, publication.name))
            *(struct publication *)list_add(publications, arena, sizeof(publication)) = publication;
    }
    return NULL;
}

static struct error *list_bases(const struct options *options, struct arena *arena,
                                struct list *bases)
{
    for (size_t i = 0; i < options->db_source_count; i++) {
        slice rest = slice_from_text(options->db_sources[i]), part;
        while (slice_pull(&rest, ',', &part)) {
            struct feed_base base;
            TRY(feed_base_parse(slice_trim(part), options->insecure, arena, &base));
            *(struct feed_base *)list_add(bases, arena, sizeof(base)) = base;
        }
    }
    return NULL;
}

/* --- what became of it ------------------------------------------------------------------------ */

static void print_failure(const struct updated_feed *feed)
{
    CLEANUP_BUFFER struct buffer why = {0};
    text_add_safe(&why, feed->why); /* names of entries of a zip may be in it */
    fprintf(stderr, "plimsoll: %.*s is not updated: %.*s. What the store held of it stays.\n",
            SLICE_ARG(feed->name), SLICE_ARG(buffer_slice(&why)));
}

static void print_feed(const struct updated_feed *feed)
{
    static const char *const meanings[] = {
        [UPDATE_ABSENT] = "neither in the mirror nor in the store",
        [UPDATE_UNCHANGED] = "nothing new",
        [UPDATE_IMPORTED] = "updated",
    };
    slice address = feed->source.about.address;
    printf("%.*s: %s", SLICE_ARG(feed->name), meanings[feed->outcome]);
    if (feed->outcome > UPDATE_ABSENT)
        printf(" (%.*s)", SLICE_ARG(address));
    putchar('\n');
}

/* What became of each; true when all is well. */
static bool print_result(const struct update_result *result, bool quiet)
{
    bool well = true;
    for (size_t i = 0; i < result->feed_count; i++) {
        bool failed = result->feeds[i].outcome == UPDATE_FAILED;
        well = well && !failed;
        if (failed)
            print_failure(&result->feeds[i]);
        else if (!quiet)
            print_feed(&result->feeds[i]);
    }
    if (result->imported.skipped)
        remark("%llu entries could not be read and were left out; the first: %.*s",
               (unsigned long long)result->imported.skipped,
               SLICE_ARG(result->imported.skipped_why));
    return well;
}

static struct error *run(const struct options *options, struct arena *arena, int *exit_code)
{
    const char *path;
    struct list publications = {0}, bases = {0};
    struct update_result result;
    struct update_options update = {
        .http = {.ca_file = options->ca_cert,
                 .client_certificate = options->client_cert,
                 .client_key = options->client_key,
                 .insecure = options->insecure},
        .import = {.progress = show_progress},
    };
    TRY(list_publications(options, arena, &publications));
    TRY(list_bases(options, arena, &bases));
    update.publications = publications.items;
    update.publication_count = publications.count;
    update.named = options->word_count > 0;
    update.bases = bases.items;
    update.base_count = bases.count;
    if (options->timeout_ms)
        update.http.deadline_ms = clock_milliseconds() + options->timeout_ms;
    interrupt_after(options->timeout_ms);
    TRY(store_place_to_write(options, arena, &path, &update.import.begin_with));
    TRY(error_wrap(store_update(path, &update, arena, &result),
                   "cannot update; the store is as it was"));
    progress_clear();
    *exit_code = print_result(&result, options->quiet) ? EXIT_CLEAN : EXIT_UNTRUSTED;
    return NULL;
}

const struct command command_db_update = {
    .name = "db update",
    .flag = FOR_DB_UPDATE,
    .arguments = "[ECOSYSTEM…]",
    .summary = "fetch what has changed from OSV, FIRST and CISA",
    .text = "Fetches the feeds that have changed since the last time, by default those that images "
            "are judged by: Debian, Ubuntu, PyPI, epss, kev. Names pick others, as npm or "
            "\"Rocky Linux\". --db-source takes them from a mirror or a folder with the same "
            "layout; of several, the next is asked when one does not answer. What cannot be "
            "fetched stays as it is in the store, and the exit code is 3.",
    .example = "plimsoll db update",
    .run = run,
};
