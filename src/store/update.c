#include "store/update.h"
#include "base/limits.h"
#include "base/progress.h"
#include "store/file_lock.h"
#include "store/lookup.h"

#include <errno.h>
#include <sys/stat.h>

struct publisher_base {
    const struct publisher *publisher;
    struct feed_base base;
};

struct update {
    const char *store_path; /* what a link leads to */
    const struct update_options *options;
    struct arena *arena;
    struct store_status store;   /* what it holds … */
    struct list known;           /* … and where that was fetched: struct fetched_feed */
    struct list publishers;      /* struct publisher_base *, where no mirror is named */
    struct http_client *patient; /* waits as it is told to, and tries again */
    struct http_client *brisk;   /* there is another mirror to ask */
    struct updated_feed *feeds;
};

/* --- fetching --------------------------------------------------------------------------------- */

static struct feed_base *base_of_publisher(struct update *update, const struct publisher *publisher)
{
    struct publisher_base *const *known = update->publishers.items;
    for (size_t i = 0; i < update->publishers.count; i++)
        if (known[i]->publisher == publisher)
            return &known[i]->base;
    struct publisher_base *made = ARENA_NEW(update->arena, struct publisher_base);
    *made = (struct publisher_base){publisher, {.address = slice_from_text(publisher->address)}};
    *(struct publisher_base **)list_add(&update->publishers, update->arena, sizeof(made)) = made;
    return &made->base;
}

static struct error *fetch_from(struct update *update, const struct publication *publication,
                                struct feed_base *base, bool last, struct updated_feed *feed)
{
    bool missing;
    /* Who asked to be left alone is asked once for each other feed, and never again for that. */
    bool patient = last && !base->failing;
    struct download download = {
        .publication = publication,
        .base = base,
        .known = fetched_find(&update->known, publication->name),
        .client = patient ? update->patient : update->brisk,
        .once = !patient,
        .store_path = update->store_path,
        .progress = update->options->import.progress,
        .progress_context = update->options->import.progress_context,
    };
    struct error *error = download_feed(&download, update->arena, &feed->source, &missing);
    feed->missing += missing;
    return error;
}

static void add_reason(struct update *update, struct updated_feed *feed, const struct error *error)
{
    feed->outcome = UPDATE_FAILED;
    feed->why = arena_format(update->arena, "%.*s%s%s", SLICE_ARG(feed->why),
                             feed->why.len ? "; " : "", error->message);
    remark_detail("%.*s: %s", SLICE_ARG(feed->name), error->message);
}

static bool has_feed(const struct update *update, slice name)
{
    for (size_t i = 0; i < update->store.feed_count; i++) {
        slice ecosystem = update->store.feeds[i].ecosystem;
        if (slice_equal(ecosystem, name) ||
            slice_equal(slice_first(ecosystem, slice_find(ecosystem, ':')), name))
            return true;
    }
    return false;
}

/* From the first base that has it, of those that were not asked yet. */
static void fetch(struct update *update, size_t number)
{
    const struct publication *publication = &update->options->publications[number];
    struct updated_feed *feed = &update->feeds[number];
    bool own = update->options->base_count == 0;
    size_t count = own ? 1 : update->options->base_count;
    while (feed->asked < count) {
        struct feed_base *base = own ? base_of_publisher(update, publication->publisher)
                                     : &update->options->bases[feed->asked];
        bool last = ++feed->asked == count;
        CLEANUP_ERROR struct error *error = fetch_from(update, publication, base, last, feed);
        if (!error) {
            feed->source.name = publication->path;
            feed->outcome = feed->source.file < 0 ? UPDATE_UNCHANGED : UPDATE_IMPORTED;
            return;
        }
        add_reason(update, feed, error);
    }
    /* A mirror need not have what the store has nothing of: nothing grows old. */
    if (!own && !update->options->named && feed->missing == count &&
        !has_feed(update, publication->name))
        feed->outcome = UPDATE_ABSENT;
}

/* --- importing -------------------------------------------------------------------------------- */

/* Those that have not failed; `numbers` says which of the feeds they are. */
static size_t list_sources(const struct update *update, struct import_source *sources,
                           size_t *numbers)
{
    size_t count = 0;
    for (size_t i = 0; i < update->options->publication_count; i++)
        if (update->feeds[i].outcome > UPDATE_ABSENT) {
            sources[count] = update->feeds[i].source;
            numbers[count++] = i;
        }
    return count;
}

