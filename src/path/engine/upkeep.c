/* What must hold over years: a log that says under which laws and by which program, and records
 * that are kept no longer than they may be. */
#include "engine_priv.h"

#include <obhut/records/log.h>
#include <obhut/records/retention.h>
#include <obhut/regimes.h>
#include <obhut/upkeep.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

ob_status ob_engine_audit(ob_audit **out, ob_store *store, const char *dir,
                          void (*problem)(void *context, const char *sentence), void *context,
                          ob_error *err)
{
    char regimes[80] = "regimes ", floor[80] = "floor ", id[OB_BUILD_ID], build[OB_BUILD_ID + 8];
    ob_hex(regimes + strlen(regimes), ob_law_regimes_digest, sizeof ob_law_regimes_digest);
    ob_hex(floor + strlen(floor), ob_law_floor_digest, sizeof ob_law_floor_digest);
    ob_build_id(id);
    snprintf(build, sizeof build, "build %s", *id ? id : "unknown");
    const char *const lines[] = {regimes, floor, build, NULL};
    bool is_known = false;
    ob_audit_signed known;
    ob_status status = store ? ob_acts_signed(&is_known, &known, store, dir, err) : OB_OK;
    if (status)
        return status;
    const ob_audit_options options = {.dir = dir,
                                      .lines = lines,
                                      .known = is_known ? &known : NULL,
                                      .problem = problem,
                                      .context = context};
    return ob_audit_open(out, &options, err);
}

static ob_status read_law(uint32_t *months, ob_view *view, ob_error *err)
{
    ob_profile profile;
    const ob_regime *regime;
    ob_status status = ob_store_profile(&profile, view, err);
    if (!status)
        ob_profile_retention(months, &regime, &profile);
    return status;
}

static ob_entry *reaped_of(const char *member, const ob_reaped *reaped, size_t count)
{
    ob_entry *out = ob_entry_new();
    ob_entry_list(out, member);
    for (size_t i = 0; i < count; i++) {
        ob_entry *one = ob_entry_new();
        ob_entry_text(one, "kind", reaped[i].word);
        ob_entry_number(one, "due", (int64_t)reaped[i].due);
        ob_entry_number(one, "deleted", (int64_t)reaped[i].deleted);
        ob_entry_number(one, "held", (int64_t)reaped[i].held);
        ob_entry_number(one, "left", (int64_t)reaped[i].left);
        ob_entry_list_inner(out, member, one);
    }
    return out;
}

/* Codes and seconds go every day: that alone is not worth an entry. */
static bool is_worth_telling(const ob_reaped *reaped, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!reaped[i].daily && reaped[i].due)
            return true;
    return false;
}

static ob_status set_mark(ob_store *store, ob_counter mark, int64_t value, ob_error *err)
{
    ob_writing *w = NULL;
    ob_status status = ob_writing_begin(&w, store, err);
    return status ? status : ob_writing_end(w, ob_store_counter_set(w, mark, value, err), err);
}

/* What goes is told before it goes, and afterwards what went. Where what was deleted cannot be
 * overwritten yet, it was deleted all the same: that is when the last run was. */
ob_status ob_records_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                          ob_acts *acts, const ob_actor *actor, int64_t now, bool scrub,
                          ob_error *err)
{
    ob_reap how = {.now = now, .only_count = true};
    ob_view *view = NULL;
    *count = 0;
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = read_law(&how.law_months, view, err);
    ob_view_close(view);
    if (!status)
        status = ob_store_reap(out, count, store, &how, err);
    bool tells = is_worth_telling(out, *count);
    if (!status && tells)
        status = ob_acts_log(NULL, acts, "reaping", actor, reaped_of("due", out, *count), err);
    if (!status && !ob_acts_log_fine(acts))
        status = ob_fail(err, OB_EIO, "nothing is deleted while nothing can be logged");
    if (status)
        return status;
    how.only_count = false;
    status = ob_store_reap(out, count, store, &how, err);
    ob_status logged = OB_OK;
    if (tells)
        logged = ob_acts_log(NULL, acts, "reaped", actor, reaped_of("reaped", out, *count),
                             status ? NULL : err);
    if (!status)
        status = set_mark(store, OB_COUNTER_REAPED, now, err);
    if (!status && !logged && scrub)
        status = ob_store_scrub(store, err);
    return status ? status : logged;
}

