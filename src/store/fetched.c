#include "store/fetched.h"

/* Stores that an earlier version made have no such table until they are written to again. */
static struct error *has_table(const struct database *database, bool *has)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    TRY(database_prepare(database, &statement,
                         "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'fetched'"));
    return database_row(database, statement, has);
}

struct error *fetched_read(const struct database *database, struct arena *arena, struct list *feeds)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    bool row = false;
    *feeds = (struct list){0};
    TRY(has_table(database, &row));
    if (!row)
        return NULL;
    TRY(database_prepare(database, &statement,
                         "SELECT feed, address, etag, last_modified, checked, size FROM fetched"));
    TRY(database_row(database, statement, &row));
    while (row) {
        struct fetched_feed *feed = list_add(feeds, arena, sizeof(*feed));
        slice *const texts[] = {&feed->feed, &feed->address, &feed->etag, &feed->last_modified,
                                &feed->checked};
        for (int i = 0; i < 5; i++)
            *texts[i] = arena_copy(arena, column_bytes(statement, i));
        feed->size = (uint64_t)sqlite3_column_int64(statement, 5);
        TRY(database_row(database, statement, &row));
    }
    return NULL;
}

const struct fetched_feed *fetched_find(const struct list *feeds, slice feed)
{
    const struct fetched_feed *all = feeds->items;
    for (size_t i = 0; i < feeds->count; i++)
        if (slice_equal(all[i].feed, feed))
            return &all[i];
    return NULL;
}

const struct fetched_feed *fetched_find_for(const struct list *feeds, slice ecosystem)
{
    const struct fetched_feed *found = fetched_find(feeds, ecosystem);
    return found ? found : fetched_find(feeds, slice_first(ecosystem, slice_find(ecosystem, ':')));
}

struct error *fetched_is_there(const struct database *database, const struct fetched_feed *feed,
                               bool *there)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    TRY(database_prepare(database, &statement,
                         "SELECT 1 FROM fetched WHERE feed = ?1 AND address = ?2 AND etag = ?3"
                         " AND last_modified = ?4 AND size = ?5"));
    const slice texts[] = {feed->feed, feed->address, feed->etag, feed->last_modified};
    for (int i = 0; i < 4; i++)
        bind_text(statement, i + 1, texts[i]);
    sqlite3_bind_int64(statement, 5, (int64_t)feed->size);
    return database_row(database, statement, there);
}

struct error *fetched_forget_written(const struct database *database)
{
    return database_run(database, "DELETE FROM fetched WHERE EXISTS"
                                  " (SELECT 1 FROM temp.written w WHERE w.ecosystem = feed"
                                  "  OR substr(w.ecosystem, 1, length(feed) + 1) = feed || ':')");
}

struct error *fetched_write(const struct database *database, const struct fetched_feed *feed,
                            slice checked)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    TRY(database_prepare(
        database, &statement,
        "INSERT OR REPLACE INTO fetched(feed, address, etag, last_modified, checked, size)"
        " VALUES(?1, ?2, ?3, ?4, ?5, ?6)"));
    const slice texts[] = {feed->feed, feed->address, feed->etag, feed->last_modified, checked};
    for (int i = 0; i < 5; i++)
        bind_text(statement, i + 1, texts[i]);
    sqlite3_bind_int64(statement, 6, (int64_t)feed->size);
    return database_step(database, statement);
}
