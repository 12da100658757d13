#include "store_priv.h"

ob_status ob_store_gateway_add(ob_writing *w, const ob_gateway *gateway, ob_error *err)
{
    sql q;
    if (!ob_name_is_valid(gateway->name))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no name: a-z 0-9 . _ -, at most %d",
                       gateway->name, OB_NAME_MAX);
    sql_begin(&q, &w->view,
              "INSERT INTO gateway (name, kind, print, surface, fail_closed, made_at)"
              " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
              err);
    sql_bind_text(&q, 1, gateway->name);
    sql_bind_text(&q, 2, gateway->kind);
    sql_bind_bytes(&q, 3, gateway->print, sizeof gateway->print);
    sql_bind_int(&q, 4, gateway->surface);
    sql_bind_int(&q, 5, gateway->fail_closed);
    sql_bind_int(&q, 6, gateway->made_at);
    sql_step(&q);
    bool added = !q.status && sql_changed(w) == 1;
    ob_status status = sql_end(&q);
    store_changed(w);
    if (!status && !added)
        status = ob_fail(err, OB_EINVAL, "there is a gateway \"%s\" already", gateway->name);
    if (status)
        writing_fail(w, status, err);
    return status;
}

ob_status ob_store_gateway_remove(ob_writing *w, const char *name, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "DELETE FROM gateway WHERE name = ?", err);
    sql_bind_text(&q, 1, name);
    sql_step(&q);
    bool removed = !q.status && sql_changed(w) == 1;
    ob_status status = sql_end(&q);
    store_changed(w);
    if (!status && !removed)
        status = ob_fail(err, OB_ENOTFOUND, "no gateway \"%s\"", name);
    if (status)
        writing_fail(w, status, err);
    return status;
}

static void read_gateway(void *record, sql *q)
{
    ob_gateway *gateway = record;
    sql_text(q, 0, gateway->name, sizeof gateway->name);
    sql_text(q, 1, gateway->kind, sizeof gateway->kind);
    sql_bytes(q, 2, gateway->print, sizeof gateway->print);
    gateway->surface = (uint32_t)sql_int(q, 3);
    gateway->fail_closed = sql_int(q, 4) != 0;
    gateway->made_at = sql_int(q, 5);
}

ob_status ob_store_gateways(ob_gateway **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT name, kind, print, surface, fail_closed, made_at FROM gateway ORDER BY name",
              err);
    return store_read_all(out, count, &q, sizeof **out, read_gateway);
}
