#include "store/schema.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/*
 * A lookup by (ecosystem, package) reads neighbouring rows of `affected`, whose bodies hold all
 * that comparing versions needs, and one row of `advisory` for each. Nothing else is touched; prose
 * has a table of its own for that reason.
 */
static const char schema_sql[] =
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE ecosystem(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE feed(ecosystem TEXT PRIMARY KEY, source TEXT NOT NULL, entries INTEGER NOT NULL,"
    " newest TEXT NOT NULL, imported TEXT NOT NULL, from_facts INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE advisory(id INTEGER PRIMARY KEY, name TEXT NOT NULL, base INTEGER NOT NULL,"
    " modified INTEGER NOT NULL, body BLOB NOT NULL);"
    "CREATE INDEX advisory_name ON advisory(name);"
    "CREATE TABLE affected(ecosystem INTEGER NOT NULL, package TEXT NOT NULL,"
    " advisory INTEGER NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY(ecosystem, package, advisory)) WITHOUT ROWID;"
    "CREATE TABLE alias(name TEXT NOT NULL, advisory INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " PRIMARY KEY(name, advisory, kind)) WITHOUT ROWID;"
    "CREATE TABLE cve(cve INTEGER PRIMARY KEY, words BLOB NOT NULL);"
    "CREATE TABLE epss(cve INTEGER PRIMARY KEY, probability INTEGER NOT NULL,"
    " percentile INTEGER NOT NULL);"
    "CREATE TABLE kev(cve INTEGER PRIMARY KEY, date_added TEXT NOT NULL);"
    "CREATE TABLE eol(product TEXT NOT NULL, release TEXT NOT NULL, date TEXT NOT NULL,"
    " extended TEXT NOT NULL, PRIMARY KEY(product, release)) WITHOUT ROWID;"
    "CREATE TABLE prose(advisory INTEGER PRIMARY KEY, text BLOB NOT NULL);";

/* Came later; a scan does without it, so a store that lacks it is no other version. */
static const char later_sql[] =
    "CREATE TABLE IF NOT EXISTS fetched(feed TEXT PRIMARY KEY, address TEXT NOT NULL,"
    " etag TEXT NOT NULL, last_modified TEXT NOT NULL, checked TEXT NOT NULL,"
    " size INTEGER NOT NULL) WITHOUT ROWID;";

struct error *database_damaged(const struct database *database, const char *why)
{
    return error_make(ERROR_INPUT,
                      "the advisory store %s is damaged (%s): remove it and import its feeds again "
                      "(plimsoll db import --db %s FEED…)",
                      database->path, why, database->path);
}

struct error *database_error(const struct database *database, const char *doing)
{
    int code = sqlite3_errcode(database->handle) & 0xff;
    const char *why = sqlite3_errmsg(database->handle);
    if (code == SQLITE_NOMEM)
        memory_exhausted();
    /* A file that is a store but lacks a table or a column is as damaged as a torn page. */
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_ERROR ||
        code == SQLITE_SCHEMA)
        return database_damaged(database, why);
    return error_make(ERROR_SYSTEM,
                      "cannot %s the advisory store %s: %s; look at the disk and the file's rights",
                      doing, database->path, why);
}

