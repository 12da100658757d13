/* Gateways as records: columns, queries. */
#include "../record.h"

#include <obhut/records/gateway.h>

#include <stdio.h>

static const record_column columns[] = {
    {COLUMN(ob_gateway, name, "naming it in commands"), .key = 1},
    {COLUMN(ob_gateway, kind, "its protocol")},
    {COLUMN_AS("print", ob_gateway, fingerprint, "SHA-256 of the secret: knowing it again"),
     .is_unique = true},
    {COLUMN(ob_gateway, surface, "what it may speak for")},
    {COLUMN(ob_gateway, fail_closed, "what it answers when nothing can be looked at")},
    {COLUMN(ob_gateway, made_at, "finding old ones")},
    {COLUMN(ob_gateway, review_passes, "what it answers when a person should look"),
     .came_later = true},
    {COLUMN(ob_gateway, damaged_passes, "what it answers to bytes that cannot be looked at"),
     .came_later = true},
};

const record_kind kind_gateway = {
    .about = {.table = "gateway",
              .title = "gateways",
              .purpose = "the same, for software that sends no token",
              .period = "until removed",
              .persons = "no"},
    COLUMNS(columns),
    .size = sizeof(ob_gateway),
};

ob_status ob_store_gateway_add(ob_writing *w, const ob_gateway *gateway, ob_error *err)
{
    bool added = false;
    if (!ob_name_is_valid(gateway->name))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no name: a-z 0-9 . _ -, at most %d",
                       gateway->name, OB_NAME_MAX);
    ob_status status = record_add_new(&added, w, &kind_gateway, gateway, err);
    store_changed(w);
    if (!status && !added)
        status = ob_fail(err, OB_EINVAL,
                         "there is a gateway \"%s\" already: choose another name, or remove it",
                         gateway->name);
    if (status)
        writing_fail(w, status, err);
    return status;
}

ob_status ob_store_gateway_remove(ob_writing *w, const char *name, ob_error *err)
{
    sql q;
    char none[OB_NAME_MAX + 32];
    snprintf(none, sizeof none, "no gateway \"%s\"", name);
    sql_begin(&q, &w->view, "DELETE FROM gateway WHERE name = ?", err);
    sql_bind_text(&q, 1, name);
    store_changed(w);
    return store_end_change(&q, none);
}

ob_status ob_store_gateways(ob_gateway **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_gateway, "ORDER BY name", err);
    return record_read_all(out, count, &q);
}
