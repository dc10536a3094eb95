#include "store/store.h"
#include "base/limits.h"
#include "store/fetched.h"
#include "store/lookup.h"
#include "store/prose.h"

static const char *const queries[QUERY_COUNT] = {
    [QUERY_AFFECTED] = ("SELECT advisory, body FROM affected"
                        " WHERE ecosystem = (SELECT id FROM ecosystem WHERE name = ?1)"
                        " AND package = ?2"),
    [QUERY_MODIFIED] = "SELECT modified FROM advisory WHERE id = ?1",
    [QUERY_HAS_ECOSYSTEM] = "SELECT 1 FROM feed WHERE ecosystem = ?1",
    [QUERY_ADVISORY_NAMED] = "SELECT id, name, body FROM advisory WHERE name = ?1",
    [QUERY_ADVISORIES_NAMING] = ("SELECT l.kind, a.name, a.body FROM alias l"
                                 " LEFT JOIN advisory a ON a.id = l.advisory WHERE l.name = ?1"),
    [QUERY_CVE] = "SELECT words FROM cve WHERE cve = ?1",
    [QUERY_EPSS] = "SELECT probability, percentile FROM epss WHERE cve = ?1",
    [QUERY_KEV] = "SELECT date_added FROM kev WHERE cve = ?1",
    [QUERY_END_OF_LIFE] = "SELECT date, extended FROM eol WHERE product = ?1 AND release = ?2",
    [QUERY_FEEDS] = ("SELECT ecosystem, source, entries, newest, imported, from_facts FROM feed"
                     " ORDER BY ecosystem"),
    [QUERY_META] = "SELECT value FROM meta WHERE name = ?1",
    [QUERY_PROSE] = ("SELECT p.text FROM advisory a JOIN prose p ON p.advisory = a.id"
                     " WHERE a.name = ?1"),
};

/* EPSS numbers are kept as whole billionths: no digit that FIRST publishes is lost. */
static const double EPSS_SCALE = 1e9;

struct error *store_open(struct store **store, const char *path)
{
    struct store *opened = memory_alloc(sizeof(*opened));
    *opened = (struct store){0};
    *store = NULL;
    struct error *error = database_open(&opened->database, path);
    if (error) {
        store_close(opened);
        return error;
    }
    *store = opened;
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < QUERY_COUNT; i++)
        sqlite3_finalize(store->statements[i]);
    database_close(&store->database);
    ZSTD_freeDCtx(store->unpacker);
    free(store);
}

struct error *store_statement(struct store *store, enum store_query query, sqlite3_stmt **statement)
{
    sqlite3_stmt **kept = &store->statements[query];
    if (!*kept)
        TRY(database_prepare(&store->database, kept, queries[query]));
    sqlite3_reset(*kept);
    *statement = *kept;
    return NULL;
}

/* --- advisories on a package ------------------------------------------------------------------ */

struct found {
    struct advisory advisory;
    int64_t row;
    int64_t modified; /* only known of those whose id came twice */
    slice packed;     /* decides between two that are equally new */
};

static struct error *read_found(struct store *store, struct arena *arena, sqlite3_stmt *row,
                                slice package, struct found *found)
{
    struct affected_key key;
    struct affected_body affected;
    struct advisory_body about;
    struct advisory *advisory = &found->advisory;
    found->row = sqlite3_column_int64(row, 0);
    found->packed = arena_copy(arena, column_bytes(row, 1));
    if (!affected_key(&key, package, found->row) ||
        !affected_unpack(arena, found->packed, slice_make(key.bytes, key.count), &advisory->id,
                         &about, &affected))
        return database_damaged(&store->database,
                                arena_format(arena, "an advisory on %.*s cannot be read",
                                             SLICE_ARG(slice_first(package, 80)))
                                    .ptr);
    advisory->urgency = affected.urgency;
    advisory->aliases = about.aliases;
    advisory->alias_count = about.alias_count;
    advisory->upstream = about.upstream;
    advisory->upstream_count = about.upstream_count;
    advisory->related = about.related;
    advisory->related_count = about.related_count;
    advisory->ranges = affected.ranges;
    advisory->range_count = affected.range_count;
    advisory->versions = affected.versions;
    advisory->version_count = affected.version_count;
    return NULL;
}

/* By id; of one id the newest first. */
static int compare_found(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    int order = slice_compare(left->advisory.id, right->advisory.id);
    if (order)
        return order;
    if (left->modified != right->modified)
        return left->modified > right->modified ? -1 : 1;
    return slice_compare(left->packed, right->packed);
}

