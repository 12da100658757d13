/* Counts by day: what was looked at, what was not, and what was found. */
#include "permits_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/retention.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    LATE_MS = 15000,  /* if counts wait longer than this, the gate denies with NO_AUDIT */
    LATER_MS = 60000, /* the same while the records overwrite what was deleted: nothing failed */
    SECOND_MS = 1000,
};

/* ---- Counting ----------------------------------------------------------------------------------
 */

/* Under the lock. */
void batch_count(batch *b, const ob_tally *one)
{
    for (size_t i = 0; i < b->kind_count; i++) {
        ob_tally *k = &b->kinds[i];
        if (k->day == one->day && k->surface == one->surface && k->basis == one->basis &&
            k->reason == one->reason && !strcmp(k->regime, one->regime)) {
            k->count += one->count;
            return;
        }
    }
    if (b->kind_count < COUNTS_KINDS_MOST)
        b->kinds[b->kind_count++] = *one;
}

void batch_append(ob_record_key **keys, size_t *count, size_t *capacity, const ob_record_key *key)
{
    if (*count == *capacity) {
        size_t more = 2 * *capacity + 64;
        ob_record_key *grown = realloc(*keys, more * sizeof *grown);
        if (!grown)
            return;
        *keys = grown;
        *capacity = more;
    }
    (*keys)[(*count)++] = *key;
}

/* False where there is no room: a retry of it is counted twice. */
static bool append_denial(batch *b, const denial *d)
{
    if (b->denial_count >= COUNTS_FRESH_MOST)
        return false;
    if (b->denial_count == b->denial_capacity) {
        size_t more = 2 * b->denial_capacity + 64;
        denial *grown = realloc(b->denials, more * sizeof *grown);
        if (!grown)
            return false;
        b->denials = grown;
        b->denial_capacity = more;
    }
    b->denials[b->denial_count++] = *d;
    return true;
}

void ob_counts_allow(ob_counts *c, const ob_item *item, const ob_permit_terms *terms)
{
    ob_tally one = {.day = terms->issued / DAY,
                    .surface = item->surface,
                    .basis = terms->basis,
                    .reason = OB_ALLOWED,
                    .count = 1};
    memcpy(one.regime, terms->regime, sizeof one.regime);
    pthread_mutex_lock(&c->lock);
    batch *b = c->now;
    batch_count(b, &one);
    if (tick_has(&one) && b->seen_count < COUNTS_SEEN_MOST)
        batch_append(&b->seen, &b->seen_count, &b->seen_capacity, &item->id);
    else if (tick_has(&one))
        b->unseen++;
    if (!atomic_load(&c->waiting_since))
        atomic_store(&c->waiting_since, ob_now_monotonic_ms());
    if (terms->issued > atomic_load(&c->clock))
        atomic_store(&c->clock, terms->issued);
    pthread_mutex_unlock(&c->lock);
}

void ob_counts_deny(ob_counts *c, const ob_item *item, const ob_gate_decision *why, int64_t at)
{
    denial d = {.item = item->id,
                .one = {.day = at / DAY,
                        .surface = item->surface,
                        .basis = why->basis,
                        .reason = why->reason,
                        .count = 1}};
    if (why->regime)
        strncpy(d.one.regime, why->regime->id, sizeof d.one.regime - 1);
    pthread_mutex_lock(&c->lock);
    if (!append_denial(c->now, &d))
        batch_count(c->now, &d.one);
    pthread_mutex_unlock(&c->lock);
}

void ob_counts_refuse(ob_counts *c, ob_refusal refusal)
{
    pthread_mutex_lock(&c->lock);
    c->now->refused[refusal]++;
    pthread_mutex_unlock(&c->lock);
}

void ob_counts_hit(ob_counts *c, const ob_hit *one)
{
    pthread_mutex_lock(&c->lock);
    hits_add(&c->now->hits, one);
    if (!atomic_load(&c->waiting_since))
        atomic_store(&c->waiting_since, ob_now_monotonic_ms());
    pthread_mutex_unlock(&c->lock);
}

void ob_counts_pass(ob_counts *c, const char *via, const char *reason)
{
    pthread_mutex_lock(&c->lock);
    passed_add(&c->passed, via, reason);
    pthread_mutex_unlock(&c->lock);
}

void ob_counts_tell(ob_counts *c, const ob_counts_listener *to)
{
    pthread_mutex_lock(&c->lock);
    c->listener = *to;
    pthread_mutex_unlock(&c->lock);
}

