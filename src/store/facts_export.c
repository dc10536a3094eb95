/* Writes a store's facts: the file that feed_facts.c reads. docs/store.md has its form. */
#include "store/import.h"

#include "base/file.h"
#include "store/feed.h"
#include "store/lookup.h"

enum { FACTS_LEVEL = 19, FACTS_WINDOW_LOG = 25, EPSS_UNIT = 10000 };

struct export
{
    struct store *store;
    FILE *text;
    struct arena arena; /* what is kept to the end: the CVEs that are named */
    struct list named;  /* int64_t, sorted and each once before it is used */
};

/* --- text --------------------------------------------------------------------------------------
 */

/* The bytes that part fields, lists, ranges and lines stand as an escape. */
static void put_text(struct export *export, slice text)
{
    static const char special[] = " \t\n|\\", codes[] = "stnpb";
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(special, text.ptr[i]) : NULL;
        if (at)
            fprintf(export->text, "\\%c", codes[at - special]);
        else
            putc_unlocked(text.ptr[i], export->text);
    }
}

static void put_list(struct export *export, const slice *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i)
            putc_unlocked(' ', export->text);
        put_text(export, texts[i]);
    }
}

static void put_ranges(struct export *export, const struct affected_body *body)
{
    static const char signs[] = "+-=^";
    for (size_t i = 0; i < body->range_count; i++) {
        if (i)
            putc_unlocked('|', export->text);
        for (size_t j = 0; j < body->ranges[i].event_count; j++) {
            const struct range_event *event = &body->ranges[i].events[j];
            fprintf(export->text, "%s%c", j ? " " : "", signs[event->kind]);
            put_text(export, event->version);
        }
    }
}

static void put_words(struct export *export, const struct severity_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fputs("w\t", export->text);
        put_text(export, words[i].source);
        putc_unlocked('\t', export->text);
        put_text(export, words[i].vector);
        putc_unlocked('\t', export->text);
        put_text(export, words[i].word);
        putc_unlocked('\n', export->text);
    }
}

static void name_cves(struct export *export, const slice *ids, size_t count)
{
    int64_t number;
    for (size_t i = 0; i < count; i++)
        if (cve_number(ids[i], &number))
            *(int64_t *)list_add(&export->named, &export->arena, sizeof(number)) = number;
}

/* --- advisories --------------------------------------------------------------------------------
 */

/* A package of the advisory at hand. */
struct row {
    slice ecosystem;
    slice package;
    struct affected_body body;
    slice packed; /* without its checksum: equal ones are written once */
};

struct advisory_rows {
    struct arena arena;
    int64_t id;
    slice name;
    struct advisory_body body;
    struct list rows; /* struct row */
};

static bool alike(const struct row *a, const struct row *b)
{
    return slice_equal(a->ecosystem, b->ecosystem) && slice_equal(a->packed, b->packed);
}

/* One line for all packages of an ecosystem that are affected in the same versions. */
static void put_alike(struct export *export, const struct row *rows, size_t count)
{
    const struct affected_body *body = &rows->body;
    fputs("p\t", export->text);
    put_text(export, rows->ecosystem);
    putc_unlocked('\t', export->text);
    put_ranges(export, body);
    putc_unlocked('\t', export->text);
    put_list(export, body->versions, body->version_count);
    putc_unlocked('\t', export->text);
    put_text(export, body->urgency);
    for (size_t i = 0; i < count; i++) {
        putc_unlocked(i ? ' ' : '\t', export->text);
        put_text(export, rows[i].package);
    }
    putc_unlocked('\n', export->text);
}