struct error *database_run(const struct database *database, const char *sql)
{
    if (sqlite3_exec(database->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return database_error(database, "change");
    return NULL;
}

struct error *database_prepare(const struct database *database, sqlite3_stmt **statement,
                               const char *sql)
{
    if (sqlite3_prepare_v3(database->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, statement, NULL) !=
        SQLITE_OK)
        return database_error(database, "read");
    return NULL;
}

struct error *database_step(const struct database *database, sqlite3_stmt *statement)
{
    bool row = false;
    TRY(database_row(database, statement, &row));
    if (row)
        sqlite3_reset(statement);
    return NULL;
}

struct error *database_row(const struct database *database, sqlite3_stmt *statement, bool *row)
{
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW)
        return NULL;
    struct error *error =
        code == SQLITE_DONE
            ? NULL
            : database_error(database, sqlite3_stmt_readonly(statement) ? "read" : "write");
    sqlite3_reset(statement);
    return error;
}

/* An empty slice may have no pointer, which SQLite would take for NULL. */
void bind_text(sqlite3_stmt *statement, int index, slice text)
{
    sqlite3_bind_text64(statement, index, text.len ? text.ptr : "", text.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

void bind_bytes(sqlite3_stmt *statement, int index, slice bytes)
{
    sqlite3_bind_blob64(statement, index, bytes.len ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
}

slice column_bytes(sqlite3_stmt *statement, int column)
{
    const void *bytes = sqlite3_column_blob(statement, column);
    int count = sqlite3_column_bytes(statement, column);
    return bytes ? slice_make(bytes, (size_t)count) : SLICE_EMPTY;
}

static struct error *read_pragma(const struct database *database, const char *sql, int *value)
{
    CLEANUP_STATEMENT sqlite3_stmt *statement = NULL;
    bool row = false;
    TRY(database_prepare(database, &statement, sql));
    TRY(database_row(database, statement, &row));
    *value = row ? sqlite3_column_int(statement, 0) : 0;
    return NULL;
}

static struct error *check_is_store(const struct database *database)
{
    int application = 0, version = 0;
    CLEANUP_ERROR struct error *unreadable =
        read_pragma(database, "PRAGMA application_id", &application);
    if (unreadable || application != STORE_APPLICATION_ID)
        return error_make(
            ERROR_INPUT,
            "%s is not an advisory store%s%s: give the store's path with --db, or make "
            "one with plimsoll db import",
            database->path, unreadable ? ": " : "",
            unreadable ? sqlite3_errmsg(database->handle) : "");
    TRY(read_pragma(database, "PRAGMA user_version", &version));
    if (version != STORE_SCHEMA_VERSION)
        return error_make(ERROR_INPUT,
                          "the advisory store %s is of schema version %d and this plimsoll reads "
                          "version %d: remove it and import its feeds again (plimsoll db import)",
                          database->path, version, STORE_SCHEMA_VERSION);
    return NULL;
}

/*
 * A file name as an SQLite URI with immutable=1: the store is only ever replaced by rename, so no
 * lock or journal needs looking at, and one on a read-only disk opens too.
 */
static char *immutable_uri(const char *path)
{
    static const char hex[] = "0123456789abcdef";
    static const char head[] = "file:", tail[] = "?immutable=1";
    char *uri = memory_alloc(sizeof(head) + sizeof(tail) + strlen(path) * 3);
    char *at = uri + sizeof(head) - 1;
    memcpy(uri, head, sizeof(head));
    for (const char *from = path; *from; from++) {
        unsigned char byte = (unsigned char)*from;
        if (byte == '%' || byte == '?' || byte == '#') {
            *at++ = '%';
            *at++ = hex[byte >> 4];
            *at++ = hex[byte & 15];
        } else {
            *at++ = (char)byte;
        }
    }
    memcpy(at, tail, sizeof(tail));
    return uri;
}

/* A crafted store must not make SQLite do more than read and write tables. */
static void refuse_tricks(sqlite3 *handle)
{
    sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
}

/*
 * SQLite reads a file that was cut as long as nothing asks for the pages that are gone, so a cut
 * store would answer "nothing known". Its header says how many pages there are (SQLite, "Database
 * File Format", 1.3.2 and 1.3.8).
 */
static struct error *check_size(const char *path, uint64_t size)
{
    unsigned char header[100];
    size_t got;
    CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return error_errno("cannot open the advisory store %s", path);
    TRY(error_wrap(file_read_at(fd, header, sizeof(header), 0, &got), "%s", path));
    if (got < sizeof(header) || memcmp(header, "SQLite format 3", 16) != 0)
        return NULL; /* check_is_store says what it is */
    uint64_t page = (uint64_t)header[16] << 8 | header[17];
    uint64_t pages = (uint64_t)header[28] << 24 | (uint64_t)header[29] << 16 |
                     (uint64_t)header[30] << 8 | header[31];
    if (page == 1)
        page = 65536;
    if (pages == 0 || page * pages == size)
        return NULL;
    return error_make(ERROR_INPUT,
                      "the advisory store %s is damaged: it has %llu bytes, not %llu as it says "
                      "itself; remove it and import again",
                      path, (unsigned long long)size, (unsigned long long)(page * pages));
}

struct error *database_open(struct database *database, const char *path)
{
    *database = (struct database){.path = memory_text(slice_from_text(path))};
    struct stat status;
    if (stat(path, &status) != 0) {
        if (errno == ENOENT)
            return error_make(ERROR_INPUT,
                              "there is no advisory store at %s: make one from feeds with "
                              "plimsoll db import, or give another path with --db",
                              path);
        return error_errno("cannot open the advisory store %s", path);
    }
    if (!S_ISREG(status.st_mode))
        return error_make(ERROR_INPUT, "the advisory store %s is not a regular file", path);
    TRY(check_size(path, (uint64_t)status.st_size));
    CLEANUP_FREE char *uri = immutable_uri(path);
    int code = sqlite3_open_v2(uri, &database->handle,
                               SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return database->handle ? database_error(database, "open")
                                : error_make(ERROR_SYSTEM, "cannot open the advisory store %s: %s",
                                             path, sqlite3_errstr(code));
    refuse_tricks(database->handle);
    TRY(check_is_store(database));
    return database_run(database, "PRAGMA cell_size_check = ON; PRAGMA cache_size = -16384;");
}

struct error *database_open_beside(struct database *database, const char *path,
                                   const char *known_as)
{
    *database = (struct database){.path = memory_text(slice_from_text(known_as))};
    struct stat status;
    bool fresh = stat(path, &status) != 0 || status.st_size == 0;
    if (sqlite3_open_v2(path, &database->handle,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) != SQLITE_OK)
        return database->handle ? database_error(database, "write")
                                : error_make(ERROR_SYSTEM, "cannot write %s", path);
    refuse_tricks(database->handle);
    if (!fresh)
        TRY(check_is_store(database));
    /* Nothing durable is needed before the rename, and on an error the file is thrown away. */
    TRY(database_run(database, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                               "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;"
                               "PRAGMA cache_size = -131072; PRAGMA cell_size_check = ON;"));
    if (!fresh)
        return database_run(database, later_sql);
    char sql[128];
    snprintf(sql, sizeof(sql), "PRAGMA application_id = %d; PRAGMA user_version = %d;",
             STORE_APPLICATION_ID, STORE_SCHEMA_VERSION);
    TRY(database_run(database, sql));
    TRY(database_run(database, schema_sql));
    return database_run(database, later_sql);
}

void database_close(struct database *database)
{
    sqlite3_close(database->handle);
    free(database->path);
    *database = (struct database){0};
}
