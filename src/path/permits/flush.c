/* Counts on their way into the records and the log: both or neither. */
#include "permits_priv.h"

#include <obhut/records/log.h>

#include <string.h>

enum { HOUR = 3600 };

static bool has_refused(const batch *b)
{
    uint64_t all = 0;
    for (int r = 0; r < OB_REFUSALS; r++)
        all += b->refused[r];
    return all > 0;
}

static bool has_permits(const batch *b)
{
    bool any = false;
    for (size_t i = 0; i < b->kind_count; i++)
        any |= tick_has(&b->kinds[i]);
    return any;
}

bool batch_has_any(const batch *b)
{
    return b->kind_count || b->fresh_count || b->denial_count || b->hits.count || has_refused(b);
}

static void empty(batch *b)
{
    b->kind_count = b->fresh_count = b->seen_count = 0;
    b->unseen = 0;
    b->hits.count = b->hits.more = 0;
    memset(b->refused, 0, sizeof b->refused);
}

static ob_entry *refused_of(const batch *b)
{
    static const char *const names[OB_REFUSALS] = {"token", "scope", "surface"};
    ob_entry *out = ob_entry_new();
    for (int r = 0; r < OB_REFUSALS; r++)
        if (b->refused[r])
            ob_entry_number(out, names[r], (int64_t)b->refused[r]);
    return out;
}

/* What the entry of this second says; nothing at all where there is nothing. */
static ob_status fill(ob_act *act, const batch *b, const char *service, ob_error *err)
{
    if (has_refused(b))
        ob_entry_inner(act->members, "refused", refused_of(b));
    if (b->hits.count)
        hits_log(act->members, "matches", &b->hits);
    if (b->hits.more)
        ob_act_number(act, "matches_beyond", (int64_t)b->hits.more);
    if (has_permits(b))
        return tick_fill(act, b->seen, b->seen_count, b->unseen, b->kinds, b->kind_count, service,
                         err);
    if (!has_refused(b) && !b->hits.count)
        ob_act_quiet(act);
    return OB_OK;
}

typedef struct writing_down {
    ob_counts *counts;
    const char *service;
} writing_down;

static ob_status write_batch(ob_act *act, void *context, ob_error *err)
{
    const writing_down *w = context;
    const batch *b = w->counts->old;
    int64_t last;
    ob_status status = ob_store_counter(&last, ob_writing_view(act->w), OB_COUNTER_COUNTED, err);
    if (!status && last == b->number) { /* it was kept, and nobody heard so: it counts once */
        ob_act_quiet(act);
        return OB_OK;
    }
    if (!status)
        status = ob_store_counter_set(act->w, OB_COUNTER_COUNTED, b->number, err);
    if (!status)
        status = ob_store_tallies_add(act->w, b->kinds, b->kind_count, b->fresh, b->fresh_count,
                                      b->day, atomic_load(&w->counts->clock), err);
    return status ? status : fill(act, b, w->service, err);
}

/* Records and log, both or neither. */
static ob_status write_down(ob_counts *c, const char *service, ob_error *err)
{
    writing_down w = {.counts = c, .service = service};
    ob_status status = denied_count(&c->denied, c->old, c->acts, err);
    return status ? status : ob_acts_note(c->acts, "second", write_batch, &w, err);
}

ob_status ob_counts_flush(ob_counts *c, ob_error *err)
{
    char service[OB_NAME_MAX + 1];
    ob_status status = OB_OK;
    bool is_new = false;
    pthread_mutex_lock(&c->flushing);
    pthread_mutex_lock(&c->lock);
    if (!batch_has_any(c->old)) {
        batch *empty_one = c->old;
        c->old = c->now;
        c->now = empty_one;
        c->old->day = c->denied.day;
        c->old->number = ++c->batches;
        is_new = true;
    }
    memcpy(service, c->service, sizeof service);
    const ob_counts_listener to = c->listener;
    pthread_mutex_unlock(&c->lock);
    if (is_new && to.say)
        hits_tell(&c->old->hits, &to);
    if (batch_has_any(c->old) || !atomic_load(&c->fine))
        status = write_down(c, service, err);
    if (!status) {
        empty(c->old);
        pthread_mutex_lock(&c->lock);
        atomic_store(&c->waiting_since, batch_has_any(c->now) ? ob_now_monotonic_ms() : 0);
        pthread_mutex_unlock(&c->lock);
    }
    atomic_store(&c->busy, ob_hindrance_of(status) == OB_HINDRANCE_BUSY);
    atomic_store(&c->fine, !status);
    if (!status) /* an hour late: permits of before midnight are used by then */
        tick_days(c->acts, c->store, (ob_now() - HOUR) / DAY, NULL);
    pthread_mutex_unlock(&c->flushing);
    return status;
}
