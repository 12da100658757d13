/* The parts of store: open.c finds the database; view.c manages connections for reading, writing.c
 * the one for writing; sql.c runs statements through a driver (driver.h); schema.c has the tables
 * of each version; dump.c and load.c copy all of them. Every kind of record is a constant
 * (record.h) in a file of its own in kinds/. */
#ifndef OBHUT_STORE_PRIV_H
#define OBHUT_STORE_PRIV_H

#include <obhut/records/record.h>
#include <obhut/store.h>

#include <pthread.h>
#include <stdatomic.h>

#include "driver.h"

/* ---- sql.c ----------------------------------------------------------------------------------- */

enum { SQL_CACHED = 128 }; /* statements that stay prepared */

/* Appends a statement about a kind of record; `text` is the part of it that is a literal. */
struct record_kind;
typedef ob_status sql_make(ob_buf *out, const struct record_kind *kind, const char *text,
                           ob_error *err);

/* A connection and its open transaction. */
struct ob_view {
    ob_store *store;
    void *db;
    connection_use use;
    bool is_open;      /* a transaction is */
    bool is_unchecked; /* the connection is new, and the tables may be of another version */
    ob_error failed;   /* the first error of a writing; status OB_OK: none */
    struct cached {
        const char *text; /* NULL: this place is free */
        sql_make *make;
        const struct record_kind *kind;
        void *statement;
        bool is_used;
    } cached[SQL_CACHED];
    ob_view *next; /* among idle ones */
};

struct ob_writing {
    ob_view view;
    /* What a writing changed: records of which others have copies in memory; records that permitted
     * scanning, of an account or of the service. */
    bool changed, personal, service;
};

struct ob_store {
    const driver *driver;
    char *where;
    atomic_ullong generation;
    void (*on_withdrawal)(void *context, bool personal);
    void *on_withdrawal_context;
    /* Writers take turns. */
    pthread_mutex_t turns;
    pthread_cond_t turn_over;
    uint64_t turn, last_turn;
    atomic_bool overwrites; /* the present writer writes all tables anew */
    ob_writing writing;
    pthread_mutex_t scrubbing; /* taken while deleted records are overwritten */
    /* Readers. */
    pthread_mutex_t pool;
    pthread_cond_t view_freed;
    ob_view *idle;
    unsigned view_count, idle_count; /* view_count: with those that are in use */
};

/* A statement. It has its first error until sql_end, so that steps need not be checked one by
 * one. */
typedef struct sql {
    ob_view *view;
    const char *text;
    sql_make *make; /* NULL: the text is all of it */
    const struct record_kind *kind;
    void *statement;
    struct cached *cached; /* NULL: it ends with sql_end */
    ob_status status;
    ob_error *err;
    bool done;
} sql;

/* Begins a statement that stays prepared: `text` is a string literal, recognised by its address. */
void sql_begin(sql *out, ob_view *view, const char *text, ob_error *err);
/* Begins a statement made of a kind and such a literal, which stays prepared, too. */
void sql_begin_made(sql *out, ob_view *view, sql_make *make, const struct record_kind *kind,
                    const char *text, ob_error *err);
/* Begins a statement of any text, which must live until sql_end; it does not stay prepared. */
void sql_begin_own(sql *out, ob_view *view, const char *text, statement_use use, ob_error *err);
void sql_bind(sql *q, int at, const value *value); /* parameters count from 1 */
void sql_bind_int(sql *q, int at, int64_t value);
void sql_bind_text(sql *q, int at, const char *value); /* NULL is no text; lives until sql_end */
void sql_bind_bytes(sql *q, int at, const void *bytes, size_t size);
void sql_bind_key(sql *q, int at, const ob_record_key *key);

/* Goes to the next row; false where there is none. */
bool sql_step(sql *q);
/* Notes an error of the caller's: there are no more rows, and sql_end returns it. */
void sql_stop(sql *q, ob_status status);

void sql_again(sql *q);              /* from the start, with new parameters */
value sql_value(sql *q, int column); /* lives until the next step */
int64_t sql_int(sql *q, int column); /* columns count from 0 */
bool sql_is_null(sql *q, int column);

/* Copies a text, cut to what fits; notes an error where it was longer. */
void sql_text(sql *q, int column, char *out, size_t capacity);

/* Copies exactly `size` bytes, or notes an error. */
void sql_bytes(sql *q, int column, void *out, size_t size);
void sql_key(sql *q, int column, ob_record_key *out);

/* Returns a column's bytes as pieces of `size`, for the caller to free; NULL with an error. */
void *sql_copy(sql *q, int column, size_t size, size_t *count);

/* Runs the rest of the statement, gives it back, and returns its first error. */
ob_status sql_end(sql *q);

/* Returns how many rows the last statement changed. */
int64_t sql_changed(ob_writing *w);

/* Runs statements without parameters, written as in schema.c. */
ob_status sql_script(ob_writing *w, const char *text, ob_error *err);

