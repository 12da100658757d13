/* Prepare, bind, step: over SQLite. */
#include "store_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static ob_status database_error(ob_store *store, const char *doing, ob_error *err)
{
    int code = store->db ? sqlite3_errcode(store->db) : SQLITE_NOMEM;
    ob_status status = code == SQLITE_NOMEM                              ? OB_ENOMEM
                       : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? OB_EFORMAT
                       : code == SQLITE_CONSTRAINT                       ? OB_EINVAL
                                                                         : OB_EIO;
    return ob_fail(err, status, "the records (obhut.db) cannot be %s: %s", doing,
                   store->db ? sqlite3_errmsg(store->db) : "out of memory");
}

/* ---- Opening -------------------------------------------------------------------------------- */

ob_status ob_store_open(ob_store **out, const char *dir, const char *url, ob_error *err)
{
    char path[4096];
    if (url)
        return ob_fail(err, OB_EINVAL, "records are kept in the data directory only, as yet");
    if (snprintf(path, sizeof path, "%s/obhut.db", dir) >= (int)sizeof path)
        return ob_fail(err, OB_EINVAL, "%s: the path is too long", dir);
    ob_store *store = calloc(1, sizeof *store);
    if (!store)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&store->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    mode_t mask = umask(077);
    int code = sqlite3_open_v2(path, &store->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                   SQLITE_OPEN_NOFOLLOW,
                               NULL);
    ob_status status = code ? database_error(store, "opened", err) : OB_OK;
    if (!status)
        status = sql_script(store,
                            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                            "PRAGMA temp_store = MEMORY;",
                            err);
    if (!status)
        status = schema_update(store, err);
    umask(mask);
    if (status)
        ob_store_close(store);
    else
        *out = store;
    return status;
}

