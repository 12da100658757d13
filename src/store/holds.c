#include "store_priv.h"

#include <obhut/records.h>

#include <string.h>

static bool is_held_kind(const char *kind)
{
    for (size_t i = 0; i < store_kind_count; i++)
        if (store_kinds[i].reaper.due_free && !strcmp(store_kinds[i].reaper.word, kind))
            return true;
    return false;
}

static ob_status add(int64_t id, ob_writing *w, const ob_hold *h, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO hold (id, kind, record, law, reason, person, made_at, until, ended_at,"
              " decided_by, decided_at, decided_why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', 0, '')",
              err);
    sql_bind_int(&q, 1, id);
    sql_bind_text(&q, 2, h->kind);
    sql_bind_int(&q, 3, h->record);
    sql_bind_text(&q, 4, h->law);
    sql_bind_text(&q, 5, h->reason);
    sql_bind_text(&q, 6, h->by);
    sql_bind_int(&q, 7, h->made_at);
    sql_bind_int(&q, 8, h->until);
    return store_end_change(&q, NULL);
}

ob_status ob_store_hold_add(int64_t *id, ob_writing *w, const ob_hold *h, ob_error *err)
{
    int64_t number = 0;
    if (!is_held_kind(h->kind))
        return ob_fail(err, OB_EINVAL,
                       "\"%.40s\" cannot be held: a report, notice, verdict, cause or order can",
                       h->kind);
    if (!*h->reason || !*h->by || h->until <= h->made_at)
        return ob_fail(err, OB_EINVAL, "a hold needs a reason, a person and an end");
    ob_status status = store_next_id(&number, w, "hold", err);
    if (!status)
        status = add(number, w, h, err);
    if (!status)
        *id = number;
    return status;
}

static void read_hold(void *record, sql *q)
{
    ob_hold *h = record;
    h->id = sql_int(q, 0);
    sql_text(q, 1, h->kind, sizeof h->kind);
    h->record = sql_int(q, 2);
    sql_text(q, 3, h->law, sizeof h->law);
    sql_text(q, 4, h->reason, sizeof h->reason);
    sql_text(q, 5, h->by, sizeof h->by);
    h->made_at = sql_int(q, 6);
    h->until = sql_int(q, 7);
    h->ended_at = sql_int(q, 8);
    sql_text(q, 9, h->decided_by, sizeof h->decided_by);
    h->decided_at = sql_int(q, 10);
    sql_text(q, 11, h->decided_why, sizeof h->decided_why);
}

#define HOLD                                                                                       \
    "SELECT id, kind, record, law, reason, person, made_at, until, ended_at, decided_by,"          \
    " decided_at, decided_why FROM hold "

ob_status ob_store_hold(ob_hold *out, ob_view *view, int64_t id, ob_error *err)
{
    sql q;
    bool found;
    sql_begin(&q, view, HOLD "WHERE id = ?", err);
    sql_bind_int(&q, 1, id);
    ob_status status = store_read_one(&found, out, &q, read_hold);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND, "there is no hold %lld", (long long)id);
    return status;
}

ob_status ob_store_holds(ob_hold **out, size_t *count, ob_view *view, size_t most, ob_error *err)
{
    sql q;
    sql_begin(&q, view, HOLD "ORDER BY id DESC LIMIT ?", err);
    sql_bind_int(&q, 1, (int64_t)most);
    return store_read_all(out, count, &q, sizeof **out, read_hold);
}

ob_status ob_store_hold_end(ob_writing *w, int64_t id, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "UPDATE hold SET ended_at = ? WHERE id = ? AND ended_at = 0", err);
    sql_bind_int(&q, 1, at);
    sql_bind_int(&q, 2, id);
    return store_end_change(&q, "there is no such hold, or it was ended already");
}

ob_status ob_store_hold_decide(ob_writing *w, int64_t id, const char *by, const char *why,
                               int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "UPDATE hold SET decided_by = ?, decided_why = ?, decided_at = ?"
              " WHERE id = ? AND ended_at = 0 AND law <> '' AND decided_at = 0",
              err);
    sql_bind_text(&q, 1, by);
    sql_bind_text(&q, 2, why);
    sql_bind_int(&q, 3, at);
    sql_bind_int(&q, 4, id);
    return store_end_change(&q, "nothing is to be decided about this hold");
}

/* ---- Since when ------------------------------------------------------------------------------ */

ob_status ob_store_record_at(int64_t *out, ob_view *view, const char *kind, int64_t id,
                             ob_error *err)
{
    static const struct {
        const char *kind, *text;
    } texts[] = {
        {"report", "SELECT at FROM incoming WHERE kind = 0 AND id = ?"},
        {"notice", "SELECT at FROM incoming WHERE kind = 1 AND id = ?"},
        {"verdict", "SELECT at FROM verdict WHERE id = ?"},
        {"cause", "SELECT CASE WHEN ended_at > 0 THEN ended_at ELSE until END FROM cause"
                  " WHERE id = ?"},
        {"order", "SELECT CASE WHEN secret_until > end_at THEN secret_until ELSE end_at END"
                  " FROM court_order WHERE id = ?"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (strcmp(texts[i].kind, kind) != 0)
            continue;
        sql q;
        sql_begin(&q, view, texts[i].text, err);
        sql_bind_int(&q, 1, id);
        bool found = sql_step(&q);
        *out = found ? sql_int(&q, 0) : 0;
        ob_status status = sql_end(&q);
        return status || found
                   ? status
                   : ob_fail(err, OB_ENOTFOUND, "there is no %s %lld", kind, (long long)id);
    }
    return ob_fail(err, OB_EINVAL,
                   "\"%.40s\" cannot be held: a report, notice, verdict, cause or order can", kind);
}
