/* Causes as records: columns, retention, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/records/cause.h>

#include <string.h>

static const record_column columns[] = {
    {COLUMN(ob_cause, id, "naming it"), .key = 1},
    {COLUMN(ob_cause, account, "about whom")},
    {COLUMN(ob_cause, ground, "what it rests on")},
    {COLUMN(ob_cause, record, "what it rests on")},
    {COLUMN(ob_cause, record_at, "a new one needs something newer")},
    {COLUMN(ob_cause, reason, "why, for the account")},
    {COLUMN(ob_cause, proposed_by, "who decided")},
    {COLUMN(ob_cause, confirmed_by, "who decided")},
    {COLUMN_AS("from_at", ob_cause, from, "from when")},
    {COLUMN(ob_cause, until, "until when")},
    {COLUMN(ob_cause, ended_at, "ended before")},
    {COLUMN(ob_cause, told_at, "that the account was told")},
};

const record_kind kind_cause = {
    .about = {.table = "cause",
              .title = "causes",
              .purpose = "opening one account's messages, at most 30 days; telling the account",
              .period = "12 months after their end, or less where a law says so",
              .persons = BY_PSEUDONYM},
    COLUMNS(columns),
    .size = sizeof(ob_cause),
    .indexes = "CREATE INDEX cause_account ON cause (account);",
    .retention = {{.word = "cause",
                   .months = 12,
                   .since = "CASE WHEN ended_at > 0 THEN ended_at ELSE until END",
                   .by = "id",
                   .law = true,
                   .may_be_held = true}},
};

/* The one before: it cannot be prolonged, only followed by one that rests on something newer and
 * was confirmed by somebody else. */
static ob_status check_before(ob_view *view, const ob_cause *cause, ob_error *err)
{
    sql q;
    bool found;
    ob_cause before = {0};
    record_select(&q, view, &kind_cause, "WHERE account = ? ORDER BY id DESC LIMIT 1", err);
    sql_bind_key(&q, 1, &cause->account);
    ob_status status = record_read_one(&found, &before, &q);
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

ob_status ob_store_cause_add(int64_t *id, ob_writing *w, const ob_cause *cause, ob_error *err)
{
    ob_cause added = *cause;
    added.ended_at = added.told_at = 0;
    ob_status status = check_before(&w->view, cause, err);
    if (!status)
        status = record_add_next(w, &kind_cause, "cause", &added.id, &added, err);
    if (status)
        writing_fail(w, status, err);
    else
        *id = added.id;
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
    return record_newest(out, count, view, &kind_cause, most, err);
}

ob_status ob_store_cause_of(bool *found, ob_cause *out, ob_view *view, const ob_record_key *account,
                            int64_t at, ob_error *err)
{
    sql q;
    record_select(&q, view, &kind_cause,
                  "WHERE account = ? AND ended_at = 0 AND from_at <= ? AND until > ?"
                  " ORDER BY until DESC LIMIT 1",
                  err);
    sql_bind_key(&q, 1, account);
    sql_bind_int(&q, 2, at);
    sql_bind_int(&q, 3, at);
    return record_read_one(found, out, &q);
}