/* In order of what they share, so that equal ones stand together. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *left = a, *right = b;
    int order = slice_compare(left->ecosystem, right->ecosystem);
    if (!order)
        order = slice_compare(left->packed, right->packed);
    return order ? order : slice_compare(left->package, right->package);
}

static void put_advisory(struct export *export, struct advisory_rows *advisory)
{
    const struct advisory_body *body = &advisory->body;
    struct row *rows = advisory->rows.items;
    fputs("a\t", export->text);
    put_text(export, advisory->name);
    putc_unlocked('\t', export->text);
    put_list(export, body->aliases, body->alias_count);
    putc_unlocked('\t', export->text);
    put_list(export, body->upstream, body->upstream_count);
    putc_unlocked('\t', export->text);
    put_list(export, body->related, body->related_count);
    putc_unlocked('\n', export->text);
    put_words(export, body->words, body->word_count);
    name_cves(export, &advisory->name, 1);
    name_cves(export, body->aliases, body->alias_count);
    name_cves(export, body->upstream, body->upstream_count);
    name_cves(export, body->related, body->related_count);
    if (advisory->rows.count)
        qsort(rows, advisory->rows.count, sizeof(*rows), compare_rows);
    for (size_t from = 0, to; from < advisory->rows.count; from = to) {
        for (to = from + 1; to < advisory->rows.count && alike(&rows[to], &rows[from]);)
            to++;
        put_alike(export, rows + from, to - from);
    }
}

static const char advisories_sql[] =
    "SELECT a.id, b.name, a.name, a.body, e.name, f.package, f.body FROM affected f"
    " LEFT JOIN advisory a ON a.id = f.advisory LEFT JOIN ecosystem b ON b.id = a.base"
    " LEFT JOIN ecosystem e ON e.id = f.ecosystem ORDER BY 2, 3, 4, 1";

static struct error *read_row(struct export *export, sqlite3_stmt *statement,
                              struct advisory_rows *advisory)
{
    struct arena *arena = &advisory->arena;
    struct row *row = list_add(&advisory->rows, arena, sizeof(*row));
    struct affected_key key;
    struct advisory_body about;
    slice id;
    row->ecosystem = arena_copy(arena, column_bytes(statement, 4));
    row->package = arena_copy(arena, column_bytes(statement, 5));
    row->packed = arena_copy(arena, column_bytes(statement, 6));
    if (row->ecosystem.len == 0 || !affected_key(&key, row->package, advisory->id) ||
        !affected_unpack(arena, row->packed, slice_make(key.bytes, key.count), &id, &about,
                         &row->body))
        return database_damaged(&export->store->database, "an affected package cannot be read");
    row->packed = slice_first(row->packed, row->packed.len - CHECKSUM_BYTES);
    return NULL;
}

static struct error *begin_advisory(struct export *export, sqlite3_stmt *statement,
                                    struct advisory_rows *advisory)
{
    arena_free(&advisory->arena);
    *advisory = (struct advisory_rows){.id = sqlite3_column_int64(statement, 0)};
    advisory->name = arena_copy(&advisory->arena, column_bytes(statement, 2));
    if (advisory->name.len == 0 || column_bytes(statement, 1).len == 0 ||
        !advisory_unpack(&advisory->arena, arena_copy(&advisory->arena, column_bytes(statement, 3)),
                         advisory->name, &advisory->body))
        return database_damaged(&export->store->database, "an advisory cannot be read");
    return NULL;
}

static struct error *put_rows(struct export *export, sqlite3_stmt *statement,
                              struct advisory_rows *advisory)
{
    CLEANUP_ARENA struct arena base_arena = {0};
    slice base = SLICE_EMPTY;
    bool row = false;
    TRY(database_row(&export->store->database, statement, &row));
    while (row) {
        if (advisory->rows.count == 0 || advisory->id != sqlite3_column_int64(statement, 0)) {
            if (advisory->rows.count)
                put_advisory(export, advisory);
            TRY(begin_advisory(export, statement, advisory));
        }
        if (!slice_equal(base, column_bytes(statement, 1))) {
            base = arena_copy(&base_arena, column_bytes(statement, 1));
            fputs("b\t", export->text);
            put_text(export, base);
            putc_unlocked('\n', export->text);
        }
        TRY(read_row(export, statement, advisory));
        TRY(database_row(&export->store->database, statement, &row));
    }
    if (advisory->rows.count)
        put_advisory(export, advisory);
    return NULL;
}

static struct error *put_advisories(struct export *export)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    struct advisory_rows advisory = {0};
    TRY(database_prepare(&export->store->database, &statement, advisories_sql));
    struct error *error = put_rows(export, statement, &advisory);
    arena_free(&advisory.arena);
    return error;
}

/* --- CVEs --------------------------------------------------------------------------------------
 */

