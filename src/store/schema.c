/* The tables, as a list of steps: a database knows how many of them it has gone. A step is never
 * changed once it was released. */
#include "store_priv.h"

static const char *const steps[] = {
    /* 1: who may ask */
    "CREATE TABLE token (name TEXT PRIMARY KEY, print BLOB NOT NULL UNIQUE, surfaces INTEGER NOT "
    "NULL,"
    " scopes INTEGER NOT NULL, made_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE gateway (name TEXT PRIMARY KEY, kind TEXT NOT NULL, print BLOB NOT NULL UNIQUE,"
    " surface INTEGER NOT NULL, fail_closed INTEGER NOT NULL, made_at INTEGER NOT NULL) STRICT;",
};

enum { STEPS = sizeof steps / sizeof *steps };

static ob_status read_version(int64_t *out, ob_store *store, ob_error *err)
{
    sql q;
    sql_begin(&q, store, "PRAGMA user_version", err);
    *out = sql_step(&q) ? sql_int(&q, 0) : 0;
    return sql_end(&q);
}

static ob_status set_version(ob_store *store, int64_t version, ob_error *err)
{
    ob_buf text = {0};
    ob_status status = ob_buf_printf(&text, err, "PRAGMA user_version = %lld", (long long)version);
    if (!status)
        status = sql_script(store, text.bytes, err);
    ob_buf_free(&text);
    return status;
}

ob_status schema_update(ob_store *store, ob_error *err)
{
    int64_t version = 0;
    ob_status status = read_version(&version, store, err);
    if (!status && version > STEPS)
        return ob_fail(err, OB_EREFUSED,
                       "the records (obhut.db) were made by a newer version of obhut: install that "
                       "one, or restore a backup");
    for (; !status && version < STEPS; version++) {
        status = sql_transaction_begin(store, err);
        if (status)
            break;
        status = sql_script(store, steps[version], err);
        if (!status)
            status = set_version(store, version + 1, err);
        status = sql_transaction_end(store, status, err);
    }
    return status;
}
