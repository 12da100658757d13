/* What is counted, and the latest instant at which anything was allowed. */
#include "store_priv.h"

#include <obhut/records.h>

#include <obhut/crypto.h>

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

static ob_status add_denied(ob_writing *w, const ob_record_key *code, int64_t day, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "INSERT INTO denied (code, day) VALUES (?, ?) ON CONFLICT DO NOTHING",
              err);
    sql_bind_key(&q, 1, code);
    sql_bind_int(&q, 2, day);
    return store_end_change(&q, NULL);
}

static ob_status set_mark(ob_writing *w, int64_t value, bool only_forward, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO mark (name, value) VALUES ('clock', ?) ON CONFLICT (name) DO UPDATE SET"
              " value = CASE WHEN ? = 1 AND mark.value > excluded.value THEN mark.value"
              " ELSE excluded.value END",
              err);
    sql_bind_int(&q, 1, value);
    sql_bind_int(&q, 2, only_forward);
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
        status = add_denied(w, &denied[i], day, err);
    if (!status)
        status = set_mark(w, clock, true, err);
    return status;
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

/* ---- Denied items ------------------------------------------------------------------------------
 */

static void read_key(void *record, sql *q)
{
    sql_key(q, 0, record);
}

static ob_status forget_before(ob_writing *w, int64_t day, ob_error *err)
{
    sql q;
    ob_status status = store_want_scrub(w, "denied", err);
    if (!status)
        status = store_want_scrub(w, "salt", err);
    if (status)
        return status;
    sql_begin(&q, &w->view, "DELETE FROM denied WHERE day < ?", err);
    sql_bind_int(&q, 1, day);
    status = store_end_change(&q, NULL);
    if (!status) {
        sql_begin(&q, &w->view, "DELETE FROM salt WHERE day < ?", err);
        sql_bind_int(&q, 1, day);
        status = store_end_change(&q, NULL);
    }
    return status;
}

static ob_status need_salt(ob_record_key *salt, ob_writing *w, int64_t day, ob_error *err)
{
    sql q;
    bool found;
    sql_begin(&q, &w->view, "SELECT salt FROM salt WHERE day = ?", err);
    sql_bind_int(&q, 1, day);
    ob_status status = store_read_one(&found, salt, &q, read_key);
    if (status || found)
        return status;
    ob_random(salt->bytes, sizeof salt->bytes);
    sql_begin(&q, &w->view, "INSERT INTO salt (day, salt) VALUES (?, ?)", err);
    sql_bind_int(&q, 1, day);
    sql_bind_key(&q, 2, salt);
    return store_end_change(&q, NULL);
}

ob_status ob_store_denied(ob_record_key *salt, ob_record_key **out, size_t *count, ob_writing *w,
                          int64_t day, ob_error *err)
{
    sql q;
    ob_status status = forget_before(w, day, err);
    if (!status)
        status = need_salt(salt, w, day, err);
    if (status)
        return status;
    sql_begin(&q, &w->view, "SELECT code FROM denied WHERE day = ?", err);
    sql_bind_int(&q, 1, day);
    return store_read_all(out, count, &q, sizeof **out, read_key);
}

/* ---- The clock ---------------------------------------------------------------------------------
 */

ob_status ob_store_clock(int64_t *out, ob_view *view, ob_error *err)
{
    sql q;
    *out = 0;
    sql_begin(&q, view, "SELECT value FROM mark WHERE name = 'clock'", err);
    if (sql_step(&q))
        *out = sql_int(&q, 0);
    return sql_end(&q);
}

ob_status ob_store_clock_set(ob_writing *w, int64_t at, ob_error *err)
{
    return set_mark(w, at, false, err);
}
