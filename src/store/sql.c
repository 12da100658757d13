/* Prepare, bind, step, and transactions: what is the same for every database. */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* ---- Opening -------------------------------------------------------------------------------- */

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

ob_status sql_open(ob_store **out, const driver *driver, const char *where, ob_error *err)
{
    ob_store *store = calloc(1, sizeof *store);
    if (!store)
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    store->driver = driver;
    pthread_mutexattr_t recursive;
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&store->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    ob_status status = driver->open(&store->db, where, err);
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
    sql_forget(store);
    if (store->db)
        store->driver->close(store->db);
    pthread_mutex_destroy(&store->lock);
    free(store);
}

void sql_forget(ob_store *store)
{
    for (int i = 0; i < SQL_KEPT; i++) {
        if (store->kept[i].is_used)
            continue;
        store->driver->drop(store->kept[i].statement);
        store->kept[i].statement = NULL;
        store->kept[i].text = NULL;
    }
}

/* Whether anything can be asked now. A new connection means that others may have been here: nothing
 * is asked before the tables are known to be ours. */
static ob_status ready(ob_store *store, ob_error *err)
{
    bool is_new = false;
    if (store->depth)
        return store->failed.status ? ob_fail(err, store->failed.status, "%s", store->failed.text)
                                    : OB_OK;
    ob_status status = store->driver->ready ? store->driver->ready(&is_new, store->db, err) : OB_OK;
    if (is_new) {
        store_changed(store);
        store_withdrawn(store, true);
        store_withdrawn(store, false);
        store->is_unchecked = true;
    }
    if (!status && store->is_unchecked) {
        status = schema_check(store, err);
        store->is_unchecked = status != OB_OK;
    }
    return status;
}

