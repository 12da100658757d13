/* Statements by which rows go, made of kinds. */
#include "record.h"

#include <string.h>

/* Rows that are due, as `r`: what chooses them, and since when they are. A record that somebody
 * holds stays until the hold is over; where a law says how long at most, a hold keeps it longer
 * only if it is another law's demand, about which a person decides. */
static ob_status put_due(ob_buf *out, const record_kind *kind, const record_retention *retention,
                         bool free, ob_error *err)
{
    ob_status status = ob_buf_printf(
        out, err, "FROM (SELECT %s AS which, %s AS since FROM %s%s%s) r WHERE r.since <= ?",
        retention->by, retention->since, kind->about.table, retention->only ? " WHERE " : "",
        retention->only ? retention->only : "");
    if (status || !free || !retention->may_be_held)
        return status;
    return ob_buf_printf(out, err,
                         " AND NOT EXISTS (SELECT 1 FROM hold h WHERE h.kind = '%s'"
                         " AND h.record = r.which AND h.ended_at = 0 AND h.until > ?"
                         " AND (h.law <> '' OR r.since > ?))",
                         retention->word);
}

ob_status retention_count(ob_buf *out, const record_kind *kind, const record_retention *retention,
                          bool free, ob_error *err)
{
    ob_status status = ob_buf_printf(out, err, "SELECT count(*) ");
    return status ? status : put_due(out, kind, retention, free, err);
}

ob_status retention_remove(ob_buf *out, const record_kind *kind, const record_retention *retention,
                           bool parts, ob_error *err)
{
    const char *only = parts ? retention->parts_only : retention->only;
    ob_status status =
        ob_buf_printf(out, err, "DELETE FROM %s WHERE %s%s%s IN (SELECT r.which ",
                      parts ? retention->parts->about.table : kind->about.table, only ? only : "",
                      only ? " AND " : "", parts ? retention->parts_by : retention->by);
    if (!status)
        status = put_due(out, kind, retention, true, err);
    return status ? status : ob_buf_printf(out, err, " ORDER BY r.which LIMIT ?)");
}

ob_status retention_since(ob_buf *out, const record_kind *kind, const record_retention *retention,
                          ob_error *err)
{
    return ob_buf_printf(out, err, "SELECT %s FROM %s WHERE %s%s%s = ?", retention->since,
                         kind->about.table, retention->only ? retention->only : "",
                         retention->only ? " AND " : "", retention->by);
}

const record_retention *retention_of(const record_kind **kind, const char *word)
{
    for (size_t i = 0; i < record_kind_count; i++)
        for (int k = 0; k < RETENTIONS; k++) {
            const record_retention *retention = &record_kinds[i]->retention[k];
            if (!retention->word || strcmp(retention->word, word) != 0)
                continue;
            *kind = record_kinds[i];
            return retention;
        }
    return NULL;
}
