#include "store_priv.h"

#include <obhut/records.h>

#include <string.h>

static void read_cause(void *record, sql *q)
{
    ob_cause *c = record;
    c->id = sql_int(q, 0);
    sql_key(q, 1, &c->account);
    c->ground = (ob_cause_ground)sql_int(q, 2);
    c->record = sql_int(q, 3);
    c->record_at = sql_int(q, 4);
    sql_text(q, 5, c->reason, sizeof c->reason);
    sql_text(q, 6, c->proposed_by, sizeof c->proposed_by);
    sql_text(q, 7, c->confirmed_by, sizeof c->confirmed_by);
    c->from = sql_int(q, 8);
    c->until = sql_int(q, 9);
    c->ended_at = sql_int(q, 10);
    c->told_at = sql_int(q, 11);
}

#define CAUSE                                                                                      \
    "SELECT id, account, ground, record, record_at, reason, proposed_by, confirmed_by, from_at,"   \
    " until, ended_at, told_at FROM cause "

/* The one before: it cannot be prolonged, only followed by one that rests on something newer and
 * was confirmed by somebody else. */
static ob_status check_before(ob_view *view, const ob_cause *cause, ob_error *err)
{
    sql q;
    bool found;
    ob_cause before = {0};
    sql_begin(&q, view, CAUSE "WHERE account = ? ORDER BY id DESC LIMIT 1", err);
    sql_bind_key(&q, 1, &cause->account);
    ob_status status = store_read_one(&found, &before, &q, read_cause);
    if (status || !found)
        return status;
    if (cause->record_at <= before.record_at)
        return ob_fail(
            err, OB_EREFUSED,
            "cause %lld of this account rests on a record that is as new: a cause is not "
            "prolonged, it needs a newer record",
            (long long)before.id);
    if (!strcmp(cause->confirmed_by, before.confirmed_by))
        return ob_fail(err, OB_EREFUSED,
                       "%s confirmed cause %lld of this account: this one needs another person",
                       cause->confirmed_by, (long long)before.id);
    return OB_OK;
}

ob_status ob_store_cause_add(int64_t *id, ob_writing *w, const ob_cause *c, ob_error *err)
{
    sql q;
    int64_t number = 0;
    ob_status status = check_before(&w->view, c, err);
    if (!status)
        status = store_next_id(&number, w, "cause", err);
    if (!status) {
        sql_begin(&q, &w->view,
                  "INSERT INTO cause (id, account, ground, record, record_at, reason, proposed_by,"
                  " confirmed_by, from_at, until, ended_at, told_at)"
                  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0)",
                  err);
        sql_bind_int(&q, 1, number);
        sql_bind_key(&q, 2, &c->account);
        sql_bind_int(&q, 3, c->ground);
        sql_bind_int(&q, 4, c->record);
        sql_bind_int(&q, 5, c->record_at);
        sql_bind_text(&q, 6, c->reason);
        sql_bind_text(&q, 7, c->proposed_by);
        sql_bind_text(&q, 8, c->confirmed_by);
        sql_bind_int(&q, 9, c->from);
        sql_bind_int(&q, 10, c->until);
        status = store_end_change(&q, NULL);
    }
    if (status)
        writing_fail(w, status, err);
    else
        *id = number;
    return status;
}

ob_status ob_store_cause_end(ob_writing *w, int64_t id, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE cause SET ended_at = ? WHERE id = ? AND ended_at = 0 AND until > ?", err);
    sql_bind_int(&q, 1, at);
    sql_bind_int(&q, 2, id);
    sql_bind_int(&q, 3, at);
    ob_status status = store_end_change(&q, "there is no such cause, or it is over");
    store_withdrawn(w, true);
    return status;
}

ob_status ob_store_cause_told(ob_writing *w, int64_t id, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "UPDATE cause SET told_at = ? WHERE id = ? AND told_at = 0", err);
    sql_bind_int(&q, 1, at);
    sql_bind_int(&q, 2, id);
    return store_end_change(&q, "there is no such cause, or its account was told already");
}

ob_status ob_store_causes(ob_cause **out, size_t *count, ob_view *view, size_t most, ob_error *err)
{
    sql q;
    sql_begin(&q, view, CAUSE "ORDER BY id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, (int64_t)most);
    return store_read_all(out, count, &q, sizeof **out, read_cause);
}

ob_status ob_store_cause_of(bool *found, ob_cause *out, ob_view *view, const ob_record_key *account,
                            int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              CAUSE "WHERE account = ? AND ended_at = 0 AND from_at <= ? AND until > ?"
                    " ORDER BY until DESC LIMIT 1",
              err);
    sql_bind_key(&q, 1, account);
    sql_bind_int(&q, 2, at);
    sql_bind_int(&q, 3, at);
    return store_read_one(found, out, &q, read_cause);
}
