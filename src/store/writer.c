#include "store/writer.h"

#include "base/limits.h"
#include "store/prose.h"

static const char *const queries[WRITER_QUERIES] = {
    [WRITE_ECOSYSTEM] = "INSERT INTO ecosystem(id, name) VALUES(?1, ?2)",
    [WRITE_ADVISORY] =
        "INSERT INTO advisory(id, name, base, modified, body) VALUES(?1, ?2, ?3, ?4, ?5)",
    [WRITE_AFFECTED] =
        "INSERT INTO affected(ecosystem, package, advisory, body) VALUES(?1, ?2, ?3, ?4)",
    [WRITE_ALIAS] = "INSERT OR IGNORE INTO alias(name, advisory, kind) VALUES(?1, ?2, ?3)",
    [WRITE_PROSE] = "INSERT INTO prose(advisory, text) VALUES(?1, ?2)",
    [WRITE_CVE] = "INSERT OR REPLACE INTO cve(cve, words) VALUES(?1, ?2)",
    [READ_CVE] = "SELECT words FROM cve WHERE cve = ?1",
    [WRITE_EPSS] = "INSERT OR REPLACE INTO epss(cve, probability, percentile) VALUES(?1, ?2, ?3)",
    [WRITE_KEV] = "INSERT OR REPLACE INTO kev(cve, date_added) VALUES(?1, ?2)",
    [WRITE_EOL] =
        "INSERT OR REPLACE INTO eol(product, release, date, extended) VALUES(?1, ?2, ?3, ?4)",
    [WRITE_FEED] =
        ("INSERT OR REPLACE INTO feed(ecosystem, source, entries, newest, imported, from_facts)"
         " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"),
    [WRITE_WRITTEN] = "INSERT OR IGNORE INTO temp.written(ecosystem) VALUES(?1)",
    [WRITE_META] = "INSERT OR REPLACE INTO meta(name, value) VALUES(?1, ?2)",
    [READ_OLD_ADVISORY] = "SELECT id FROM advisory WHERE name = ?1 AND base = ?2 AND id <= ?3",
    [WRITE_LOST] = "INSERT OR IGNORE INTO temp.lost(id) VALUES(?1)",
    [CLEAR_HELD] = "DELETE FROM affected WHERE ecosystem = ?1 AND advisory <= ?2",
    [READ_FEED_ENTRIES] = "SELECT entries, newest, source FROM feed WHERE ecosystem = ?1",
};

struct error *writer_statement(struct store_writer *writer, enum writer_query query,
                               sqlite3_stmt **statement)
{
    sqlite3_stmt **kept = &writer->statements[query];
    if (!*kept)
        TRY(database_prepare(writer->database, kept, queries[query]));
    sqlite3_reset(*kept);
    *statement = *kept;
    return NULL;
}

/* --- opening ---------------------------------------------------------------------------------- */

static struct error *read_ecosystems(struct store_writer *writer)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(database_prepare(writer->database, &statement, "SELECT id, name FROM ecosystem"));
    TRY(database_row(writer->database, statement, &row));
    while (row) {
        struct writer_ecosystem *ecosystem =
            list_add(&writer->ecosystems, &writer->arena, sizeof(*ecosystem));
        ecosystem->id = sqlite3_column_int64(statement, 0);
        ecosystem->name = arena_copy(&writer->arena, column_bytes(statement, 1));
        ecosystem->base = SIZE_MAX;
        TRY(database_row(writer->database, statement, &row));
    }
    return NULL;
}

struct error *writer_open(struct store_writer *writer, struct database *database, slice now,
                          bool facts_only)
{
    *writer = (struct store_writer){.database = database, .now = now, .facts_only = facts_only};
    writer->compressor = ZSTD_createCCtx();
    if (!writer->compressor)
        memory_exhausted();
    TRY(database_run(database, "CREATE TEMP TABLE lost(id INTEGER PRIMARY KEY);"
                               "CREATE TEMP TABLE written(ecosystem TEXT PRIMARY KEY);"));
    return read_ecosystems(writer);
}

void writer_close(struct store_writer *writer)
{
    for (size_t i = 0; i < WRITER_QUERIES; i++)
        sqlite3_finalize(writer->statements[i]);
    ZSTD_freeCCtx(writer->compressor);
    blob_free(&writer->packed);
    free(writer->parts);
    arena_free(&writer->group_arena);
    arena_free(&writer->arena);
}

