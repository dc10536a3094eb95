/*
 * The store's SQLite file: its tables, how it is opened, and the few calls that all of src/store
 * makes on it. Internal to src/store. docs/store.md says what each table is for.
 */
#ifndef PLIMSOLL_STORE_SCHEMA_H
#define PLIMSOLL_STORE_SCHEMA_H

#include "store/store.h"

#include <sqlite3.h>

/* "Plim" in the file's header says that an SQLite file is a store. */
#define STORE_APPLICATION_ID 0x506c696d

/* An open store file. `path` is what messages call it: the name that the user knows it by. */
struct database {
    sqlite3 *handle;
    char *path;
};

/* How a name leads to an advisory: rows of `alias`. */
enum alias_kind {
    ALIAS_SAME,     /* the advisory has it among its aliases */
    ALIAS_UPSTREAM, /* the advisory is derived from it, and from nothing else */
    ALIAS_PART,     /* the advisory is derived from several; this is one of them */
    ALIAS_REPAIRED  /* the advisory is an erratum that repairs it */
};

/* Read-only, and sure that it is a store of this schema version. */
MUST_CHECK struct error *database_open(struct database *database, const char *path);
/*
 * To be written, without a journal: the file must be one that can be thrown away. `known_as` is the
 * store's own path. Makes the tables when the file is new.
 */
MUST_CHECK struct error *database_open_beside(struct database *database, const char *path,
                                              const char *known_as);
void database_close(struct database *database);

/* What SQLite's last call on the database says: a damaged file, or a machine that refuses. */
MUST_CHECK struct error *database_error(const struct database *database, const char *doing);
/* The store's contents contradict themselves. */
MUST_CHECK struct error *database_damaged(const struct database *database, const char *why);

MUST_CHECK struct error *database_run(const struct database *database, const char *sql);
MUST_CHECK struct error *database_prepare(const struct database *database, sqlite3_stmt **statement,
                                          const char *sql);
/* Runs a statement that gives no rows and makes it ready for the next. */
MUST_CHECK struct error *database_step(const struct database *database, sqlite3_stmt *statement);
/* The next row: *row says whether there is one; at the end the statement is made ready again. */
MUST_CHECK struct error *database_row(const struct database *database, sqlite3_stmt *statement,
                                      bool *row);

/* Binds text or bytes that live until the statement is stepped to its end. */
void bind_text(sqlite3_stmt *statement, int index, slice text);
void bind_bytes(sqlite3_stmt *statement, int index, slice bytes);
/* A column's text or bytes, which live until the next step. */
slice column_bytes(sqlite3_stmt *statement, int column);

static inline void cleanup_statement(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}
#define CLEANUP_STATEMENT __attribute__((cleanup(cleanup_statement)))

#endif
