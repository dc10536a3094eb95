#include "store/update.h"
#include "base/file.h"
#include "base/limits.h"
#include "store/download_folder.h"
#include "store/import.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

/* What is known of a feed from last time: three lines, of which each may be empty. */
struct validators {
    slice url, etag, last_modified;
};

struct update {
    const struct update_options *options;
    const char *store_path;
    struct arena *arena;
    struct http_client *client;
    struct download_folder folder;
    struct update_line *lines;
    const char **files;       /* one for each line: the feed's file, NULL when there is none new */
    struct store_note *notes; /* one for each line: what to remember when that is in the store */
};

/* -- what was there last time ---------------------------------------------------------------------
 */

static slice note_name(const struct publisher *publisher, struct arena *arena)
{
    return arena_format(arena, "source %s", publisher->word);
}

static struct validators read_note(const struct update *update, const struct publisher *publisher)
{
    struct validators known = {SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
    struct store *store = NULL;
    slice text = SLICE_EMPTY;
    if (access(update->store_path, F_OK) < 0)
        return known;
    CLEANUP_ERROR struct error *error = store_open(&store, update->store_path);
    if (!error)
        error = store_note_read(store, update->arena, note_name(publisher, update->arena), &text);
    store_close(store);
    if (!error && slice_pull_line(&text, &known.url) && slice_pull_line(&text, &known.etag))
        known.last_modified = text;
    return known;
}

static void write_note(struct update *update, size_t line, const struct validators *validators)
{
    update->notes[line] = (struct store_note){
        note_name(update->lines[line].publisher, update->arena),
        arena_format(update->arena, "%.*s\n%.*s\n%.*s", SLICE_ARG(validators->url),
                     SLICE_ARG(validators->etag), SLICE_ARG(validators->last_modified))};
}

/* -- from a folder --------------------------------------------------------------------------------
 */

static struct error *take_file(struct update *update, size_t line, slice base)
{
    struct stat info;
    struct update_line *of = &update->lines[line];
    const char *path =
        arena_format(update->arena, "%.*s/%s", SLICE_ARG(base), of->publisher->path).ptr;
    struct validators known = read_note(update, of->publisher), now;
    if (stat(path, &info) < 0)
        return error_errno("%s", path);
    now.url = slice_from_text(path);
    now.etag = arena_format(update->arena, "%lld", (long long)info.st_size);
    now.last_modified =
        arena_format(update->arena, "%lld.%09ld", (long long)info.st_mtime, info.st_mtim.tv_nsec);
    of->from = now.url;
    if (slice_equal(known.url, now.url) && slice_equal(known.etag, now.etag) &&
        slice_equal(known.last_modified, now.last_modified)) {
        of->state = UPDATE_UNCHANGED;
        return NULL;
    }
    update->files[line] = path;
    write_note(update, line, &now);
    return NULL;
}

/* -- over HTTP ------------------------------------------------------------------------------------
 */

struct download {
    struct update *update;
    const char *what;
    const struct http_response *response;
    int fd;
    uint64_t bytes;
    struct error *error;
};

static bool store_piece(void *context, slice piece)
{
    struct download *download = context;
    const struct update_options *options = download->update->options;
    download->bytes += piece.len;
    if (download->bytes > LIMIT_FEED_BYTES)
        download->error =
            error_make(ERROR_LIMIT, "it has more than %llu bytes, the limit of a feed",
                       (unsigned long long)LIMIT_FEED_BYTES);
    else
        download->error = file_write_all(download->fd, piece);
    uint64_t total = download->response->length == UINT64_MAX ? 0 : download->response->length;
    if (options->progress)
        options->progress(options->progress_context, download->what, download->bytes, total);
    return download->error == NULL;
}

static struct error *refusal(const struct http_response *response, slice url, struct arena *arena)
{
    return error_make(ERROR_INPUT, "%.*s answers with status %ld%s",
                      SLICE_ARG(http_url_shown(url, arena)), response->status,
                      response->status == 404   ? ": there is no such feed"
                      : response->status == 429 ? ": too many requests; try again later"
                                                : "");
}

/* Fetches it when it has changed since `known`. */
static struct error *fetch(struct update *update, size_t line, slice url,
                           const struct validators *known)
{
    struct arena *arena = update->arena;
    struct update_line *of = &update->lines[line];
    struct http_response response;
    const char *headers[3] = {NULL, NULL, NULL};
    size_t header = 0;
    struct http_request request = {.url = arena_text(arena, url), .headers = headers};
    struct download download = {update, of->publisher->word, &response, -1, 0, NULL};
    bool same = slice_equal(known->url, url);
    if (same && known->etag.len)
        headers[header++] = arena_format(arena, "If-None-Match: %.*s", SLICE_ARG(known->etag)).ptr;
    if (same && known->last_modified.len)
        headers[header++] =
            arena_format(arena, "If-Modified-Since: %.*s", SLICE_ARG(known->last_modified)).ptr;
    const char *path;
    TRY(download_folder_create(&update->folder, of->publisher->path, arena, &path, &download.fd));
    struct error *error =
        http_stream(update->client, &request, store_piece, &download, arena, &response);
    close(download.fd);
    if (download.error) {
        error_free(error);
        return download.error;
    }
    TRY(error);
    if (response.status == 304) {
        of->state = UPDATE_UNCHANGED;
        return NULL;
    }
    if (response.status != 200 && response.status != 206)
        return refusal(&response, url, arena);
    struct validators now = {url, response.etag, response.last_modified};
    update->files[line] = path;
    write_note(update, line, &now);
    return NULL;
}

static struct error *take_url(struct update *update, size_t line, slice base)
{
    const struct publisher *publisher = update->lines[line].publisher;
    slice url = publisher_url(publisher, base, update->arena);
    struct validators known = read_note(update, publisher);
    update->lines[line].from = http_url_shown(url, update->arena);
    return fetch(update, line, url, &known);
}

/* -- each wanted feed, from the first source that has it ------------------------------------------
 */

static struct error *check_source(const struct update_options *options, slice source)
{
    slice host = slice_from(source, strlen("http://"));
    host = slice_first(host, slice_find(host, '/'));
    bool here = slice_starts(host, SLICE("127.")) || slice_starts(host, SLICE("localhost")) ||
                slice_starts(host, SLICE("[::1]"));
    if (slice_starts(source, SLICE("http://")) && !options->insecure && !here)
        return error_make(ERROR_USAGE,
                          "--db-source: %.*s is not secure: who is on the way could change what is "
                          "fetched. Use https, or say --insecure",
                          SLICE_ARG(source));
    return NULL;
}

static struct error *take_from(struct update *update, size_t line, slice source)
{
    static const char file[] = "file://";
    if (slice_starts(source, SLICE("http://")) || slice_starts(source, SLICE("https://")) ||
        source.len == 0)
        return take_url(update, line, source);
    if (slice_starts(source, SLICE("file://")))
        source = slice_from(source, strlen(file));
    return take_file(update, line, source);
}

static void take(struct update *update, size_t line)
{
    slice sources = slice_from_text(update->options->sources ? update->options->sources : "");
    slice source = SLICE_EMPTY;
    struct error *all = NULL;
    bool more = true;
    do {
        if (update->options->sources)
            more = slice_pull(&sources, ',', &source);
        source = slice_trim(source);
        if (!more || (update->options->sources && source.len == 0))
            continue;
        struct error *error = take_from(update, line, source);
        if (!error) {
            error_free(all);
            return;
        }
        all = all ? error_wrap(error, "%s; then", all->message) : error;
    } while (more && update->options->sources);
    update->lines[line].state = UPDATE_FAILED;
    update->lines[line].message =
        arena_copy(update->arena, slice_from_text(all ? all->message : "no source was named"));
    error_free(all);
}

/* -- into the store -------------------------------------------------------------------------------
 */

static slice time_now(struct arena *arena)
{
    char text[32];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    return arena_copy(arena,
                      slice_make(text, strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts)));
}

