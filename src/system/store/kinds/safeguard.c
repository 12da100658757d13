/* Safeguards as records: columns, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/records/safeguard.h>

static const record_column columns[] = {
    {COLUMN(ob_safeguard_record, regime, "whose demand"), .key = 1},
    {COLUMN(ob_safeguard_record, safeguard, "which"), .key = 2},
    {COLUMN(ob_safeguard_record, year, "of a yearly report")},
    {COLUMN(ob_safeguard_record, at, "whether it is current")},
    {COLUMN_AS("person", ob_safeguard_record, by, "who recorded it")},
    {COLUMN(ob_safeguard_record, document, "SHA-256: which paper")},
};

const record_kind kind_safeguard = {
    .about = {.table = "safeguard",
              .title = "safeguards",
              .purpose = "what a derogation demands beforehand",
              .period = "until replaced or removed",
              .persons = STAFF},
    COLUMNS(columns),
    .size = sizeof(ob_safeguard_record),
};

ob_status ob_store_safeguard_add(ob_writing *w, const ob_safeguard_record *record, ob_error *err)
{
    ob_status status = record_put(w, &kind_safeguard, record, err);
    store_changed(w);
    return status;
}

ob_status ob_store_safeguard_remove(ob_writing *w, const char *regime, uint32_t safeguard,
                                    ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "DELETE FROM safeguard WHERE regime = ? AND safeguard = ?", err);
    sql_bind_text(&q, 1, regime);
    sql_bind_int(&q, 2, safeguard);
    ob_status status = store_end_change(&q, "this safeguard is not on record");
    store_changed(w);
    store_withdrawn(w, false);
    return status;
}

ob_status ob_store_safeguards(ob_safeguard_record **out, size_t *count, ob_view *view,
                              ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_safeguard, "ORDER BY regime, safeguard", err);
    return record_read_all(out, count, &q);
}
