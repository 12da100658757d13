/* All records as lines of JSON; and whether the database itself says that it is whole. */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { PIECE = 65536 };

typedef struct dump {
    ob_view *view;
    ob_store_take take;
    void *context;
    ob_buf piece;
    bool is_short; /* of memory: the library may forget that it was told so */
    int64_t rows;
    ob_error *err;
} dump;

static ob_status hand_on(dump *d)
{
    ob_status status =
        d->piece.size ? d->take(d->context, d->piece.bytes, d->piece.size, d->err) : OB_OK;
    d->piece.size = 0;
    return status;
}

static int append(const char *text, size_t size, void *context)
{
    dump *d = context;
    d->is_short |= ob_buf_append(&d->piece, text, size, NULL) != OB_OK;
    return d->is_short ? -1 : 0;
}

/* Frees the line. */
static ob_status put(dump *d, json_t *line)
{
    bool fits = line && !json_dump_callback(line, append, d, JSON_COMPACT) && !append("\n", 1, d);
    json_decref(line);
    if (!fits)
        return ob_fail(d->err, OB_ENOMEM, "out of memory: a copy of the records");
    return d->piece.size >= PIECE ? hand_on(d) : OB_OK;
}

static json_t *hex_of(const value *v)
{
    char *hex = malloc(2 * v->size + 1);
    if (!hex)
        return NULL;
    ob_hex(hex, v->bytes, v->size);
    json_t *json = json_pack("{s:s}", "b", hex);
    free(hex);
    return json;
}

static json_t *json_of(const value *v)
{
    return v->kind == VALUE_INT     ? json_integer(v->number)
           : v->kind == VALUE_TEXT  ? json_stringn(v->bytes, v->size)
           : v->kind == VALUE_BYTES ? hex_of(v)
                                    : json_null();
}

static ob_status put_row(dump *d, const store_table *table, sql *q)
{
    json_t *row = json_array();
    for (size_t i = 0; i < table->count; i++) {
        value v = sql_value(q, (int)i);
        if (json_array_append_new(row, json_of(&v))) {
            json_decref(row);
            row = NULL;
            break;
        }
    }
    if (!row)
        return ob_fail(d->err, OB_ENOMEM, "out of memory: a copy of the records");
    d->rows++;
    return put(d, json_pack("{s:s, s:o}", "table", table->name, "row", row));
}

/* By primary key, so that the same records make the same dump. */
static ob_status select_of(ob_buf *out, const store_table *table, ob_error *err)
{
    ob_buf key = {0};
    ob_status status = store_columns(&key, table, true, err);
    if (!status)
        status = ob_buf_append(out, "SELECT ", 7, err);
    if (!status)
        status = store_columns(out, table, false, err);
    if (!status)
        status = ob_buf_printf(out, err, " FROM \"%s\"", table->name);
    if (!status && key.size)
        status = ob_buf_printf(out, err, " ORDER BY %s", key.bytes);
    ob_buf_free(&key);
    return status;
}

static ob_status put_table(dump *d, const store_table *table)
{
    sql q;
    ob_buf text = {0};
    ob_status status = select_of(&text, table, d->err);
    if (!status) {
        sql_begin_own(&q, d->view, text.bytes, USE_STREAM, d->err);
        while (!status && sql_step(&q))
            status = put_row(d, table, &q);
        if (status)
            sql_stop(&q, status);
        status = sql_end(&q);
    }
    ob_buf_free(&text);
    return status;
}

static ob_status put_all(dump *d)
{
    size_t count = 0;
    int64_t version = 0;
    store_table *tables = NULL;
    ob_status status = store_catalogue(&tables, &count, d->view, d->err);
    if (!status)
        status = d->view->store->driver->version(&version, d->view->db, d->err);
    if (!status)
        status = put(d, json_pack("{s:i, s:I}", "obhut_records", 1, "schema", (json_int_t)version));
    for (size_t i = 0; i < count && !status; i++)
        status = put_table(d, &tables[i]);
    if (!status)
        status = put(d, json_pack("{s:I}", "rows", (json_int_t)d->rows));
    free(tables);
    return status ? status : hand_on(d);
}

ob_status ob_store_dump(ob_view *view, ob_store_take take, void *context, ob_error *err)
{
    ob_error own = {0};
    dump d = {.view = view, .take = take, .context = context, .err = err ? err : &own};
    ob_status status = put_all(&d);
    ob_buf_free(&d.piece);
    return status;
}

ob_status ob_store_whole(ob_view *view, ob_error *err)
{
    sql q;
    char said[200] = "";
    const char *question = view->store->driver->whole;
    if (!question)
        return OB_OK;
    sql_begin(&q, view, question, err);
    if (sql_step(&q))
        sql_text(&q, 0, said, sizeof said);
    ob_status status = sql_end(&q);
    if (!status && strcmp(said, "ok") != 0)
        status =
            ob_fail(err, OB_EFORMAT,
                    "the records (obhut.db) are damaged: %s. Keep a copy, and restore records, "
                    "log and keys from one backup",
                    said);
    return status;
}
