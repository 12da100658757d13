#include "store_priv.h"

#include <obhut/records.h>

static ob_status add_item(ob_writing *w, ob_incoming_kind kind, int64_t id,
                          const ob_record_key *item, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO incoming_item (kind, id, item) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
              err);
    sql_bind_int(&q, 1, kind);
    sql_bind_int(&q, 2, id);
    sql_bind_key(&q, 3, item);
    return store_end_change(&q, NULL);
}

static ob_status add(int64_t id, ob_writing *w, const ob_incoming *in, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO incoming (kind, id, conversation, reporter, account, reason, at,"
              " confirmed_by, confirmed_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0)",
              err);
    sql_bind_int(&q, 1, in->kind);
    sql_bind_int(&q, 2, id);
    sql_bind_key(&q, 3, &in->conversation);
    sql_bind_key(&q, 4, &in->reporter);
    sql_bind_key(&q, 5, &in->account);
    sql_bind_text(&q, 6, in->reason);
    sql_bind_int(&q, 7, in->at);
    return store_end_change(&q, NULL);
}

ob_status ob_store_incoming_add(int64_t *id, ob_writing *w, const ob_incoming *in,
                                const ob_record_key *items, size_t count, ob_error *err)
{
    int64_t number = 0;
    ob_status status =
        store_next_id(&number, w, in->kind == OB_INCOMING_REPORT ? "report" : "notice", err);
    if (!status)
        status = add(number, w, in, err);
    for (size_t i = 0; i < count && !status; i++)
        status = add_item(w, in->kind, number, &items[i], err);
    if (!status)
        *id = number;
    return status;
}

static void read_incoming(void *record, sql *q)
{
    ob_incoming *in = record;
    in->kind = (ob_incoming_kind)sql_int(q, 0);
    in->id = sql_int(q, 1);
    sql_key(q, 2, &in->conversation);
    sql_key(q, 3, &in->reporter);
    sql_key(q, 4, &in->account);
    sql_text(q, 5, in->reason, sizeof in->reason);
    in->at = sql_int(q, 6);
    sql_text(q, 7, in->confirmed_by, sizeof in->confirmed_by);
    in->confirmed_at = sql_int(q, 8);
}

#define INCOMING                                                                                   \
    "SELECT kind, id, conversation, reporter, account, reason, at, confirmed_by, confirmed_at"     \
    " FROM incoming WHERE kind = ? "

ob_status ob_store_incoming(ob_incoming *out, ob_view *view, ob_incoming_kind kind, int64_t id,
                            ob_error *err)
{
    sql q;
    bool found;
    sql_begin(&q, view, INCOMING "AND id = ?", err);
    sql_bind_int(&q, 1, kind);
    sql_bind_int(&q, 2, id);
    ob_status status = store_read_one(&found, out, &q, read_incoming);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND, "there is no %s %lld",
                         kind == OB_INCOMING_REPORT ? "report" : "notice", (long long)id);
    return status;
}

ob_status ob_store_incomings(ob_incoming **out, size_t *count, ob_view *view, ob_incoming_kind kind,
                             size_t most, ob_error *err)
{
    sql q;
    sql_begin(&q, view, INCOMING "ORDER BY id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, kind);
    sql_bind_int(&q, 2, (int64_t)most);
    return store_read_all(out, count, &q, sizeof **out, read_incoming);
}

ob_status ob_store_report_confirm(ob_writing *w, int64_t id, const char *by, int64_t at,
                                  ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE incoming SET confirmed_by = ?, confirmed_at = ?"
              " WHERE kind = 0 AND id = ? AND confirmed_by = ''",
              err);
    sql_bind_text(&q, 1, by);
    sql_bind_int(&q, 2, at);
    sql_bind_int(&q, 3, id);
    ob_status status = store_end_change(&q, "");
    if (status == OB_ENOTFOUND)
        status = ob_fail(err, OB_EREFUSED, "report %lld is not there, or is confirmed already",
                         (long long)id);
    if (status)
        writing_fail(w, status, err);
    return status;
}

/* Who holds a record has said why, and until when. */
static ob_status refuse_held(ob_view *view, const char *kind, int64_t id, int64_t at, ob_error *err)
{
    sql q;
    int64_t hold = 0;
    sql_begin(&q, view,
              "SELECT id FROM hold WHERE kind = ? AND record = ? AND ended_at = 0 AND until > ?"
              " ORDER BY id LIMIT 1",
              err);
    sql_bind_text(&q, 1, kind);
    sql_bind_int(&q, 2, id);
    sql_bind_int(&q, 3, at);
    if (sql_step(&q))
        hold = sql_int(&q, 0);
    ob_status status = sql_end(&q);
    return status || !hold
               ? status
               : ob_fail(err, OB_EREFUSED, "hold %lld keeps it: end that first", (long long)hold);
}

ob_status ob_store_incoming_remove(ob_writing *w, ob_incoming_kind kind, int64_t id, int64_t at,
                                   ob_error *err)
{
    sql q;
    ob_status status =
        refuse_held(&w->view, kind == OB_INCOMING_REPORT ? "report" : "notice", id, at, err);
    if (!status)
        status = store_want_scrub(w, "incoming", err);
    if (!status)
        status = store_want_scrub(w, "incoming_item", err);
    if (status) {
        writing_fail(w, status, err);
        return status;
    }
    sql_begin(&q, &w->view, "DELETE FROM incoming_item WHERE kind = ? AND id = ?", err);
    sql_bind_int(&q, 1, kind);
    sql_bind_int(&q, 2, id);
    status = store_end_change(&q, NULL);
    if (!status) {
        sql_begin(&q, &w->view, "DELETE FROM incoming WHERE kind = ? AND id = ?", err);
        sql_bind_int(&q, 1, kind);
        sql_bind_int(&q, 2, id);
        status = store_end_change(&q, "there is no such record");
    }
    store_withdrawn(w, true);
    return status;
}

ob_status ob_store_incoming_holds(bool *there, bool *holds, ob_view *view, ob_incoming_kind kind,
                                  int64_t id, const ob_record_key *item, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT i.item FROM incoming r LEFT JOIN incoming_item i"
              " ON i.kind = r.kind AND i.id = r.id AND i.item = ? WHERE r.kind = ? AND r.id = ?",
              err);
    sql_bind_key(&q, 1, item);
    sql_bind_int(&q, 2, kind);
    sql_bind_int(&q, 3, id);
    *there = sql_step(&q);
    *holds = *there && !sql_is_null(&q, 0);
    return sql_end(&q);
}
