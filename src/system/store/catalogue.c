/* Tables and columns as the database knows them. */
#include "store_priv.h"

#include <stdlib.h>
#include <string.h>

static void read_table(void *record, sql *q)
{
    store_table *table = record;
    sql_text(q, 0, table->name, sizeof table->name);
}

/* Names stand in statements: a name that could be anything else is none of ours. */
static bool is_name(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return length && !name[length];
}

static ob_status read_columns(store_table *table, ob_view *view, ob_error *err)
{
    sql q;
    bool fits = is_name(table->name);
    sql_begin(&q, view, view->store->driver->columns, err);
    sql_bind_text(&q, 1, table->name);
    while (fits && sql_step(&q)) {
        store_column *column = &table->columns[table->count];
        sql_text(&q, 0, column->name, sizeof column->name);
        column->kind = (value_kind)sql_int(&q, 1);
        column->key = sql_int(&q, 2);
        fits = is_name(column->name) && ++table->count < DRIVER_PARAMETERS;
    }
    ob_status status = sql_end(&q);
    if (!status && (!fits || !table->count))
        status = ob_fail(err, OB_EFORMAT, "the records hold a table that Obhut did not make");
    return status;
}

ob_status store_catalogue(store_table **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    store_table *tables = NULL;
    size_t found = 0;
    sql_begin(&q, view, view->store->driver->tables, err);
    ob_status status = store_read_all(&tables, &found, &q, sizeof *tables, read_table);
    for (size_t i = 0; i < found && !status; i++)
        status = read_columns(&tables[i], view, err);
    if (status) {
        free(tables);
        return status;
    }
    *out = tables;
    *count = found;
    return OB_OK;
}

static ob_status append_name(ob_buf *out, const char *name, bool is_first, ob_error *err)
{
    return ob_buf_printf(out, err, "%s\"%s\"", is_first ? "" : ", ", name);
}

static ob_status append_key(ob_buf *out, const store_table *table, ob_error *err)
{
    ob_status status = OB_OK;
    for (size_t place = 1; place <= table->count; place++)
        for (size_t i = 0; i < table->count && !status; i++)
            if (table->columns[i].key == (int64_t)place)
                status = append_name(out, table->columns[i].name, place == 1, err);
    return status;
}

ob_status store_columns(ob_buf *out, const store_table *table, bool key, ob_error *err)
{
    if (key)
        return append_key(out, table, err);
    ob_status status = OB_OK;
    for (size_t i = 0; i < table->count && !status; i++)
        status = append_name(out, table->columns[i].name, !i, err);
    return status;
}
