/* Deletes what has been kept long enough: in batches, each of them whole or not at all, and counts
 * before and after. */
#include "store_priv.h"

#include <obhut/records.h>

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

/* What the statements of a kind are asked with. */
typedef struct limits {
    int64_t cutoff, now, law; /* law: what is older, no person may hold */
} limits;

static limits limits_of(const store_reaper *r, const ob_reap *how)
{
    int months = r->months;
    if (r->law && how->law_months && (int)how->law_months < months)
        months = (int)how->law_months;
    return (limits){
        .cutoff = months ? ob_months_before(how->now, months) : how->now - (int64_t)r->days * DAY,
        .now = how->now,
        .law = how->law_months ? ob_months_before(how->now, (int)how->law_months) : INT64_MIN};
}

/* Sets the parameters; returns the number of the next. */
static int bind_limits(sql *q, const limits *l, bool asks_for_holds)
{
    int at = 1;
    sql_bind_int(q, at++, l->cutoff);
    if (asks_for_holds) {
        sql_bind_int(q, at++, l->now);
        sql_bind_int(q, at++, l->law);
    }
    return at;
}

static ob_status count_due(uint64_t *out, ob_view *view, const char *text, const limits *l,
                           bool asks_for_holds, ob_error *err)
{
    sql q;
    sql_begin(&q, view, text, err);
    bind_limits(&q, l, asks_for_holds);
    *out = sql_step(&q) ? (uint64_t)sql_int(&q, 0) : 0;
    return sql_end(&q);
}

/* ---- Deleting ---------------------------------------------------------------------------------
 */

static ob_status run_remove(uint64_t *deleted, ob_writing *w, const store_reaper *r,
                            const char *text, const limits *l, ob_error *err)
{
    sql q;
    sql_begin(&q, &w->view, text, err);
    sql_bind_int(&q, bind_limits(&q, l, r->due_free != NULL), BATCH);
    ob_status status = store_end_change(&q, NULL);
    *deleted = status ? 0 : (uint64_t)sql_changed(w);
    return status;
}

/* One batch, parts first, by the same choice; *deleted: how many it were. */
static ob_status remove_some(uint64_t *deleted, ob_store *store, const store_reaper *r,
                             const limits *l, ob_error *err)
{
    uint64_t parts = 0;
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    if (status)
        return status;
    if (r->remove_parts)
        status = run_remove(&parts, w, r, r->remove_parts, l, err);
    if (!status)
        status = run_remove(deleted, w, r, r->remove, l, err);
    if (!status && parts)
        status = store_want_scrub(w, r->parts, err);
    if (!status && *deleted)
        status = store_want_scrub(w, r->place, err);
    if (!status && *deleted && r->withdraws)
        store_withdrawn(w, true);
    return ob_writing_end(w, status, err);
}

/* How many are due, and how many of them nobody holds. */
static ob_status count_kind(uint64_t *due, uint64_t *free, ob_store *store, const store_reaper *r,
                            const limits *l, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = count_due(due, view, r->due, l, false, err);
    *free = *due;
    if (!status && r->due_free)
        status = count_due(free, view, r->due_free, l, true, err);
    ob_view_close(view);
    return status;
}

static ob_status reap_kind(ob_reaped *out, ob_store *store, const store_reaper *r,
                           const ob_reap *how, ob_error *err)
{
    const limits l = limits_of(r, how);
    uint64_t due = 0, free = 0, some = 1;
    *out = (ob_reaped){.word = r->word, .daily = r->days > 0};
    ob_status status = count_kind(&due, &free, store, r, &l, err);
    out->due = due;
    out->held = due - free;
    out->left = due;
    while (!status && free && some && !how->only_count) {
        status = remove_some(&some, store, r, &l, err);
        out->deleted += status ? 0 : some;
    }
    if (!status && !how->only_count)
        status = count_kind(&out->left, &free, store, r, &l, err);
    return status;
}

ob_status ob_store_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                        const ob_reap *how, ob_error *err)
{
    ob_status status = OB_OK;
    *count = 0;
    for (size_t i = 0; i < store_kind_count && !status; i++) {
        const store_reaper *r = &store_kinds[i].reaper;
        if (!r->due || *count == OB_REAPED_MOST)
            continue;
        ob_reaped *one = &out[*count];
        status = reap_kind(one, store, r, how, err);
        *count += one->due > 0;
    }
    return status || !how->scrub || how->only_count ? status : ob_store_scrub(store, err);
}