static size_t find_ecosystem(const struct store_writer *writer, slice name)
{
    for (size_t i = 0; i < writer->ecosystems.count; i++)
        if (slice_equal(writer_ecosystem_at(writer, i)->name, name))
            return i;
    return SIZE_MAX;
}

static struct error *make_ecosystem(struct store_writer *writer, slice name, size_t *index)
{
    sqlite3_stmt *statement;
    int64_t id = 1;
    for (size_t i = 0; i < writer->ecosystems.count; i++)
        if (writer_ecosystem_at(writer, i)->id >= id)
            id = writer_ecosystem_at(writer, i)->id + 1;
    if (writer->ecosystems.count == LIMIT_ECOSYSTEMS)
        return error_make(ERROR_LIMIT,
                          "the feeds name more than %d ecosystems (limit on ecosystems): this is "
                          "no feed of advisories",
                          LIMIT_ECOSYSTEMS);
    TRY(writer_statement(writer, WRITE_ECOSYSTEM, &statement));
    sqlite3_bind_int64(statement, 1, id);
    bind_text(statement, 2, name);
    TRY(database_step(writer->database, statement));
    struct writer_ecosystem *made = list_add(&writer->ecosystems, &writer->arena, sizeof(*made));
    *made = (struct writer_ecosystem){
        .name = arena_copy(&writer->arena, name), .id = id, .base = SIZE_MAX};
    *index = writer->ecosystems.count - 1;
    return NULL;
}

struct error *writer_ecosystem(struct store_writer *writer, slice name, size_t *index)
{
    *index = find_ecosystem(writer, name);
    if (*index == SIZE_MAX)
        TRY(make_ecosystem(writer, name, index));
    if (writer_ecosystem_at(writer, *index)->base != SIZE_MAX)
        return NULL;
    slice base_name = slice_first(name, slice_find(name, ':'));
    size_t base = find_ecosystem(writer, base_name);
    if (base == SIZE_MAX)
        TRY(make_ecosystem(writer, base_name, &base));
    writer_ecosystem_at(writer, *index)->base = base;
    writer_ecosystem_at(writer, base)->base = base;
    return NULL;
}

/* --- one advisory ----------------------------------------------------------------------------- */

struct error *writer_write_affected(struct store_writer *writer, size_t ecosystem, slice package,
                                    int64_t row, slice id, const struct advisory_body *about,
                                    const struct affected_body *body)
{
    struct affected_key key;
    sqlite3_stmt *statement;
    if (!affected_key(&key, package, row))
        return error_make(ERROR_LIMIT, "a package's name is longer than %d bytes",
                          LIMIT_PACKAGE_NAME_BYTES);
    affected_pack(&writer->packed, slice_make(key.bytes, key.count), id, about, body);
    TRY(writer_statement(writer, WRITE_AFFECTED, &statement));
    sqlite3_bind_int64(statement, 1, writer_ecosystem_at(writer, ecosystem)->id);
    bind_text(statement, 2, package);
    sqlite3_bind_int64(statement, 3, row);
    bind_bytes(statement, 4, blob_slice(&writer->packed));
    return database_step(writer->database, statement);
}

static struct error *write_aliases(struct store_writer *writer, int64_t row, const slice *names,
                                   size_t count, enum alias_kind kind)
{
    sqlite3_stmt *statement;
    for (size_t i = 0; i < count; i++) {
        TRY(writer_statement(writer, WRITE_ALIAS, &statement));
        bind_text(statement, 1, names[i]);
        sqlite3_bind_int64(statement, 2, row);
        sqlite3_bind_int(statement, 3, (int)kind);
        TRY(database_step(writer->database, statement));
    }
    return NULL;
}

static struct error *write_prose(struct store_writer *writer, int64_t row,
                                 const struct feed_advisory *advisory)
{
    sqlite3_stmt *statement;
    if (writer->facts_only || (advisory->summary.len == 0 && advisory->details.len == 0))
        return NULL;
    prose_pack(writer->compressor, &writer->packed, advisory->summary, advisory->details);
    TRY(writer_statement(writer, WRITE_PROSE, &statement));
    sqlite3_bind_int64(statement, 1, row);
    bind_bytes(statement, 2, blob_slice(&writer->packed));
    return database_step(writer->database, statement);
}

