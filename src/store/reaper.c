/* Deletes what has been kept long enough: in batches, each of them whole or not at all, and counts
 * before and after. */
#include "store_priv.h"

#include <obhut/records.h>

#include <string.h>
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

static int64_t cutoff_of(const store_reaper *r, const ob_reap *how)
{
    int months = r->months;
    if (r->law && how->law_months && (int)how->law_months < months)
        months = (int)how->law_months;
    return months ? ob_months_before(how->now, months) : how->now - (int64_t)r->days * DAY;
}

static ob_status count_due(uint64_t *out, ob_store *store, const char *text, const ob_reap *how,
                           int64_t cutoff, bool asks_for_holds, ob_error *err)
{
    sql q;
    sql_begin(&q, store, text, err);
    sql_bind_int(&q, 1, cutoff);
    if (asks_for_holds)
        sql_bind_int(&q, 2, how->now);
    *out = sql_step(&q) ? (uint64_t)sql_int(&q, 0) : 0;
    return sql_end(&q);
}

/* ---- What is left in the files --------------------------------------------------------------- */

static ob_status read_wanted(uint64_t *tables, ob_store *store, ob_error *err)
{
    int64_t mark;
    ob_status status = ob_store_mark(&mark, store, OB_MARK_SCRUB, err);
    *tables = !status && mark > 0 ? (uint64_t)mark : 0;
    return status;
}

ob_status store_want_scrub(ob_store *store, const char *table, ob_error *err)
{
    uint64_t tables, more = 0;
    ob_status status = read_wanted(&tables, store, err);
    for (size_t i = 0; i < store_kind_count; i++)
        if (store_kinds[i].reaper.place && !strcmp(store_kinds[i].reaper.place, table))
            more = UINT64_C(1) << i;
    store->wants_scrub = true;
    if (status || !(more & ~tables))
        return status;
    return ob_store_mark_set(store, OB_MARK_SCRUB, (int64_t)(tables | more), err);
}

ob_status store_scrub(ob_store *store, ob_error *err)
{
    uint64_t tables;
    ob_status status = read_wanted(&tables, store, err);
    for (size_t i = 0; i < store_kind_count && !status; i++) {
        const store_reaper *r = &store_kinds[i].reaper;
        if (!(tables >> i & 1))
            continue;
        status = sql_scrub(store, r->place, err);
        if (!status && r->parts)
            status = sql_scrub(store, r->parts, err);
    }
    return status || !tables ? status : ob_store_mark_set(store, OB_MARK_SCRUB, 0, err);
}

/* ---- Deleting ---------------------------------------------------------------------------------
 */

/* One batch; *deleted: how many it were. */
static ob_status remove_some(uint64_t *deleted, ob_store *store, const store_reaper *r,
                             const ob_reap *how, int64_t cutoff, ob_error *err)
{
    sql q;
    int at = 1;
    ob_status status = ob_store_begin(store, err);
    if (status)
        return status;
    sql_begin(&q, store, r->remove, err);
    sql_bind_int(&q, at++, cutoff);
    if (r->due_free)
        sql_bind_int(&q, at++, how->now);
    sql_bind_int(&q, at, BATCH);
    status = store_end_change(&q, NULL);
    *deleted = status ? 0 : (uint64_t)sql_changed(store);
    if (!status && *deleted && r->remove_parts) {
        sql_begin(&q, store, r->remove_parts, err);
        status = store_end_change(&q, NULL);
    }
    if (!status && *deleted)
        status = store_want_scrub(store, r->place, err);
    store->wants_scrub = false; /* when all batches are through */
    return ob_store_end(store, status, err);
}

static ob_status reap_kind(ob_reaped *out, ob_store *store, const store_reaper *r,
                           const ob_reap *how, ob_error *err)
{
    int64_t cutoff = cutoff_of(r, how);
    uint64_t due = 0, free = 0, some = 1;
    *out = (ob_reaped){.word = r->word, .daily = r->days > 0};
    ob_status status = count_due(&due, store, r->due, how, cutoff, false, err);
    free = due;
    if (!status && r->due_free)
        status = count_due(&free, store, r->due_free, how, cutoff, true, err);
    out->due = due;
    out->held = due - free;
    while (!status && free && some) {
        status = remove_some(&some, store, r, how, cutoff, err);
        out->deleted += status ? 0 : some;
    }
    if (!status)
        status = count_due(&out->left, store, r->due, how, cutoff, false, err);
    return status;
}

ob_status ob_store_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                        const ob_reap *how, ob_error *err)
{
    ob_status status = OB_OK;
    bool withdraws = false;
    *count = 0;
    for (size_t i = 0; i < store_kind_count && !status; i++) {
        const store_reaper *r = &store_kinds[i].reaper;
        if (!r->due || *count == OB_REAPED_MOST)
            continue;
        ob_reaped *one = &out[*count];
        status = reap_kind(one, store, r, how, err);
        withdraws |= r->withdraws && one->deleted;
        *count += one->due > 0;
    }
    if (withdraws)
        store_withdrawn(store, true);
    store->wants_scrub = false;
    return status ? status : store_scrub(store, err);
}