void ob_store_close(ob_store *store)
{
    if (!store)
        return;
    for (int i = 0; i < SQL_KEPT; i++)
        sqlite3_finalize(store->kept[i].statement);
    sqlite3_close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

ob_status sql_script(ob_store *store, const char *text, ob_error *err)
{
    pthread_mutex_lock(&store->lock);
    ob_status status = sqlite3_exec(store->db, text, NULL, NULL, NULL) == SQLITE_OK
                           ? OB_OK
                           : database_error(store, "changed", err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- Transactions --------------------------------------------------------------------------- */

/* Databases differ in what a failed statement leaves of a transaction (SQLite may have undone it
 * and would keep what follows). Here nothing of it is left, whatever failed, and nothing follows.
 */
static void transaction_fail(ob_store *store, ob_status status, const ob_error *err)
{
    if (!store->depth || store->failed.status)
        return;
    store->failed = (ob_error){.status = status};
    ob_fail(&store->failed, status, "%s",
            err && err->status == status ? err->text : "an earlier part of this step failed");
}

static ob_status transaction_failure(const ob_store *store, ob_error *err)
{
    return store->failed.status ? ob_fail(err, store->failed.status, "%s", store->failed.text)
                                : OB_OK;
}

ob_status sql_transaction_begin(ob_store *store, ob_error *err)
{
    pthread_mutex_lock(&store->lock);
    ob_status status =
        store->depth ? transaction_failure(store, err) : sql_script(store, "BEGIN IMMEDIATE", err);
    if (status)
        pthread_mutex_unlock(&store->lock);
    else
        store->depth++;
    return status;
}

static ob_status outermost_end(ob_store *store, ob_status so_far, ob_error *err)
{
    ob_status status = so_far ? so_far : transaction_failure(store, err);
    store->failed = (ob_error){0};
    if (!status)
        status = sql_script(store, "COMMIT", err);
    if (status)
        sql_script(store, "ROLLBACK", NULL);
    return status;
}

ob_status sql_transaction_end(ob_store *store, ob_status so_far, ob_error *err)
{
    ob_status status = so_far;
    if (so_far)
        transaction_fail(store, so_far, err);
    if (--store->depth == 0)
        status = outermost_end(store, so_far, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

ob_status ob_store_begin(ob_store *store, ob_error *err)
{
    return sql_transaction_begin(store, err);
}

ob_status ob_store_end(ob_store *store, ob_status so_far, ob_error *err)
{
    return sql_transaction_end(store, so_far, err);
}

/* ---- One statement -------------------------------------------------------------------------- */

static void problem(sql *q, const char *doing)
{
    if (!q->status)
        q->status = database_error(q->store, doing, q->err);
}

void sql_begin(sql *out, ob_store *store, const char *text, ob_error *err)
{
    *out = (sql){.store = store, .err = err};
    pthread_mutex_lock(&store->lock);
    out->status = store->depth ? transaction_failure(store, err) : OB_OK;
    if (out->status)
        return;
    for (int i = 0; i < SQL_KEPT; i++) {
        if (store->kept[i].text == text && !sqlite3_stmt_busy(store->kept[i].statement)) {
            out->statement = store->kept[i].statement;
            out->kept = true;
            return;
        }
        if (store->kept[i].text)
            continue;
        if (sqlite3_prepare_v3(store->db, text, -1, SQLITE_PREPARE_PERSISTENT, &out->statement,
                               NULL))
            break;
        store->kept[i].text = text;
        store->kept[i].statement = out->statement;
        out->kept = true;
        return;
    }
    if (sqlite3_prepare_v3(store->db, text, -1, 0, &out->statement, NULL))
        problem(out, "asked");
}

void sql_bind_int(sql *q, int at, int64_t value)
{
    if (!q->status && sqlite3_bind_int64(q->statement, at, value))
        problem(q, "asked");
}

void sql_bind_text(sql *q, int at, const char *value)
{
    if (!q->status && sqlite3_bind_text(q->statement, at, value, -1, SQLITE_STATIC))
        problem(q, "asked");
}

void sql_bind_bytes(sql *q, int at, const void *bytes, size_t size)
{
    if (!q->status && sqlite3_bind_blob64(q->statement, at, bytes, size, SQLITE_STATIC))
        problem(q, "asked");
}

bool sql_step(sql *q)
{
    if (q->status || q->done) /* a step beyond the last would begin anew */
        return false;
    int code = sqlite3_step(q->statement);
    q->done = code != SQLITE_ROW;
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        problem(q, sqlite3_stmt_readonly(q->statement) ? "read" : "written");
    return code == SQLITE_ROW;
}

int64_t sql_int(sql *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

bool sql_is_null(sql *q, int column)
{
    return sqlite3_column_type(q->statement, column) == SQLITE_NULL;
}

static void damaged(sql *q)
{
    if (!q->status)
        q->status = ob_fail(q->err, OB_EFORMAT,
                            "the records (obhut.db) are damaged: a value of impossible size");
}

void sql_text(sql *q, int column, char *out, size_t capacity)
{
    const unsigned char *text = sqlite3_column_text(q->statement, column);
    size_t size = (size_t)sqlite3_column_bytes(q->statement, column);
    *out = '\0';
    if (size >= capacity)
        damaged(q);
    else if (text)
        memcpy(out, text, size + 1);
}

void sql_bytes(sql *q, int column, void *out, size_t size)
{
    const void *bytes = sqlite3_column_blob(q->statement, column);
    if ((size_t)sqlite3_column_bytes(q->statement, column) != size || !bytes)
        damaged(q);
    else
        memcpy(out, bytes, size);
}

ob_status sql_end(sql *q)
{
    while (sql_step(q))
        ;
    if (q->kept && q->statement) {
        sqlite3_reset(q->statement);
        sqlite3_clear_bindings(q->statement);
    } else {
        sqlite3_finalize(q->statement);
    }
    if (q->status)
        transaction_fail(q->store, q->status, q->err);
    pthread_mutex_unlock(&q->store->lock);
    return q->status;
}

int64_t sql_changed(ob_store *store)
{
    return sqlite3_changes64(store->db);
}

void sql_bind_key(sql *q, int at, const ob_record_key *key)
{
    sql_bind_bytes(q, at, key->bytes, sizeof key->bytes);
}

void sql_key(sql *q, int column, ob_record_key *out)
{
    sql_bytes(q, column, out->bytes, sizeof out->bytes);
}

uint64_t ob_store_generation(ob_store *store)
{
    return 1 + atomic_load(&store->generation);
}

void store_changed(ob_store *store)
{
    atomic_fetch_add(&store->generation, 1);
}

void ob_store_on_withdrawal(ob_store *store, void (*hear)(void *context, bool personal),
                            void *context)
{
    store->on_withdrawal = hear;
    store->on_withdrawal_context = context;
}

void store_withdrawn(ob_store *store, bool personal)
{
    if (store->on_withdrawal)
        store->on_withdrawal(store->on_withdrawal_context, personal);
}

void *store_grow(void **array, size_t *count, size_t *capacity, size_t size)
{
    if (*count == *capacity) {
        size_t more = 2 * *capacity + 16;
        void *grown = realloc(*array, more * size);
        if (!grown)
            return NULL;
        *array = grown;
        *capacity = more;
    }
    void *place = (char *)*array + (*count)++ * size;
    memset(place, 0, size);
    return place;
}

bool ob_name_is_valid(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-");
    return length && !name[length] && length <= OB_NAME_MAX && *name != '.' && *name != '_' &&
           *name != '-';
}
