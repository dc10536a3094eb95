#include "store/download.h"
#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A feed that changes while it is fetched is begun anew so often. */
enum { BEGINNINGS = 3 };

/* --- places ----------------------------------------------------------------------------------- */

static bool is_this_machine(slice url)
{
    slice host = slice_from(url, sizeof("http://") - 1);
    for (const char *end = "/?#"; *end; end++)
        host = slice_first(host, slice_find(host, *end));
    size_t at = slice_find_last(host, '@');
    if (at < host.len)
        host = slice_from(host, at + 1);
    if (slice_starts(host, SLICE("[::1]")))
        return true;
    host = slice_first(host, slice_find(host, ':'));
    slice rest = host, part;
    bool numbers = true;
    uint64_t number;
    for (size_t parts = 0; slice_pull(&rest, '.', &part); parts++)
        numbers = numbers && slice_to_u64(part, &number) && parts < 4;
    return slice_equal_nocase(host, SLICE("localhost")) ||
           (numbers && slice_starts(host, SLICE("127.")));
}

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = memchr(digits, digit, sizeof(digits) - 1);
    return !found ? -1 : found - digits < 16 ? (int)(found - digits) : (int)(found - digits) - 6;
}

/* The path of a file URL, in which a blank is %20 (RFC 8089, 2; RFC 3986, 2.1). */
static slice path_of_file_url(slice path, struct arena *arena)
{
    char *bytes = arena_alloc(arena, path.len + 1), *at = bytes;
    for (size_t i = 0; i < path.len; i++) {
        bool may_be = path.ptr[i] == '%' && path.len - i > 2;
        int high = may_be ? hex_value(path.ptr[i + 1]) : -1;
        int low = may_be ? hex_value(path.ptr[i + 2]) : -1;
        bool escaped = high >= 0 && low >= 0 && high + low > 0;
        *at++ = escaped ? (char)(high * 16 + low) : path.ptr[i];
        i += escaped ? 2 : 0;
    }
    return slice_make(bytes, (size_t)(at - bytes));
}

struct error *feed_base_parse(slice text, bool insecure, struct arena *arena,
                              struct feed_base *base)
{
    bool https = slice_starts(text, SLICE("https://"));
    bool http = slice_starts(text, SLICE("http://"));
    bool file = slice_starts(text, SLICE("file:///"));
    if (text.len == 0 || (!https && !http && !file && slice_contains(text, SLICE("://"))))
        return error_make(ERROR_USAGE,
                          "--db-source: \"%.*s\" is no place to fetch from; write https://…, "
                          "file:///… or a folder",
                          SLICE_ARG(http_url_shown(text, arena)));
    if (http && !insecure && !is_this_machine(text))
        return error_make(ERROR_USAGE,
                          "--db-source: %.*s is not secure: whoever is on the way can change what "
                          "it sends. Use https, or --insecure to fetch all the same",
                          SLICE_ARG(http_url_shown(text, arena)));
    /* Feeds lie below a base; what is behind a "?" would be put before their names. */
    if ((https || http) && (slice_contains(text, SLICE("?")) || slice_contains(text, SLICE("#"))))
        return error_make(
            ERROR_USAGE,
            "--db-source: %.*s has a query (\"?…\") or a fragment (\"#…\"), and feeds "
            "cannot lie below one: leave it out",
            SLICE_ARG(http_url_shown(text, arena)));
    if (file)
        text = path_of_file_url(slice_from(text, sizeof("file://") - 1), arena);
    while (text.len > 1 && text.ptr[text.len - 1] == '/')
        text.len--;
    *base = (struct feed_base){.address = arena_copy(arena, text), .is_folder = !https && !http};
    return NULL;
}

static slice url_of(const struct feed_base *base, const struct publication *publication,
                    struct arena *arena)
{
    slice path = base->is_folder ? publication->path : publication_url_path(publication, arena);
    return arena_format(arena, "%.*s/%.*s", SLICE_ARG(base->address), SLICE_ARG(path));
}

slice feed_base_shown(const struct feed_base *base, const struct publication *publication,
                      struct arena *arena)
{
    slice url = url_of(base, publication, arena);
    return base->is_folder ? url : http_url_shown(url, arena);
}

/* --- a folder --------------------------------------------------------------------------------- */