/* That the store's feed is as its publisher has it now. */
static void note_unchanged(struct update *update, struct store_note *notes, size_t *count)
{
    for (size_t i = 0; i < update->options->wanted_count; i++)
        if (update->lines[i].state == UPDATE_UNCHANGED)
            notes[(*count)++] = (struct store_note){
                arena_format(update->arena, "checked %s", update->lines[i].publisher->word),
                time_now(update->arena)};
}

static struct error *import(struct update *update, const size_t *lines, size_t count)
{
    const char **paths = arena_array(update->arena, count + 1, sizeof(*paths));
    struct store_note *notes =
        arena_array(update->arena, count + update->options->wanted_count + 1, sizeof(*notes));
    size_t note_count = count;
    struct import_result result;
    for (size_t i = 0; i < count; i++) {
        paths[i] = update->files[lines[i]];
        notes[i] = update->notes[lines[i]];
    }
    note_unchanged(update, notes, &note_count);
    if (note_count == 0)
        return NULL;
    struct import_options options = {.notes = notes,
                                     .note_count = note_count,
                                     .progress = update->options->progress,
                                     .progress_context = update->options->progress_context};
    return store_import(update->store_path, paths, count, &options, update->arena, &result);
}

/* All in one; where that fails, one by one, to find out which of them is not what it should be. */
static void import_all(struct update *update)
{
    size_t *lines = arena_array(update->arena, update->options->wanted_count + 1, sizeof(size_t));
    size_t count = 0;
    for (size_t i = 0; i < update->options->wanted_count; i++)
        if (update->files[i])
            lines[count++] = i;
    CLEANUP_ERROR struct error *together = import(update, lines, count);
    for (size_t i = 0; i < count && together; i++) {
        CLEANUP_ERROR struct error *error = import(update, &lines[i], 1);
        if (!error)
            continue;
        update->lines[lines[i]].state = UPDATE_FAILED;
        update->lines[lines[i]].message =
            arena_copy(update->arena, slice_from_text(error->message));
    }
}

struct error *store_update(const char *store_path, const struct update_options *options,
                           struct arena *arena, struct update_line **lines)
{
    size_t count = options->wanted_count;
    struct update update = {.options = options, .store_path = store_path, .arena = arena};
    slice sources = slice_from_text(options->sources ? options->sources : ""), source;
    while (slice_pull(&sources, ',', &source))
        TRY(check_source(options, slice_trim(source)));
    TRY(download_folder_open(&update.folder, store_path, arena));
    *lines = update.lines = arena_array(arena, count + 1, sizeof(struct update_line));
    update.files = arena_array(arena, count + 1, sizeof(char *));
    update.notes = arena_array(arena, count + 1, sizeof(struct store_note));
    update.client = http_client_new(&options->http);
    for (size_t i = 0; i < count; i++) {
        update.lines[i].publisher = options->wanted[i];
        take(&update, i);
    }
    import_all(&update);
    http_client_free(update.client);
    download_folder_close(&update.folder);
    return NULL;
}
