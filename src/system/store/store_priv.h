/* The parts of store: open.c finds the database, view.c has connections to it, writing.c the one
 * that changes it, sql.c asks through a driver (driver.h), schema.c knows the tables and how they
 * came to be, dump.c writes and reads all of them; every kind of record is a constant (record.h)
 * and a file of its own in kinds/. */
#ifndef OBHUT_STORE_PRIV_H
#define OBHUT_STORE_PRIV_H

#include <obhut/records/record.h>
#include <obhut/store.h>

#include <pthread.h>
#include <stdatomic.h>

#include "driver.h"

/* ---- sql.c ----------------------------------------------------------------------------------- */

enum { SQL_KEPT = 128 }; /* statements that stay prepared */

/* Appends a statement about a kind of record; `text` is the part of it that is a literal. */
struct record_kind;
typedef ob_status sql_make(ob_buf *out, const struct record_kind *kind, const char *text,
                           ob_error *err);

/* A connection, and the transaction that is open on it. */
struct ob_view {
    ob_store *store;
    void *db;
    connection_use use;
    bool is_open;      /* a transaction is */
    bool is_unchecked; /* the connection is new, and the tables may be of another version */
    ob_error failed;   /* what went wrong in a writing; status OB_OK: nothing */
    struct kept {
        const char *text; /* NULL: this place is free */
        sql_make *make;
        const struct record_kind *kind;
        void *statement;
        bool is_used;
    } kept[SQL_KEPT];
    ob_view *next; /* among idle ones */
};

struct ob_writing {
    ob_view view;
    /* What was changed in it: something that others keep in memory; what allowed looking, about
     * somebody or about the service. */
    bool changed, personal, service;
};

struct ob_store {
    const driver *driver;
    char *where;
    atomic_ullong generation;
    void (*on_withdrawal)(void *context, bool personal);
    void *on_withdrawal_context;
    /* Who writes: a turn each. */
    pthread_mutex_t turns;
    pthread_cond_t turn_over;
    uint64_t turn, last_turn;
    atomic_bool overwrites; /* the one who has its turn writes all tables anew */
    ob_writing writing;
    pthread_mutex_t scrubbing; /* what was deleted is being overwritten */
    /* Who reads. */
    pthread_mutex_t pool;
    pthread_cond_t view_freed;
    ob_view *idle;
    unsigned view_count, idle_count; /* view_count: with those that are in use */
};

/* A statement on its way. Errors stay in it until sql_end, so that steps need not be checked one by
 * one. */
typedef struct sql {
    ob_view *view;
    const char *text;
    sql_make *make; /* NULL: the text is all of it */
    const struct record_kind *kind;
    void *statement;
    struct kept *kept; /* NULL: it ends with sql_end */
    ob_status status;
    ob_error *err;
    bool done;
} sql;

/* `text` is a string literal: it is known again by its place, and stays prepared. */
void sql_begin(sql *out, ob_view *view, const char *text, ob_error *err);
/* The same, made of a kind and such a literal. */
void sql_begin_made(sql *out, ob_view *view, sql_make *make, const struct record_kind *kind,
                    const char *text, ob_error *err);
/* Any text; it lives until sql_end, and is not kept. */
void sql_begin_own(sql *out, ob_view *view, const char *text, statement_use use, ob_error *err);
void sql_bind(sql *q, int at, const value *value); /* parameters count from 1 */
void sql_bind_int(sql *q, int at, int64_t value);
void sql_bind_text(sql *q, int at, const char *value); /* NULL is no text; lives until sql_end */
void sql_bind_bytes(sql *q, int at, const void *bytes, size_t size);
void sql_bind_key(sql *q, int at, const ob_record_key *key);

/* True while there is a row. */
bool sql_step(sql *q);
/* An error of whoever reads: no more steps; sql_end returns it. */
void sql_stop(sql *q, ob_status status);

void sql_again(sql *q);              /* from the start, with new parameters */
value sql_value(sql *q, int column); /* lives until the next step */
int64_t sql_int(sql *q, int column); /* columns count from 0 */
bool sql_is_null(sql *q, int column);

/* The text, cut to what fits; an error where it was longer. */
void sql_text(sql *q, int column, char *out, size_t capacity);

/* Exactly `size` bytes, or an error. */
void sql_bytes(sql *q, int column, void *out, size_t size);
void sql_key(sql *q, int column, ob_record_key *out);

/* A column's bytes as pieces of `size`; the caller's: free(). NULL with an error. */
void *sql_copy(sql *q, int column, size_t size, size_t *count);

/* Runs what is left, gives the statement back; the first error, if there was one. */
ob_status sql_end(sql *q);

