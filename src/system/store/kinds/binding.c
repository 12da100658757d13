/* What lies in files beside the records and must not change unseen: what of the log was signed,
 * which key makes pseudonyms, and what the lists have. */
#include "../record.h"

#include <obhut/records/binding.h>

static const record_column columns[] = {
    {COLUMN(ob_binding, name, "of what"), .key = 1},
    {COLUMN(ob_binding, entries, "of the log, that were signed; of lists: how often they changed")},
    {COLUMN(ob_binding, bytes, "of the checkpoints, with the last of these; of lists: 0")},
    {COLUMN(ob_binding, is_closed, "whether nothing may follow them: the service had stopped")},
    {COLUMN(ob_binding, root, "of these entries; of lists: of what lists.state says")},
    {COLUMN_AS("code", ob_binding, mac, "of all this, made with the key of pseudonyms")},
};

const record_kind kind_binding = {
    .about = {.table = "binding",
              .title = "bindings",
              .purpose = "noticing that the log, a key or lists were cut, exchanged or lost",
              .period = "while the directory exists",
              .persons = "no"},
    COLUMNS(columns),
    .size = sizeof(ob_binding),
};

ob_status ob_store_binding(bool *found, ob_binding *out, ob_view *view, const char *name,
                           ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_binding, "WHERE name = ?", err);
    sql_bind_text(&q, 1, name);
    return record_read_one(found, out, &q);
}

ob_status ob_store_binding_set(ob_writing *w, const ob_binding *binding, ob_error *err)
{
    return record_put(w, &kind_binding, binding, err);
}

ob_status ob_store_binding_drop(ob_writing *w, const char *name, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "DELETE FROM binding WHERE name = ?", err);
    sql_bind_text(&q, 1, name);
    return store_end_change(&q, NULL);
}