static int compare_numbers(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

static void sort_named(struct export *export)
{
    int64_t *named = export->named.items;
    size_t kept = 0;
    if (export->named.count)
        qsort(named, export->named.count, sizeof(*named), compare_numbers);
    for (size_t i = 0; i < export->named.count; i++)
        if (kept == 0 || named[i] != named[kept - 1])
            named[kept++] = named[i];
    export->named.count = kept;
}

static struct error *put_cve_records(struct export *export)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    const struct database *database = &export->store->database;
    int64_t last = 0;
    bool row = false;
    fputs("s\n", export->text);
    TRY(database_prepare(database, &statement, "SELECT cve, words FROM cve ORDER BY cve"));
    TRY(database_row(database, statement, &row));
    while (row) {
        CLEANUP_ARENA struct arena scratch = {0};
        const struct severity_word *words;
        size_t count;
        int64_t number = sqlite3_column_int64(statement, 0);
        slice id = cve_text(&scratch, number);
        if (!words_unpack(&scratch, column_bytes(statement, 1), id, &words, &count))
            return database_damaged(database, "a CVE record cannot be read");
        if (count) {
            fprintf(export->text, "c\t%jd\n", (intmax_t)(number - last));
            put_words(export, words, count);
            last = number;
            name_cves(export, &id, 1);
        }
        TRY(database_row(database, statement, &row));
    }
    return NULL;
}

/* Walks a table of CVEs beside the sorted list of those that are named, and counts what is in both.
 */
static struct error *walk_named(struct export *export, const char *sql, uint64_t *count,
                                void (*put)(FILE *text, sqlite3_stmt *row, int64_t step))
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    const struct database *database = &export->store->database;
    const int64_t *named = export->named.items;
    size_t at = 0;
    int64_t last = 0;
    bool row = false;
    *count = 0;
    TRY(database_prepare(database, &statement, sql));
    TRY(database_row(database, statement, &row));
    while (row) {
        int64_t number = sqlite3_column_int64(statement, 0);
        while (at < export->named.count && named[at] < number)
            at++;
        if (at < export->named.count && named[at] == number) {
            ++*count;
            if (put)
                put(export->text, statement, number - last);
            last = number;
        }
        TRY(database_row(database, statement, &row));
    }
    return NULL;
}

static void put_epss(FILE *text, sqlite3_stmt *row, int64_t step)
{
    fprintf(text, "e\t%jd\t%jd\t%jd\n", (intmax_t)step,
            (intmax_t)((sqlite3_column_int64(row, 1) + EPSS_UNIT / 2) / EPSS_UNIT),
            (intmax_t)((sqlite3_column_int64(row, 2) + EPSS_UNIT / 2) / EPSS_UNIT));
}

static void put_kev(FILE *text, sqlite3_stmt *row, int64_t step)
{
    fprintf(text, "k\t%jd\t%.*s\n", (intmax_t)step, SLICE_ARG(column_bytes(row, 1)));
}

static const char epss_sql[] = "SELECT cve, probability, percentile FROM epss ORDER BY cve";
static const char kev_sql[] = "SELECT cve, date_added FROM kev ORDER BY cve";

static struct error *put_end_of_life(struct export *export)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    const struct database *database = &export->store->database;
    bool row = false;
    TRY(database_prepare(database, &statement,
                         "SELECT product, release, date, extended FROM eol ORDER BY 1, 2"));
    TRY(database_row(database, statement, &row));
    while (row) {
        putc_unlocked('l', export->text);
        for (int i = 0; i < 4; i++) {
            putc_unlocked('\t', export->text);
            put_text(export, column_bytes(statement, i));
        }
        putc_unlocked('\n', export->text);
        TRY(database_row(database, statement, &row));
    }
    return NULL;
}

