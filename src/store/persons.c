#include "store_priv.h"

#include <obhut/records.h>

ob_status ob_store_person_add(ob_writing *w, const ob_person *person, ob_error *err)
{
    sql q;
    if (!ob_name_is_valid(person->name))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no name: a-z 0-9 . _ -, at most %d", person->name,
                       OB_NAME_MAX);
    sql_begin(&q, &w->view,
              "INSERT INTO person (name, print, roles, is_external, made_at, ended_at)"
              " VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING",
              err);
    sql_bind_text(&q, 1, person->name);
    sql_bind_bytes(&q, 2, person->print, sizeof person->print);
    sql_bind_int(&q, 3, person->roles);
    sql_bind_int(&q, 4, person->is_external);
    sql_bind_int(&q, 5, person->made_at);
    ob_status status = store_end_change(&q, "");
    store_changed(w);
    if (status == OB_ENOTFOUND)
        status =
            ob_fail(err, OB_EINVAL,
                    "there is, or was, a person \"%s\": names are never given twice", person->name);
    if (status)
        writing_fail(w, status, err);
    return status;
}

ob_status ob_store_person_end(ob_writing *w, const char *name, int64_t at, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "UPDATE person SET ended_at = ? WHERE name = ? AND ended_at = 0", err);
    sql_bind_int(&q, 1, at);
    sql_bind_text(&q, 2, name);
    ob_status status = store_end_change(&q, "there is no such person, or not any more");
    store_changed(w);
    return status;
}

static void read_person(void *record, sql *q)
{
    ob_person *p = record;
    sql_text(q, 0, p->name, sizeof p->name);
    sql_bytes(q, 1, p->print, sizeof p->print);
    p->roles = (uint32_t)sql_int(q, 2);
    p->is_external = sql_int(q, 3) != 0;
    p->made_at = sql_int(q, 4);
    p->ended_at = sql_int(q, 5);
}

ob_status ob_store_persons(ob_person **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    sql_begin(&q, view,
              "SELECT name, print, roles, is_external, made_at, ended_at FROM person ORDER BY name",
              err);
    return store_read_all(out, count, &q, sizeof **out, read_person);
}