/* Opens the database and leaves the tables as they are. The caller owns *out. */
ob_status sql_open(ob_store **out, const driver *driver, const char *where, ob_error *err);

/* Drops all prepared statements, because tables were made anew. */
void sql_forget(ob_view *view);

/* ---- view.c ---------------------------------------------------------------------------------- */

/* Connects a view; call view_disconnect in any case. */
ob_status view_connect(ob_view *view, ob_store *store, connection_use use, ob_error *err);
void view_disconnect(ob_view *view);

/* Checks that statements can be run now. On a new connection, where another program may have
 * changed the records, copies in memory are out of date, and the version of the tables is checked
 * first. */
ob_status view_ready(ob_view *view, ob_error *err);

/* Closes idle connections; view_pool_empty while others may read. */
void view_pool_close(ob_store *store);
void view_pool_empty(ob_store *store);

/* ---- writing.c ------------------------------------------------------------------------------- */

/* Takes the writing connection for this thread, without a transaction. */
void writing_turn(ob_store *store);
void writing_turn_over(ob_store *store);

/* Makes the writing, or its present part, fail: later calls do nothing. */
void writing_fail(ob_writing *w, ob_status status, const ob_error *err);

/* Notes a change of records of which others have copies in memory. */
void store_changed(ob_writing *w);

/* Notes that a record that permitted scanning may have been withdrawn. */
void store_withdrawn(ob_writing *w, bool personal);

/* ---- schema.c -------------------------------------------------------------------------------- */

/* Returns how many steps of the schema this program knows. */
int64_t schema_steps(void);

/* Returns the statements of a step; steps count from 1. */
const char *schema_step(int64_t step);

/* Runs the missing steps up to `version`. OB_EREFUSED: a newer program made the tables. */
ob_status schema_update(ob_writing *w, int64_t version, ob_error *err);

/* Sets *is_old to whether steps are missing. OB_EREFUSED: a newer program made the tables;
 * OB_EFORMAT: there are none. */
ob_status schema_is_old(bool *is_old, ob_view *view, ob_error *err);

/* Checks that the tables have this version, without changing them. OB_EREFUSED: they have another.
 */
ob_status schema_check(ob_view *view, ob_error *err);

/* ---- catalogue.c ----------------------------------------------------------------------------- */

typedef struct store_column {
    char name[64];
    value_kind kind;
    int64_t key; /* its place in the primary key, or 0 */
} store_column;

typedef struct store_table {
    char name[64];
    size_t count;
    store_column columns[DRIVER_PARAMETERS];
} store_table;

/* Reads the database's own description of its tables, by name. The caller frees *out. */
ob_status store_catalogue(store_table **out, size_t *count, ob_view *view, ob_error *err);

/* Appends "a", "b", …: all columns, or with `key` those of the primary key in their order. */
ob_status store_columns(ob_buf *out, const store_table *table, bool key, ob_error *err);

/* ---- rows.c ---------------------------------------------------------------------------------- */

/* Copies the columns of a row to a record that is zero. */
typedef void (*row_reader)(void *record, sql *q);

/* Reads all rows and ends the statement. `out` points to a pointer, which the caller frees. */
ob_status store_read_all(void *out, size_t *count, sql *q, size_t size, row_reader read);

/* Reads the first row, if there is one, and ends the statement. */
ob_status store_read_one(bool *found, void *out, sql *q, row_reader read);

/* Runs a change and ends the statement. Where no row was changed, the writing fails with the status
 * `none` and the sentence `otherwise`; NULL: that is fine. */
ob_status store_end_or(sql *q, ob_status none, const char *otherwise);

/* Does the same with OB_ENOTFOUND. */
ob_status store_end_change(sql *q, const char *otherwise);

/* ---- kinds/ ---------------------------------------------------------------------------------- */

/* Sets *out to the next number of a kind of record. A number is never given twice, not even when
 * its record was deleted. */
ob_status store_next_id(int64_t *out, ob_writing *w, const char *kind, ob_error *err);

/* Sets the latest instant at which anything was allowed, unless it is later already. */
ob_status store_clock_forward(ob_writing *w, int64_t at, ob_error *err);

/* Adds the digest of an item that was denied on that day. */
ob_status store_denied_add(ob_writing *w, const ob_record_key *digest, int64_t day, ob_error *err);

/* ---- scrub.c --------------------------------------------------------------------------------- */

/* Notes that records of a table were deleted for good: the next ob_store_scrub overwrites them,
 * even if the process dies in between. */
ob_status store_want_scrub(ob_writing *w, const char *table, ob_error *err);

/* ---- Shared ---------------------------------------------------------------------------------- */

/* Reports a committed writing's changes: to copies in memory, and to ob_store_on_withdrawal. */
void store_notify(ob_store *store, bool changed, bool personal, bool service);

/* Appends one more element to an array; returns its place, or NULL. */
void *store_grow(void **array, size_t *count, size_t *capacity, size_t size);

#endif
