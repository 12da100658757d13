/* Counts by day: what was looked at, and what was not. Written down every second; what cannot be
 * written stops everything that would have to be. */
#include "engine_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/log.h>
#include <obhut/records/retention.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    DAY = 86400,
    KINDS_MOST = 1024,
    DENIED_MOST = 1 << 20,
    SEEN_MOST = 1 << 15,  /* of a second, or of as long as nothing can be written */
    FRESH_MOST = 1 << 16, /* the same; of what is beyond, a retry is counted twice */
    LATE_MS = 15000,      /* what is not written by then stops everything */
    LATER_MS = 60000, /* the same while the records overwrite what was deleted: nothing failed */
    HOUR = 3600,
    SECOND_MS = 1000,
};

/* An item that was denied; whether for the first time that day is found out when it is written. */
typedef struct denial {
    ob_record_key item;
    ob_tally one;
} denial;

/* What was counted and is not written yet. */
typedef struct batch {
    ob_tally kinds[KINDS_MOST];
    size_t kind_count;
    denial *denials;
    size_t denial_count, denial_capacity;
    int64_t day;          /* of `fresh` */
    ob_record_key *fresh; /* codes of items that were denied for the first time that day */
    size_t fresh_count, fresh_capacity;
    ob_record_key *seen; /* public items that were looked at */
    size_t seen_count, seen_capacity;
    uint64_t unseen;               /* beyond SEEN_MOST */
    uint64_t refused[OB_REFUSALS]; /* requests, by what their token lacked */
    matches matches;
    int64_t number; /* no other batch has it */
} batch;

