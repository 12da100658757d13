/* The parts of store: sql.c drives the database, schema.c knows the tables and how they came to be;
 * every kind of record is a file with its statements. */
#ifndef OBHUT_STORE_PRIV_H
#define OBHUT_STORE_PRIV_H

#include <obhut/store.h>

#include <pthread.h>
#include <stdatomic.h>

#include <sqlite3.h>

/* ---- sql.c ---------------------------------------------------------------------------------- */

enum { SQL_KEPT = 128 }; /* statements that stay prepared */

struct ob_store {
    sqlite3 *db;
    atomic_ullong generation;
    pthread_mutex_t lock; /* held from sql_begin to sql_end, and through a transaction */
    struct {
        const char *text;
        sqlite3_stmt *statement;
    } kept[SQL_KEPT];
};

/* A statement on its way. Errors stay in it until sql_end, so that steps need not be checked one by
 * one. `text` is a string literal: it is known again by its place. */
typedef struct sql {
    ob_store *store;
    sqlite3_stmt *statement;
    ob_status status;
    ob_error *err;
    bool kept;
} sql;

void sql_begin(sql *out, ob_store *store, const char *text, ob_error *err);
void sql_bind_int(sql *q, int at, int64_t value);      /* parameters count from 1 */
void sql_bind_text(sql *q, int at, const char *value); /* NULL is no text; lives until sql_end */
void sql_bind_bytes(sql *q, int at, const void *bytes, size_t size);

/* True while there is a row. */
bool sql_step(sql *q);
int64_t sql_int(sql *q, int column); /* columns count from 0 */
bool sql_is_null(sql *q, int column);

/* The text, cut to what fits; an error where it was longer. */
void sql_text(sql *q, int column, char *out, size_t capacity);

/* Exactly `size` bytes, or an error. */
void sql_bytes(sql *q, int column, void *out, size_t size);

/* Runs what is left, gives the statement back; the first error, if there was one. */
ob_status sql_end(sql *q);

/* Rows that the last statement changed. */
int64_t sql_changed(ob_store *store);

/* Everything between happens or nothing does. */
ob_status sql_transaction_begin(ob_store *store, ob_error *err);
ob_status sql_transaction_end(ob_store *store, ob_status so_far, ob_error *err);

/* Statements without parameters, one after the other. */
ob_status sql_script(ob_store *store, const char *text, ob_error *err);

/* ---- schema.c ------------------------------------------------------------------------------- */

ob_status schema_update(ob_store *store, ob_error *err);

/* ---- Shared --------------------------------------------------------------------------------- */

/* Tokens or gateways have changed. */
void store_changed(ob_store *store);

/* Appends one more element to an array; returns its place, or NULL. */
void *store_grow(void **array, size_t *count, size_t *capacity, size_t size);

#endif
