/* Counts by day: what was looked at, and what was not. Written down every second; what cannot be
 * written stops everything that would have to be. */
#include "engine_priv.h"

#include <obhut/crypto.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY = 86400, KINDS_MOST = 1024, DENIED_MOST = 1 << 20, SECOND_MS = 1000 };

struct tallies {
    ob_store *store;
    pthread_mutex_t lock;
    pthread_cond_t closing_now;
    pthread_t thread;
    bool has_thread, closing;
    ob_tally kinds[KINDS_MOST];
    size_t kind_count;
    int64_t clock; /* of the latest that was counted */
    /* Denied items of `day` by code: a table that is at most half full, and what is not written. */
    int64_t day;
    ob_record_key salt, *table, *fresh;
    size_t table_size, denied_count, fresh_count, fresh_capacity;
    atomic_bool fine;
};

/* ---- Denied items ------------------------------------------------------------------------------
 */

static bool is_empty(const ob_record_key *key)
{
    static const ob_record_key none;
    return !memcmp(key, &none, sizeof none);
}

/* Where a code is, or belongs. */
static ob_record_key *place_of(ob_record_key *table, size_t size, const ob_record_key *code)
{
    size_t at;
    memcpy(&at, code->bytes, sizeof at);
    for (at &= size - 1; !is_empty(&table[at]) && memcmp(&table[at], code, sizeof *code);)
        at = (at + 1) & (size - 1);
    return &table[at];
}

static bool grow(tallies *t)
{
    size_t size = t->table_size ? 2 * t->table_size : 1024;
    ob_record_key *table = calloc(size, sizeof *table);
    if (!table)
        return false;
    for (size_t i = 0; i < t->table_size; i++)
        if (!is_empty(&t->table[i]))
            *place_of(table, size, &t->table[i]) = t->table[i];
    free(t->table);
    t->table = table;
    t->table_size = size;
    return true;
}

/* Under the lock. True where this code is new today; beyond DENIED_MOST, every one is. */
static bool remember(tallies *t, const ob_record_key *code)
{
    if (t->denied_count >= DENIED_MOST || (2 * (t->denied_count + 1) > t->table_size && !grow(t)))
        return true;
    ob_record_key *place = place_of(t->table, t->table_size, code);
    if (!is_empty(place))
        return false;
    *place = *code;
    t->denied_count++;
    return true;
}

static void keep_fresh(tallies *t, const ob_record_key *code)
{
    if (t->fresh_count == t->fresh_capacity) {
        size_t more = 2 * t->fresh_capacity + 64;
        ob_record_key *grown = realloc(t->fresh, more * sizeof *grown);
        if (!grown)
            return;
        t->fresh = grown;
        t->fresh_capacity = more;
    }
    t->fresh[t->fresh_count++] = *code;
}

/* Under the lock: a new day has a new salt, and yesterday's codes are gone. */
static ob_status need_day(tallies *t, int64_t day, ob_error *err)
{
    ob_record_key *codes = NULL;
    size_t count = 0;
    if (t->day == day)
        return OB_OK;
    ob_status status = ob_store_denied(&t->salt, &codes, &count, t->store, day, err);
    if (status)
        return status;
    free(t->table);
    t->table = NULL;
    t->table_size = t->denied_count = t->fresh_count = 0;
    t->day = day;
    for (size_t i = 0; i < count; i++)
        remember(t, &codes[i]);
    free(codes);
    return OB_OK;
}

/* ---- Counting ----------------------------------------------------------------------------------
 */

/* Under the lock. */
static void count(tallies *t, const ob_tally *one)
{
    for (size_t i = 0; i < t->kind_count; i++) {
        ob_tally *k = &t->kinds[i];
        if (k->day == one->day && k->surface == one->surface && k->basis == one->basis &&
            k->reason == one->reason && !strcmp(k->regime, one->regime)) {
            k->count += one->count;
            return;
        }
    }
    if (t->kind_count < KINDS_MOST)
        t->kinds[t->kind_count++] = *one;
}

void tallies_allow(tallies *t, const ob_item *item, const ob_permit_terms *terms)
{
    ob_tally one = {.day = terms->issued / DAY,
                    .surface = item->surface,
                    .basis = terms->basis,
                    .reason = OB_ALLOWED,
                    .count = 1};
    memcpy(one.regime, terms->regime, sizeof one.regime);
    pthread_mutex_lock(&t->lock);
    count(t, &one);
    t->clock = terms->issued > t->clock ? terms->issued : t->clock;
    pthread_mutex_unlock(&t->lock);
}

void tallies_deny(tallies *t, const ob_item *item, const ob_gate_decision *why, int64_t at)
{
    ob_tally one = {.day = at / DAY,
                    .surface = item->surface,
                    .basis = why->basis,
                    .reason = why->reason,
                    .count = 1};
    ob_record_key code;
    if (why->regime)
        strncpy(one.regime, why->regime->id, sizeof one.regime - 1);
    pthread_mutex_lock(&t->lock);
    bool known = !need_day(t, one.day, NULL);
    if (known)
        ob_code(code.bytes, t->salt.bytes, "obhut denied", item->id.bytes, sizeof item->id.bytes);
    if (!known || remember(t, &code)) {
        count(t, &one);
        if (known)
            keep_fresh(t, &code);
    }
    pthread_mutex_unlock(&t->lock);
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

ob_status tallies_settle(tallies *t, ob_error *err)
{
    pthread_mutex_lock(&t->lock);
    ob_status status = OB_OK;
    if (t->kind_count || t->fresh_count || !atomic_load(&t->fine))
        status = ob_store_tallies_add(t->store, t->kinds, t->kind_count, t->fresh, t->fresh_count,
                                      t->day, t->clock, err);
    if (!status)
        t->kind_count = t->fresh_count = 0;
    atomic_store(&t->fine, !status);
    pthread_mutex_unlock(&t->lock);
    return status;
}

bool tallies_fine(const tallies *t)
{
    return atomic_load(&t->fine);
}

static void *settle_now_and_then(void *argument)
{
    tallies *t = argument;
    pthread_mutex_lock(&t->lock);
    while (!t->closing) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += SECOND_MS / 1000;
        pthread_cond_timedwait(&t->closing_now, &t->lock, &until);
        pthread_mutex_unlock(&t->lock);
        tallies_settle(t, NULL);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- Life --------------------------------------------------------------------------------------
 */

ob_status tallies_open(tallies **out, ob_store *store, ob_error *err)
{
    tallies *t = calloc(1, sizeof *t);
    if (!t)
        return ob_fail(err, OB_ENOMEM, "out of memory: counts");
    t->store = store;
    t->day = -1;
    atomic_store(&t->fine, true);
    pthread_mutex_init(&t->lock, NULL);
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&t->closing_now, &monotonic);
    pthread_condattr_destroy(&monotonic);
    t->has_thread = !pthread_create(&t->thread, NULL, settle_now_and_then, t);
    if (!t->has_thread) {
        tallies_close(t);
        return ob_fail(err, OB_ENOMEM, "no thread could be started");
    }
    *out = t;
    return OB_OK;
}

void tallies_close(tallies *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->closing = true;
    pthread_cond_broadcast(&t->closing_now);
    pthread_mutex_unlock(&t->lock);
    if (t->has_thread)
        pthread_join(t->thread, NULL);
    pthread_cond_destroy(&t->closing_now);
    pthread_mutex_destroy(&t->lock);
    ob_wipe(&t->salt, sizeof t->salt);
    free(t->table);
    free(t->fresh);
    free(t);
}
