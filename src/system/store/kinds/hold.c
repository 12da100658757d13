/* Holds as records: columns, retention, queries. */
#include "../record.h"
#include "words.h"

#include <obhut/records/hold.h>

static const record_column columns[] = {
    {COLUMN(ob_hold, id, "naming it"), .key = 1},
    {COLUMN(ob_hold, kind, "of which record")},
    {COLUMN(ob_hold, record, "of which record")},
    {COLUMN(ob_hold, law, "that demands it, if one does")},
    {COLUMN(ob_hold, reason, "why")},
    {COLUMN_AS("person", ob_hold, by, "who says so")},
    {COLUMN(ob_hold, made_at, "when")},
    {COLUMN(ob_hold, until, "its end")},
    {COLUMN(ob_hold, ended_at, "ended before")},
    {COLUMN(ob_hold, decided_by, "who decided between two laws")},
    {COLUMN(ob_hold, decided_at, "when")},
    {COLUMN(ob_hold, decided_why, "why")},
};

const record_kind kind_hold = {
    .about = {.table = "hold",
              .title = "holds",
              .purpose = "keeping a record longer, or because a law demands it",
              .period = "12 months after their end",
              .persons = STAFF},
    COLUMNS(columns),
    .size = sizeof(ob_hold),
    .indexes = "CREATE INDEX hold_record ON hold (kind, record);",
    .retention = {{.word = "hold",
                   .months = 12,
                   .since = "CASE WHEN ended_at > 0 THEN ended_at ELSE until END",
                   .by = "id"}},
};

/* How records that `word` names go, and what they are; OB_EINVAL where nobody may hold such. */
static ob_status find_held(const record_retention **retention, const record_kind **kind,
                           const char *word, ob_error *err)
{
    *retention = retention_of(kind, word);
    return *retention && (*retention)->may_be_held
               ? OB_OK
               : ob_fail(err, OB_EINVAL,
                         "\"%.40s\" cannot be held: a report, notice, verdict, cause or order can",
                         word);
}

ob_status ob_store_hold_add(int64_t *id, ob_writing *w, const ob_hold *hold, ob_error *err)
{
    const record_retention *retention;
    const record_kind *kind;
    ob_hold added = *hold;
    added.ended_at = added.decided_at = 0;
    *added.decided_by = *added.decided_why = '\0';
    ob_status status = find_held(&retention, &kind, hold->kind, err);
    if (!status && (!*hold->reason || !*hold->by || hold->until <= hold->made_at))
        status = ob_fail(err, OB_EINVAL, "a hold needs a reason, a person and an end");
    if (!status)
        status = record_add_next(w, &kind_hold, "hold", &added.id, &added, err);
    if (!status)
        *id = added.id;
    return status;
}

ob_status ob_store_holds(ob_hold **out, size_t *count, ob_view *view, size_t most, ob_error *err)
{
    return record_newest(out, count, view, &kind_hold, most, err);
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

static ob_status ask_since(bool *found, int64_t *out, ob_view *view, const char *text, int64_t id,
                           ob_error *err)
{
    sql q;
    sql_begin_own(&q, view, text, USE_ONCE, err);
    sql_bind_int(&q, 1, id);
    *found = sql_step(&q);
    *out = *found ? sql_int(&q, 0) : 0;
    return sql_end(&q);
}

ob_status ob_store_record_at(int64_t *out, ob_view *view, const char *word, int64_t id,
                             ob_error *err)
{
    const record_retention *retention;
    const record_kind *kind;
    bool found = false;
    ob_buf text = {0};
    ob_status status = find_held(&retention, &kind, word, err);
    if (!status)
        status = retention_since(&text, kind, retention, err);
    if (!status)
        status = ask_since(&found, out, view, text.bytes, id, err);
    ob_buf_free(&text);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND, "there is no %s %lld", word, (long long)id);
    return status;
}
