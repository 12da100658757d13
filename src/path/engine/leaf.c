/* What the log is told of a second: how often public uploads were looked at, by which basis and
 * regime, and a salted digest of which; of a day: all counts. Nothing else about looking ever gets
 * there: it must not become a diary of who sent what when. */
#include "engine_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/log.h>

#include <stdlib.h>
#include <string.h>

enum { DAY = 86400, TIME = 32 };

/* ---- A second ---------------------------------------------------------------------------------
 */

static int compare_codes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(ob_record_key));
}

/* Of salted codes, ascending. The salt is forgotten at once: nobody, not even with the records, can
 * ask the digest afterwards whether an item was among them. */
static ob_status digest_items(uint8_t digest[32], const ob_record_key *items, size_t count,
                              ob_error *err)
{
    ob_record_key salt, *codes = malloc((count + 1) * sizeof *codes);
    if (!codes)
        return ob_fail(err, OB_ENOMEM, "out of memory: an entry of the log");
    ob_random(&salt, sizeof salt);
    for (size_t i = 0; i < count; i++)
        ob_code(codes[i].bytes, salt.bytes, "obhut permit", &items[i], sizeof items[i]);
    ob_wipe(&salt, sizeof salt);
    qsort(codes, count, sizeof *codes, compare_codes);
    ob_status status = ob_sha256(digest, codes, count * sizeof *codes, err);
    free(codes);
    return status;
}

static json_t *counts_of(const ob_tally *kinds, size_t count, const char *service)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        if (leaf_has(&kinds[i]))
            json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:I}", "basis",
                                                   ob_word_name(OB_WORD_BASIS, kinds[i].basis),
                                                   "regime", kinds[i].regime, "service", service,
                                                   "count", (json_int_t)kinds[i].count));
    return array;
}

bool leaf_has(const ob_tally *kind)
{
    return kind->reason == OB_ALLOWED && kind->surface == OB_SURFACE_PUBLIC;
}

ob_status leaf_fill(ob_act *act, const ob_record_key *items, size_t count, uint64_t more,
                    const ob_tally *kinds, size_t kind_count, const char *service, ob_error *err)
{
    uint8_t digest[32];
    char hex[65];
    ob_status status = digest_items(digest, items, count, err);
    if (status)
        return status;
    ob_hex(hex, digest, sizeof digest);
    ob_act_value(act, "permits", counts_of(kinds, kind_count, service));
    ob_act_word(act, "items", hex);
    if (more)
        ob_act_number(act, "items_beyond", (int64_t)more);
    return OB_OK;
}

/* ---- A day ------------------------------------------------------------------------------------
 */

enum { COUNTS_MOST = 300 }; /* in one entry */

static json_t *tallies_json(const ob_tally *t, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count && i < COUNTS_MOST; i++)
        json_array_append_new(
            array,
            json_pack(
                "{s:s, s:s, s:s, s:s, s:I}", "surface", ob_word_name(OB_WORD_SURFACE, t[i].surface),
                "basis", ob_word_name(OB_WORD_BASIS, t[i].basis), "regime", t[i].regime, "reason",
                t[i].reason == OB_ALLOWED ? "allowed" : ob_reason_name((ob_reason)t[i].reason),
                "count", (json_int_t)t[i].count));
    return array;
}

typedef struct day_log {
    int64_t day;
    const char *text;
} day_log;

static ob_status write_day(ob_act *act, void *context, ob_error *err)
{
    const day_log *d = context;
    ob_tally *tallies = NULL;
    size_t count = 0;
    ob_status status = ob_store_tallies(&tallies, &count, act->view, d->day, d->day + 1, err);
    ob_act_quiet(act);
    for (size_t i = 0; i < count && !status; i += COUNTS_MOST)
        ob_act_also(act, "counts",
                    json_pack("{s:s, s:o}", "day", d->text, "counts",
                              tallies_json(&tallies[i], count - i)));
    free(tallies);
    return status ? status : ob_store_mark_set(act->w, OB_MARK_LOG_DAY, d->day, err);
}

static ob_status log_day(ob_acts *acts, int64_t day, ob_error *err)
{
    char text[TIME];
    day_log d = {.day = day, .text = text};
    ob_time_print(text, day * DAY);
    text[10] = '\0';
    return ob_acts_note(acts, "counts", write_day, &d, err);
}

static ob_status set_last_day(ob_act *act, void *context, ob_error *err)
{
    const int64_t *day = context;
    ob_act_quiet(act);
    return ob_store_mark_set(act->w, OB_MARK_LOG_DAY, *day, err);
}

static ob_status read_last_day(int64_t *out, ob_store *store, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = ob_store_mark(out, view, OB_MARK_LOG_DAY, err);
    ob_view_close(view);
    return status;
}

ob_status leaf_days(ob_acts *acts, ob_store *store, int64_t today, ob_error *err)
{
    enum { MOST = 62 }; /* what a service missed that long ago has no counts */
    int64_t last = -1;
    ob_status status = read_last_day(&last, store, err);
    if (!status && last < today - MOST)
        last = today - MOST;
    if (!status && last >= today) { /* the clock was ahead */
        last = today - 1;
        status = ob_acts_note(acts, "counts", set_last_day, &last, err);
    }
    for (int64_t day = last + 1; day < today && !status; day++)
        status = log_day(acts, day, err);
    return status;
}
