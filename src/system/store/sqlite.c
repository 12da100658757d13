/* Records in one file, by SQLite. */
#include "driver.h"
#include "sqlite_files.h"

#include <obhut/file.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

/* A connection; with statements that begin and end what is read, which happens all the time. */
typedef struct connection {
    sqlite3 *db;
    sqlite3_stmt *begins, *ends; /* made when they are first needed */
} connection;

static sqlite3 *db_of(void *c)
{
    return ((connection *)c)->db;
}

static ob_status fail(sqlite3 *db, const char *doing, ob_error *err)
{
    int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    ob_status status = code == SQLITE_NOMEM                              ? OB_ENOMEM
                       : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? OB_EFORMAT
                       : code == SQLITE_CONSTRAINT                       ? OB_EINVAL
                                                                         : OB_EIO;
    return ob_fail(err, status, "the records (obhut.db) cannot be %s: %s", doing,
                   db ? sqlite3_errmsg(db) : "out of memory");
}

/* ---- The file -------------------------------------------------------------------------------- */

static ob_status script(void *c, const char *text, ob_error *err)
{
    sqlite3 *db = db_of(c);
    return sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK ? OB_OK : fail(db, "changed", err);
}

static const char for_writing[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                                  "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                                  "PRAGMA temp_store = MEMORY;";
static const char for_reading[] = "PRAGMA query_only = ON; PRAGMA temp_store = MEMORY;";

/* Readers and the one who writes wait for each other only where the journal is begun anew. */
enum { OWNER_WAITS_MS = 100, READER_WAITS_MS = 5000 };

static void close_file(void *context)
{
    connection *c = context;
    if (!c)
        return;
    sqlite3_finalize(c->begins);
    sqlite3_finalize(c->ends);
    sqlite3_close(c->db);
    free(c);
}

/* Before SQLite makes files beside it, which get the owner of this one. Closing what was opened for
 * its path alone leaves SQLite's locks. */
static ob_status give_file(const char *path, ob_error *err)
{
    if (geteuid() || !strcmp(path, ":memory:"))
        return OB_OK;
    char *dir = strdup(path);
    if (!dir)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    char *end = strrchr(dir, '/');
    if (end)
        end[end == dir] = '\0';
    int file = ob_file_open(AT_FDCWD, path, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0);
    ob_status status =
        file < 0
            ? ob_fail(err, OB_EIO, "the records (obhut.db) cannot be opened: %s", strerror(errno))
            : ob_file_give(file, path, AT_FDCWD, end ? dir : ".", err);
    if (file >= 0)
        close(file);
    free(dir);
    return status;
}

static ob_status open_file(void **out, const char *path, connection_use use, ob_error *err)
{
    connection *c = calloc(1, sizeof *c);
    const char *files = sqlite_files();
    if (!c || !files) {
        free(c);
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    }
    mode_t mask = umask(077);
    int code = sqlite3_open_v2(path, &c->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_NOFOLLOW,
                               files);
    ob_status status = code ? fail(c->db, "opened", err) : give_file(path, err);
    if (!status)
        sqlite3_busy_timeout(c->db, use == CONNECTION_OWNS ? OWNER_WAITS_MS : READER_WAITS_MS);
    if (!status)
        status = script(c, use == CONNECTION_OWNS ? for_writing : for_reading, err);
    umask(mask);
    if (status)
        close_file(c);
    else
        *out = c;
    return status;
}

/* What could not be undone when it failed, for lack of memory, is undone now. */
static ob_status begin(void *c, ob_error *err)
{
    ob_status status = sqlite3_get_autocommit(db_of(c)) ? OB_OK : script(c, "ROLLBACK", err);
    return status ? status : script(c, "BEGIN IMMEDIATE", err);
}

/* Words that are said again and again are understood once. */
static ob_status say(connection *c, sqlite3_stmt **prepared, const char *text, ob_error *err)
{
    if (!*prepared &&
        sqlite3_prepare_v3(c->db, text, -1, SQLITE_PREPARE_PERSISTENT, prepared, NULL))
        return fail(c->db, "asked", err);
    sqlite3_step(*prepared);
    return sqlite3_reset(*prepared) ? fail(c->db, "read", err) : OB_OK;
}

static void rollback(void *context)
{
    connection *c = context;
    if (!sqlite3_get_autocommit(c->db)) /* else it has done so by itself */
        say(c, &c->ends, "ROLLBACK", NULL);
}

static ob_status begin_reading(void *context, ob_error *err)
{
    connection *c = context;
    rollback(c); /* what could not be undone for lack of memory */
    return say(c, &c->begins, "BEGIN", err);
}

/* When the disk could not say that it has everything, it may have it all the same, and show it at
 * the next opening. */
static ob_status fail_commit(sqlite3 *db, ob_error *err)
{
    bool is_unknown = (sqlite3_errcode(db) & 0xFF) == SQLITE_IOERR;
    return ob_fail(err, fail(db, "written", NULL), "the records (obhut.db) cannot be written: %s%s",
                   sqlite3_errmsg(db), is_unknown ? DRIVER_UNKNOWN : "");
}

static ob_status commit(void *c, ob_error *err)
{
    sqlite3 *db = db_of(c);
    return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? OB_OK : fail_commit(db, err);
}

static const char in_use[] =
    "another program uses obhut.db: what was deleted is overwritten when it has ended";

/* secure_delete overwrites a row that goes; older copies of it can lie where a page was put in
 * order again. So the file is written anew, and the journal emptied: which fails while somebody
 * reads it, and says so in a row. */
static ob_status empty_journal(void *c, const char *table, ob_error *err)
{
    sqlite3 *db = db_of(c);
    (void)table;
    sqlite3_stmt *statement = NULL;
    bool busy = true;
    if (sqlite3_prepare_v2(db, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &statement, NULL))
        return fail(db, "changed", err);
    if (sqlite3_step(statement) == SQLITE_ROW)
        busy = sqlite3_column_int(statement, 0) != 0;
    sqlite3_finalize(statement);
    return busy ? ob_fail(err, OB_EBUSY, in_use) : OB_OK;
}

/* Its copy goes into a file: in memory it would need as much as the records are large. */
static ob_status rewrite(void *c, const char *table, ob_error *err)
{
    sqlite3 *db = db_of(c);
    (void)table;
    sqlite_files_beside(sqlite3_db_filename(db, "main"));
    ob_status status = script(c, "PRAGMA temp_store = FILE", err);
    if (!status && sqlite3_exec(db, "VACUUM", NULL, NULL, NULL) != SQLITE_OK)
        status = sqlite3_errcode(db) == SQLITE_BUSY ? ob_fail(err, OB_EBUSY, in_use)
                                                    : fail(db, "written anew", err);
    script(c, "PRAGMA temp_store = MEMORY", NULL);
    sqlite_files_beside(NULL);
    return status;
}

/* ---- Statements ------------------------------------------------------------------------------ */

static ob_status statement_fail(sqlite3_stmt *statement, const char *doing, ob_error *err)
{
    return fail(sqlite3_db_handle(statement), doing, err);
}

static ob_status prepare(void **out, void *c, const char *text, statement_use use, ob_error *err)
{
    sqlite3 *db = db_of(c);
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(db, text, -1, use == USE_OFTEN ? SQLITE_PREPARE_PERSISTENT : 0,
                           &statement, NULL))
        return fail(db, "asked", err);
    *out = statement;
    return OB_OK;
}

