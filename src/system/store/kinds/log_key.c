/* Keys of aliases in the log as records: columns, retention, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/crypto.h>
#include <obhut/records/log.h>

typedef struct row {
    ob_record_key subject, key;
    int64_t used_at;
} row;

static const record_column columns[] = {
    {COLUMN(row, subject, "whose"), .key = 1},
    {COLUMN(row, key, "making the code")},
    {COLUMN(row, used_at, "its age")},
};

const record_kind kind_log_key = {
    .about = {.table = "log_key",
              .title = "keys of the log",
              .purpose =
                  "the log knows accounts and persons by codes that only these can make again",
              .period = "36 months after their last entry, or until destroyed",
              .persons = BY_PSEUDONYM "; without its key nobody is in the log"},
    COLUMNS(columns),
    .size = sizeof(row),
    .retention = {{.word = "log key", .months = 36, .since = "used_at", .by = "subject"}},
};

static ob_status find(bool *found, row *out, ob_view *view, const ob_record_key *subject,
                      ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_log_key, "WHERE subject = ?", err);
    sql_bind_key(&q, 1, subject);
    return record_read_one(found, out, &q);
}

ob_status ob_store_log_key_find(bool *found, ob_record_key *out, ob_view *view,
                                const ob_record_key *subject, ob_error *err)
{
    row key = {0};
    ob_status status = find(found, &key, view, subject, err);
    if (!status && *found)
        *out = key.key;
    return status;
}

ob_status ob_store_log_key(ob_record_key *out, ob_writing *w, const ob_record_key *subject,
                           int64_t at, ob_error *err)
{
    enum { ROUGHLY = 86400 }; /* the age need not be exact, and a write costs */
    row key = {.subject = *subject};
    bool found = false;
    ob_status status = find(&found, &key, &w->view, subject, err);
    if (status)
        return status;
    if (!found)
        ob_random(key.key.bytes, sizeof key.key.bytes);
    *out = key.key;
    if (found && key.used_at >= at - ROUGHLY)
        return OB_OK;
    key.used_at = at;
    return record_put(w, &kind_log_key, &key, err);
}

ob_status ob_store_log_key_destroy(ob_writing *w, const ob_record_key *subject, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, "DELETE FROM log_key WHERE subject = ?", err);
    sql_bind_key(&q, 1, subject);
    ob_status status = store_end_change(&q, "the log has no key of that name");
    if (!status)
        status = store_want_scrub(w, "log_key", err);
    return status;
}