static struct error *read_modified(struct store *store, struct found *found)
{
    sqlite3_stmt *statement;
    bool row = false;
    TRY(store_statement(store, QUERY_MODIFIED, &statement));
    sqlite3_bind_int64(statement, 1, found->row);
    TRY(database_row(&store->database, statement, &row));
    if (!row)
        return database_damaged(&store->database, "an affected package without its advisory");
    found->modified = sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return NULL;
}

/* The same advisory may have come with two feeds: the newest word counts. */
static struct error *order_found(struct store *store, struct arena *arena, struct list *found,
                                 const struct advisory **ordered, size_t *count)
{
    struct found *all = found->items;
    struct advisory *advisories = arena_array(arena, found->count, sizeof(*advisories));
    bool twice = false;
    qsort(all, found->count, sizeof(*all), compare_found);
    for (size_t i = 1; i < found->count; i++)
        if (slice_equal(all[i].advisory.id, all[i - 1].advisory.id)) {
            twice = true;
            TRY(read_modified(store, &all[i]));
            TRY(read_modified(store, &all[i - 1]));
        }
    if (twice)
        qsort(all, found->count, sizeof(*all), compare_found);
    *count = 0;
    for (size_t i = 0; i < found->count; i++)
        if (i == 0 || !slice_equal(all[i].advisory.id, all[i - 1].advisory.id))
            advisories[(*count)++] = all[i].advisory;
    *ordered = advisories;
    return NULL;
}

struct error *store_lookup(struct store *store, struct arena *arena, slice ecosystem, slice package,
                           const struct advisory **advisories, size_t *count)
{
    sqlite3_stmt *statement;
    struct list found = {0};
    bool row = false;
    *advisories = NULL;
    *count = 0;
    if (package.len == 0 || package.len > LIMIT_PACKAGE_NAME_BYTES)
        return NULL;
    TRY(store_statement(store, QUERY_AFFECTED, &statement));
    bind_text(statement, 1, ecosystem);
    bind_text(statement, 2, package);
    TRY(database_row(&store->database, statement, &row));
    if (!row)
        return NULL;
    slice kept_ecosystem = arena_copy(arena, ecosystem);
    slice kept_package = arena_copy(arena, package);
    while (row) {
        struct found *next = list_add(&found, arena, sizeof(*next));
        TRY(read_found(store, arena, statement, kept_package, next));
        next->advisory.ecosystem = kept_ecosystem;
        next->advisory.package = kept_package;
        TRY(database_row(&store->database, statement, &row));
    }
    return order_found(store, arena, &found, advisories, count);
}

struct error *store_has_ecosystem(struct store *store, slice ecosystem, bool *has)
{
    sqlite3_stmt *statement;
    *has = false;
    TRY(store_statement(store, QUERY_HAS_ECOSYSTEM, &statement));
    bind_text(statement, 1, ecosystem);
    return database_row(&store->database, statement, has);
}

/* --- names ------------------------------------------------------------------------------------ */

/* PEP 503: lower case, and each run of '-', '_' and '.' is one '-'. */
static slice python_name(struct arena *arena, slice name)
{
    char *normal = arena_text(arena, name);
    size_t length = 0;
    bool in_run = false;
    for (size_t i = 0; i < name.len; i++) {
        char byte = byte_lower(name.ptr[i]);
        bool separator = byte == '-' || byte == '_' || byte == '.';
        if (separator && in_run)
            continue;
        normal[length++] = separator ? '-' : byte;
        in_run = separator;
    }
    return slice_make(normal, length);
}

/* Ecosystems in which two spellings are one package; all others take names as they stand. */
static const struct {
    slice ecosystem;
    slice (*normal)(struct arena *arena, slice name);
} name_forms[] = {
    {SLICE("PyPI"), python_name},
    {SLICE("NuGet"), arena_lower},
    {SLICE("Packagist"), arena_lower},
    {SLICE("Bitnami"), arena_lower},
};

slice store_package_name(struct arena *arena, slice ecosystem, slice name)
{
    slice base = slice_first(ecosystem, slice_find(ecosystem, ':'));
    for (size_t i = 0; i < sizeof(name_forms) / sizeof(name_forms[0]); i++)
        if (slice_equal(name_forms[i].ecosystem, base))
            return name_forms[i].normal(arena, name);
    return name;
}

/* --- exploitation and end of life ------------------------------------------------------------- */

/* A row of a table whose key is a CVE; damage shows as "nothing known", which is what it is. */
static sqlite3_stmt *row_of_cve(struct store *store, enum store_query query, slice cve)
{
    int64_t number;
    bool row = false;
    sqlite3_stmt *statement;
    if (!cve_number(cve, &number))
        return NULL;
    CLEANUP_ERROR struct error *unprepared = store_statement(store, query, &statement);
    if (unprepared)
        return NULL;
    sqlite3_bind_int64(statement, 1, number);
    CLEANUP_ERROR struct error *unread = database_row(&store->database, statement, &row);
    return unread || !row ? NULL : statement;
}

