/* Statements made of kinds, and rows that become structs. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

/* ---- Tables ---------------------------------------------------------------------------------- */

static const char *type_of(const record_column *c)
{
    return c->kind == COLUMN_TEXT ? "TEXT" : c->kind == COLUMN_BYTES ? "BLOB" : "INTEGER";
}

static int key_columns(const record_kind *kind)
{
    int count = 0;
    for (size_t i = 0; i < kind->count; i++)
        count += kind->columns[i].key > 0;
    return count;
}

static ob_status put_key(ob_buf *out, const record_kind *kind, ob_error *err)
{
    ob_status status = OB_OK;
    for (int place = 1; place <= key_columns(kind) && !status; place++)
        for (size_t i = 0; i < kind->count && !status; i++)
            if (kind->columns[i].key == place)
                status = ob_buf_printf(out, err, "%s%s", place > 1 ? ", " : "",
                                       kind->columns[i].field.name);
    return status;
}

static ob_status put_column(ob_buf *out, const record_column *c, bool is_whole_key, ob_error *err)
{
    return ob_buf_printf(out, err, "%s %s%s%s%s", c->field.name, type_of(c),
                         is_whole_key && c->key ? " PRIMARY KEY" : " NOT NULL",
                         c->is_unique ? " UNIQUE" : "", c->came_later ? " DEFAULT 0" : "");
}

ob_status record_create(ob_buf *out, const record_kind *kind, ob_error *err)
{
    const bool is_one = key_columns(kind) == 1;
    ob_status status = ob_buf_printf(out, err, "CREATE TABLE %s (", kind->about.table);
    for (size_t i = 0; i < kind->count && !status; i++) {
        if (i)
            status = ob_buf_printf(out, err, ", ");
        if (!status)
            status = put_column(out, &kind->columns[i], is_one, err);
    }
    if (!status && !is_one) {
        status = ob_buf_printf(out, err, ", PRIMARY KEY (");
        if (!status)
            status = put_key(out, kind, err);
        if (!status)
            status = ob_buf_printf(out, err, ")");
    }
    return status ? status
                  : ob_buf_printf(out, err, ") STRICT;%s", kind->indexes ? kind->indexes : "");
}

/* ---- Statements ------------------------------------------------------------------------------ */

ob_status record_columns(ob_buf *out, const record_kind *kind, ob_error *err)
{
    ob_status status = OB_OK;
    for (size_t i = 0; i < kind->count && !status; i++)
        status = ob_buf_printf(out, err, "%s%s", i ? ", " : "", kind->columns[i].field.name);
    return status;
}

static ob_status make_insert(ob_buf *out, const record_kind *kind, const char *rest, ob_error *err)
{
    ob_status status = ob_buf_printf(out, err, "INSERT INTO %s (", kind->about.table);
    if (!status)
        status = record_columns(out, kind, err);
    for (size_t i = 0; i < kind->count && !status; i++)
        status = ob_buf_printf(out, err, i ? ", ?" : ") VALUES (?");
    return status ? status : ob_buf_printf(out, err, ")%s", rest);
}

/* Columns that are not the key become what was given. */
static ob_status make_put(ob_buf *out, const record_kind *kind, const char *rest, ob_error *err)
{
    bool is_first = true;
    ob_status status = make_insert(out, kind, rest, err);
    if (!status)
        status = ob_buf_printf(out, err, " ON CONFLICT (");
    if (!status)
        status = put_key(out, kind, err);
    for (size_t i = 0; i < kind->count && !status; i++) {
        const char *name = kind->columns[i].field.name;
        if (kind->columns[i].key)
            continue;
        status = ob_buf_printf(out, err, "%s%s = excluded.%s", is_first ? ") DO UPDATE SET " : ", ",
                               name, name);
        is_first = false;
    }
    return status;
}

static ob_status make_select(ob_buf *out, const record_kind *kind, const char *rest, ob_error *err)
{
    ob_status status = ob_buf_printf(out, err, "SELECT ");
    if (!status)
        status = record_columns(out, kind, err);
    return status ? status : ob_buf_printf(out, err, " FROM %s %s", kind->about.table, rest);
}

/* ---- Writing --------------------------------------------------------------------------------- */