/* Rows that the last statement changed. */
int64_t sql_changed(ob_writing *w);

/* Statements without parameters, one after the other, in the words of schema.c. */
ob_status sql_script(ob_writing *w, const char *text, ob_error *err);

/* Opens, and leaves the tables as they are. The caller owns *out. */
ob_status sql_open(ob_store **out, const driver *driver, const char *where, ob_error *err);

/* Nothing stays prepared: tables were made anew. */
void sql_forget(ob_view *view);

/* ---- view.c ---------------------------------------------------------------------------------- */

/* A connection of its own; view_disconnect in any case. */
ob_status view_connect(ob_view *view, ob_store *store, connection_use use, ob_error *err);
void view_disconnect(ob_view *view);

/* Whether anything can be asked now. A new connection means that others may have been here: nothing
 * is asked before the tables are known to be ours. */
ob_status view_ready(ob_view *view, ob_error *err);

/* Connections that nobody uses; view_pool_empty while others may read. */
void view_pool_close(ob_store *store);
void view_pool_empty(ob_store *store);

/* ---- writing.c ------------------------------------------------------------------------------- */

/* The connection that writes is this thread's, without a transaction. */
void writing_turn(ob_store *store);
void writing_turn_over(ob_store *store);

/* Nothing follows in this writing, or in this part of it. */
void writing_fail(ob_writing *w, ob_status status, const ob_error *err);

/* What others keep in memory has changed. */
void store_changed(ob_writing *w);

/* Something that allowed looking may have gone. */
void store_withdrawn(ob_writing *w, bool personal);

/* ---- schema.c -------------------------------------------------------------------------------- */

/* Steps of the schema that this program knows. */
int64_t schema_steps(void);

/* The text of a step, from 1 on. */
const char *schema_step(int64_t step);

/* Goes the steps that are missing up to `version`. OB_EREFUSED: a newer program was here. */
ob_status schema_update(ob_writing *w, int64_t version, ob_error *err);

/* *is_old: whether steps are missing. OB_EREFUSED: a newer program was here; OB_EFORMAT: nobody
 * was. */
ob_status schema_is_old(bool *is_old, ob_view *view, ob_error *err);

/* The same as schema_update without going any: OB_EREFUSED where the version is another one. */
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

/* What the database says about itself, by name. The caller frees *out. */
ob_status store_catalogue(store_table **out, size_t *count, ob_view *view, ob_error *err);

/* Appends "a", "b", …; key: the primary key's columns only, in their order. */
ob_status store_columns(ob_buf *out, const store_table *table, bool key, ob_error *err);

/* ---- rows.c ---------------------------------------------------------------------------------- */

/* Takes the columns of a row into a record, which is zero before. */
typedef void (*row_reader)(void *record, sql *q);

/* Reads all rows and ends the statement. `out` points to a pointer, to be freed with free(). */
ob_status store_read_all(void *out, size_t *count, sql *q, size_t size, row_reader read);

/* Reads the first row, if there is one, and ends the statement. */
ob_status store_read_one(bool *found, void *out, sql *q, row_reader read);

/* Runs a change and ends the statement: `none` with the sentence `otherwise`, and the writing has
 * failed, where no row was changed; NULL: that is fine. */
ob_status store_end_or(sql *q, ob_status none, const char *otherwise);

/* The same with OB_ENOTFOUND. */
ob_status store_end_change(sql *q, const char *otherwise);

/* ---- kinds/ ---------------------------------------------------------------------------------- */

/* Within a transaction: the next number of a kind of record. A number is never given twice, not
 * even when its record is deleted. */
ob_status store_next_id(int64_t *out, ob_writing *w, const char *kind, ob_error *err);

/* The latest instant at which anything was allowed is this one, unless it is later already. */
ob_status store_clock_forward(ob_writing *w, int64_t at, ob_error *err);

/* An item was denied on that day. */
ob_status store_denied_add(ob_writing *w, const ob_record_key *code, int64_t day, ob_error *err);

/* ---- scrub.c --------------------------------------------------------------------------------- */

/* Where something is deleted for good from a table: the next ob_store_scrub overwrites what
 * was in it, even if the process dies in between. */
ob_status store_want_scrub(ob_writing *w, const char *table, ob_error *err);

/* ---- Shared ---------------------------------------------------------------------------------- */

/* Tells those who keep records in memory, and those who made permits of them. */
void store_tell(ob_store *store, bool changed, bool personal, bool service);

/* Appends one more element to an array; returns its place, or NULL. */
void *store_grow(void **array, size_t *count, size_t *capacity, size_t size);

#endif
