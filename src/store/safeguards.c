/* Safeguards, and the states of detectors. */
#include "store_priv.h"

#include <obhut/records.h>

ob_status ob_store_safeguard_add(ob_writing *w, const ob_safeguard_record *r, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO safeguard (regime, safeguard, year, at, person, document)"
              " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (regime, safeguard) DO UPDATE SET"
              " year = excluded.year, at = excluded.at, person = excluded.person,"
              " document = excluded.document",
              err);
    sql_bind_text(&q, 1, r->regime);
    sql_bind_int(&q, 2, r->safeguard);
    sql_bind_int(&q, 3, r->year);
    sql_bind_int(&q, 4, r->at);
    sql_bind_text(&q, 5, r->by);
    sql_bind_bytes(&q, 6, r->document, sizeof r->document);
    ob_status status = store_end_change(&q, NULL);
    store_changed(w);
    return status;
}

ob_status ob_store_safeguard_remove(ob_writing *w, const char *regime, uint32_t safeguard,
                                    ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "DELETE FROM safeguard WHERE regime = ? AND safeguard = ?", err);
    sql_bind_text(&q, 1, regime);
    sql_bind_int(&q, 2, safeguard);
    ob_status status = store_end_change(&q, "this safeguard is not on record");
    store_changed(w);
    store_withdrawn(w, false);
    return status;
}

static void read_safeguard(void *record, sql *q)
{
    ob_safeguard_record *r = record;
    sql_text(q, 0, r->regime, sizeof r->regime);
    r->safeguard = (uint32_t)sql_int(q, 1);
    r->year = sql_int(q, 2);
    r->at = sql_int(q, 3);
    sql_text(q, 4, r->by, sizeof r->by);
    sql_bytes(q, 5, r->document, sizeof r->document);
}

ob_status ob_store_safeguards(ob_safeguard_record **out, size_t *count, ob_view *view,
                              ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT regime, safeguard, year, at, person, document FROM safeguard"
              " ORDER BY regime, safeguard",
              err);
    return store_read_all(out, count, &q, sizeof **out, read_safeguard);
}

/* ---- Detectors --------------------------------------------------------------------------------
 */

ob_status ob_store_detector_set(ob_writing *w, const ob_detector_record *r, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view,
              "INSERT INTO detector (detector, state, person, reason, at) VALUES (?, ?, ?, ?, ?)"
              " ON CONFLICT (detector) DO UPDATE SET state = excluded.state,"
              " person = excluded.person, reason = excluded.reason, at = excluded.at",
              err);
    sql_bind_text(&q, 1, r->detector);
    sql_bind_int(&q, 2, r->state);
    sql_bind_text(&q, 3, r->by);
    sql_bind_text(&q, 4, r->reason);
    sql_bind_int(&q, 5, r->at);
    ob_status status = store_end_change(&q, NULL);
    store_changed(w);
    store_withdrawn(w, false);
    return status;
}

static void read_detector(void *record, sql *q)
{
    ob_detector_record *r = record;
    sql_text(q, 0, r->detector, sizeof r->detector);
    r->state = (uint32_t)sql_int(q, 1);
    sql_text(q, 2, r->by, sizeof r->by);
    sql_text(q, 3, r->reason, sizeof r->reason);
    r->at = sql_int(q, 4);
}

ob_status ob_store_detectors(ob_detector_record **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT detector, state, person, reason, at FROM detector ORDER BY detector", err);
    return store_read_all(out, count, &q, sizeof **out, read_detector);
}
