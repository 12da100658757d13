/* The lines that dump.c has written → records. They may come from anywhere: a line that is not
 * exactly what it should be ends the load, and names of tables are searched up, never used. */
#include "store_priv.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

enum { PIECE = 65536, LINE_MOST = 4 << 20 };

typedef struct load {
    ob_writing *w;
    ob_store_give give;
    void *context;
    ob_buf waiting; /* bytes that were given and not yet read */
    size_t read;    /* of them */
    bool is_over;
    int64_t line, rows;
    store_table *tables;
    size_t table_count;
    const store_table *table; /* the one that `insert` is for, or NULL */
    sql insert;
    ob_buf insert_text;
    ob_buf bytes[DRIVER_PARAMETERS]; /* of a row's values */
    ob_error *err;
} load;

__attribute__((format(printf, 2, 3))) static ob_status bad(const load *l, const char *format, ...)
{
    char what[300];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return ob_fail(l->err, OB_EFORMAT, "line %lld of the records: %s", (long long)l->line, what);
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static ob_status more(load *l)
{
    size_t size = 0;
    memmove(l->waiting.bytes, l->waiting.bytes + l->read, l->waiting.size - l->read);
    l->waiting.size -= l->read;
    l->read = 0;
    ob_status status = ob_buf_reserve(&l->waiting, PIECE, l->err);
    if (!status)
        status = l->give(l->context, l->waiting.bytes + l->waiting.size, PIECE, &size, l->err);
    if (!status && size > PIECE)
        status = ob_fail(l->err, OB_EINVAL, "more bytes were given than there is room for");
    if (!status) {
        l->waiting.size += size;
        l->is_over = !size;
    }
    return status;
}

/* *line is NULL at the end. It lives until the next one. */
static ob_status next_line(const char **line, size_t *size, load *l)
{
    size_t searched = 0;
    *line = NULL;
    for (;;) {
        size_t left = l->waiting.size - l->read;
        const char *start = l->waiting.bytes + l->read;
        const char *end = left > searched ? memchr(start + searched, '\n', left - searched) : NULL;
        if (end || (l->is_over && left)) {
            *line = start;
            *size = end ? (size_t)(end - start) : left;
            l->read += *size + (end ? 1 : 0);
            l->line++;
            return OB_OK;
        }
        if (l->is_over)
            return OB_OK;
        if (left > LINE_MOST)
            return ob_fail(l->err, OB_ELIMIT, "line %lld of the records is longer than %d bytes",
                           (long long)l->line + 1, LINE_MOST);
        searched = left;
        ob_status status = more(l);
        if (status)
            return status;
    }
}

/* The next line as an object; at the end an error. */
static ob_status next_object(json_t **out, load *l)
{
    const char *line = NULL;
    size_t size = 0;
    json_error_t problem;
    ob_status status = next_line(&line, &size, l);
    if (status)
        return status;
    if (!line)
        return ob_fail(l->err, OB_EFORMAT,
                       "the records end behind line %lld, before their last line: they were cut",
                       (long long)l->line);
    json_t *json = json_loadb(line, size, JSON_REJECT_DUPLICATES, &problem);
    if (!json && json_error_code(&problem) == json_error_out_of_memory)
        return ob_fail(l->err, OB_ENOMEM, "out of memory: a line of the records");
    if (!json)
        return bad(l, "this is no JSON: %.200s", problem.text);
    if (!json_is_object(json)) {
        json_decref(json);
        return bad(l, "this is no JSON object");
    }
    *out = json;
    return OB_OK;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

static ob_status end_table(load *l)
{
    if (!l->table)
        return OB_OK;
    l->table = NULL;
    l->insert.done = true; /* the last row has been stepped */
    return sql_end(&l->insert);
}

static ob_status insert_of(ob_buf *out, const store_table *table, ob_error *err)
{
    out->size = 0;
    ob_status status = ob_buf_printf(out, err, "INSERT INTO \"%s\" (", table->name);
    if (!status)
        status = store_columns(out, table, false, err);
    for (size_t i = 0; i < table->count && !status; i++)
        status = ob_buf_printf(out, err, i ? ", ?" : ") VALUES (?");
    return status ? status : ob_buf_append(out, ")", 1, err);
}

static ob_status begin_table(load *l, const char *name)
{
    const store_table *table = NULL;
    for (size_t i = 0; i < l->table_count && !table; i++)
        if (!strcmp(l->tables[i].name, name))
            table = &l->tables[i];
    if (!table)
        return bad(l, "there is no table \"%.64s\"", name);
    if (table == l->table)
        return OB_OK;
    ob_status status = end_table(l);
    if (!status)
        status = insert_of(&l->insert_text, table, l->err);
    if (status)
        return status;
    sql_begin_own(&l->insert, &l->w->view, l->insert_text.bytes, USE_OFTEN, l->err);
    l->table = table;
    return l->insert.status;
}

static ob_status bytes_of(value *out, ob_buf *bytes, json_t *json, load *l)
{
    json_t *hex = json_object_get(json, "b");
    if (json_object_size(json) != 1 || !json_is_string(hex) || json_string_length(hex) % 2)
        return bad(l, "bytes are {\"b\": \"an even number of hexadecimal digits\"}");
    size_t size = json_string_length(hex) / 2;
    bytes->size = 0;
    ob_status status = ob_buf_reserve(bytes, size + 1, l->err);
    if (status)
        return status;
    status = ob_hex_parse((uint8_t *)bytes->bytes, size, json_string_value(hex), l->err);
    *out = (value){.kind = VALUE_BYTES, .bytes = bytes->bytes, .size = size};
    return status ? bad(l, "%s", l->err->text) : OB_OK;
}

/* A NULL keeps the column's kind: the database is told the types of all parameters. */
static ob_status value_of(value *out, size_t i, json_t *json, load *l)
{
    static const char *const expected[] = {"null", "a number", "a text", "bytes"};
    const store_column *column = &l->table->columns[i];
    if (json_is_null(json))
        *out = (value){.kind = column->kind == VALUE_INT ? VALUE_NULL : column->kind};
    else if (column->kind == VALUE_INT && json_is_integer(json))
        *out = (value){.kind = VALUE_INT, .number = json_integer_value(json)};
    else if (column->kind == VALUE_TEXT && json_is_string(json))
        *out = (value){
            .kind = VALUE_TEXT, .bytes = json_string_value(json), .size = json_string_length(json)};
    else if (column->kind == VALUE_BYTES && json_is_object(json))
        return bytes_of(out, &l->bytes[i], json, l);
    else
        return bad(l, "%s expected in column \"%s\" of table \"%s\"", expected[column->kind],
                   column->name, l->table->name);
    return OB_OK;
}

static ob_status insert(load *l, json_t *row)
{
    if (!json_is_array(row) || json_array_size(row) != l->table->count)
        return bad(l, "a row of table \"%s\" has %zu values", l->table->name, l->table->count);
    sql_again(&l->insert);
    for (size_t i = 0; i < l->table->count; i++) {
        value v;
        ob_status status = value_of(&v, i, json_array_get(row, i), l);
        if (status)
            return status;
        sql_bind(&l->insert, (int)i + 1, &v);
    }
    sql_step(&l->insert);
    l->rows++;
    if (l->insert.status == OB_EINVAL) /* by the tables' own rules, this row cannot be */
        l->insert.status = bad(l, "%s", l->err->text);
    return l->insert.status;
}

/* *is_last: that was the line at the end. */
static ob_status take_line(bool *is_last, load *l, json_t *json)
{
    json_t *table = json_object_get(json, "table"), *rows = json_object_get(json, "rows");
    *is_last = rows && json_object_size(json) == 1;
    if (*is_last && (!json_is_integer(rows) || json_integer_value(rows) != l->rows))
        return bad(l, "%lld rows were read, and this line says otherwise", (long long)l->rows);
    if (*is_last)
        return OB_OK;
    if (!json_is_string(table) || json_object_size(json) != 2)
        return bad(l, "{\"table\": …, \"row\": […]} or {\"rows\": …} is expected");
    ob_status status = begin_table(l, json_string_value(table));
    return status ? status : insert(l, json_object_get(json, "row"));
}

static ob_status take_rows(load *l)
{
    bool is_last = false;
    const char *line = NULL;
    size_t size = 0;
    ob_status status = OB_OK;
    while (!status && !is_last) {
        json_t *json = NULL;
        status = next_object(&json, l);
        if (!status)
            status = take_line(&is_last, l, json);
        if (l->table)
            sql_again(&l->insert); /* its values go with the line */
        json_decref(json);
    }
    ob_status ended = end_table(l);
    if (!status)
        status = ended;
    if (!status)
        status = next_line(&line, &size, l);
    if (!status && line)
        status = bad(l, "there is something behind the last line");
    return status;
}

/* ---- The whole ------------------------------------------------------------------------------- */

static ob_status take_head(int64_t *version, load *l)
{
    json_t *json = NULL;
    ob_status status = next_object(&json, l);
    if (status)
        return status;
    json_t *format = json_object_get(json, "obhut_records"),
           *schema = json_object_get(json, "schema");
    if (!json_is_integer(format) || json_integer_value(format) != 1 || !json_is_integer(schema) ||
        json_integer_value(schema) < 1 || json_object_size(json) != 2)
        status = bad(l, "this is no copy of Obhut's records");
    else if (json_integer_value(schema) > schema_steps())
        status =
            ob_fail(l->err, OB_EREFUSED,
                    "a newer version of obhut made this copy of the records: install that one");
    else
        *version = json_integer_value(schema);
    json_decref(json);
    return status;
}

static ob_status check_empty(load *l)
{
    ob_status status = OB_OK;
    ob_buf text = {0};
    for (size_t i = 0; i < l->table_count && !status; i++) {
        sql q;
        bool found = false;
        text.size = 0;
        status = ob_buf_printf(&text, l->err, "SELECT 1 FROM \"%s\" LIMIT 1", l->tables[i].name);
        if (status)
            break;
        sql_begin_own(&q, &l->w->view, text.bytes, USE_ONCE, l->err);
        found = sql_step(&q);
        status = sql_end(&q);
        if (!status && found)
            status = ob_fail(l->err, OB_EREFUSED,
                             "there are records already: take a fresh directory (and database)");
    }
    ob_buf_free(&text);
    return status;
}

static ob_status drop_tables(load *l)
{
    ob_status status = OB_OK;
    ob_buf text = {0};
    for (size_t i = 0; i < l->table_count && !status; i++)
        status = ob_buf_printf(&text, l->err, "DROP TABLE \"%s\";", l->tables[i].name);
    if (!status && text.size)
        status = sql_script(l->w, text.bytes, l->err);
    ob_buf_free(&text);
    if (!status)
        status = l->w->view.store->driver->set_version(l->w->view.db, 0, l->err);
    return status;
}

static ob_status read_catalogue(load *l)
{
    free(l->tables);
    l->tables = NULL;
    l->table_count = 0;
    return store_catalogue(&l->tables, &l->table_count, &l->w->view, l->err);
}

/* The tables of the version that wrote the lines; what came later happens to them afterwards. */
static ob_status make_tables(load *l, int64_t version)
{
    ob_status status = read_catalogue(l);
    if (!status)
        status = check_empty(l);
    if (!status)
        status = drop_tables(l);
    if (!status)
        status = schema_update(l->w, version, l->err);
    if (!status)
        status = read_catalogue(l);
    return status;
}

static ob_status load_all(load *l, int64_t version)
{
    ob_status status = make_tables(l, version);
    if (!status)
        status = take_rows(l);
    if (!status)
        status = schema_update(l->w, schema_steps(), l->err);
    return status;
}

static void release(load *l)
{
    for (int i = 0; i < DRIVER_PARAMETERS; i++)
        ob_buf_free(&l->bytes[i]);
    ob_buf_free(&l->waiting);
    ob_buf_free(&l->insert_text);
    free(l->tables);
    free(l);
}

ob_status ob_store_load(ob_store *store, ob_store_give give, void *context, ob_error *err)
{
    int64_t version = 0;
    ob_error own = {0};
    load *l = calloc(1, sizeof *l);
    if (!l)
        return ob_fail(err, OB_ENOMEM, "out of memory: records");
    l->give = give;
    l->context = context;
    l->err = err ? err : &own;
    ob_status status = ob_buf_reserve(&l->waiting, PIECE, l->err);
    if (!status)
        status = take_head(&version, l);
    if (!status)
        status = ob_writing_begin(&l->w, store, l->err);
    if (!status) {
        status = load_all(l, version);
        sql_forget(&l->w->view);
        store_changed(l->w);
        status = ob_writing_end(l->w, status, l->err);
        view_pool_empty(store);
    }
    release(l);
    return status;
}
