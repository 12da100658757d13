/* Records in a PostgreSQL database, by libpq. */
#include "postgresql.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Types that are sent and read (pg_type.dat), all of them in binary form. */
enum { OID_BYTEA = 17, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25 };

/* How long may be waited for a script that makes tables anew, and for one row of very many. */
enum { MIGRATION_MS = 3600 * 1000, ROW_MS = 60 * 1000 };

typedef struct pg_statement {
    session *session;
    ob_buf text; /* with $1, $2, … */
    int count;   /* of parameters */
    doing what;
    statement_use use;
    uint64_t prepared_in; /* the number of the connection that knows it; 0: none */
    char name[24];
    Oid types[DRIVER_PARAMETERS], prepared_types[DRIVER_PARAMETERS];
    const char *values[DRIVER_PARAMETERS];
    int sizes[DRIVER_PARAMETERS], formats[DRIVER_PARAMETERS]; /* format 1: binary */
    int64_t numbers[DRIVER_PARAMETERS];                       /* big-endian */
    PGresult *result;
    bool is_running; /* more rows are on their way */
    int row;
} pg_statement;

/* ---- The database ---------------------------------------------------------------------------- */

static ob_status open_url(void **out, const char *url, connection_use use, ob_error *err)
{
    session *s = NULL;
    ob_status status = session_open(&s, url, use, err);
    if (!status)
        *out = s;
    return status;
}

static void close_url(void *db)
{
    session_close(db);
}

static ob_status ready(bool *is_new, void *db, ob_error *err)
{
    return session_ready(is_new, db, err);
}

static ob_status begin_with(session *s, const char *text, ob_error *err)
{
    ob_status status = session_run(NULL, s, text, DOING_READ, err);
    s->in_transaction = !status;
    return status;
}

static ob_status begin(void *db, ob_error *err)
{
    return begin_with(db, "BEGIN ISOLATION LEVEL REPEATABLE READ", err);
}