static struct error *write_advisory(struct store_writer *writer, int64_t row, size_t base,
                                    const struct feed_advisory *advisory)
{
    sqlite3_stmt *statement;
    const struct advisory_body *body = &advisory->body;
    advisory_pack(&writer->packed, advisory->id, body);
    TRY(writer_statement(writer, WRITE_ADVISORY, &statement));
    sqlite3_bind_int64(statement, 1, row);
    bind_text(statement, 2, advisory->id);
    sqlite3_bind_int64(statement, 3, writer_ecosystem_at(writer, base)->id);
    sqlite3_bind_int64(statement, 4, advisory->modified);
    bind_bytes(statement, 5, blob_slice(&writer->packed));
    TRY(database_step(writer->database, statement));
    TRY(write_aliases(writer, row, body->aliases, body->alias_count, ALIAS_SAME));
    TRY(write_aliases(writer, row, body->upstream, body->upstream_count,
                      body->upstream_count == 1 ? ALIAS_UPSTREAM : ALIAS_PART));
    if (advisory->erratum)
        TRY(write_aliases(writer, row, body->related, body->related_count, ALIAS_REPAIRED));
    return write_prose(writer, row, advisory);
}

/* --- its packages ----------------------------------------------------------------------------- */

/* A package with its place in the advisory, which keeps the order of two that are the same. */
struct placed {
    struct feed_package package;
    size_t ecosystem;
    size_t base;
    size_t place;
};

static int compare_placed(const void *a, const void *b)
{
    const struct placed *left = a, *right = b;
    if (left->base != right->base)
        return left->base < right->base ? -1 : 1;
    if (left->ecosystem != right->ecosystem)
        return left->ecosystem < right->ecosystem ? -1 : 1;
    int order = slice_compare(left->package.name, right->package.name);
    if (order)
        return order;
    return left->place < right->place ? -1 : left->place > right->place;
}

/* AlmaLinux names a package once for each stream: all its ranges count. */
static void join_packages(struct arena *arena, const struct placed *placed, size_t count,
                          struct affected_body *joined)
{
    size_t range_count = 0, version_count = 0;
    for (size_t i = 0; i < count; i++) {
        range_count += placed[i].package.body.range_count;
        version_count += placed[i].package.body.version_count;
    }
    struct affected_range *ranges = arena_array(arena, range_count + 1, sizeof(*ranges));
    slice *versions = arena_array(arena, version_count + 1, sizeof(*versions));
    *joined = (struct affected_body){.ranges = ranges, .versions = versions};
    for (size_t i = 0; i < count; i++) {
        const struct affected_body *body = &placed[i].package.body;
        if (body->range_count)
            memcpy(ranges + joined->range_count, body->ranges, body->range_count * sizeof(*ranges));
        if (body->version_count)
            memcpy(versions + joined->version_count, body->versions,
                   body->version_count * sizeof(*versions));
        joined->range_count += body->range_count;
        joined->version_count += body->version_count;
        if (joined->urgency.len == 0)
            joined->urgency = body->urgency;
    }
}

static bool same_package(const struct placed *a, const struct placed *b)
{
    return a->ecosystem == b->ecosystem && slice_equal(a->package.name, b->package.name);
}

/* The packages of one base. */
static struct error *write_packages(struct store_writer *writer,
                                    const struct feed_advisory *advisory,
                                    const struct placed *placed, size_t count, int64_t row)
{
    for (size_t from = 0, to; from < count; from = to) {
        struct affected_body joined;
        for (to = from + 1; to < count && same_package(&placed[to], &placed[from]);)
            to++;
        if (to - from > 1)
            join_packages(&writer->group_arena, placed + from, to - from, &joined);
        TRY(writer_write_affected(writer, placed[from].ecosystem, placed[from].package.name, row,
                                  advisory->id, &advisory->body,
                                  to - from > 1 ? &joined : &placed[from].package.body));
    }
    return NULL;
}