void ob_counts_set_clock(ob_counts *c, int64_t at)
{
    atomic_store(&c->clock, at);
}

void ob_counts_service(ob_counts *c, const char *service)
{
    pthread_mutex_lock(&c->lock);
    snprintf(c->service, sizeof c->service, "%s", service);
    pthread_mutex_unlock(&c->lock);
}

/* ---- How it stands -----------------------------------------------------------------------------
 */

bool ob_counts_fine(const ob_counts *c)
{
    long long since = atomic_load(&c->waiting_since);
    const int64_t most = ob_store_overwrites(c->store) ? LATER_MS : LATE_MS;
    return atomic_load(&c->fine) && ob_acts_log_fine(c->acts) &&
           (!since || ob_now_monotonic_ms() - since < most);
}

bool ob_counts_late(const ob_counts *c)
{
    return atomic_load(&c->fine);
}

bool ob_counts_busy(const ob_counts *c)
{
    return !atomic_load(&c->fine) && atomic_load(&c->busy);
}

ob_hindrance ob_counts_hindrance(const ob_counts *c)
{
    return !ob_acts_log_fine(c->acts) || ob_acts_log_slow(c->acts) ? OB_HINDRANCE_LOG
                                                                   : OB_HINDRANCE_RECORDS;
}

void counts_tell_passed(ob_counts *c, bool all)
{
    enum { MINUTE_MS = 60000 };
    passed p = {.all = 0};
    const int64_t now = ob_now_monotonic_ms();
    pthread_mutex_lock(&c->lock);
    const ob_counts_listener to = c->listener;
    if (all || !c->told_passed_ms || now - c->told_passed_ms >= MINUTE_MS) {
        p = c->passed;
        c->passed = (passed){.all = 0};
        if (p.all)
            c->told_passed_ms = now;
    }
    pthread_mutex_unlock(&c->lock);
    if (to.say)
        passed_tell(&p, &to);
}

static void *flush_now_and_then(void *argument)
{
    ob_counts *c = argument;
    pthread_mutex_lock(&c->lock);
    while (!c->closing) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += SECOND_MS / 1000;
        pthread_cond_timedwait(&c->closing_now, &c->lock, &until);
        pthread_mutex_unlock(&c->lock);
        ob_counts_flush(c, NULL);
        counts_tell_passed(c, false);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* ---- Life --------------------------------------------------------------------------------------
 */

ob_status ob_counts_open(ob_counts **out, ob_store *store, ob_acts *acts, ob_error *err)
{
    ob_counts *c = calloc(1, sizeof *c);
    batch *now = calloc(1, sizeof *now), *old = calloc(1, sizeof *old);
    if (!c || !now || !old) {
        free(c);
        free(now);
        free(old);
        return ob_fail(err, OB_ENOMEM, "out of memory: counts");
    }
    c->now = now;
    c->old = old;
    c->store = store;
    c->acts = acts;
    c->denied.day = -1;
    ob_random(&c->batches, sizeof c->batches);
    c->batches = (int64_t)((uint64_t)c->batches >> 2); /* room to count on, and none is below 0 */
    atomic_store(&c->fine, true);
    pthread_mutex_init(&c->lock, NULL);
    pthread_mutex_init(&c->flushing, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->closing_now, &monotonic);
    pthread_condattr_destroy(&monotonic);
    c->has_thread = !pthread_create(&c->thread, NULL, flush_now_and_then, c);
    if (!c->has_thread) {
        ob_counts_close(c);
        return ob_fail(err, OB_ENOMEM, "no thread could be started");
    }
    *out = c;
    return OB_OK;
}

static void batch_free(batch *b)
{
    free(b->denials);
    free(b->fresh);
    free(b->seen);
    free(b);
}

void ob_counts_close(ob_counts *c)
{
    if (!c)
        return;
    pthread_mutex_lock(&c->lock);
    c->closing = true;
    pthread_cond_broadcast(&c->closing_now);
    pthread_mutex_unlock(&c->lock);
    if (c->has_thread)
        pthread_join(c->thread, NULL);
    ob_counts_flush(c, NULL); /* what came while older counts were written */
    counts_tell_passed(c, true);
    pthread_cond_destroy(&c->closing_now);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->flushing);
    denied_free(&c->denied);
    batch_free(c->now);
    batch_free(c->old);
    free(c);
}
