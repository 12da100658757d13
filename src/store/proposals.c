#include "store_priv.h"

#include <obhut/records.h>

ob_status ob_store_proposal_add(int64_t *id, ob_writing *w, const ob_proposal *p, ob_error *err)
{
    sql q;
    int64_t number = 0;
    ob_status status = store_next_id(&number, w, "proposal", err);
    if (!status) {
        sql_begin(&q, &w->view,
                  "INSERT INTO proposal (id, kind, body, proposed_by, proposed_at, until, state,"
                  " decided_by, decided_at) VALUES (?, ?, ?, ?, ?, ?, 0, '', 0)",
                  err);
        sql_bind_int(&q, 1, number);
        sql_bind_text(&q, 2, p->kind);
        sql_bind_text(&q, 3, p->body);
        sql_bind_text(&q, 4, p->proposed_by);
        sql_bind_int(&q, 5, p->proposed_at);
        sql_bind_int(&q, 6, p->until);
        status = store_end_change(&q, NULL);
    }
    if (!status)
        *id = number;
    return status;
}

static void read_proposal(void *record, sql *q)
{
    ob_proposal *p = record;
    p->id = sql_int(q, 0);
    sql_text(q, 1, p->kind, sizeof p->kind);
    sql_text(q, 2, p->body, sizeof p->body);
    sql_text(q, 3, p->proposed_by, sizeof p->proposed_by);
    p->proposed_at = sql_int(q, 4);
    p->until = sql_int(q, 5);
    p->state = (ob_proposal_state)sql_int(q, 6);
    sql_text(q, 7, p->decided_by, sizeof p->decided_by);
    p->decided_at = sql_int(q, 8);
}

#define PROPOSAL                                                                                   \
    "SELECT id, kind, body, proposed_by, proposed_at, until, state, decided_by, decided_at"        \
    " FROM proposal "

ob_status ob_store_proposal(ob_proposal *out, ob_view *view, int64_t id, ob_error *err)
{
    sql q;
    bool found;
    sql_begin(&q, view, PROPOSAL "WHERE id = ?", err);
    sql_bind_int(&q, 1, id);
    ob_status status = store_read_one(&found, out, &q, read_proposal);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND, "there is no proposal %lld", (long long)id);
    return status;
}

ob_status ob_store_proposal_decide(ob_writing *w, int64_t id, ob_proposal_state state,
                                   const char *by, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE proposal SET state = ?, decided_by = ?, decided_at = ?"
              " WHERE id = ? AND state = 0",
              err);
    sql_bind_int(&q, 1, state);
    sql_bind_text(&q, 2, by);
    sql_bind_int(&q, 3, at);
    sql_bind_int(&q, 4, id);
    ob_status status = store_end_change(&q, "");
    if (status == OB_ENOTFOUND)
        status = ob_fail(err, OB_EREFUSED, "proposal %lld is not open", (long long)id);
    if (status)
        writing_fail(w, status, err);
    return status;
}

ob_status ob_store_proposal_adopt(ob_writing *w, int64_t id, const char *by, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "UPDATE proposal SET proposed_by = ? WHERE id = ? AND state = 0", err);
    sql_bind_text(&q, 1, by);
    sql_bind_int(&q, 2, id);
    return store_end_change(&q, "there is no such open proposal");
}

ob_status ob_store_proposals(ob_proposal **out, size_t *count, ob_view *view, size_t most,
                             ob_error *err)
{
    sql q;
    sql_begin(&q, view, PROPOSAL "ORDER BY CASE state WHEN 0 THEN 0 ELSE 1 END, id DESC LIMIT ?",
              err);
    sql_bind_int(&q, 1, (int64_t)most);
    return store_read_all(out, count, &q, sizeof **out, read_proposal);
}
