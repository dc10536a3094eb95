/* The kinds of JSON documents, the files that hold them, and what becomes of one. */
#include "store/feed.h"

#include "store/zip.h"

#include <sys/stat.h>

static const struct document_kind *const kinds[] = {
    &document_osv,
    &document_cve,
    &document_kev,
    &document_eol,
};

struct error *feed_skip(struct feed_import *import, const struct feed_document *document,
                        struct error *error)
{
    if (error->kind == ERROR_SYSTEM)
        return error;
    if (import->skipped++ == 0)
        import->skipped_why =
            arena_format(import->arena, "%.*s%s%.*s: %s", SLICE_ARG(document->path),
                         document->entry.len ? ": " : "",
                         SLICE_ARG(slice_first(document->entry, 200)), error->message);
    error_free(error);
    return NULL;
}

struct error *feed_document_import(struct feed_import *import, const struct feed_document *document)
{
    CLEANUP_JSON json_t *root = NULL;
    struct error *error = feed_json_parse(&root, document->bytes);
    if (error)
        return feed_skip(import, document, error);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i]->recognise(root))
            return kinds[i]->import(import, document, root);
    return feed_skip(import, document,
                     error_make(ERROR_INPUT, "it is no advisory, CVE record, KEV list or table of "
                                             "end-of-life dates"));
}

static void report_progress(const struct feed_import *import, slice path, uint64_t done,
                            uint64_t total)
{
    if (import->options->progress)
        import->options->progress(import->options->progress_context, path.ptr, done, total);
}

/* --- zip ---------------------------------------------------------------------------------------
 */

enum { ENTRIES_A_REPORT = 256 };

static struct error *import_entries(struct feed_import *import, struct zip *zip,
                                    struct feed_document *document)
{
    for (size_t i = 0; i < zip_count(zip); i++) {
        document->entry = zip_name(zip, i);
        if (!slice_ends(document->entry, SLICE(".json")))
            continue;
        if (i % ENTRIES_A_REPORT == 0)
            report_progress(import, document->path, i, zip_count(zip));
        struct error *error = zip_read(zip, i, &document->bytes);
        if (error && zip_is_over_limit(zip))
            return error;
        /* What broke on its way is no fault of the publisher's: the whole comes again. */
        if (error && import->fetched && error->kind == ERROR_INPUT)
            return error_wrap(error, "%.*s: %.*s", SLICE_ARG(document->path),
                              SLICE_ARG(slice_first(document->entry, 200)));
        TRY(error ? feed_skip(import, document, error) : feed_document_import(import, document));
    }
    report_progress(import, document->path, zip_count(zip), zip_count(zip));
    return NULL;
}

static struct error *import_zip(struct feed_import *import, int file, slice path, slice source)
{
    struct zip *zip;
    struct feed_document document = {.source = source, .path = path};
    int own = dup(file);
    if (own < 0)
        return error_errno("cannot read %.*s", SLICE_ARG(path));
    TRY(zip_open(&zip, own, path.ptr));
    struct error *error = import_entries(import, zip, &document);
    zip_close(zip);
    return error;
}

static bool recognise_zip(slice head)
{
    return slice_starts(head, SLICE("PK\3\4")) || slice_starts(head, SLICE("PK\5\6"));
}

const struct file_kind file_zip = {"zip", false, recognise_zip, import_zip};

/* --- JSON --------------------------------------------------------------------------------------
 */

/*
 * A file with one document in it, when the user names it, adds one advisory to its ecosystem; it
 * would be a poor feed of all of it. So the second is looked for before the first is handed on.
 */
static struct error *import_stream(struct feed_import *import, struct json_stream *stream,
                                   struct feed_document *document, uint64_t size)
{
    CLEANUP_ARENA struct arena arena = {0};
    char place[32];
    bool more, first = true;
    struct error *error = json_stream_next(stream, &document->bytes, &more);
    if (error) /* what is too large in a file of its own costs that file only */
        return feed_skip(import, document, error);
    for (uint64_t number = 1; more; number++) {
        slice next = SLICE_EMPTY;
        if (first)
            document->bytes = arena_copy(&arena, document->bytes);
        else
            document->entry = slice_make(
                place, (size_t)snprintf(place, sizeof(place), "document %ju", (uintmax_t)number));
        if (first)
            TRY(json_stream_next(stream, &next, &more));
        if (first && !more && import->alone)
            import->writer.group_kind = GROUP_SINGLE;
        TRY(feed_document_import(import, document));
        if (!first)
            TRY(json_stream_next(stream, &next, &more));
        first = false;
        document->bytes = next;
        if (number % ENTRIES_A_REPORT == 0)
            report_progress(import, document->path, json_stream_position(stream), size);
    }
    return NULL;
}

static struct error *import_json(struct feed_import *import, int file, slice path, slice source)
{
    struct feed_document document = {.source = source, .path = path};
    struct stat status;
    if (fstat(file, &status) != 0)
        return error_errno("cannot read %.*s", SLICE_ARG(path));
    struct json_stream *stream = json_stream_open(file, path);
    struct error *error = import_stream(import, stream, &document, (uint64_t)status.st_size);
    json_stream_close(stream);
    return error;
}

static bool recognise_json(slice head)
{
    if (slice_starts(head, SLICE("\xef\xbb\xbf"))) /* a byte order mark */
        return false;
    slice text = slice_trim(head);
    return text.len && (text.ptr[0] == '{' || text.ptr[0] == '[');
}

const struct file_kind file_json = {"JSON", false, recognise_json, import_json};
