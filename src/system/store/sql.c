/* Prepare, bind, step: what is the same for every database. */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

/* ---- Opening --------------------------------------------------------------------------------- */

static void init_locks(ob_store *store)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&store->turns, NULL);
    pthread_cond_init(&store->turn_over, NULL);
    pthread_mutex_init(&store->scrubbing, NULL);
    pthread_mutex_init(&store->pool, NULL);
    pthread_cond_init(&store->view_freed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

ob_status sql_open(ob_store **out, const driver *driver, const char *where, ob_error *err)
{
    ob_store *store = calloc(1, sizeof *store);
    char *copy = strdup(where);
    if (!store || !copy) {
        free(store);
        free(copy);
        return ob_fail(err, OB_ENOMEM, "out of memory: the records");
    }
    store->driver = driver;
    store->where = copy;
    init_locks(store);
    ob_status status = view_connect(&store->writing.view, store, CONNECTION_OWNS, err);
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
    view_pool_close(store);
    view_disconnect(&store->writing.view);
    pthread_mutex_destroy(&store->turns);
    pthread_cond_destroy(&store->turn_over);
    pthread_mutex_destroy(&store->scrubbing);
    pthread_mutex_destroy(&store->pool);
    pthread_cond_destroy(&store->view_freed);
    free(store->where);
    free(store);
}

void sql_forget(ob_view *view)
{
    for (int i = 0; i < SQL_CACHED; i++) {
        if (view->cached[i].is_used)
            continue;
        view->store->driver->drop(view->cached[i].statement);
        view->cached[i].statement = NULL;
        view->cached[i].text = NULL;
    }
}

/* Whether anything can be asked now. A view begins its transaction here: its instant is that of
 * the first question. */
static ob_status ready(ob_view *view, ob_error *err)
{
    if (view->failed.status)
        return ob_fail(err, view->failed.status, "%s", view->failed.text);
    if (view->is_open)
        return OB_OK;
    ob_status status = view_ready(view, err);
    if (!status)
        status = view->store->driver->begin_reading(view->db, err);
    view->is_open = !status;
    return status;
}

ob_status sql_script(ob_writing *w, const char *text, ob_error *err)
{
    ob_status status = ready(&w->view, err);
    if (!status)
        status = w->view.store->driver->script(w->view.db, text, err);
    if (status)
        writing_fail(w, status, err);
    return status;
}

/* ---- One statement --------------------------------------------------------------------------- */

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
    ob_buf made = {0};
    ob_status status = q->make ? q->make(&made, q->kind, q->text, q->err) : OB_OK;
    if (!status)
        status = q->view->store->driver->prepare(&q->statement, q->view->db,
                                                 q->make ? made.bytes : q->text, use, q->err);
    ob_buf_free(&made);
    return status;
}

static bool is_cached(const struct cached *cached, const sql *q)
{
    return cached->text == q->text && cached->make == q->make && cached->kind == q->kind;
}

static void begin_cached(sql *q)
{
    for (int i = 0; i < SQL_CACHED; i++) {
        struct cached *cached = &q->view->cached[i];
        if (!cached->text) {
            q->status = prepare(q, USE_OFTEN);
            if (q->status)
                return;
            cached->text = q->text;
            cached->make = q->make;
            cached->kind = q->kind;
            cached->statement = q->statement;
        } else if (!is_cached(cached, q) || cached->is_used) {
            continue;
        }
        q->statement = cached->statement;
        q->cached = cached;
        cached->is_used = true;
        return;
    }
    q->status = prepare(q, USE_ONCE);
}

void sql_begin_made(sql *out, ob_view *view, sql_make *make, const struct record_kind *kind,
                    const char *text, ob_error *err)
{
    *out = (sql){.view = view, .text = text, .make = make, .kind = kind, .err = err};
    out->status = ready(view, err);
    if (!out->status)
        begin_cached(out);
}

void sql_begin(sql *out, ob_view *view, const char *text, ob_error *err)
{
    sql_begin_made(out, view, NULL, NULL, text, err);
}

void sql_begin_own(sql *out, ob_view *view, const char *text, statement_use use, ob_error *err)
{
    *out = (sql){.view = view, .text = text, .err = err};
    out->status = ready(view, err);
    if (!out->status)
        out->status = prepare(out, use);
}

void sql_bind(sql *q, int at, const value *value)
{
    if (!q->status)
        note(q, q->view->store->driver->bind(q->statement, at, value, q->err));
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
    note(q, q->view->store->driver->step(&row, q->statement, q->err));
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
    q->view->store->driver->reset(q->statement);
    q->done = false;
}

value sql_value(sql *q, int column)
{
    value out = {0};
    note(q, q->view->store->driver->column(&out, q->statement, column, q->status ? NULL : q->err));
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

ob_status sql_end(sql *q)
{
    const driver *driver = q->view->store->driver;
    while (sql_step(q))
        ;
    if (q->cached) {
        driver->reset(q->statement);
        q->cached->is_used = false;
    } else {
        driver->drop(q->statement);
    }
    if (q->status && q->view == &q->view->store->writing.view)
        writing_fail(&q->view->store->writing, q->status, q->err);
    return q->status;
}

int64_t sql_changed(ob_writing *w)
{
    return w->view.store->driver->changed(w->view.db);
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

void ob_store_on_withdrawal(ob_store *store, void (*hear)(void *context, bool personal),
                            void *context)
{
    store->on_withdrawal = hear;
    store->on_withdrawal_context = context;
}

void store_notify(ob_store *store, bool changed, bool personal, bool service)
{
    if (changed)
        atomic_fetch_add(&store->generation, 1);
    if (personal && store->on_withdrawal)
        store->on_withdrawal(store->on_withdrawal_context, true);
    if (service && store->on_withdrawal)
        store->on_withdrawal(store->on_withdrawal_context, false);
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
