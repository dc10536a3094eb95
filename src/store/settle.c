/* What stands and what goes: at the end of a group, and at the end of a phase. See writer.h. */
#include "store/writer.h"

#include "base/limits.h"

/*
 * Below this many advisories nothing is concluded from their all naming one ecosystem: a few
 * hand-made ones do so by chance.
 */
enum { ONE_ECOSYSTEM_FROM = 100, FIRST_PARTS_ROOM = 4096, SOURCES_NAMED = 3 };

void writer_add_source(struct store_writer *writer, struct list *sources, slice source)
{
    const slice *known = sources->items;
    /* Groups come one after the other, so the same source again is the last one. */
    if (sources->count && slice_equal(known[sources->count - 1], source))
        return;
    *(slice *)list_add(sources, &writer->arena, sizeof(slice)) = arena_copy(&writer->arena, source);
}

/* "a/all.zip, b/all.zip"; of many the first and how many more. */
static slice join_sources(struct arena *arena, const struct list *sources)
{
    const slice *all = sources->items;
    slice joined = SLICE_EMPTY;
    for (size_t i = 0; i < sources->count && i < SOURCES_NAMED; i++)
        joined =
            i ? arena_format(arena, "%.*s, %.*s", SLICE_ARG(joined), SLICE_ARG(all[i])) : all[i];
    if (sources->count > SOURCES_NAMED)
        joined = arena_format(arena, "%.*s and %zu more", SLICE_ARG(joined),
                              sources->count - SOURCES_NAMED);
    return joined;
}

/* --- one part against another ----------------------------------------------------------------- */

struct error *writer_lose(struct store_writer *writer, int64_t row)
{
    sqlite3_stmt *statement;
    if (row == 0)
        return NULL;
    writer->any_lost = true;
    TRY(writer_statement(writer, WRITE_LOST, &statement));
    sqlite3_bind_int64(statement, 1, row);
    return database_step(writer->database, statement);
}

static struct writer_part **find_slot(struct writer_part **parts, size_t room, slice name,
                                      size_t base)
{
    size_t at = (slice_hash(name) + base * 0x9e3779b97f4a7c15ULL) & (room - 1);
    while (parts[at] && !(parts[at]->base == base && slice_equal(parts[at]->name, name)))
        at = (at + 1) & (room - 1);
    return &parts[at];
}

static void make_room(struct store_writer *writer)
{
    if (writer->part_count * 2 < writer->part_room)
        return;
    size_t room = writer->part_room ? writer->part_room * 2 : FIRST_PARTS_ROOM;
    struct writer_part **parts = memory_alloc(room * sizeof(*parts));
    memset(parts, 0, room * sizeof(*parts));
    for (size_t i = 0; i < writer->part_room; i++)
        if (writer->parts[i])
            *find_slot(parts, room, writer->parts[i]->name, writer->parts[i]->base) =
                writer->parts[i];
    free(writer->parts);
    writer->parts = parts;
    writer->part_room = room;
}

/* The newest stands; of two that are equally new the choice must not depend on which came first. */
static struct error *compete(struct store_writer *writer, struct writer_part *part)
{
    make_room(writer);
    struct writer_part **slot = find_slot(writer->parts, writer->part_room, part->name, part->base);
    struct writer_part *known = *slot;
    if (!known) {
        writer->part_count++;
        if (writer->part_count > LIMIT_FEED_ENTRIES)
            return error_make(ERROR_LIMIT,
                              "the feeds hold more than %d advisories (limit on feed entries): "
                              "import fewer of them at once",
                              LIMIT_FEED_ENTRIES);
        *slot = part;
        return NULL;
    }
    bool newer = part->modified != known->modified ? part->modified > known->modified
                                                   : part->fingerprint > known->fingerprint;
    *slot = newer ? part : known;
    return writer_lose(writer, newer ? known->row : part->row);
}

/* --- a group ---------------------------------------------------------------------------------- */

struct error *writer_begin_group(struct store_writer *writer, enum group_kind kind, slice source,
                                 slice folder)
{
    writer->group_kind = kind;
    writer->group_source = arena_copy(&writer->arena, source);
    writer->group_folder = arena_copy(&writer->arena, folder);
    writer->group_parts = (struct list){0};
    writer->group_advisories = 0;
    writer->group_release = RELEASE_UNKNOWN;
    for (size_t i = 0; i < writer->ecosystems.count; i++)
        writer_ecosystem_at(writer, i)->in_group = 0;
    return database_run(writer->database, "BEGIN");
}