/* ---- Every hour -------------------------------------------------------------------------------
 */

enum { HOUR_S = 3600, DAY_S = 86400, BELIEVED_S = 8 * DAY_S };

struct upkeep {
    const ob_engine_options *options;
    ob_permits *permits;
    pthread_mutex_t lock;
    pthread_cond_t closing_now;
    pthread_t thread;
    bool closing;
};

/* A clock that has jumped ahead would delete what is not due. */
static ob_status check_clock(int64_t last, int64_t now, ob_permits *permits, ob_error *err)
{
    if (strcmp(ob_permits_clock(permits, now), "ok") != 0)
        return ob_fail(err, OB_EREFUSED, "nothing is deleted while the clock is not right");
    if (last > 0 && now > last + BELIEVED_S)
        return ob_fail(err, OB_EREFUSED,
                       "the last run was more than %d days ago by the clock: if that is so, `obhut "
                       "record reap` deletes what is due; the service does not do it by itself",
                       BELIEVED_S / DAY_S);
    return OB_OK;
}

/* Who writes waits for it: so it is done once a night, or as soon as a night was missed. */
static bool is_time_to_scrub(int64_t now, int64_t last)
{
    enum { FROM_HOUR = 1, TO_HOUR = 5 };
    struct tm here;
    const time_t when = (time_t)now;
    bool is_due = now - last >= DAY_S - 6 * HOUR_S || now < last;
    bool is_night =
        localtime_r(&when, &here) && here.tm_hour >= FROM_HOUR && here.tm_hour < TO_HOUR;
    return is_due && (is_night || now < last || now - last >= DAY_S + DAY_S / 4);
}

static void reap(upkeep *u)
{
    const ob_engine_options *o = u->options;
    ob_reaped reaped[OB_REAPED_MOST];
    size_t count;
    int64_t now = ob_now(), last = -1, scrubbed = -1;
    ob_error err = {0};
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, o->store, &err);
    if (!status)
        status = ob_store_counter(&last, view, OB_COUNTER_REAPED, &err);
    if (!status)
        status = ob_store_counter(&scrubbed, view, OB_COUNTER_SCRUBBED, &err);
    ob_view_close(view);
    if (!status)
        status = check_clock(last, now, u->permits, &err);
    bool scrub = is_time_to_scrub(now, scrubbed);
    if (!status)
        status = ob_records_reap(reaped, &count, o->store, o->acts, NULL, now, scrub, &err);
    if (!status && scrub)
        status = set_mark(o->store, OB_COUNTER_SCRUBBED, now, &err);
    if (status && o->worker.problem)
        o->worker.problem(o->worker.context, err.text);
}

static void *keep_up(void *argument)
{
    upkeep *u = argument;
    pthread_mutex_lock(&u->lock);
    while (!u->closing) {
        struct timespec until;
        pthread_mutex_unlock(&u->lock);
        reap(u);
        pthread_mutex_lock(&u->lock);
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += u->options->upkeep_s;
        while (!u->closing && !pthread_cond_timedwait(&u->closing_now, &u->lock, &until))
            ;
    }
    pthread_mutex_unlock(&u->lock);
    return NULL;
}

ob_status upkeep_start(upkeep **out, const ob_engine_options *options, ob_permits *permits,
                       ob_error *err)
{
    upkeep *u = calloc(1, sizeof *u);
    if (!u)
        return ob_fail(err, OB_ENOMEM, "out of memory: upkeep");
    u->options = options;
    u->permits = permits;
    pthread_mutex_init(&u->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&u->closing_now, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (!pthread_create(&u->thread, NULL, keep_up, u)) {
        *out = u;
        return OB_OK;
    }
    pthread_cond_destroy(&u->closing_now);
    pthread_mutex_destroy(&u->lock);
    free(u);
    return ob_fail(err, OB_ENOMEM, "no thread could be started");
}

void upkeep_stop(upkeep *u)
{
    if (!u)
        return;
    pthread_mutex_lock(&u->lock);
    u->closing = true;
    pthread_cond_broadcast(&u->closing_now);
    pthread_mutex_unlock(&u->lock);
    pthread_join(u->thread, NULL);
    pthread_cond_destroy(&u->closing_now);
    pthread_mutex_destroy(&u->lock);
    free(u);
}
