/* How much each token wrote today, so that a start does not begin to count anew. */
#include "../record.h"

#include <obhut/records/written.h>

static const record_column columns[] = {
    {COLUMN(ob_written, token, "whose"), .key = 1},
    {COLUMN(ob_written, day, "of which day")},
    {COLUMN(ob_written, bytes, "of records and log, about")},
};

const record_kind kind_written = {
    .about = {.table = "written",
              .title = "what tokens wrote",
              .purpose = "no token fills the disk in a day",
              .period = "until the day is over",
              .persons = "no"},
    COLUMNS(columns),
    .size = sizeof(ob_written),
    .retention = {{.word = "written", .days = 1, .since = "day * 86400", .by = "token"}},
};

ob_status ob_store_written_add(ob_writing *w, const ob_written *more, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO written (token, day, bytes) VALUES (?, ?, ?)"
              " ON CONFLICT (token) DO UPDATE SET bytes = excluded.bytes +"
              " CASE WHEN written.day = excluded.day THEN written.bytes ELSE 0 END,"
              " day = excluded.day",
              err);
    sql_bind_text(&q, 1, more->token);
    sql_bind_int(&q, 2, more->day);
    sql_bind_int(&q, 3, (int64_t)more->bytes);
    return store_end_change(&q, NULL);
}

ob_status ob_store_written(ob_written **out, size_t *count, ob_view *view, int64_t day,
                           ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_written, "WHERE day = ?", err);
    sql_bind_int(&q, 1, day);
    return record_read_all(out, count, &q);
}