/* For which bases a group speaks: for all in it, unless one of these is set. */
struct spoken_for {
    bool named;  /* only for the one that the folder is named after */
    bool common; /* only for those that every advisory names */
};

static bool speaks_for(const struct store_writer *writer, const struct spoken_for *spoken_for,
                       size_t base)
{
    const struct writer_ecosystem *ecosystem = writer_ecosystem_at(writer, base);
    if (spoken_for->named)
        return slice_equal(ecosystem->name, writer->group_folder);
    return !spoken_for->common || ecosystem->in_group == writer->group_advisories;
}

/*
 * OSV's PyPI/all.zip has every advisory on PyPI, and of npm the few that are on PyPI too: taken for
 * a feed of npm, they would replace npm's own. It shows in every advisory naming PyPI, and in the
 * folder's name or the number of advisories, which rules chance out.
 */
static struct spoken_for look_at_group(const struct store_writer *writer)
{
    struct spoken_for found = {0};
    if (writer->group_kind != GROUP_PUBLISHED)
        return found;
    for (size_t i = 0; i < writer->ecosystems.count; i++) {
        const struct writer_ecosystem *ecosystem = writer_ecosystem_at(writer, i);
        if (ecosystem->in_group == 0 || ecosystem->in_group != writer->group_advisories)
            continue;
        found.named = found.named || slice_equal(ecosystem->name, writer->group_folder);
        found.common = found.common || writer->group_advisories >= ONE_ECOSYSTEM_FROM;
    }
    return found;
}

/* The only base that the group speaks for, or SIZE_MAX. */
static size_t find_only_base(const struct store_writer *writer, const struct spoken_for *spoken_for)
{
    size_t only = SIZE_MAX, count = 0;
    for (size_t i = 0; i < writer->ecosystems.count; i++)
        if (writer_ecosystem_at(writer, i)->in_group && speaks_for(writer, spoken_for, i)) {
            only = i;
            count++;
        }
    return count == 1 ? only : SIZE_MAX;
}

/* An advisory without a package goes with its group's only ecosystem, else by its id ("PSF-…"). */
static struct error *place_without_package(struct store_writer *writer, struct writer_part *part,
                                           size_t only_base)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    const struct affected_body nothing = {0};
    const struct advisory_body no_names = {0}; /* no lookup leads to this row */
    if (only_base != SIZE_MAX)
        part->base = only_base;
    size_t *ecosystem = ARENA_NEW(&writer->arena, size_t);
    *ecosystem = part->base;
    part->ecosystems = ecosystem;
    part->ecosystem_count = 1;
    if (part->row == 0)
        return NULL;
    TRY(database_prepare(writer->database, &statement,
                         "UPDATE advisory SET base = ?1 WHERE id = ?2"));
    sqlite3_bind_int64(statement, 1, writer_ecosystem_at(writer, part->base)->id);
    sqlite3_bind_int64(statement, 2, part->row);
    TRY(database_step(writer->database, statement));
    return writer_write_affected(writer, part->base, SLICE_EMPTY, part->row, part->name, &no_names,
                                 &nothing);
}

static void count_for_ecosystems(struct store_writer *writer, const struct writer_part *part)
{
    for (size_t i = 0; i < part->ecosystem_count; i++) {
        struct writer_ecosystem *ecosystem = writer_ecosystem_at(writer, part->ecosystems[i]);
        if (part->kind == GROUP_PUBLISHED)
            ecosystem->held = true;
        if (ecosystem->newest.len == 0 || part->modified > ecosystem->newest_time) {
            ecosystem->newest = part->modified_text;
            ecosystem->newest_time = part->modified;
        }
        writer_add_source(writer, &ecosystem->sources, writer->group_source);
    }
}

struct error *writer_end_group(struct store_writer *writer)
{
    struct writer_part *const *parts = writer->group_parts.items;
    struct spoken_for spoken_for = look_at_group(writer);
    size_t only_base = find_only_base(writer, &spoken_for);
    for (size_t i = 0; i < writer->group_parts.count; i++) {
        struct writer_part *part = parts[i];
        if (part->ecosystem_count == 0)
            TRY(place_without_package(writer, part, only_base));
        else if (!speaks_for(writer, &spoken_for, part->base)) {
            TRY(writer_lose(writer, part->row));
            continue;
        }
        count_for_ecosystems(writer, part);
        TRY(compete(writer, part));
    }
    return database_run(writer->database, "COMMIT");
}

/* --- a phase ---------------------------------------------------------------------------------- */