ob_status sql_script(ob_store *store, const char *text, ob_error *err)
{
    pthread_mutex_lock(&store->lock);
    ob_status status = ready(store, err);
    if (!status)
        status = store->driver->script(store->db, text, err);
    if (status)
        transaction_fail(store, status, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- Transactions --------------------------------------------------------------------------- */

ob_status sql_transaction_begin(ob_store *store, ob_error *err)
{
    pthread_mutex_lock(&store->lock);
    ob_status status = ready(store, err);
    if (!status && !store->depth)
        status = store->driver->begin(store->db, err);
    if (status)
        pthread_mutex_unlock(&store->lock);
    else
        store->depth++;
    return status;
}

static ob_status outermost_end(ob_store *store, ob_status so_far, ob_error *err)
{
    ob_status status = so_far;
    if (!status && store->failed.status)
        status = ob_fail(err, store->failed.status, "%s", store->failed.text);
    store->failed = (ob_error){0};
    if (!status)
        status = store->driver->commit(store->db, err);
    if (status)
        store->driver->rollback(store->db);
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

/* PostgreSQL refuses other bytes, SQLite would keep them: so they are refused for both. */
static ob_status check_utf8(const char *text, size_t size, ob_error *err)
{
    json_t *checked = json_stringn(text, size), *none = checked ? NULL : json_string("");
    ob_status status = checked ? OB_OK
                       : none  ? ob_fail(err, OB_EINVAL, "a text is not UTF-8")
                               : ob_fail(err, OB_ENOMEM, "out of memory: a text");
    json_decref(checked);
    json_decref(none);
    return status;
}

/* The first error counts. */
static void note(sql *q, ob_status status)
{
    if (!q->status)
        q->status = status;
}

static ob_status prepare(sql *q, statement_use use)
{
    ob_store *store = q->store;
    return store->driver->prepare(&q->statement, store->db, q->text, use, q->err);
}

static void begin_kept(sql *q)
{
    for (int i = 0; i < SQL_KEPT; i++) {
        struct kept *kept = &q->store->kept[i];
        if (!kept->text) {
            q->status = prepare(q, USE_OFTEN);
            if (q->status)
                return;
            kept->text = q->text;
            kept->statement = q->statement;
        } else if (kept->text != q->text || kept->is_used) {
            continue;
        }
        q->statement = kept->statement;
        q->kept = kept;
        kept->is_used = true;
        return;
    }
    q->status = prepare(q, USE_ONCE);
}

void sql_begin(sql *out, ob_store *store, const char *text, ob_error *err)
{
    *out = (sql){.store = store, .text = text, .err = err};
    pthread_mutex_lock(&store->lock);
    out->status = ready(store, err);
    if (!out->status)
        begin_kept(out);
}

void sql_begin_own(sql *out, ob_store *store, const char *text, statement_use use, ob_error *err)
{
    *out = (sql){.store = store, .text = text, .err = err};
    pthread_mutex_lock(&store->lock);
    out->status = ready(store, err);
    if (!out->status)
        out->status = prepare(out, use);
}

void sql_bind(sql *q, int at, const value *value)
{
    if (!q->status)
        note(q, q->store->driver->bind(q->statement, at, value, q->err));
}

void sql_bind_int(sql *q, int at, int64_t number)
{
    sql_bind(q, at, &(value){.kind = VALUE_INT, .number = number});
}

void sql_bind_text(sql *q, int at, const char *text)
{
    size_t size = text ? strlen(text) : 0;
    note(q, text ? check_utf8(text, size, q->status ? NULL : q->err) : OB_OK);
    sql_bind(q, at, &(value){.kind = VALUE_TEXT, .bytes = text, .size = size});
}

void sql_bind_bytes(sql *q, int at, const void *bytes, size_t size)
{
    sql_bind(q, at, &(value){.kind = VALUE_BYTES, .bytes = bytes, .size = size});
}

bool sql_step(sql *q)
{
    bool row = false;
    if (q->status || q->done) /* a step beyond the last would begin anew */
        return false;
    note(q, q->store->driver->step(&row, q->statement, q->err));
    q->done = !row;
    return row && !q->status;
}

void sql_stop(sql *q, ob_status status)
{
    note(q, status);
}

void sql_again(sql *q)
{
    if (q->status)
        return;
    q->store->driver->reset(q->statement);
    q->done = false;
}

value sql_value(sql *q, int column)
{
    value out = {0};
    note(q, q->store->driver->column(&out, q->statement, column, q->status ? NULL : q->err));
    return out;
}

int64_t sql_int(sql *q, int column)
{
    return sql_value(q, column).number;
}

bool sql_is_null(sql *q, int column)
{
    return sql_value(q, column).kind == VALUE_NULL;
}

static void damaged(sql *q)
{
    note(q, ob_fail(q->status ? NULL : q->err, OB_EFORMAT,
                    "the records are damaged: a value of impossible size"));
}

void sql_text(sql *q, int column, char *out, size_t capacity)
{
    value text = sql_value(q, column);
    *out = '\0';
    if (text.size >= capacity)
        damaged(q);
    else if (text.bytes)
        memcpy(out, text.bytes, text.size + 1);
}

void sql_bytes(sql *q, int column, void *out, size_t size)
{
    value bytes = sql_value(q, column);
    if (bytes.size != size || !bytes.bytes)
        damaged(q);
    else
        memcpy(out, bytes.bytes, size);
}

void *sql_copy(sql *q, int column, size_t size, size_t *count)
{
    value bytes = sql_value(q, column);
    char *out = bytes.size % size ? NULL : malloc(bytes.size + 1);
    *count = bytes.size / size;
    if (bytes.size % size)
        damaged(q);
    else if (!out)
        note(q, ob_fail(q->err, OB_ENOMEM, "out of memory: a record"));
    else if (bytes.size)
        memcpy(out, bytes.bytes, bytes.size);
    return out;
}

ob_status sql_scrub(ob_store *store, const char *table, ob_error *err)
{
    pthread_mutex_lock(&store->lock);
    ob_status status = ready(store, err);
    if (!status)
        status = store->driver->scrub(store->db, table, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

ob_status sql_end(sql *q)
{
    const driver *driver = q->store->driver;
    while (sql_step(q))
        ;
    if (q->kept) {
        driver->reset(q->statement);
        q->kept->is_used = false;
    } else {
        driver->drop(q->statement);
    }
    if (q->status)
        transaction_fail(q->store, q->status, q->err);
    pthread_mutex_unlock(&q->store->lock);
    return q->status;
}

int64_t sql_changed(ob_store *store)
{
    return store->driver->changed(store->db);
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