static void forget_known(struct update *update, slice name)
{
    struct fetched_feed *known = update->known.items;
    for (size_t i = 0; i < update->known.count; i++)
        if (slice_equal(known[i].feed, name))
            known[i].feed = SLICE_EMPTY;
}

/* What came is not what it should be: another base may have it, else the others go in without it.
 */
static void take_out(struct update *update, size_t number, const struct error *error)
{
    struct updated_feed *feed = &update->feeds[number];
    if (feed->source.file >= 0) {
        close(feed->source.file);
        feed->source.file = -1;
        add_reason(update, feed, error);
    } else {
        /* It had not changed, but the store has: the same base is asked for all of it. */
        forget_known(update, feed->name);
        feed->asked--;
        feed->outcome = UPDATE_FAILED;
    }
    fetch(update, number);
}

static struct error *import(struct update *update, struct import_result *imported)
{
    size_t most = update->options->publication_count;
    struct import_source *sources = arena_array(update->arena, most + 1, sizeof(*sources));
    size_t *numbers = arena_array(update->arena, most + 1, sizeof(*numbers));
    for (;;) {
        size_t count = list_sources(update, sources, numbers);
        if (count == 0)
            return NULL;
        CLEANUP_ERROR struct error *error = store_import_fetched(
            update->store_path, sources, count, &update->options->import, update->arena, imported);
        if (!error)
            return NULL;
        if (imported->failed == SIZE_MAX)
            return error_make(error->kind, "%s", error->message);
        take_out(update, numbers[imported->failed], error);
    }
}

static struct error *read_store(struct update *update)
{
    struct stat status;
    struct store *store;
    const char *path = update->store_path;
    /* An import begins anew where there is nothing. */
    if (stat(path, &status) != 0 ? errno == ENOENT : status.st_size == 0)
        path = update->options->import.begin_with;
    if (!path)
        return NULL;
    TRY(store_open(&store, path));
    struct error *error = store_status(store, update->arena, &update->store);
    if (!error)
        error = fetched_read(&store->database, update->arena, &update->known);
    store_close(store);
    return error;
}

/* A mirror that has nothing at all is a wrong address. */
static void look_for_any(struct update *update)
{
    size_t had = 0, count = update->options->publication_count;
    for (size_t i = 0; i < count; i++)
        had += update->feeds[i].outcome > UPDATE_ABSENT;
    for (size_t i = 0; i < count && !had; i++)
        update->feeds[i].outcome = UPDATE_FAILED;
}

static struct error *fetch_and_import(struct update *update, struct update_result *result)
{
    const struct update_options *options = update->options;
    TRY(read_store(update));
    download_clear(update->store_path);
    for (size_t i = 0; i < options->publication_count; i++)
        fetch(update, i);
    TRY(import(update, &result->imported));
    look_for_any(update);
    return NULL;
}

static void open_clients(struct update *update)
{
    struct http_options http = update->options->http;
    http.retries = LIMIT_HTTP_RETRIES;
    update->patient = http_client_new(&http);
    http.retries = 0;
    update->brisk = http_client_new(&http);
}

static void close_all(struct update *update)
{
    http_client_free(update->patient);
    http_client_free(update->brisk);
    for (size_t i = 0; i < update->options->publication_count; i++)
        if (update->feeds[i].source.file >= 0)
            close(update->feeds[i].source.file);
}

struct error *store_update(const char *store_path, const struct update_options *options,
                           struct arena *arena, struct update_result *result)
{
    CLEANUP_FREE char *real = realpath(store_path, NULL);
    struct update update = {
        .store_path = arena_text(arena, slice_from_text(real ? real : store_path)),
        .options = options,
        .arena = arena,
        .feeds = arena_array(arena, options->publication_count + 1, sizeof(struct updated_feed)),
    };
    struct file_lock lock;
    *result =
        (struct update_result){.feeds = update.feeds, .feed_count = options->publication_count};
    for (size_t i = 0; i < options->publication_count; i++)
        update.feeds[i] =
            (struct updated_feed){.name = options->publications[i].name, .source.file = -1};
    struct error *error = file_lock_take(
        &lock, arena_format(arena, "%s.update.lock", update.store_path).ptr,
        "another update of this store is under way: this one begins when that one has ended");
    open_clients(&update);
    if (!error)
        error = fetch_and_import(&update, result);
    close_all(&update);
    file_lock_drop(&lock);
    return error;
}