static struct error *newest_row(struct store_writer *writer, int64_t *row_number)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(database_prepare(writer->database, &statement, "SELECT ifnull(max(id), 0) FROM advisory"));
    TRY(database_row(writer->database, statement, &row));
    *row_number = row ? sqlite3_column_int64(statement, 0) : 0;
    return NULL;
}

struct error *writer_begin_phase(struct store_writer *writer)
{
    TRY(newest_row(writer, &writer->last_old));
    writer->last_row = writer->last_old;
    free(writer->parts);
    writer->parts = NULL;
    writer->part_room = writer->part_count = 0;
    writer->group_kind = GROUP_PUBLISHED;
    writer->any_lost = false;
    memset(writer->tables, 0, sizeof(writer->tables));
    for (size_t i = 0; i < writer->ecosystems.count; i++) {
        struct writer_ecosystem *ecosystem = writer_ecosystem_at(writer, i);
        ecosystem->held = false;
        ecosystem->entries = 0;
        ecosystem->newest = SLICE_EMPTY;
        ecosystem->newest_time = 0;
        ecosystem->sources = (struct list){0};
    }
    return database_run(writer->database, "DELETE FROM temp.lost");
}

/* A single advisory takes the place of the store's own of that id; *known says whether it had one.
 */
static struct error *lose_old_of(struct store_writer *writer, const struct writer_part *part,
                                 bool *known)
{
    sqlite3_stmt *statement;
    bool row = false;
    TRY(writer_statement(writer, READ_OLD_ADVISORY, &statement));
    bind_text(statement, 1, part->name);
    sqlite3_bind_int64(statement, 2, writer_ecosystem_at(writer, part->base)->id);
    sqlite3_bind_int64(statement, 3, writer->last_old);
    TRY(database_row(writer->database, statement, &row));
    *known = row;
    while (row) {
        TRY(writer_lose(writer, sqlite3_column_int64(statement, 0)));
        TRY(database_row(writer->database, statement, &row));
    }
    return NULL;
}

static struct error *count_entries(struct store_writer *writer)
{
    for (size_t i = 0; i < writer->part_room; i++) {
        const struct writer_part *part = writer->parts[i];
        bool known = false;
        if (!part || part->kind == GROUP_FACTS)
            continue;
        if (part->kind == GROUP_SINGLE)
            TRY(lose_old_of(writer, part, &known));
        for (size_t j = 0; j < part->ecosystem_count; j++) {
            struct writer_ecosystem *ecosystem = writer_ecosystem_at(writer, part->ecosystems[j]);
            ecosystem->entries += ecosystem->held || !known;
        }
    }
    return NULL;
}

static struct error *clear_held(struct store_writer *writer)
{
    sqlite3_stmt *statement;
    for (size_t i = 0; i < writer->ecosystems.count; i++) {
        if (!writer_ecosystem_at(writer, i)->held)
            continue;
        TRY(writer_statement(writer, CLEAR_HELD, &statement));
        sqlite3_bind_int64(statement, 1, writer_ecosystem_at(writer, i)->id);
        sqlite3_bind_int64(statement, 2, writer->last_old);
        TRY(database_step(writer->database, statement));
    }
    return NULL;
}

/* One pass over each table, however many advisories go. */
static struct error *clear_lost(struct store_writer *writer)
{
    if (writer->last_old > 0) {
        TRY(clear_held(writer));
        TRY(database_run(writer->database, "INSERT OR IGNORE INTO temp.lost SELECT id FROM advisory"
                                           " WHERE id NOT IN (SELECT advisory FROM affected)"));
    } else if (!writer->any_lost) {
        return NULL;
    }
    return database_run(writer->database,
                        "DELETE FROM affected WHERE advisory IN (SELECT id FROM temp.lost);"
                        "DELETE FROM alias WHERE advisory IN (SELECT id FROM temp.lost);"
                        "DELETE FROM prose WHERE advisory IN (SELECT id FROM temp.lost);"
                        "DELETE FROM advisory WHERE id IN (SELECT id FROM temp.lost);");
}

/* What single advisories added comes on top of what the line says already. */
static struct error *add_to_known_feed(struct store_writer *writer, struct store_feed *feed,
                                       struct writer_ecosystem *ecosystem)
{
    sqlite3_stmt *statement;
    bool row = false;
    TRY(writer_statement(writer, READ_FEED_ENTRIES, &statement));
    bind_text(statement, 1, ecosystem->name);
    TRY(database_row(writer->database, statement, &row));
    if (!row)
        return NULL;
    slice newest = arena_copy(&writer->arena, column_bytes(statement, 1));
    slice source = arena_copy(&writer->arena, column_bytes(statement, 2));
    feed->entries += (uint64_t)sqlite3_column_int64(statement, 0);
    if (slice_compare(newest, feed->newest) > 0)
        feed->newest = newest;
    if (!slice_contains(source, feed->source))
        feed->source =
            arena_format(&writer->arena, "%.*s, %.*s", SLICE_ARG(source), SLICE_ARG(feed->source));
    else
        feed->source = source;
    sqlite3_reset(statement);
    return NULL;
}

