/* Deletes what has been kept long enough: in batches, each of them whole or not at all, and counts
 * before and after. */
#include "record.h"

#include <obhut/records/retention.h>

#include <time.h>

enum { BATCH = 500, DAY = 86400 };

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month] + (month == 1 && leap);
}

/* The same day so many calendar months before. The last day of a month goes back to the last day:
 * rather a day early than a day late. */
int64_t ob_months_before(int64_t at, int months)
{
    time_t when = (time_t)at;
    struct tm utc;
    if (!gmtime_r(&when, &utc))
        return at - (int64_t)months * 31 * DAY;
    bool is_last = utc.tm_mday == days_in(utc.tm_year + 1900, utc.tm_mon);
    int month = (utc.tm_year + 1900) * 12 + utc.tm_mon - months;
    int last = days_in(month / 12, month % 12);
    utc.tm_year = month / 12 - 1900;
    utc.tm_mon = month % 12;
    if (is_last || utc.tm_mday > last)
        utc.tm_mday = last;
    if (is_last)
        utc.tm_hour = 23, utc.tm_min = 59, utc.tm_sec = 59;
    return (int64_t)timegm(&utc);
}

/* How the rows of a kind go, and what its statements are asked with. */
typedef struct reaping {
    ob_store *store;
    const record_kind *kind;
    const record_retention *retention;
    int64_t cutoff, now, law; /* law: what is older, no person may hold */
    ob_buf due, due_free, remove, remove_parts;
} reaping;

static ob_status begin(reaping *r, const ob_reap *how, ob_error *err)
{
    const record_retention *retention = r->retention;
    int months = retention->months;
    if (retention->law && how->law_months && (int)how->law_months < months)
        months = (int)how->law_months;
    r->now = how->now;
    r->cutoff =
        months ? ob_months_before(how->now, months) : how->now - (int64_t)retention->days * DAY;
    r->law = how->law_months ? ob_months_before(how->now, (int)how->law_months) : INT64_MIN;
    ob_status status = retention_count(&r->due, r->kind, retention, false, err);
    if (!status)
        status = retention_count(&r->due_free, r->kind, retention, true, err);
    if (!status)
        status = retention_remove(&r->remove, r->kind, retention, false, err);
    if (!status && retention->parts)
        status = retention_remove(&r->remove_parts, r->kind, retention, true, err);
    return status;
}

static void end(reaping *r)
{
    ob_buf_free(&r->due);
    ob_buf_free(&r->due_free);
    ob_buf_free(&r->remove);
    ob_buf_free(&r->remove_parts);
}

/* Sets the parameters; returns the number of the next. */
static int bind(sql *q, const reaping *r, bool free)
{
    int at = 1;
    sql_bind_int(q, at++, r->cutoff);
    if (free && r->retention->may_be_held) {
        sql_bind_int(q, at++, r->now);
        sql_bind_int(q, at++, r->law);
    }
    return at;
}

static ob_status count_due(uint64_t *out, ob_view *view, const reaping *r, bool free, ob_error *err)
{
    sql q;
    sql_begin_own(&q, view, free ? r->due_free.bytes : r->due.bytes, USE_ONCE, err);
    bind(&q, r, free);
    *out = sql_step(&q) ? (uint64_t)sql_int(&q, 0) : 0;
    return sql_end(&q);
}

/* ---- Deleting -------------------------------------------------------------------------------- */

static ob_status run_remove(uint64_t *deleted, ob_writing *w, const reaping *r, const ob_buf *text,
                            ob_error *err)
{
    sql q;
    sql_begin_own(&q, &w->view, text->bytes, USE_ONCE, err);
    sql_bind_int(&q, bind(&q, r, true), BATCH);
    ob_status status = store_end_change(&q, NULL);
    *deleted = status ? 0 : (uint64_t)sql_changed(w);
    return status;
}

/* One batch, parts first, by the same choice; *deleted: how many it were. */
static ob_status remove_some(uint64_t *deleted, const reaping *r, ob_error *err)
{
    uint64_t parts = 0;
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, r->store, err);
    if (status)
        return status;
    if (r->retention->parts)
        status = run_remove(&parts, w, r, &r->remove_parts, err);
    if (!status)
        status = run_remove(deleted, w, r, &r->remove, err);
    if (!status && parts)
        status = store_want_scrub(w, r->retention->parts->about.table, err);
    if (!status && *deleted)
        status = store_want_scrub(w, r->kind->about.table, err);
    if (!status && *deleted && r->retention->withdraws)
        store_withdrawn(w, true);
    return ob_writing_end(w, status, err);
}

/* How many are due, and how many of them nobody holds. */
static ob_status count_kind(uint64_t *due, uint64_t *free, const reaping *r, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, r->store, err);
    if (!status)
        status = count_due(due, view, r, false, err);
    *free = *due;
    if (!status && r->retention->may_be_held)
        status = count_due(free, view, r, true, err);
    ob_view_close(view);
    return status;
}

static ob_status reap(ob_reaped *out, const reaping *r, bool only_count, ob_error *err)
{
    uint64_t due = 0, free = 0, some = 1;
    ob_status status = count_kind(&due, &free, r, err);
    out->due = due;
    out->held = due - free;
    out->left = due;
    while (!status && free && some && !only_count) {
        status = remove_some(&some, r, err);
        out->deleted += status ? 0 : some;
    }
    return status || only_count ? status : count_kind(&out->left, &free, r, err);
}

static ob_status reap_kind(ob_reaped *out, ob_store *store, const record_kind *kind,
                           const record_retention *retention, const ob_reap *how, ob_error *err)
{
    reaping r = {.store = store, .kind = kind, .retention = retention};
    *out = (ob_reaped){.word = retention->word, .daily = retention->days > 0};
    ob_status status = begin(&r, how, err);
    if (!status)
        status = reap(out, &r, how->only_count, err);
    end(&r);
    return status;
}

ob_status ob_store_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                        const ob_reap *how, ob_error *err)
{
    ob_status status = OB_OK;
    *count = 0;
    for (size_t i = 0; i < record_kind_count; i++)
        for (int k = 0; k < RETENTIONS && !status; k++) {
            const record_retention *retention = &record_kinds[i]->retention[k];
            if (!retention->word || *count == OB_REAPED_MOST)
                continue;
            ob_reaped *one = &out[*count];
            status = reap_kind(one, store, record_kinds[i], retention, how, err);
            *count += one->due > 0;
        }
    return status;
}