static void bind_column(sql *q, int at, const record_column *c, const void *member)
{
    int64_t i64;
    uint64_t u64;
    uint32_t u32;
    switch (c->kind) {
    case COLUMN_I64:
        memcpy(&i64, member, sizeof i64);
        sql_bind_int(q, at, i64);
        break;
    case COLUMN_U64:
        memcpy(&u64, member, sizeof u64);
        sql_bind_int(q, at, (int64_t)u64);
        break;
    case COLUMN_U32:
        memcpy(&u32, member, sizeof u32);
        sql_bind_int(q, at, u32);
        break;
    case COLUMN_BOOL:
        sql_bind_int(q, at, *(const bool *)member);
        break;
    case COLUMN_TEXT:
        sql_bind_text(q, at, member);
        break;
    case COLUMN_BYTES:
        sql_bind_bytes(q, at, member, c->size);
        break;
    }
}

/* A statement that writes one record: how its text is made, and what follows that. */
typedef struct insert {
    sql_make *make;
    const char *rest;
} insert;

static void begin_writing(sql *q, ob_writing *w, insert how, const record_kind *kind,
                          const void *record, ob_error *err)
{
    sql_begin_made(q, &w->view, how.make, kind, how.rest, err);
    for (size_t i = 0; i < kind->count; i++)
        bind_column(q, (int)i + 1, &kind->columns[i],
                    (const char *)record + kind->columns[i].offset);
}

ob_status record_add(ob_writing *w, const record_kind *kind, const void *record, ob_error *err)
{
    sql q;
    begin_writing(&q, w, (insert){make_insert, ""}, kind, record, err);
    return store_end_change(&q, NULL);
}

ob_status record_add_new(bool *added, ob_writing *w, const record_kind *kind, const void *record,
                         ob_error *err)
{
    sql q;
    begin_writing(&q, w, (insert){make_insert, " ON CONFLICT DO NOTHING"}, kind, record, err);
    ob_status status = store_end_change(&q, NULL);
    *added = !status && sql_changed(w) > 0;
    return status;
}

ob_status record_put(ob_writing *w, const record_kind *kind, const void *record, ob_error *err)
{
    sql q;
    begin_writing(&q, w, (insert){make_put, ""}, kind, record, err);
    return store_end_change(&q, NULL);
}

ob_status record_add_next(ob_writing *w, const record_kind *kind, const char *word, int64_t *id,
                          const void *record, ob_error *err)
{
    ob_status status = store_next_id(id, w, word, err);
    return status ? status : record_add(w, kind, record, err);
}

/* ---- Reading --------------------------------------------------------------------------------- */

static void read_column(void *member, const record_column *c, sql *q, int at)
{
    int64_t i64;
    uint64_t u64;
    uint32_t u32;
    switch (c->kind) {
    case COLUMN_I64:
        i64 = sql_int(q, at);
        memcpy(member, &i64, sizeof i64);
        break;
    case COLUMN_U64:
        u64 = (uint64_t)sql_int(q, at);
        memcpy(member, &u64, sizeof u64);
        break;
    case COLUMN_U32:
        u32 = (uint32_t)sql_int(q, at);
        memcpy(member, &u32, sizeof u32);
        break;
    case COLUMN_BOOL:
        *(bool *)member = sql_int(q, at) != 0;
        break;
    case COLUMN_TEXT:
        sql_text(q, at, member, c->size);
        break;
    case COLUMN_BYTES:
        sql_bytes(q, at, member, c->size);
        break;
    }
}

void record_read(void *record, sql *q)
{
    for (size_t i = 0; i < q->kind->count; i++)
        read_column((char *)record + q->kind->columns[i].offset, &q->kind->columns[i], q, (int)i);
}

void record_select(sql *q, ob_view *view, const record_kind *kind, const char *rest, ob_error *err)
{
    sql_begin_made(q, view, make_select, kind, rest, err);
}

ob_status record_read_all(void *out, size_t *count, sql *q)
{
    return store_read_all(out, count, q, q->kind->size, record_read);
}

ob_status record_read_one(bool *found, void *out, sql *q)
{
    return store_read_one(found, out, q, record_read);
}

ob_status record_get(void *out, ob_view *view, const record_kind *kind, const char *word,
                     int64_t id, ob_error *err)
{
    sql q;
    bool found;
    record_select(&q, view, kind, "WHERE id = ?", err);
    sql_bind_int(&q, 1, id);
    ob_status status = record_read_one(&found, out, &q);
    return status || found ? status
                           : ob_fail(err, OB_ENOTFOUND, "there is no %s %lld", word, (long long)id);
}

ob_status record_newest(void *out, size_t *count, ob_view *view, const record_kind *kind,
                        size_t most, ob_error *err)
{
    sql q;
    record_select(&q, view, kind, "ORDER BY id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, (int64_t)most);
    return record_read_all(out, count, &q);
}
