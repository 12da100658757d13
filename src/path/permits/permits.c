/* Between the records and who looks: nobody gets a permit but from here. */
#include "permits_priv.h"

#include <stdlib.h>
#include <string.h>

/* Settings that are in use; counted, under the lock of the permits. */
typedef struct settings_now {
    settings settings;
    uint64_t generation; /* of the store when they were read, or before */
    unsigned users;
} settings_now;

struct ob_permits {
    ob_store *store;
    ob_counts *counts;
    ob_epoch_page *epochs;
    pthread_mutex_t lock; /* of `now`; briefly */
    pthread_cond_t renewed;
    bool renewing;
    settings_now *now;
    atomic_llong mark; /* the latest instant at which anything was allowed */
    atomic_ullong denied[OB_SURFACES], denied_reason[OB_REASON_COUNT];
};

/* ---- Life --------------------------------------------------------------------------------------
 */

/* On the thread that withdraws, before it is acknowledged. */
static void on_withdrawal(void *context, bool personal)
{
    ob_permits *p = context;
    ob_epoch_raise(p->epochs, personal);
}

static ob_status read_clock(int64_t *out, ob_store *store, ob_error *err)
{
    ob_view *view = NULL;
    ob_status status = ob_view_open(&view, store, err);
    if (!status)
        status = ob_store_clock(out, view, err);
    ob_view_close(view);
    return status;
}

ob_status ob_permits_open(ob_permits **out, ob_store *store, ob_acts *acts, ob_error *err)
{
    int64_t mark = 0;
    ob_permits *p = calloc(1, sizeof *p);
    if (!p)
        return ob_fail(err, OB_ENOMEM, "out of memory: permits");
    p->store = store;
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->renewed, NULL);
    ob_status status = ob_epoch_page_new(&p->epochs, err);
    if (!status)
        status = read_clock(&mark, store, err);
    if (!status)
        status = ob_counts_open(&p->counts, store, acts, err);
    atomic_store(&p->mark, mark);
    if (status) {
        ob_permits_close(p);
        return status;
    }
    ob_store_on_withdrawal(store, on_withdrawal, p);
    *out = p;
    return OB_OK;
}

void ob_permits_close(ob_permits *p)
{
    if (!p)
        return;
    ob_store_on_withdrawal(p->store, NULL, NULL);
    ob_counts_close(p->counts);
    ob_epoch_page_free(p->epochs);
    free(p->now);
    pthread_cond_destroy(&p->renewed);
    pthread_mutex_destroy(&p->lock);
    free(p);
}

ob_counts *ob_permits_counts(ob_permits *p)
{
    return p->counts;
}

const ob_epoch_page *ob_permits_epochs(const ob_permits *p)
{
    return p->epochs;
}

/* ---- Settings --------------------------------------------------------------------------------
 */

static ob_status read_settings(settings_now **out, ob_permits *p, uint64_t generation,
                               ob_error *err)
{
    ob_view *view = NULL;
    settings_now *fresh = calloc(1, sizeof *fresh);
    ob_status status =
        fresh ? ob_view_open(&view, p->store, err) : ob_fail(err, OB_ENOMEM, "out of memory");
    if (!status)
        status = settings_read(&fresh->settings, view, err);
    ob_view_close(view);
    if (status) {
        free(fresh);
        return status;
    }
    fresh->generation = generation;
    *out = fresh;
    return OB_OK;
}

/* Under the lock, which it gives back meanwhile: one reads, the others wait for that. */
static ob_status renew(ob_permits *p, uint64_t generation, ob_error *err)
{
    settings_now *fresh = NULL;
    if (p->renewing) {
        pthread_cond_wait(&p->renewed, &p->lock);
        return OB_OK;
    }
    p->renewing = true;
    pthread_mutex_unlock(&p->lock);
    ob_status status = read_settings(&fresh, p, generation, err);
    pthread_mutex_lock(&p->lock);
    p->renewing = false;
    pthread_cond_broadcast(&p->renewed);
    if (status)
        return status;
    if (p->now && !--p->now->users)
        free(p->now);
    p->now = fresh;
    p->now->users = 1;
    ob_counts_service(p->counts, fresh->settings.profile.service);
    return OB_OK;
}

/* Those of now, whatever was changed before this call. Nobody waits here for whoever looks: what
 * is in use stays as long as it is used. */
static ob_status use_settings(settings_now **out, ob_permits *p, ob_error *err)
{
    ob_status status = OB_OK;
    const uint64_t generation = ob_store_generation(p->store);
    pthread_mutex_lock(&p->lock);
    while (!status && (!p->now || p->now->generation < generation))
        status = renew(p, generation, err);
    if (!status) {
        p->now->users++;
        *out = p->now;
    }
    pthread_mutex_unlock(&p->lock);
    return status;
}