/* --- the file ----------------------------------------------------------------------------------
 */

/* Of EPSS and KEV only what is named goes out, and only that is counted. */
static struct error *put_feeds(struct export *export)
{
    CLEANUP_ARENA struct arena scratch = {0};
    struct store_status status;
    uint64_t epss, kev;
    TRY(store_status(export->store, &scratch, &status));
    TRY(walk_named(export, epss_sql, &epss, NULL));
    TRY(walk_named(export, kev_sql, &kev, NULL));
    fputs("built\t", export->text);
    put_text(export, status.built);
    putc_unlocked('\n', export->text);
    for (size_t i = 0; i < status.feed_count; i++) {
        const struct store_feed *feed = &status.feeds[i];
        uint64_t entries = slice_equal(feed->ecosystem, SLICE("epss"))  ? epss
                           : slice_equal(feed->ecosystem, SLICE("kev")) ? kev
                                                                        : feed->entries;
        fputs("feed\t", export->text);
        put_text(export, feed->ecosystem);
        putc_unlocked('\t', export->text);
        put_text(export, feed->source);
        fprintf(export->text, "\t%ju\t", (uintmax_t)entries);
        put_text(export, feed->newest);
        putc_unlocked('\n', export->text);
    }
    return NULL;
}

static struct error *put_facts(struct export *export)
{
    uint64_t count;
    TRY(put_advisories(export));
    TRY(put_cve_records(export));
    sort_named(export);
    fputs("s\n", export->text);
    TRY(walk_named(export, epss_sql, &count, put_epss));
    fputs("s\n", export->text);
    TRY(walk_named(export, kev_sql, &count, put_kev));
    return put_end_of_life(export);
}

/* The feeds' lines come first but count what follows, so they are written to a text of their own.
 */
static struct error *make_text(struct store *store, char **head, size_t *head_length, char **body,
                               size_t *body_length)
{
    struct export export = {.store = store, .text = open_memstream(body, body_length)};
    if (!export.text)
        memory_exhausted();
    struct error *error = put_facts(&export);
    if (fclose(export.text) != 0)
        memory_exhausted();
    export.text = open_memstream(head, head_length);
    if (!export.text)
        memory_exhausted();
    fputs(FACTS_MAGIC "\n", export.text);
    if (!error)
        error = put_feeds(&export);
    if (fclose(export.text) != 0)
        memory_exhausted();
    arena_free(&export.arena);
    return error;
}

/* One thread and fixed parameters: the same facts make the same bytes. */
static struct error *pack(const char *text, size_t length, char **packed, size_t *packed_length)
{
    size_t room = ZSTD_compressBound(length);
    ZSTD_CCtx *compressor = ZSTD_createCCtx();
    if (!compressor)
        memory_exhausted();
    ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, FACTS_LEVEL);
    ZSTD_CCtx_setParameter(compressor, ZSTD_c_windowLog, FACTS_WINDOW_LOG);
    ZSTD_CCtx_setParameter(compressor, ZSTD_c_checksumFlag, 1);
    *packed = memory_alloc(room);
    *packed_length = ZSTD_compress2(compressor, *packed, room, text, length);
    ZSTD_freeCCtx(compressor);
    if (ZSTD_isError(*packed_length))
        return error_make(ERROR_SYSTEM, "cannot compress the facts: %s",
                          ZSTD_getErrorName(*packed_length));
    return NULL;
}

struct error *store_export_facts(struct store *store, const char *path)
{
    CLEANUP_FREE char *head = NULL, *body = NULL, *packed = NULL;
    size_t head_length = 0, body_length = 0, packed_length = 0;
    struct error *error = make_text(store, &head, &head_length, &body, &body_length);
    if (!error) {
        head = memory_resize(head, head_length + body_length);
        memcpy(head + head_length, body, body_length);
        error = pack(head, head_length + body_length, &packed, &packed_length);
    }
    if (!error)
        error = file_replace(path, slice_make(packed, packed_length));
    return error_wrap(error, "cannot export facts to %s", path);
}
