/* Tallies as records: columns, retention, queries. */
#include "../record.h"

#include <obhut/records/tally.h>

static const record_column columns[] = {
    {COLUMN(ob_tally, day, "of which day"), .key = 1},
    {COLUMN(ob_tally, surface, "what was counted"), .key = 2},
    {COLUMN(ob_tally, basis, "what was counted"), .key = 3},
    {COLUMN(ob_tally, reason, "what was counted"), .key = 4},
    {COLUMN(ob_tally, regime, "what was counted"), .key = 5},
    {COLUMN(ob_tally, count, "how often")},
};

const record_kind kind_tally = {
    .about = {.table = "tally",
              .title = "counts",
              .purpose = "the public page",
              .period = "60 months",
              .persons = "no"},
    COLUMNS(columns),
    .size = sizeof(ob_tally),
    .retention = {{.word = "count", .months = 60, .since = "day * 86400", .by = "day"}},
};

static ob_status add_tally(ob_writing *w, const ob_tally *t, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO tally (day, surface, basis, reason, regime, count)"
              " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, surface, basis, reason, regime)"
              " DO UPDATE SET count = tally.count + excluded.count",
              err);
    sql_bind_int(&q, 1, t->day);
    sql_bind_int(&q, 2, t->surface);
    sql_bind_int(&q, 3, t->basis);
    sql_bind_int(&q, 4, t->reason);
    sql_bind_text(&q, 5, t->regime);
    sql_bind_int(&q, 6, (int64_t)t->count);
    return store_end_change(&q, NULL);
}

ob_status ob_store_tallies_add(ob_writing *w, const ob_tally *tallies, size_t count,
                               const ob_record_key *denied, size_t denied_count, int64_t day,
                               int64_t clock, ob_error *err)
{
    ob_status status = OB_OK;
    for (size_t i = 0; i < count && !status; i++)
        status = add_tally(w, &tallies[i], err);
    for (size_t i = 0; i < denied_count && !status; i++)
        status = store_denied_add(w, &denied[i], day, err);
    return status ? status : store_clock_forward(w, clock, err);
}

static void read_tally(void *record, sql *q)
{
    ob_tally *t = record;
    t->surface = (uint32_t)sql_int(q, 0);
    t->basis = (uint32_t)sql_int(q, 1);
    t->reason = (uint32_t)sql_int(q, 2);
    sql_text(q, 3, t->regime, sizeof t->regime);
    t->count = (uint64_t)sql_int(q, 4);
}

ob_status ob_store_tallies(ob_tally **out, size_t *count, ob_view *view, int64_t day, int64_t until,
                           ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT surface, basis, reason, regime, CAST(sum(count) AS BIGINT) FROM tally"
              " WHERE day >= ? AND day < ? GROUP BY surface, basis, reason, regime"
              " ORDER BY reason, surface, basis, regime",
              err);
    sql_bind_int(&q, 1, day);
    sql_bind_int(&q, 2, until);
    return store_read_all(out, count, &q, sizeof **out, read_tally);
}
