/* Verdicts as records: columns, retention, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/records/verdict.h>

static const record_column columns[] = {
    {COLUMN(ob_verdict, id, "naming it"), .key = 1},
    {COLUMN(ob_verdict, account, "about whom")},
    {COLUMN(ob_verdict, reason, "why, for later questions")},
    {COLUMN(ob_verdict, proposed_by, "who decided")},
    {COLUMN(ob_verdict, confirmed_by, "who decided")},
    {COLUMN(ob_verdict, at, "its age")},
    {COLUMN(ob_verdict, overturned_at, "it stands no more")},
    {COLUMN(ob_verdict, overturned_by, "who said so")},
};

const record_kind kind_verdict = {
    .about = {.table = "verdict",
              .title = "verdicts",
              .purpose = "ground of a cause",
              .period = "12 months, or less where a law says so; at once when overturned",
              .persons = BY_PSEUDONYM},
    COLUMNS(columns),
    .size = sizeof(ob_verdict),
    .retention = {{.word = "verdict",
                   .months = 12,
                   /* an overturned verdict is no longer suspected */
                   .since = "CASE WHEN overturned_at > 0 THEN 0 ELSE at END",
                   .by = "id",
                   .law = true,
                   .withdraws = true,
                   .may_be_held = true}},
};

ob_status ob_store_verdict_add(int64_t *id, ob_writing *w, const ob_verdict *verdict, ob_error *err)
{
    ob_verdict added = *verdict;
    added.overturned_at = 0;
    *added.overturned_by = '\0';
    ob_status status = record_add_next(w, &kind_verdict, "verdict", &added.id, &added, err);
    if (!status)
        *id = added.id;
    return status;
}

ob_status ob_store_verdict(ob_verdict *out, ob_view *view, int64_t id, ob_error *err)
{
    return record_get(out, view, &kind_verdict, "verdict", id, err);
}

ob_status ob_store_verdicts(ob_verdict **out, size_t *count, ob_view *view, size_t most,
                            ob_error *err)
{
    return record_newest(out, count, view, &kind_verdict, most, err);
}

ob_status ob_store_verdict_overturn(ob_writing *w, int64_t id, const char *by, int64_t at,
                                    ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE verdict SET overturned_at = ?, overturned_by = ?"
              " WHERE id = ? AND overturned_at = 0",
              err);
    sql_bind_int(&q, 1, at);
    sql_bind_text(&q, 2, by);
    sql_bind_int(&q, 3, id);
    ob_status status =
        store_end_change(&q, "there is no such verdict, or it was overturned already");
    if (!status) {
        sql_begin(&q, &w->view,
                  "UPDATE cause SET ended_at = ? WHERE ground = 0 AND record = ? AND ended_at = 0"
                  " AND until > ?",
                  err);
        sql_bind_int(&q, 1, at);
        sql_bind_int(&q, 2, id);
        sql_bind_int(&q, 3, at);
        status = store_end_change(&q, NULL);
    }
    store_withdrawn(w, true);
    return status;
}