struct tallies {
    ob_store *store;
    ob_acts *acts;
    pthread_mutex_t lock; /* briefly: of `now` and the table */
    pthread_cond_t closing_now;
    pthread_t thread;
    bool has_thread, closing;
    char service[OB_NAME_MAX + 1];
    passed passed;          /* and not told yet */
    int64_t told_passed_ms; /* monotonic; 0: never */
    teller teller;
    batch *now;               /* grows */
    pthread_mutex_t settling; /* while something is written; taken before the lock */
    batch *old;               /* is being written, or could not be */
    int64_t batches;          /* the number of the last */
    atomic_llong clock;       /* of the latest that was counted */
    atomic_llong
        waiting_since; /* monotonic ms: what was looked at and is not written; 0: nothing */
    /* Whoever settles has these to itself. Denied items of `day` by code: a table that is at most
     * half full. */
    int64_t day;
    ob_record_key salt, *table;
    size_t table_size, denied_count;
    atomic_bool fine, busy; /* busy: not fine, for too much waits already */
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

/* True where this code is new today; beyond DENIED_MOST, every one is. */
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

static void keep(ob_record_key **keys, size_t *count, size_t *capacity, const ob_record_key *key)
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

/* What the records hold of a day. */
typedef struct day_codes {
    int64_t day;
    ob_record_key salt, *codes;
    size_t count;
} day_codes;

static ob_status read_day(ob_act *act, void *context, ob_error *err)
{
    day_codes *d = context;
    ob_act_quiet(act);
    return ob_store_denied(&d->salt, &d->codes, &d->count, act->w, d->day, err);
}

/* A new day has a new salt, and yesterday's codes are gone. */
static ob_status need_day(tallies *t, int64_t day, ob_error *err)
{
    day_codes d = {.day = day};
    if (t->day == day)
        return OB_OK;
    ob_status status = ob_acts_note(t->acts, "day", read_day, &d, err);
    if (!status) {
        free(t->table);
        t->table = NULL;
        t->table_size = t->denied_count = t->old->fresh_count = 0;
        t->day = t->old->day = day;
        t->salt = d.salt;
        for (size_t i = 0; i < d.count; i++)
            remember(t, &d.codes[i]);
    }
    free(d.codes);
    ob_wipe(&d.salt, sizeof d.salt);
    return status;
}

/* ---- Counting ----------------------------------------------------------------------------------
 */

/* Under the lock. */
static void count(batch *b, const ob_tally *one)
{
    for (size_t i = 0; i < b->kind_count; i++) {
        ob_tally *k = &b->kinds[i];
        if (k->day == one->day && k->surface == one->surface && k->basis == one->basis &&
            k->reason == one->reason && !strcmp(k->regime, one->regime)) {
            k->count += one->count;
            return;
        }
    }
    if (b->kind_count < KINDS_MOST)
        b->kinds[b->kind_count++] = *one;
}

/* False where there is no room: a retry of it is counted twice. */
static bool keep_denial(batch *b, const denial *d)
{
    if (b->denial_count >= FRESH_MOST)
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

void tallies_allow(tallies *t, const ob_item *item, const ob_permit_terms *terms)
{
    ob_tally one = {.day = terms->issued / DAY,
                    .surface = item->surface,
                    .basis = terms->basis,
                    .reason = OB_ALLOWED,
                    .count = 1};
    memcpy(one.regime, terms->regime, sizeof one.regime);
    pthread_mutex_lock(&t->lock);
    batch *b = t->now;
    count(b, &one);
    if (leaf_has(&one) && b->seen_count < SEEN_MOST)
        keep(&b->seen, &b->seen_count, &b->seen_capacity, &item->id);
    else if (leaf_has(&one))
        b->unseen++;
    if (!atomic_load(&t->waiting_since))
        atomic_store(&t->waiting_since, ob_now_monotonic_ms());
    if (terms->issued > atomic_load(&t->clock))
        atomic_store(&t->clock, terms->issued);
    pthread_mutex_unlock(&t->lock);
}

void tallies_deny(tallies *t, const ob_item *item, const ob_gate_decision *why, int64_t at)
{
    denial d = {.item = item->id,
                .one = {.day = at / DAY,
                        .surface = item->surface,
                        .basis = why->basis,
                        .reason = why->reason,
                        .count = 1}};
    if (why->regime)
        strncpy(d.one.regime, why->regime->id, sizeof d.one.regime - 1);
    pthread_mutex_lock(&t->lock);
    if (!keep_denial(t->now, &d))
        count(t->now, &d.one);
    pthread_mutex_unlock(&t->lock);
}

void tallies_refuse(tallies *t, ob_refusal refusal)
{
    pthread_mutex_lock(&t->lock);
    t->now->refused[refusal]++;
    pthread_mutex_unlock(&t->lock);
}

void tallies_match(tallies *t, const matched *one)
{
    pthread_mutex_lock(&t->lock);
    matches_add(&t->now->matches, one);
    if (!atomic_load(&t->waiting_since))
        atomic_store(&t->waiting_since, ob_now_monotonic_ms());
    pthread_mutex_unlock(&t->lock);
}

void tallies_pass(tallies *t, const char *via, const char *reason)
{
    pthread_mutex_lock(&t->lock);
    passed_add(&t->passed, via, reason);
    pthread_mutex_unlock(&t->lock);
}

void tallies_tell(tallies *t, const teller *to)
{
    pthread_mutex_lock(&t->lock);
    t->teller = *to;
    pthread_mutex_unlock(&t->lock);
}

void tallies_set_clock(tallies *t, int64_t at)
{
    atomic_store(&t->clock, at);
}

void tallies_service(tallies *t, const char *service)
{
    pthread_mutex_lock(&t->lock);
    snprintf(t->service, sizeof t->service, "%s", service);
    pthread_mutex_unlock(&t->lock);
}

/* ---- Writing -----------------------------------------------------------------------------------
 */

/* Counts denied items of the batch that is to be written, each once a day; those that are left
 * where the day cannot be read come next time. */
static ob_status settle_denials(tallies *t, ob_error *err)
{
    batch *b = t->old;
    size_t done = 0;
    ob_status status = OB_OK;
    for (; done < b->denial_count; done++) {
        ob_record_key code;
        const denial *d = &b->denials[done];
        status = need_day(t, d->one.day, err);
        if (status)
            break;
        /* What could not be done then is another count than what nobody may. */
        ob_mac(code.bytes, t->salt.bytes,
               ob_reason_is_operational((ob_reason)d->one.reason) ? "obhut could not"
                                                                  : "obhut denied",
               d->item.bytes, sizeof d->item.bytes);
        if (!remember(t, &code))
            continue;
        count(b, &d->one);
        keep(&b->fresh, &b->fresh_count, &b->fresh_capacity, &code);
    }
    b->denial_count -= done;
    if (done && b->denial_count)
        memmove(b->denials, b->denials + done, b->denial_count * sizeof *b->denials);
    return status;
}

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
        any |= leaf_has(&b->kinds[i]);
    return any;
}

static bool has_any(const batch *b)
{
    return b->kind_count || b->fresh_count || b->denial_count || b->matches.count || has_refused(b);
}

static void empty(batch *b)
{
    b->kind_count = b->fresh_count = b->seen_count = 0;
    b->unseen = 0;
    b->matches.count = b->matches.more = 0;
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
    if (b->matches.count)
        matches_log(act->members, "matches", &b->matches);
    if (b->matches.more)
        ob_act_number(act, "matches_beyond", (int64_t)b->matches.more);
    if (has_permits(b))
        return leaf_fill(act, b->seen, b->seen_count, b->unseen, b->kinds, b->kind_count, service,
                         err);
    if (!has_refused(b) && !b->matches.count)
        ob_act_quiet(act);
    return OB_OK;
}

typedef struct writing_down {
    tallies *t;
    const char *service;
} writing_down;

static ob_status write_batch(ob_act *act, void *context, ob_error *err)
{
    const writing_down *w = context;
    const batch *b = w->t->old;
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
                                      b->day, atomic_load(&w->t->clock), err);
    return status ? status : fill(act, b, w->service, err);
}

