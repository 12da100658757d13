/* Persons as records: columns, retention, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/records/person.h>

static const record_column columns[] = {
    {COLUMN(ob_person, name, "records and the log name them"), .key = 1},
    {COLUMN_AS("print", ob_person, fingerprint, "SHA-256 of the personal token"),
     .is_unique = true},
    {COLUMN(ob_person, roles, "what they may do")},
    {COLUMN(ob_person, is_external, "whether of another organisation")},
    {COLUMN(ob_person, made_at, "from when")},
    {COLUMN(ob_person, ended_at, "until when")},
};

const record_kind kind_person = {
    .about = {.table = "person",
              .title = "persons",
              .purpose = "knowing who did what only a person can do",
              .period = "36 months after they left; until then nobody gets the name",
              .persons = STAFF},
    COLUMNS(columns),
    .size = sizeof(ob_person),
    .retention = {{.word = "person",
                   .months = 36,
                   .since = "ended_at",
                   .only = "ended_at > 0",
                   .by = "name"}},
};

ob_status ob_store_person_add(ob_writing *w, const ob_person *person, ob_error *err)
{
    bool is_new = false;
    ob_person added = *person;
    added.ended_at = 0;
    if (!ob_name_is_valid(person->name))
        return ob_fail(err, OB_EINVAL, "\"%s\" is no name: a-z 0-9 . _ -, at most %d", person->name,
                       OB_NAME_MAX);
    ob_status status = record_add_new(&is_new, w, &kind_person, &added, err);
    store_changed(w);
    if (!status && !is_new)
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
    ob_status status = store_end_change(&q, "there is no such person, or their service has ended");
    store_changed(w);
    return status;
}

ob_status ob_store_persons(ob_person **out, size_t *count, ob_view *view, ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_person, "ORDER BY name", err);
    return record_read_all(out, count, &q);
}