bool store_epss(struct store *store, slice cve, double *probability, double *percentile)
{
    sqlite3_stmt *row = row_of_cve(store, QUERY_EPSS, cve);
    if (!row)
        return false;
    *probability = (double)sqlite3_column_int64(row, 0) / EPSS_SCALE;
    *percentile = (double)sqlite3_column_int64(row, 1) / EPSS_SCALE;
    return true;
}

bool store_kev(struct store *store, struct arena *arena, slice cve, slice *date_added)
{
    sqlite3_stmt *row = row_of_cve(store, QUERY_KEV, cve);
    if (row && date_added)
        *date_added = arena_copy(arena, column_bytes(row, 0));
    return row != NULL;
}

struct error *store_end_of_life(struct store *store, struct arena *arena, slice product,
                                slice release, slice *date, slice *extended)
{
    sqlite3_stmt *statement;
    bool row = false;
    *date = *extended = SLICE_EMPTY;
    TRY(store_statement(store, QUERY_END_OF_LIFE, &statement));
    bind_text(statement, 1, product);
    bind_text(statement, 2, release);
    TRY(database_row(&store->database, statement, &row));
    if (!row)
        return NULL;
    *date = arena_copy(arena, column_bytes(statement, 0));
    *extended = arena_copy(arena, column_bytes(statement, 1));
    return NULL;
}

/* --- prose and status ------------------------------------------------------------------------- */

struct error *store_prose(struct store *store, struct arena *arena, slice id, slice *summary,
                          slice *details)
{
    sqlite3_stmt *statement;
    bool row = false;
    *summary = *details = SLICE_EMPTY;
    TRY(store_statement(store, QUERY_PROSE, &statement));
    bind_text(statement, 1, id);
    TRY(database_row(&store->database, statement, &row));
    if (row && !store->unpacker)
        store->unpacker = ZSTD_createDCtx();
    if (row && !store->unpacker)
        memory_exhausted();
    if (row && !prose_unpack(store->unpacker, arena, column_bytes(statement, 0), summary, details))
        return database_damaged(&store->database, "a description cannot be unpacked");
    return NULL;
}

static struct error *read_meta(struct store *store, struct arena *arena, slice name, slice *value)
{
    sqlite3_stmt *statement;
    bool row = false;
    *value = SLICE_EMPTY;
    TRY(store_statement(store, QUERY_META, &statement));
    bind_text(statement, 1, name);
    TRY(database_row(&store->database, statement, &row));
    if (row)
        *value = arena_copy(arena, column_bytes(statement, 0));
    return NULL;
}

static struct error *add_checked(struct store *store, struct arena *arena, struct list *feeds)
{
    struct list fetched;
    struct store_feed *all = feeds->items;
    TRY(fetched_read(&store->database, arena, &fetched));
    for (size_t i = 0; i < feeds->count; i++) {
        const struct fetched_feed *from = fetched_find_for(&fetched, all[i].ecosystem);
        all[i].checked = from ? from->checked : SLICE_EMPTY;
    }
    return NULL;
}

struct error *store_status(struct store *store, struct arena *arena, struct store_status *status)
{
    sqlite3_stmt *statement;
    struct list feeds = {0};
    bool row = false, from_facts = false;
    slice starter;
    *status = (struct store_status){0};
    TRY(store_statement(store, QUERY_FEEDS, &statement));
    TRY(database_row(&store->database, statement, &row));
    while (row) {
        struct store_feed *feed = list_add(&feeds, arena, sizeof(*feed));
        feed->ecosystem = arena_copy(arena, column_bytes(statement, 0));
        feed->source = arena_copy(arena, column_bytes(statement, 1));
        feed->entries = (uint64_t)sqlite3_column_int64(statement, 2);
        feed->newest = arena_copy(arena, column_bytes(statement, 3));
        feed->imported = arena_copy(arena, column_bytes(statement, 4));
        from_facts = from_facts || sqlite3_column_int(statement, 5);
        TRY(database_row(&store->database, statement, &row));
    }
    TRY(add_checked(store, arena, &feeds));
    status->feeds = feeds.items;
    status->feed_count = feeds.count;
    TRY(read_meta(store, arena, SLICE("built"), &status->built));
    TRY(read_meta(store, arena, SLICE("starter"), &starter));
    /* Once every feed has been imported anew, nothing of the starter is left in it. */
    status->starter = starter.len && from_facts;
    return NULL;
}