/* Records and log, both or neither. */
static ob_status write_down(tallies *t, const char *service, ob_error *err)
{
    writing_down w = {.t = t, .service = service};
    ob_status status = settle_denials(t, err);
    return status ? status : ob_acts_note(t->acts, "second", write_batch, &w, err);
}

/* At once, and then once a minute; `all`: what is left. */
static void tell_passed(tallies *t, bool all)
{
    enum { MINUTE_MS = 60000 };
    passed p = {.all = 0};
    const int64_t now = ob_now_monotonic_ms();
    pthread_mutex_lock(&t->lock);
    const teller to = t->teller;
    if (all || !t->told_passed_ms || now - t->told_passed_ms >= MINUTE_MS) {
        p = t->passed;
        t->passed = (passed){.all = 0};
        if (p.all)
            t->told_passed_ms = now;
    }
    pthread_mutex_unlock(&t->lock);
    if (to.say)
        passed_tell(&p, &to);
}

ob_status tallies_settle(tallies *t, ob_error *err)
{
    char service[OB_NAME_MAX + 1];
    ob_status status = OB_OK;
    bool is_new = false;
    pthread_mutex_lock(&t->settling);
    pthread_mutex_lock(&t->lock);
    if (!has_any(t->old)) {
        batch *empty_one = t->old;
        t->old = t->now;
        t->now = empty_one;
        t->old->day = t->day;
        t->old->number = ++t->batches;
        is_new = true;
    }
    memcpy(service, t->service, sizeof service);
    const teller to = t->teller;
    pthread_mutex_unlock(&t->lock);
    if (is_new && to.say)
        matches_tell(&t->old->matches, &to);
    if (has_any(t->old) || !atomic_load(&t->fine))
        status = write_down(t, service, err);
    if (!status) {
        empty(t->old);
        pthread_mutex_lock(&t->lock);
        atomic_store(&t->waiting_since, has_any(t->now) ? ob_now_monotonic_ms() : 0);
        pthread_mutex_unlock(&t->lock);
    }
    atomic_store(&t->busy, ob_hindrance_of(status) == OB_HINDRANCE_BUSY);
    atomic_store(&t->fine, !status);
    if (!status) /* an hour late: permits of before midnight are used by then */
        leaf_days(t->acts, t->store, (ob_now() - HOUR) / DAY, NULL);
    pthread_mutex_unlock(&t->settling);
    return status;
}

bool tallies_fine(const tallies *t)
{
    long long since = atomic_load(&t->waiting_since);
    const int64_t most = ob_store_overwrites(t->store) ? LATER_MS : LATE_MS;
    return atomic_load(&t->fine) && ob_acts_log_fine(t->acts) &&
           (!since || ob_now_monotonic_ms() - since < most);
}

bool tallies_late(const tallies *t)
{
    return atomic_load(&t->fine);
}

bool tallies_busy(const tallies *t)
{
    return !atomic_load(&t->fine) && atomic_load(&t->busy);
}

ob_hindrance tallies_hindrance(const tallies *t)
{
    return !ob_acts_log_fine(t->acts) || ob_acts_log_slow(t->acts) ? OB_HINDRANCE_LOG
                                                                   : OB_HINDRANCE_RECORDS;
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
        tell_passed(t, false);
        pthread_mutex_lock(&t->lock);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

/* ---- Life --------------------------------------------------------------------------------------
 */

ob_status tallies_open(tallies **out, ob_store *store, ob_acts *acts, ob_error *err)
{
    tallies *t = calloc(1, sizeof *t);
    batch *now = calloc(1, sizeof *now), *old = calloc(1, sizeof *old);
    if (!t || !now || !old) {
        free(t);
        free(now);
        free(old);
        return ob_fail(err, OB_ENOMEM, "out of memory: counts");
    }
    t->now = now;
    t->old = old;
    t->store = store;
    t->acts = acts;
    t->day = -1;
    ob_random(&t->batches, sizeof t->batches);
    t->batches = (int64_t)((uint64_t)t->batches >> 2); /* room to count on, and none is below 0 */
    atomic_store(&t->fine, true);
    pthread_mutex_init(&t->lock, NULL);
    pthread_mutex_init(&t->settling, NULL);
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

static void batch_free(batch *b)
{
    free(b->denials);
    free(b->fresh);
    free(b->seen);
    free(b);
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
    tallies_settle(t, NULL); /* what came while older counts were written */
    tell_passed(t, true);
    pthread_cond_destroy(&t->closing_now);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->settling);
    ob_wipe(&t->salt, sizeof t->salt);
    free(t->table);
    batch_free(t->now);
    batch_free(t->old);
    free(t);
}