static struct error *open_in_folder(const struct download *download, struct arena *arena,
                                    struct import_source *source, bool *missing)
{
    struct fetched_feed *about = &source->about;
    const struct fetched_feed *known = download->known;
    struct stat status;
    int file = open(about->address.ptr, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) {
        *missing = errno == ENOENT;
        return error_errno("cannot open %.*s", SLICE_ARG(about->address));
    }
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(file);
        return error_make(ERROR_INPUT, "%.*s is no file", SLICE_ARG(about->address));
    }
    about->size = (uint64_t)status.st_size;
    about->last_modified =
        arena_format(arena, "%lld.%09ld", (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (known && known->size == about->size &&
        slice_equal(known->last_modified, about->last_modified)) {
        close(file);
        file = -1;
    }
    source->file = file;
    return NULL;
}

/* --- HTTP ------------------------------------------------------------------------------------- */

struct transfer {
    const struct download *download;
    struct http_response response;
    slice etag, last_modified; /* of the first answer, with which the others must agree */
    uint64_t length;           /* of all of it; UINT64_MAX: not announced */
    uint64_t written;
    int file;
    bool changed;         /* it is no longer what was begun with */
    struct error *failed; /* why it cannot be kept */
};

/* Of a part a server may leave headers out (RFC 9110, 15.3.7). */
static bool agrees(slice first, slice now, bool is_part)
{
    return slice_equal(first, now) || (is_part && now.len == 0);
}

static bool begin_or_go_on(struct transfer *transfer)
{
    const struct http_response *now = &transfer->response;
    bool is_part = now->status == 206;
    if (transfer->written == 0) {
        transfer->etag = now->etag;
        transfer->last_modified = now->last_modified;
        transfer->length = now->length;
    }
    transfer->changed = !agrees(transfer->etag, now->etag, is_part) ||
                        !agrees(transfer->last_modified, now->last_modified, is_part) ||
                        (!is_part && now->length != transfer->length);
    return !transfer->changed;
}

static bool take(void *context, slice bytes)
{
    struct transfer *transfer = context;
    const struct download *download = transfer->download;
    if (!begin_or_go_on(transfer))
        return false;
    if (bytes.len > LIMIT_FEED_BYTES - transfer->written)
        transfer->failed = error_make(ERROR_LIMIT, "it is larger than %llu GiB (limit on a feed)",
                                      LIMIT_FEED_BYTES / LIMIT_GIB);
    else
        transfer->failed = error_wrap(file_write_all(transfer->file, bytes),
                                      "cannot keep it beside %s", download->store_path);
    transfer->written += bytes.len;
    if (download->progress)
        download->progress(download->progress_context, download->publication->path.ptr,
                           transfer->written,
                           transfer->length == UINT64_MAX ? 0 : transfer->length);
    return !transfer->failed;
}

/* A file that nobody can find, and that is gone when the process is. */
static struct error *open_unnamed(const char *store_path, int *file)
{
    CLEANUP_ARENA struct arena arena = {0};
    slice folder = slice_dirname(slice_from_text(store_path));
    const char *name = folder.len ? arena_text(&arena, folder) : store_path[0] == '/' ? "/" : ".";
    *file = open(name, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (*file >= 0)
        return NULL;
    /* File systems that cannot, as NFS: a name for a moment. Who updates the store is alone. */
    download_clear(store_path);
    name = arena_format(&arena, "%s.fetch", store_path).ptr;
    *file = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*file < 0)
        return error_errno("cannot write beside %s", store_path);
    unlink(name);
    return NULL;
}

void download_clear(const char *store_path)
{
    CLEANUP_ARENA struct arena arena = {0};
    unlink(arena_format(&arena, "%s.fetch", store_path).ptr);
}

enum { MOST_HEADERS = 4 };

static void list_headers(const struct transfer *transfer, struct arena *arena,
                         const char *headers[MOST_HEADERS])
{
    const struct fetched_feed *known = transfer->download->known;
    size_t count = 0;
    if (known && known->etag.len)
        headers[count++] = arena_format(arena, "If-None-Match: %.*s", SLICE_ARG(known->etag)).ptr;
    if (known && known->last_modified.len)
        headers[count++] =
            arena_format(arena, "If-Modified-Since: %.*s", SLICE_ARG(known->last_modified)).ptr;
    if (transfer->written && transfer->etag.len && !slice_starts(transfer->etag, SLICE("W/")))
        headers[count++] = arena_format(arena, "If-Range: %.*s", SLICE_ARG(transfer->etag)).ptr;
    headers[count] = NULL;
}

/* Goes on where it broke as long as it gets on; http.c does so itself when it may try again. */
static struct error *receive(struct transfer *transfer, const char *url, struct arena *arena)
{
    const struct download *download = transfer->download;
    for (unsigned broken = 0;; broken++) {
        const char *headers[MOST_HEADERS];
        uint64_t before = transfer->written;
        list_headers(transfer, arena, headers);
        struct http_request request = {
            .url = url, .headers = headers, .ranged = before > 0, .from = before};
        struct error *error =
            http_stream(download->client, &request, take, transfer, arena, &transfer->response);
        if (!error || !download->once || transfer->written == before ||
            broken == LIMIT_HTTP_RETRIES)
            return error;
        error_free(error);
    }
}

static struct error *begin_anew(struct transfer *transfer)
{
    transfer->written = 0;
    transfer->changed = false;
    if (ftruncate(transfer->file, 0) != 0 || lseek(transfer->file, 0, SEEK_SET) != 0)
        return error_errno("cannot write beside %s", transfer->download->store_path);
    return NULL;
}

static struct error *receive_whole(struct transfer *transfer, const char *url, struct arena *arena)
{
    for (unsigned beginnings = 1;; beginnings++) {
        TRY(begin_anew(transfer));
        TRY(receive(transfer, url, arena));
        if (!transfer->changed)
            return NULL;
        if (beginnings == BEGINNINGS)
            return error_make(ERROR_INPUT, "it changed %d times while it was fetched", BEGINNINGS);
    }
}

/* What the last answer means. */
static struct error *judge(const struct transfer *transfer, bool *missing)
{
    long status = transfer->response.status;
    if (status == 304 && transfer->download->known)
        return NULL;
    *missing = status == 404 || status == 410;
    if (*missing)
        return error_make(ERROR_INPUT, "there is nothing of that name (status %ld)", status);
    if (status == 429)
        return error_make(ERROR_SYSTEM, "it asks to be left alone for now (status 429)");
    if (status != 200 && status != 206 && status != 416)
        return error_make(ERROR_INPUT, "it answers with status %ld", status);
    if (transfer->length != UINT64_MAX && transfer->written != transfer->length)
        return error_make(ERROR_INPUT, "it ends after %llu of %llu bytes",
                          (unsigned long long)transfer->written,
                          (unsigned long long)transfer->length);
    return NULL;
}

/* Nobody answered, or the one who did is busy: the next feed may fare no better. */
static bool is_base_at_fault(const struct transfer *transfer)
{
    long status = transfer->response.status;
    return (status == 0 && transfer->written == 0) || status == 429 || status == 503;
}

static struct error *fetch(const struct download *download, struct arena *arena,
                           struct import_source *source, bool *missing)
{
    CLEANUP_CLOSE int file = -1;
    struct transfer transfer = {.download = download, .length = UINT64_MAX};
    slice url = url_of(download->base, download->publication, arena);
    TRY(open_unnamed(download->store_path, &file));
    transfer.file = file;
    struct error *error = receive_whole(&transfer, url.ptr, arena);
    if (transfer.failed) {
        error_free(error);
        return error_wrap(transfer.failed, "%.*s", SLICE_ARG(source->about.address));
    }
    if (!error) /* http.c names the address by itself */
        error = error_wrap(judge(&transfer, missing), "%.*s", SLICE_ARG(source->about.address));
    download->base->failing = error && is_base_at_fault(&transfer);
    TRY(error);
    if (transfer.response.status == 304)
        return NULL;
    source->about.etag = transfer.etag;
    source->about.last_modified = transfer.last_modified;
    source->about.size = transfer.written;
    source->file = file;
    file = -1;
    return NULL;
}

struct error *download_feed(const struct download *download, struct arena *arena,
                            struct import_source *source, bool *missing)
{
    struct download asked = *download;
    *missing = false;
    *source = (struct import_source){
        .about = {.feed = download->publication->name,
                  .address = feed_base_shown(download->base, download->publication, arena)},
        .file = -1};
    /* What another place said of it means nothing here. */
    if (asked.known && !slice_equal(asked.known->address, source->about.address))
        asked.known = NULL;
    TRY(download->base->is_folder ? open_in_folder(&asked, arena, source, missing)
                                  : fetch(&asked, arena, source, missing));
    if (source->file < 0)
        source->about = *asked.known;
    return NULL;
}