static ob_status begin_reading(void *db, ob_error *err)
{
    return begin_with(db, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", err);
}

static ob_status run(void *db, const char *text, ob_error *err)
{
    return session_run(NULL, db, text, DOING_WRITE, err);
}

static ob_status commit(void *db, ob_error *err)
{
    session *s = db;
    PGresult *result = NULL;
    session_hurry(s);
    s->in_transaction = false; /* if the answer is lost, nobody knows */
    ob_status status = session_run(&result, s, "COMMIT", DOING_WRITE, err);
    if (!status && strcmp(PQcmdStatus(result), "COMMIT") != 0)
        status = ob_fail(err, OB_EIO, "the records (PostgreSQL) were not changed: a part failed");
    PQclear(result);
    return status;
}

static void rollback(void *db)
{
    session *s = db;
    session_hurry(s);
    bool is_open = s->connection && PQtransactionStatus(s->connection) != PQTRANS_IDLE;
    if (is_open && session_run(NULL, s, "ROLLBACK", DOING_READ, NULL))
        session_lose(s, "a transaction could not be undone");
    s->in_transaction = false;
}

/* ANALYZE keeps a sample of every column's values in pg_statistic, where they outlive the rows that
 * they came from and go into every copy of the database. Nothing that was deleted may stay there,
 * so no sample is taken of what can be about a person. */
#define NO_SAMPLES                                                                                 \
    "DO $$ DECLARE c record; BEGIN FOR c IN"                                                       \
    " SELECT a.attrelid::regclass AS tab, a.attname FROM pg_attribute a"                           \
    " JOIN pg_class r ON r.oid = a.attrelid"                                                       \
    " WHERE r.relkind = 'r' AND r.relnamespace = current_schema()::regnamespace AND a.attnum > 0"  \
    " AND NOT a.attisdropped AND a.attstattarget <> 0"                                             \
    " AND a.atttypid IN ('text'::regtype, 'bytea'::regtype)"                                       \
    " LOOP EXECUTE format('ALTER TABLE %s ALTER COLUMN %I SET STATISTICS 0', c.tab, c.attname);"   \
    " END LOOP; END $$"

static ob_status script(void *db, const char *text, ob_error *err)
{
    ob_buf there = {0};
    ob_status status = postgresql_words(&there, text, err);
    if (!status)
        status = session_take_time(db, MIGRATION_MS, err);
    if (!status)
        status = session_run(NULL, db, there.bytes, DOING_WRITE, err);
    if (!status)
        status = session_run(NULL, db, NO_SAMPLES, DOING_WRITE, err);
    ob_buf_free(&there);
    return status;
}

/* A deleted row stays in its page, and what wrote it in the server's journal. The table is written
 * anew; the journal goes at once only where this role may ask for that, else when the
 * server recycles it. */
static ob_status check_nobody_reads(session *s, ob_error *err)
{
    PGresult *result = NULL;
    ob_status status = session_run(&result, s,
                                   "SELECT count(*) FROM pg_stat_activity WHERE datname ="
                                   " current_database() AND pid <> pg_backend_pid()"
                                   " AND backend_xmin IS NOT NULL",
                                   DOING_READ, err);
    if (!status && strcmp(PQgetvalue(result, 0, 0), "0") != 0)
        status = ob_fail(err, OB_EBUSY,
                         "somebody reads the records (PostgreSQL) in a transaction: what was "
                         "deleted is overwritten when it has ended");
    PQclear(result);
    return status;
}

static ob_status rewrite(void *db, const char *table, ob_error *err)
{
    session *s = db;
    char text[80];
    snprintf(text, sizeof text, "VACUUM (FULL) \"%.50s\"", table);
    ob_status status = check_nobody_reads(s, err);
    if (!status)
        status = session_take_minutes(s, err);
    if (!status)
        status = session_run(NULL, s, text, DOING_WRITE, err);
    session_hurry_again(s);
    return status;
}

/* Where this role may ask for it; else the server does so in its own time. */
static ob_status empty_journal(void *db, const char *table, ob_error *err)
{
    (void)table;
    ob_status status = session_take_minutes(db, err);
    if (!status) {
        session_run(NULL, db, "SELECT pg_switch_wal()", DOING_READ, NULL);
        session_run(NULL, db, "CHECKPOINT", DOING_READ, NULL);
    }
    session_hurry_again(db);
    return status;
}

static int64_t changed(void *db)
{
    return ((const session *)db)->changed;
}

/* ---- Version --------------------------------------------------------------------------------- */

static ob_status read_version(int64_t *out, session *s, ob_error *err)
{
    PGresult *result = NULL;
    ob_status status =
        session_run(&result, s, "SELECT max(version) FROM obhut_version", DOING_READ, err);
    if (!status)
        *out = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    PQclear(result);
    return status;
}

static ob_status refuse_others(const PGresult *result, ob_error *err)
{
    if (!strcmp(PQgetvalue(result, 0, 1), "0"))
        return OB_OK;
    return ob_fail(err, OB_EREFUSED,
                   "the database for the records holds tables of something else: give Obhut a "
                   "database of its own");
}

static ob_status version(int64_t *out, void *db, ob_error *err)
{
    PGresult *result = NULL;
    *out = 0;
    ob_status status =
        session_run(&result, db,
                    "SELECT to_regclass('obhut_version') IS NOT NULL, count(*) FROM pg_class"
                    " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace",
                    DOING_READ, err);
    if (!status)
        status = *PQgetvalue(result, 0, 0) == 't' ? read_version(out, db, err)
                                                  : refuse_others(result, err);
    PQclear(result);
    return status;
}

static ob_status set_version(void *db, int64_t number, ob_error *err)
{
    char text[300];
    snprintf(text, sizeof text,
             "CREATE TABLE IF NOT EXISTS obhut_version (version BIGINT NOT NULL);"
             "DELETE FROM obhut_version; INSERT INTO obhut_version (version) VALUES (%lld)",
             (long long)number);
    return session_run(NULL, db, text, DOING_WRITE, err);
}

/* ---- Statements ------------------------------------------------------------------------------ */

/* What is still on its way would be taken for the answer to the next statement. */
static ob_status drain(pg_statement *s, ob_error *err)
{
    ob_status status = OB_OK;
    do {
        PQclear(s->result);
        s->result = NULL;
        status = session_row(&s->result, s->session, s->what, err);
    } while (!status && s->result);
    s->is_running = false;
    return status;
}

static void drop(void *statement)
{
    pg_statement *s = statement;
    if (!s)
        return;
    if (s->is_running)
        drain(s, NULL);
    PQclear(s->result);
    ob_buf_free(&s->text);
    free(s);
}

static ob_status prepare(void **out, void *db, const char *text, statement_use use, ob_error *err)
{
    pg_statement *s = calloc(1, sizeof *s);
    if (!s)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    s->session = db;
    s->use = use;
    for (int i = 0; i < DRIVER_PARAMETERS; i++)
        s->formats[i] = 1;
    s->what = strncmp(text, "SELECT", 6) != 0 ? DOING_WRITE : DOING_READ;
    ob_status status = postgresql_parameters(&s->text, &s->count, text, err);
    if (!status && s->count > DRIVER_PARAMETERS)
        status = ob_fail(err, OB_EINVAL, "a statement with %d parameters", s->count);
    if (status)
        drop(s);
    else
        *out = s;
    return status;
}

static ob_status bind(void *statement, int at, const value *v, ob_error *err)
{
    pg_statement *s = statement;
    int i = at - 1;
    if (i < 0 || i >= s->count || v->size > INT32_MAX)
        return ob_fail(err, OB_EINVAL, "parameter %d of a statement is impossible", at);
    s->numbers[i] = (int64_t)htobe64((uint64_t)v->number);
    s->types[i] = v->kind == VALUE_INT     ? OID_INT8
                  : v->kind == VALUE_TEXT  ? OID_TEXT
                  : v->kind == VALUE_BYTES ? OID_BYTEA
                                           : 0;
    s->values[i] = v->kind == VALUE_INT ? (const char *)&s->numbers[i] : v->bytes;
    s->sizes[i] = v->kind == VALUE_INT ? 8 : (int)v->size;
    return OB_OK;
}

static bool is_prepared(const pg_statement *s)
{
    return s->prepared_in == s->session->number &&
           !memcmp(s->types, s->prepared_types, sizeof s->types);
}

/* Here, and not earlier, the types of all parameters are known. A name is used once a connection.
 */
static ob_status prepare_there(pg_statement *s, ob_error *err)
{
    session *db = s->session;
    snprintf(s->name, sizeof s->name, "s%llu", (unsigned long long)++db->names);
    int sent = db->connection
                   ? PQsendPrepare(db->connection, s->name, s->text.bytes, s->count, s->types)
                   : 0;
    s->prepared_in = 0;
    ob_status status = session_answer(NULL, db, sent, DOING_READ, err);
    if (!status) {
        s->prepared_in = db->number;
        memcpy(s->prepared_types, s->types, sizeof s->types);
    }
    return status;
}

static int send_it(const pg_statement *s)
{
    PGconn *c = s->session->connection;
    if (!c)
        return 0;
    if (s->use != USE_OFTEN)
        return PQsendQueryParams(c, s->text.bytes, s->count, s->types, s->values, s->sizes,
                                 s->formats, 1);
    return PQsendQueryPrepared(c, s->name, s->count, s->values, s->sizes, s->formats, 1);
}

static ob_status check_types(const PGresult *result, ob_error *err)
{
    for (int i = 0; i < PQnfields(result); i++) {
        Oid type = PQftype(result, i);
        if (type != OID_INT8 && type != OID_INT4 && type != OID_INT2 && type != OID_TEXT &&
            type != OID_BYTEA)
            return ob_fail(err, OB_EFORMAT,
                           "the records (PostgreSQL) are not as Obhut made them: column \"%s\" has "
                           "another type",
                           PQfname(result, i));
    }
    return OB_OK;
}

static ob_status execute(pg_statement *s, ob_error *err)
{
    ob_status status = OB_OK;
    if (s->use == USE_OFTEN && !is_prepared(s))
        status = prepare_there(s, err);
    if (!status)
        status = session_answer(&s->result, s->session, send_it(s), s->what, err);
    if (status)
        return status;
    s->row = -1;
    s->session->changed = strtoll(PQcmdTuples(s->result), NULL, 10);
    return check_types(s->result, err);
}

static ob_status step_whole(bool *row, pg_statement *s, ob_error *err)
{
    ob_status status = s->result ? OB_OK : execute(s, err);
    *row = !status && ++s->row < PQntuples(s->result);
    return status;
}

/* Every row is a result of its own, and an empty one stands at the end. */
static ob_status step_stream(bool *row, pg_statement *s, ob_error *err)
{
    PGconn *c = s->session->connection;
    ob_status status = OB_OK;
    if (!s->is_running)
        status = session_take_time(s->session, ROW_MS, err);
    if (status)
        return status;
    if (!s->is_running && (!send_it(s) || !PQsetSingleRowMode(c)))
        return session_answer(NULL, s->session, 0, s->what, err);
    s->is_running = true;
    PQclear(s->result);
    s->result = NULL;
    s->row = 0;
    status = session_row(&s->result, s->session, s->what, err);
    *row = !status && s->result && PQntuples(s->result) == 1;
    if (*row)
        status = check_types(s->result, err);
    else if (!status)
        status = drain(s, err);
    return status;
}

static ob_status step(bool *row, void *statement, ob_error *err)
{
    pg_statement *s = statement;
    return s->use == USE_STREAM ? step_stream(row, s, err) : step_whole(row, s, err);
}

static ob_status column(value *out, void *statement, int at, ob_error *err)
{
    const pg_statement *s = statement;
    (void)err;
    *out = (value){.kind = VALUE_NULL};
    if (PQgetisnull(s->result, s->row, at))
        return OB_OK;
    const char *bytes = PQgetvalue(s->result, s->row, at);
    int size = PQgetlength(s->result, s->row, at);
    Oid type = PQftype(s->result, at);
    if (type == OID_TEXT || type == OID_BYTEA) {
        *out = (value){.kind = type == OID_TEXT ? VALUE_TEXT : VALUE_BYTES,
                       .bytes = bytes,
                       .size = (size_t)size};
    } else {
        out->kind = VALUE_INT;
        out->number = (int8_t)*bytes < 0 ? -1 : 0; /* its sign goes on to the left */
        for (int i = 0; i < size; i++)
            out->number = (int64_t)((uint64_t)out->number << 8 | (uint8_t)bytes[i]);
    }
    return OB_OK;
}

static void reset(void *statement)
{
    pg_statement *s = statement;
    PQclear(s->result);
    s->result = NULL;
    memset(s->types, 0, sizeof s->types);
    memset(s->values, 0, sizeof s->values);
    memset(s->sizes, 0, sizeof s->sizes);
}

const driver driver_postgresql = {
    .open = open_url,
    .close = close_url,
    .ready = ready,
    .begin = begin,
    .begin_reading = begin_reading,
    .commit = commit,
    .rollback = rollback,
    .script = script,
    .run = run,
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
    .tables = "SELECT relname::text FROM pg_class WHERE relkind = 'r'"
              " AND relnamespace = current_schema()::regnamespace AND relname <> 'obhut_version'"
              " ORDER BY relname::text COLLATE \"C\"",
    .columns = "SELECT a.attname::text, CASE a.atttypid WHEN 'bigint'::regtype THEN 1"
               " WHEN 'text'::regtype THEN 2 ELSE 3 END,"
               " coalesce(array_position(i.indkey::int2[], a.attnum), -1) + 1"
               " FROM pg_attribute a LEFT JOIN pg_index i"
               " ON i.indrelid = a.attrelid AND i.indisprimary"
               " WHERE a.attrelid = to_regclass(quote_ident(?)) AND a.attnum > 0"
               " AND NOT a.attisdropped ORDER BY a.attnum",
};
