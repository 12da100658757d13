#include "store_priv.h"

#include <obhut/records.h>

enum { PUBLIC = 1 << 2, HOSTING = 1 << 1, KNOWN = 1, PUBLIC_AND_REPORT = 1 << 1 | 1 << 2 };

const ob_profile ob_profile_default = {.service = "default",
                                       .kinds = HOSTING,
                                       .regime = "eu-dsa",
                                       .surfaces = PUBLIC,
                                       .bases = PUBLIC_AND_REPORT,
                                       .detectors = KNOWN};

static void read_profile(void *record, sql *q)
{
    ob_profile *p = record;
    *p = (ob_profile){.kinds = (uint32_t)sql_int(q, 1)};
    sql_text(q, 0, p->service, sizeof p->service);
    sql_text(q, 2, p->country, sizeof p->country);
    sql_text(q, 3, p->regime, sizeof p->regime);
    p->surfaces = (uint32_t)sql_int(q, 4);
    p->bases = (uint32_t)sql_int(q, 5);
    p->detectors = (uint32_t)sql_int(q, 6);
    p->keeps_register = sql_int(q, 7) != 0;
    p->changed_at = sql_int(q, 8);
}

ob_status ob_store_profile(ob_profile *out, ob_view *view, ob_error *err)
{
    sql q;
    bool found;
    ob_profile read;
    sql_begin(&q, view,
              "SELECT service, kinds, country, regime, surfaces, bases, detectors, keeps_register,"
              " changed_at FROM profile WHERE id = 1",
              err);
    ob_status status = store_read_one(&found, &read, &q, read_profile);
    if (!status)
        *out = found ? read : ob_profile_default;
    return status;
}

ob_status ob_store_profile_set(ob_writing *w, const ob_profile *p, ob_error *err)
{
    sql q;
    sql_begin(
        &q, &w->view,
        "INSERT INTO profile (id, service, kinds, country, regime, surfaces, bases, detectors,"
        " keeps_register, changed_at) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET service = excluded.service, kinds = excluded.kinds,"
        " country = excluded.country, regime = excluded.regime, surfaces = excluded.surfaces,"
        " bases = excluded.bases, detectors = excluded.detectors,"
        " keeps_register = excluded.keeps_register, changed_at = excluded.changed_at",
        err);
    sql_bind_text(&q, 1, p->service);
    sql_bind_int(&q, 2, p->kinds);
    sql_bind_text(&q, 3, p->country);
    sql_bind_text(&q, 4, p->regime);
    sql_bind_int(&q, 5, p->surfaces);
    sql_bind_int(&q, 6, p->bases);
    sql_bind_int(&q, 7, p->detectors);
    sql_bind_int(&q, 8, p->keeps_register);
    sql_bind_int(&q, 9, p->changed_at);
    ob_status status = store_end_change(&q, NULL);
    store_changed(w);
    store_withdrawn(w, false);
    return status;
}