static void drop_settings(settings_now *now, ob_permits *p)
{
    pthread_mutex_lock(&p->lock);
    bool is_last = !--now->users;
    pthread_mutex_unlock(&p->lock);
    if (is_last)
        free(now);
}

static ob_status copy_settings(settings *out, ob_permits *p, ob_error *err)
{
    settings_now *now = NULL;
    ob_status status = use_settings(&now, p, err);
    if (status)
        return status;
    *out = now->settings;
    drop_settings(now, p);
    return OB_OK;
}

static bool glance_settings(settings *out, ob_permits *p)
{
    pthread_mutex_lock(&p->lock);
    const bool known = p->now != NULL;
    if (known)
        *out = p->now->settings;
    pthread_mutex_unlock(&p->lock);
    return known;
}

/* ---- The clock ---------------------------------------------------------------------------------
 */

const char *ob_permits_clock(ob_permits *p, int64_t now)
{
    return ob_clock_state(now, atomic_load(&p->mark));
}

static void raise_mark(ob_permits *p, int64_t now)
{
    long long mark = atomic_load(&p->mark);
    while (mark < now && !atomic_compare_exchange_weak(&p->mark, &mark, now))
        ;
}

/* ---- Asking ------------------------------------------------------------------------------------
 */

static ob_status decide(inquiry *q, ob_permits *p, const settings *settings, const ob_item *item,
                        uint32_t detectors, ob_error *err)
{
    int64_t now = ob_now();
    memset(q, 0, offsetof(inquiry, situation));
    q->settings = settings;
    q->store = p->store;
    q->item = item;
    q->detectors = detectors;
    q->at = now;
    q->clock_ok = !strcmp(ob_permits_clock(p, now), "ok");
    q->audit_ok = ob_counts_fine(p->counts);
    ob_status status = inquiry_decide(q, err);
    ob_view_close(q->view);
    q->view = NULL;
    return status;
}

static void deny(ob_permits *p, const ob_item *item, const ob_gate_decision *why)
{
    if (!ob_reason_is_operational(why->reason)) {
        atomic_fetch_add(&p->denied[item->surface], 1);
        atomic_fetch_add(&p->denied_reason[why->reason], 1);
    }
    ob_counts_deny(p->counts, item, why, ob_now());
}

ob_status ob_permits_ask(ob_gate_decision *out, ob_permits *p, const ob_item *item,
                         uint32_t detectors, ob_error *err)
{
    inquiry q;
    settings_now *now = NULL;
    ob_status status = use_settings(&now, p, err);
    if (status)
        return status;
    status = decide(&q, p, &now->settings, item, detectors, err);
    drop_settings(now, p);
    if (status)
        return status;
    *out = q.best;
    if (!out->allow)
        deny(p, item, out);
    return OB_OK;
}

/* ---- Permits -----------------------------------------------------------------------------------
 */

static void show_now(ob_permit_use *use, const ob_permits *p)
{
    use->epochs = ob_epochs_now(p->epochs);
    use->now = ob_now();
    use->monotonic_ms = ob_now_monotonic_ms();
}

/* Epochs are read before the records: what is withdrawn in between voids the permit. */
static ob_status make(ob_grant *g, ob_gate_decision *why, inquiry *q, const ob_epochs *epochs,
                      ob_error *err)
{
    q->request.epochs = *epochs;
    q->request.monotonic_ms = ob_now_monotonic_ms();
    q->request.actions = (UINT32_C(1) << OB_ACTION_BLOCK << 1) - 1;
    memcpy(q->request.item.id, q->item->id.bytes, sizeof q->request.item.id);
    return ob_permit_make(&g->permit, why, &q->request, ob_law_regimes(), &g->maker, err);
}