static void drop(void *statement)
{
    sqlite3_finalize(statement);
}

static ob_status bind(void *statement, int at, const value *v, ob_error *err)
{
    int code = v->kind == VALUE_INT    ? sqlite3_bind_int64(statement, at, v->number)
               : v->kind == VALUE_TEXT ? sqlite3_bind_text64(statement, at, v->bytes, v->size,
                                                             SQLITE_STATIC, SQLITE_UTF8)
               : v->kind == VALUE_BYTES
                   ? sqlite3_bind_blob64(statement, at, v->bytes, v->size, SQLITE_STATIC)
                   : sqlite3_bind_null(statement, at);
    return code ? statement_fail(statement, "asked", err) : OB_OK;
}

static ob_status step(bool *row, void *statement, ob_error *err)
{
    sqlite3 *db = sqlite3_db_handle(statement);
    bool is_alone = sqlite3_get_autocommit(db) && !sqlite3_stmt_readonly(statement);
    int code = sqlite3_step(statement);
    *row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return OB_OK;
    return is_alone ? fail_commit(db, err)
                    : fail(db, sqlite3_stmt_readonly(statement) ? "read" : "written", err);
}

static ob_status column(value *out, void *statement, int at, ob_error *err)
{
    *out = (value){.kind = VALUE_NULL};
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
        *out = (value){.kind = VALUE_INT, .number = sqlite3_column_int64(statement, at)};
        break;
    case SQLITE_TEXT:
        *out = (value){.kind = VALUE_TEXT, .bytes = sqlite3_column_text(statement, at)};
        if (!out->bytes)
            return statement_fail(statement, "read", err);
        out->size = (size_t)sqlite3_column_bytes(statement, at);
        break;
    case SQLITE_BLOB:
        *out = (value){.kind = VALUE_BYTES, .bytes = sqlite3_column_blob(statement, at)};
        out->size = (size_t)sqlite3_column_bytes(statement, at);
        break;
    default:
        break;
    }
    return OB_OK;
}

static void reset(void *statement)
{
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
}

static int64_t changed(void *c)
{
    return sqlite3_changes64(db_of(c));
}

/* ---- Version --------------------------------------------------------------------------------- */

static ob_status version(int64_t *out, void *c, ob_error *err)
{
    bool row = false;
    void *statement = NULL;
    ob_status status = prepare(&statement, c, "PRAGMA user_version", USE_ONCE, err);
    if (!status)
        status = step(&row, statement, err);
    if (!status)
        *out = row ? sqlite3_column_int64(statement, 0) : 0;
    drop(statement);
    return status;
}

static ob_status set_version(void *c, int64_t number, ob_error *err)
{
    ob_buf text = {0};
    ob_status status = ob_buf_printf(&text, err, "PRAGMA user_version = %lld", (long long)number);
    if (!status)
        status = script(c, text.bytes, err);
    ob_buf_free(&text);
    return status;
}

const driver driver_sqlite = {
    .open = open_file,
    .close = close_file,
    .begin = begin,
    .begin_reading = begin_reading,
    .commit = commit,
    .rollback = rollback,
    .script = script,
    .run = script,
    .rewrites_all = true,
    .rewrite = rewrite,
    .empty_journal = empty_journal,
    .version = version,
    .set_version = set_version,
    .prepare = prepare,
    .drop = drop,
    .bind = bind,
    .step = step,
    .column = column,
    .reset = reset,
    .changed = changed,
    .whole = "PRAGMA integrity_check(1)",
    .tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
              " ORDER BY name",
    .columns = "SELECT name, CASE type WHEN 'INTEGER' THEN 1 WHEN 'TEXT' THEN 2 ELSE 3 END, pk"
               " FROM pragma_table_info(?) ORDER BY cid",
};
