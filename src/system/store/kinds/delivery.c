/* Deliveries as records: columns, retention, queries. */
#include "../record.h"

#include <obhut/crypto.h>
#include <obhut/records/delivery.h>

typedef struct row {
    ob_record_key key, digest;
    int64_t id, at;
} row;

static const record_column columns[] = {
    {COLUMN(row, key, "knowing it again"), .key = 1},
    {COLUMN(row, digest, "whether it says the same")},
    {COLUMN(row, id, "the record that it became")},
    {COLUMN(row, at, "its age")},
};

const record_kind kind_delivery = {
    .about = {.table = "delivery",
              .title = "deliveries",
              .purpose = "the same report sent twice is one record",
              .period = "a day",
              .persons = "no: keyed codes"},
    COLUMNS(columns),
    .size = sizeof(row),
    .retention = {{.word = "delivery", .days = 1, .since = "at", .by = "key"}},
};

ob_status ob_store_delivery(bool *found, int64_t *id, ob_view *view, const ob_record_key *key,
                            const ob_record_key *digest, ob_error *err)
{
    sql q;
    row before = {0};
    record_select(&q, view, &kind_delivery, "WHERE key = ?", err);
    sql_bind_key(&q, 1, key);
    ob_status status = record_read_one(found, &before, &q);
    if (status || !*found)
        return status;
    *id = before.id;
    return ob_same(before.digest.bytes, digest->bytes, sizeof digest->bytes)
               ? OB_OK
               : ob_fail(err, OB_EREFUSED,
                         "this Idempotency-Key came with another body before: a new request needs "
                         "a new key");
}

ob_status ob_store_delivery_add(ob_writing *w, const ob_record_key *key,
                                const ob_record_key *digest, int64_t id, int64_t at, ob_error *err)
{
    const row delivery = {.key = *key, .digest = *digest, .id = id, .at = at};
    return record_add(w, &kind_delivery, &delivery, err);
}