static void list_ecosystems(struct store_writer *writer, struct writer_part *part,
                            const struct placed *placed, size_t count)
{
    struct list ecosystems = {0};
    for (size_t i = 0; i < count; i++)
        if (i == 0 || placed[i].ecosystem != placed[i - 1].ecosystem)
            *(size_t *)list_add(&ecosystems, &writer->arena, sizeof(size_t)) = placed[i].ecosystem;
    part->ecosystems = ecosystems.items;
    part->ecosystem_count = ecosystems.count;
}

static struct error *add_part(struct store_writer *writer, const struct feed_advisory *advisory,
                              size_t base, const struct placed *placed, size_t count)
{
    struct writer_part *part = ARENA_NEW(&writer->arena, struct writer_part);
    *part = (struct writer_part){
        .name = arena_copy(&writer->arena, advisory->id),
        .base = base,
        .modified = advisory->modified,
        .modified_text = arena_copy(&writer->arena, advisory->modified_text),
        .fingerprint = advisory->fingerprint,
        .kind = writer->group_kind,
    };
    list_ecosystems(writer, part, placed, count);
    *(struct writer_part **)list_add(&writer->group_parts, &writer->arena, sizeof(part)) = part;
    writer_ecosystem_at(writer, base)->in_group += count > 0;
    if (advisory->withdrawn || advisory->harmless)
        return NULL;
    part->row = ++writer->last_row;
    TRY(write_advisory(writer, part->row, base, advisory));
    return write_packages(writer, advisory, placed, count, part->row);
}

/*
 * A folder of one release ("Debian:12") speaks for that release only: its publisher's other files
 * have the others. Every advisory in such a one names the release, so the first tells whether the
 * folder is one.
 */
static bool of_one_release(struct store_writer *writer, const struct feed_advisory *advisory)
{
    if (writer->group_release == RELEASE_UNKNOWN) {
        writer->group_release = RELEASE_ANY;
        if (slice_find(writer->group_folder, ':') != SIZE_MAX)
            for (size_t i = 0; i < advisory->package_count; i++)
                if (slice_equal(advisory->packages[i].ecosystem, writer->group_folder))
                    writer->group_release = RELEASE_ONE;
    }
    return writer->group_release == RELEASE_ONE;
}

/* The packages with their ecosystems looked up, in order. */
static struct error *place_packages(struct store_writer *writer,
                                    const struct feed_advisory *advisory, struct placed *placed,
                                    size_t *count)
{
    bool one_release = of_one_release(writer, advisory);
    *count = 0;
    for (size_t i = 0; i < advisory->package_count; i++) {
        struct placed *next = &placed[*count];
        const struct feed_package *package = &advisory->packages[i];
        if (one_release && !slice_equal(package->ecosystem, writer->group_folder))
            continue;
        *next = (struct placed){.package = *package, .place = i};
        TRY(writer_ecosystem(writer, package->ecosystem, &next->ecosystem));
        next->base =
            one_release ? next->ecosystem : writer_ecosystem_at(writer, next->ecosystem)->base;
        if (advisory->base.len)
            TRY(writer_ecosystem(writer, advisory->base, &next->base));
        ++*count;
    }
    if (*count)
        qsort(placed, *count, sizeof(*placed), compare_placed);
    return NULL;
}

struct error *writer_add(struct store_writer *writer, struct feed_advisory *advisory)
{
    size_t count = 0;
    CLEANUP_FREE struct placed *placed =
        memory_alloc((advisory->package_count + 1) * sizeof(*placed));
    TRY(place_packages(writer, advisory, placed, &count));
    if (advisory->package_count == 0) {
        /* Whose it is shows at the group's end; until then the part has no ecosystem. */
        size_t base;
        slice prefix = slice_first(advisory->id, slice_find(advisory->id, '-'));
        TRY(writer_ecosystem(writer, prefix, &base));
        return add_part(writer, advisory, base, NULL, 0);
    }
    writer->group_advisories++;
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from + 1; to < count && placed[to].base == placed[from].base;)
            to++;
        TRY(add_part(writer, advisory, placed[from].base, placed + from, to - from));
    }
    arena_free(&writer->group_arena);
    return NULL;
}

/* --- the other tables ------------------------------------------------------------------------- */

