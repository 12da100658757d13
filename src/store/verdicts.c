#include "store_priv.h"

#include <obhut/records.h>

ob_status ob_store_verdict_add(int64_t *id, ob_writing *w, const ob_verdict *v, ob_error *err)
{
    sql q;
    int64_t number = 0;
    ob_status status = store_next_id(&number, w, "verdict", err);
    if (!status) {
        sql_begin(&q, &w->view,
                  "INSERT INTO verdict (id, account, reason, proposed_by, confirmed_by, at,"
                  " overturned_at, overturned_by) VALUES (?, ?, ?, ?, ?, ?, 0, '')",
                  err);
        sql_bind_int(&q, 1, number);
        sql_bind_key(&q, 2, &v->account);
        sql_bind_text(&q, 3, v->reason);
        sql_bind_text(&q, 4, v->proposed_by);
        sql_bind_text(&q, 5, v->confirmed_by);
        sql_bind_int(&q, 6, v->at);
        status = store_end_change(&q, NULL);
    }
    if (!status)
        *id = number;
    return status;
}

static void read_verdict(void *record, sql *q)
{
    ob_verdict *v = record;
    v->id = sql_int(q, 0);
    sql_key(q, 1, &v->account);
    sql_text(q, 2, v->reason, sizeof v->reason);
    sql_text(q, 3, v->proposed_by, sizeof v->proposed_by);
    sql_text(q, 4, v->confirmed_by, sizeof v->confirmed_by);
    v->at = sql_int(q, 5);
    v->overturned_at = sql_int(q, 6);
    sql_text(q, 7, v->overturned_by, sizeof v->overturned_by);
}

#define VERDICT                                                                                    \
    "SELECT id, account, reason, proposed_by, confirmed_by, at, overturned_at, overturned_by"      \
    " FROM verdict "

ob_status ob_store_verdict(ob_verdict *out, ob_view *view, int64_t id, ob_error *err)
{
    sql q;
    bool found;
    sql_begin(&q, view, VERDICT "WHERE id = ?", err);
    sql_bind_int(&q, 1, id);
    ob_status status = store_read_one(&found, out, &q, read_verdict);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND, "there is no verdict %lld", (long long)id);
    return status;
}

ob_status ob_store_verdicts(ob_verdict **out, size_t *count, ob_view *view, size_t most,
                            ob_error *err)
{
    sql q;
    sql_begin(&q, view, VERDICT "ORDER BY id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, (int64_t)most);
    return store_read_all(out, count, &q, sizeof **out, read_verdict);
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