ob_status ob_grant_get(ob_grant *g, ob_gate_decision *why, ob_permits *p, ob_holder *bearer,
                       const ob_item *item, uint32_t detectors, ob_error *err)
{
    inquiry q;
    *g = (ob_grant){
        .permits = p, .maker = ob_holder_maker(bearer), .taker = ob_holder_taker(bearer)};
    ob_epochs epochs = ob_epochs_now(p->epochs);
    settings_now *now = NULL;
    ob_status status = use_settings(&now, p, err);
    if (status)
        return status;
    status = decide(&q, p, &now->settings, item, detectors, err);
    *why = q.best;
    if (!status && why->allow)
        status = make(g, why, &q, &epochs, err);
    else if (!status)
        status = ob_fail(err, OB_EREFUSED, "%s", ob_reason_name(why->reason));
    drop_settings(now, p);
    if (status) {
        if (status == OB_EREFUSED && !why->allow)
            deny(p, item, why);
        return status;
    }
    raise_mark(p, q.at);
    memcpy(g->use.item.id, item->id.bytes, sizeof g->use.item.id);
    for (ob_detector d = 0; d < OB_DETECTORS_MOST; d++)
        if (q.request.situation[d])
            g->use.detectors |= UINT32_C(1) << d;
    show_now(&g->use, p);
    return ob_permit_take(&g->terms, &g->permit, &g->use, &g->taker, err);
}

ob_status ob_grant_hand_on(void *context, ob_permit *out, uint32_t *detectors,
                           const ob_permit_item *item, ob_epochs epochs, const ob_permit_mac *seal,
                           ob_error *err)
{
    ob_grant *g = context;
    *detectors &= g->terms.detectors;
    if (!*detectors)
        return ob_fail(err, OB_EREFUSED, "the permit is for another detector");
    ob_permit_use use = g->use;
    show_now(&use, g->permits);
    use.detectors = *detectors;
    use.epochs = epochs;
    return ob_permit_hand_on(out, &g->permit, &use, &g->maker, item, seal, err);
}

ob_status ob_grant_still(ob_grant *g, uint32_t detectors, ob_error *err)
{
    show_now(&g->use, g->permits);
    g->use.detectors = detectors & g->terms.detectors;
    return ob_permit_still(&g->permit, &g->use, &g->taker, err);
}

void ob_grant_used(const ob_grant *g, const ob_item *item)
{
    ob_counts_allow(g->permits->counts, item, &g->terms);
}

/* ---- What the service is -----------------------------------------------------------------------
 */

ob_status ob_permits_laws(const ob_regime *out[OB_LAWS_MOST], size_t *count, ob_permits *p,
                          ob_error *err)
{
    settings now;
    int64_t at = ob_now();
    *count = 0;
    ob_status status = copy_settings(&now, p, err);
    for (size_t i = 0; !status && i < now.regime_count; i++) {
        const ob_regime *r = now.regime[i];
        if (r->status == OB_STATUS_IN_FORCE && r->from <= at && at < r->until)
            out[(*count)++] = r;
    }
    return status;
}

bool ob_permits_service(ob_profile *out, unsigned *reviewers, ob_permits *p, bool renew)
{
    settings now;
    const bool known = renew ? !copy_settings(&now, p, NULL) : glance_settings(&now, p);
    if (!known)
        return false;
    *out = now.profile;
    *reviewers = now.reviewers;
    return true;
}

ob_detector_state ob_permits_detector(ob_permits *p, ob_detector detector)
{
    settings now;
    return copy_settings(&now, p, NULL) ? OB_STATE_SUSPENDED : now.detector[detector];
}

ob_status ob_permits_accept_clock(ob_permits *p, ob_act *act, ob_error *err)
{
    int64_t now = ob_now();
    ob_status status = ob_clock_accept(act, now, err);
    if (!status) {
        ob_counts_set_clock(p->counts, now);
        atomic_store(&p->mark, now);
    }
    return status;
}

void ob_permits_denied(uint64_t surfaces[OB_SURFACES], uint64_t reasons[OB_REASON_COUNT],
                       ob_permits *p)
{
    for (int s = 0; s < OB_SURFACES; s++)
        surfaces[s] = atomic_load(&p->denied[s]);
    for (int r = 0; r < OB_REASON_COUNT; r++)
        reasons[r] = atomic_load(&p->denied_reason[r]);
}

/* ---- What is in the way ------------------------------------------------------------------------
 */

/* Counts that cannot be written, or not now. */
static ob_hindrance behind_counts(const ob_counts *counts)
{
    ob_hindrance of = ob_counts_hindrance(counts);
    return of == OB_HINDRANCE_RECORDS && ob_counts_busy(counts) ? OB_HINDRANCE_BUSY : of;
}

ob_hindrance ob_permits_hindrance(ob_permits *p, const ob_gate_decision *why, ob_status status)
{
    if (why && (why->allow || !ob_reason_is_operational(why->reason)))
        return OB_HINDRANCE_NONE;
    if (why)
        return why->reason == OB_CLOCK ? OB_HINDRANCE_CLOCK : behind_counts(p->counts);
    ob_hindrance of = ob_hindrance_of(status);
    return of == OB_HINDRANCE_RECORDS ? ob_counts_hindrance(p->counts) : of;
}