struct error *writer_epss(struct store_writer *writer, int64_t cve, int64_t probability,
                          int64_t percentile)
{
    sqlite3_stmt *statement;
    TRY(writer_statement(writer, WRITE_EPSS, &statement));
    sqlite3_bind_int64(statement, 1, cve);
    sqlite3_bind_int64(statement, 2, probability);
    sqlite3_bind_int64(statement, 3, percentile);
    return database_step(writer->database, statement);
}

struct error *writer_kev(struct store_writer *writer, int64_t cve, slice date_added)
{
    sqlite3_stmt *statement;
    TRY(writer_statement(writer, WRITE_KEV, &statement));
    sqlite3_bind_int64(statement, 1, cve);
    bind_text(statement, 2, date_added);
    return database_step(writer->database, statement);
}

struct error *writer_end_of_life(struct store_writer *writer, slice product, slice release,
                                 slice date, slice extended)
{
    sqlite3_stmt *statement;
    TRY(writer_statement(writer, WRITE_EOL, &statement));
    bind_text(statement, 1, product);
    bind_text(statement, 2, release);
    bind_text(statement, 3, date);
    bind_text(statement, 4, extended);
    return database_step(writer->database, statement);
}

/* By source, of one source the newest CVSS first: "CVSS:4.0/…" before "CVSS:3.1/…" before words. */
static int compare_words(const void *a, const void *b)
{
    const struct severity_word *left = a, *right = b;
    int order = slice_compare(left->source, right->source);
    if (!order)
        order = slice_compare(right->vector, left->vector);
    return order ? order : slice_compare(left->word, right->word);
}

static size_t sort_words(struct severity_word *words, size_t count)
{
    size_t kept = 0;
    if (count)
        qsort(words, count, sizeof(*words), compare_words);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || compare_words(&words[i], &words[kept - 1]) != 0)
            words[kept++] = words[i];
    return kept;
}

struct error *writer_cve(struct store_writer *writer, slice cve, const struct severity_word *words,
                         size_t count)
{
    CLEANUP_ARENA struct arena scratch = {0};
    const struct severity_word *known = NULL;
    size_t known_count = 0;
    int64_t number;
    sqlite3_stmt *statement;
    bool row = false;
    if (!cve_number(cve, &number))
        return error_make(ERROR_INPUT, "%.*s is no CVE id", SLICE_ARG(slice_first(cve, 40)));
    TRY(writer_statement(writer, READ_CVE, &statement));
    sqlite3_bind_int64(statement, 1, number);
    TRY(database_row(writer->database, statement, &row));
    if (row && !words_unpack(&scratch, arena_copy(&scratch, column_bytes(statement, 0)), cve,
                             &known, &known_count))
        return database_damaged(writer->database, "a CVE record's severities cannot be read");
    sqlite3_reset(statement);

    struct severity_word *all = arena_array(&scratch, known_count + count + 1, sizeof(*all));
    if (known_count)
        memcpy(all, known, known_count * sizeof(*all));
    if (count)
        memcpy(all + known_count, words, count * sizeof(*all));
    words_pack(&writer->packed, cve, all, sort_words(all, known_count + count));
    TRY(writer_statement(writer, WRITE_CVE, &statement));
    sqlite3_bind_int64(statement, 1, number);
    bind_bytes(statement, 2, blob_slice(&writer->packed));
    return database_step(writer->database, statement);
}

struct error *writer_feed(struct store_writer *writer, const struct store_feed *feed,
                          bool from_facts)
{
    sqlite3_stmt *statement;
    TRY(writer_statement(writer, WRITE_FEED, &statement));
    bind_text(statement, 1, feed->ecosystem);
    bind_text(statement, 2, feed->source);
    sqlite3_bind_int64(statement, 3, (int64_t)feed->entries);
    bind_text(statement, 4, feed->newest);
    bind_text(statement, 5, feed->imported);
    sqlite3_bind_int(statement, 6, from_facts);
    TRY(database_step(writer->database, statement));
    TRY(writer_statement(writer, WRITE_WRITTEN, &statement));
    bind_text(statement, 1, feed->ecosystem);
    return database_step(writer->database, statement);
}

struct error *writer_meta(struct store_writer *writer, slice name, slice value)
{
    sqlite3_stmt *statement;
    TRY(writer_statement(writer, WRITE_META, &statement));
    bind_text(statement, 1, name);
    bind_text(statement, 2, value);
    return database_step(writer->database, statement);
}