static struct error *write_ecosystem_feeds(struct store_writer *writer)
{
    for (size_t i = 0; i < writer->ecosystems.count; i++) {
        struct writer_ecosystem *ecosystem = writer_ecosystem_at(writer, i);
        if (ecosystem->sources.count == 0)
            continue;
        struct store_feed feed = {
            .ecosystem = ecosystem->name,
            .source = join_sources(&writer->arena, &ecosystem->sources),
            .entries = ecosystem->entries,
            .newest = ecosystem->newest,
            .imported = writer->now,
        };
        if (!ecosystem->held)
            TRY(add_to_known_feed(writer, &feed, ecosystem));
        TRY(writer_feed(writer, &feed, false));
    }
    return NULL;
}

/* --- the tables that are not of an ecosystem -------------------------------------------------- */

static const struct {
    const char *feed;
    const char *clear;
    const char *count;
    bool newest_stands_whole;
} tables[TABLE_COUNT] = {
    [TABLE_CVE] = {"cve", "DELETE FROM cve", "SELECT count(*) FROM cve", false},
    [TABLE_EPSS] = {"epss", "DELETE FROM epss", "SELECT count(*) FROM epss", true},
    [TABLE_KEV] = {"kev", "DELETE FROM kev", "SELECT count(*) FROM kev", true},
    [TABLE_EOL] = {"eol", "DELETE FROM eol", "SELECT count(DISTINCT product) FROM eol", false},
};

struct error *writer_begin_table(struct store_writer *writer, enum writer_table table, slice source,
                                 slice newest, bool *take)
{
    struct writer_table_state *state = &writer->tables[table];
    bool newer = slice_compare(newest, state->newest) > 0;
    *take = true;
    if (state->begun && tables[table].newest_stands_whole && !newer) {
        *take = false;
        return NULL;
    }
    if (!state->begun || tables[table].newest_stands_whole) {
        state->sources = (struct list){0};
        TRY(database_run(writer->database, tables[table].clear));
    }
    state->begun = true;
    if (newer)
        state->newest = arena_copy(&writer->arena, newest);
    writer_add_source(writer, &state->sources, source);
    return NULL;
}

static struct error *write_table_feed(struct store_writer *writer, enum writer_table table)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    bool row = false;
    struct writer_table_state *state = &writer->tables[table];
    TRY(database_prepare(writer->database, &statement, tables[table].count));
    TRY(database_row(writer->database, statement, &row));
    struct store_feed feed = {
        .ecosystem = slice_from_text(tables[table].feed),
        .source = join_sources(&writer->arena, &state->sources),
        .entries = row ? (uint64_t)sqlite3_column_int64(statement, 0) : 0,
        .newest = state->newest,
        .imported = writer->now,
    };
    return writer_feed(writer, &feed, false);
}

struct error *writer_facts_feed(struct store_writer *writer, const struct store_feed *feed)
{
    size_t index;
    bool take;
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (slice_equal(feed->ecosystem, slice_from_text(tables[i].feed))) {
            TRY(writer_begin_table(writer, (enum writer_table)i, feed->source, SLICE_EMPTY, &take));
            /* Its line is written as it stands in the facts, not counted anew. */
            writer->tables[i].begun = false;
            return writer_feed(writer, feed, true);
        }
    TRY(writer_ecosystem(writer, feed->ecosystem, &index));
    writer_ecosystem_at(writer, index)->held = true;
    return writer_feed(writer, feed, true);
}

struct error *writer_end_phase(struct store_writer *writer)
{
    bool from_facts = writer->group_kind == GROUP_FACTS;
    TRY(database_run(writer->database, "BEGIN"));
    TRY(count_entries(writer));
    TRY(clear_lost(writer));
    if (!from_facts)
        TRY(write_ecosystem_feeds(writer));
    for (size_t i = 0; i < TABLE_COUNT; i++)
        if (writer->tables[i].begun)
            TRY(write_table_feed(writer, (enum writer_table)i));
    return database_run(writer->database, "COMMIT");
}
