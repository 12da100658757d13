/* What sql.c needs of a database, as one table of functions: sqlite.c and postgresql.c fill it in
 * and are all that knows how the two differ.
 *
 * A statement's text is the same for both: parameters are `?`, nothing is used that only one of
 * them has. Errors are sentences with the database's own words: OB_EIO (cannot be reached, read or
 * written), OB_EFORMAT (damaged), OB_EINVAL (a constraint forbids it), OB_ENOMEM. One thread at a
 * time. */
#ifndef OBHUT_DRIVER_H
#define OBHUT_DRIVER_H

#include <obhut/base.h>

typedef enum value_kind { VALUE_NULL, VALUE_INT, VALUE_TEXT, VALUE_BYTES } value_kind;

/* One value on its way in or out. Texts are followed by a NUL that `size` does not count. */
typedef struct value {
    value_kind kind;
    int64_t number;
    const void *bytes;
    size_t size;
} value;

/* How a statement will be used. USE_STREAM: once, for so many rows that they should not all be in
 * memory; until it has ended, no other statement runs. */
typedef enum statement_use { USE_OFTEN, USE_ONCE, USE_STREAM } statement_use;

/* Behind the error where a change may have been made all the same. */
#define DRIVER_UNKNOWN "; whether this was kept is unknown: look before it is done again"

/* Parameters of one statement. */
enum { DRIVER_PARAMETERS = 64 };

/* What a connection is for. CONNECTION_OWNS: the one that writes; where the database has others,
 * it keeps another Obhut out. CONNECTION_SCRUBS: overwrites beside it. */
typedef enum connection_use { CONNECTION_OWNS, CONNECTION_READS, CONNECTION_SCRUBS } connection_use;

typedef struct driver {
    /* `where`: a path or a URL, which is never part of an error. OB_EBUSY: another Obhut has it. */
    ob_status (*open)(void **db, const char *where, connection_use use, ob_error *err);
    void (*close)(void *db); /* NULL is fine */

    /* Called before a statement or transaction begins. *is_new is set where a lost connection had
     * to be made anew: others may have been here. NULL where there is none to lose. */
    ob_status (*ready)(bool *is_new, void *db, ob_error *err);

    ob_status (*begin)(void *db, ob_error *err);
    /* A transaction that only reads; its instant is that of the first statement. Ends with
     * rollback. */
    ob_status (*begin_reading)(void *db, ob_error *err);
    ob_status (*commit)(void *db, ob_error *err); /* after an error: rollback */
    void (*rollback)(void *db);

    /* Statements in the words of schema.c, without parameters. */
    ob_status (*script)(void *db, const char *text, ob_error *err);

    /* A statement without parameters whose words are the same for both. */
    ob_status (*run)(void *db, const char *text, ob_error *err);

    /* Outside a transaction: writes tables anew, so that what was deleted from them is in their
     * files no more. `rewrites_all`: all of them at once, on the connection that writes, and
     * `table` is NULL; else this one, on a CONNECTION_SCRUBS. OB_EBUSY while somebody reads it. */
    bool rewrites_all;
    ob_status (*rewrite)(void *db, const char *table, ob_error *err);
    /* Nor is it in the database's journal. `table` says nothing. */
    ob_status (*empty_journal)(void *db, const char *table, ob_error *err);

    /* How many steps of the schema this database has gone; 0 where it is empty. */
    ob_status (*version)(int64_t *out, void *db, ob_error *err);
    ob_status (*set_version)(void *db, int64_t version, ob_error *err);

    /* The caller drops it. */
    ob_status (*prepare)(void **statement, void *db, const char *text, statement_use use,
                         ob_error *err);
    void (*drop)(void *statement); /* NULL is fine */

    /* Parameters count from 1; what the value points to lives until `reset`. */
    ob_status (*bind)(void *statement, int at, const value *value, ob_error *err);
    ob_status (*step)(bool *row, void *statement, ob_error *err);
    /* Lives until the next step. */
    ob_status (*column)(value *out, void *statement, int column, ob_error *err);
    void (*reset)(void *statement); /* parameters are gone, too */

    /* Rows that the last statement changed. */
    int64_t (*changed)(void *db);

    /* Statements about the catalogue. tables: their names. columns, of the table ?: name, what it
     * holds (a value_kind), its place in the primary key or 0; in their order. */
    const char *tables, *columns;
    /* "ok", or what is wrong with the file; NULL: there is none. */
    const char *whole;
} driver;

extern const driver driver_sqlite, driver_postgresql;

#endif
