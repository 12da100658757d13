/* What the log is told of a second, in one entry: how often public uploads were looked at, by which
 * basis and regime, and a salted digest of which; of a day: all counts. Nothing else about looking
 * ever gets there: it must not become a diary of who sent what when. */
#include "permits_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/log.h>

#include <stdlib.h>
#include <string.h>

enum { TIME = 32 };

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
        ob_mac(codes[i].bytes, salt.bytes, "obhut permit", &items[i], sizeof items[i]);
    ob_wipe(&salt, sizeof salt);
    qsort(codes, count, sizeof *codes, compare_codes);
    ob_status status = ob_sha256(digest, codes, count * sizeof *codes, err);
    free(codes);
    return status;
}

static void log_counts(ob_entry *out, const char *member, const ob_tally *kinds, size_t count,
                       const char *service)
{
    ob_entry_list(out, member);
    for (size_t i = 0; i < count; i++) {
        if (!tick_has(&kinds[i]))
            continue;
        ob_entry *one = ob_entry_new();
        ob_entry_text(one, "basis", ob_word_name(OB_WORD_BASIS, kinds[i].basis));
        ob_entry_text(one, "regime", kinds[i].regime);
        ob_entry_text(one, "service", service);
        ob_entry_number(one, "count", (int64_t)kinds[i].count);
        ob_entry_list_inner(out, member, one);
    }
}

bool tick_has(const ob_tally *kind)
{
    return kind->reason == OB_ALLOWED && kind->surface == OB_SURFACE_PUBLIC;
}

ob_status tick_fill(ob_act *act, const ob_record_key *items, size_t count, uint64_t more,
                    const ob_tally *kinds, size_t kind_count, const char *service, ob_error *err)
{
    uint8_t digest[32];
    char hex[65];
    ob_status status = digest_items(digest, items, count, err);
    if (status)
        return status;
    ob_hex(hex, digest, sizeof digest);
    log_counts(act->members, "permits", kinds, kind_count, service);
    ob_act_word(act, "items", hex);
    if (more)
        ob_act_number(act, "items_beyond", (int64_t)more);
    return OB_OK;
}

/* ---- A day ------------------------------------------------------------------------------------
 */

enum { COUNTS_MOST = 300 }; /* in one entry */

static ob_entry *tally_of(const ob_tally *t)
{
    ob_entry *out = ob_entry_new();
    ob_entry_text(out, "surface", ob_word_name(OB_WORD_SURFACE, t->surface));
    ob_entry_text(out, "basis", ob_word_name(OB_WORD_BASIS, t->basis));
    ob_entry_text(out, "regime", t->regime);
    ob_entry_text(out, "reason",
                  t->reason == OB_ALLOWED ? "allowed" : ob_reason_name((ob_reason)t->reason));
    ob_entry_number(out, "count", (int64_t)t->count);
    return out;
}

static ob_entry *counts_of_day(const char *day, const ob_tally *t, size_t count)
{
    ob_entry *out = ob_entry_new();
    ob_entry_text(out, "day", day);
    ob_entry_list(out, "counts");
    for (size_t i = 0; i < count && i < COUNTS_MOST; i++)
        ob_entry_list_inner(out, "counts", tally_of(&t[i]));
    return out;
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
        ob_act_also(act, "counts", counts_of_day(d->text, &tallies[i], count - i));
    free(tallies);
    return status ? status : ob_store_counter_set(act->w, OB_COUNTER_LOG_DAY, d->day, err);
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
    return ob_store_counter_set(act->w, OB_COUNTER_LOG_DAY, *day, err);
}

static ob_status read_last_day(int64_t *out, ob_store *store, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = ob_store_counter(out, view, OB_COUNTER_LOG_DAY, err);
    ob_view_close(view);
    return status;
}

ob_status tick_days(ob_acts *acts, ob_store *store, int64_t today, ob_error *err)
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
