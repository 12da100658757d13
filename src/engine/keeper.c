/* Between the records and whoever looks: nobody gets a permit but from here. */
#include "engine_priv.h"

#include <string.h>

/* ---- Life --------------------------------------------------------------------------------------
 */

/* On the thread that withdraws, before it is acknowledged. */
static void on_withdrawal(void *context, bool personal)
{
    keeper *k = context;
    ob_epoch_raise(k->epochs, personal);
}

ob_status keeper_open(keeper *k, ob_store *store, ob_staff *staff, ob_error *err)
{
    int64_t mark = 0;
    k->store = store;
    k->generation = 0;
    pthread_rwlock_init(&k->lock, NULL);
    ob_status status = ob_epoch_page_new(&k->epochs, err);
    if (!status)
        status = ob_store_clock(&mark, store, err);
    if (!status)
        status = tallies_open(&k->tallies, store, staff, err);
    atomic_store(&k->mark, mark);
    if (!status)
        ob_store_on_withdrawal(store, on_withdrawal, k);
    return status;
}

void keeper_close(keeper *k)
{
    if (!k->store)
        return;
    ob_store_on_withdrawal(k->store, NULL, NULL);
    tallies_close(k->tallies);
    ob_epoch_page_free(k->epochs);
    pthread_rwlock_destroy(&k->lock);
}

/* Leaves the lock for reading held. */
static ob_status hold_settings(keeper *k, ob_error *err)
{
    uint64_t generation = ob_store_generation(k->store);
    pthread_rwlock_rdlock(&k->lock);
    if (k->generation == generation)
        return OB_OK;
    pthread_rwlock_unlock(&k->lock);
    pthread_rwlock_wrlock(&k->lock);
    settings fresh;
    ob_status status = settings_read(&fresh, k->store, err);
    if (!status) {
        k->settings = fresh;
        k->generation = generation;
        tallies_service(k->tallies, fresh.profile.service);
    }
    pthread_rwlock_unlock(&k->lock);
    if (!status)
        pthread_rwlock_rdlock(&k->lock);
    return status;
}

ob_status keeper_settings(settings *out, keeper *k, ob_error *err)
{
    ob_status status = hold_settings(k, err);
    if (status)
        return status;
    *out = k->settings;
    pthread_rwlock_unlock(&k->lock);
    return OB_OK;
}

/* ---- The clock ---------------------------------------------------------------------------------
 */

const char *keeper_clock(keeper *k, int64_t now)
{
    return now < ob_law_built_at ? "unset" : now < atomic_load(&k->mark) ? "backwards" : "ok";
}

static void raise_mark(keeper *k, int64_t now)
{
    long long mark = atomic_load(&k->mark);
    while (mark < now && !atomic_compare_exchange_weak(&k->mark, &mark, now))
        ;
}

/* ---- Asking ------------------------------------------------------------------------------------
 */

/* With the settings held. */
static ob_status decide(look *l, keeper *k, const ob_item *item, uint32_t methods, ob_error *err)
{
    int64_t now = ob_now();
    memset(l, 0, sizeof *l);
    l->settings = &k->settings;
    l->store = k->store;
    l->item = item;
    l->methods = methods;
    l->at = now;
    l->clock_ok = !strcmp(keeper_clock(k, now), "ok");
    l->audit_ok = tallies_fine(k->tallies);
    return look_decide(l, err);
}

static void deny(keeper *k, const ob_item *item, const ob_gate_decision *why)
{
    if (!ob_reason_is_operational(why->reason)) {
        atomic_fetch_add(&k->denied[item->surface], 1);
        atomic_fetch_add(&k->denied_reason[why->reason], 1);
    }
    tallies_deny(k->tallies, item, why, ob_now());
}

ob_status keeper_ask(ob_gate_decision *out, keeper *k, const ob_item *item, uint32_t methods,
                     ob_error *err)
{
    look l;
    ob_status status = hold_settings(k, err);
    if (status)
        return status;
    status = decide(&l, k, item, methods, err);
    pthread_rwlock_unlock(&k->lock);
    if (status)
        return status;
    *out = l.best;
    if (!out->allow)
        deny(k, item, out);
    return OB_OK;
}

/* ---- Permits -----------------------------------------------------------------------------------
 */

static void show_now(ob_permit_use *use, const keeper *k)
{
    use->epochs = ob_epochs_now(k->epochs);
    use->now = ob_now();
    use->monotonic_ms = ob_now_monotonic_ms();
}

/* Epochs are read before the records: what is withdrawn in between voids the permit. */
static ob_status make(grant *g, ob_gate_decision *why, look *l, const ob_epochs *epochs,
                      ob_error *err)
{
    l->request.epochs = *epochs;
    l->request.monotonic_ms = ob_now_monotonic_ms();
    l->request.actions = (UINT32_C(1) << OB_ACTION_BLOCK << 1) - 1;
    memcpy(l->request.item.id, l->item->id.bytes, sizeof l->request.item.id);
    return ob_permit_make(&g->permit, why, &l->request, ob_law_regimes(), &g->maker, err);
}

ob_status grant_get(grant *g, ob_gate_decision *why, keeper *k, ob_holder *holder,
                    const ob_item *item, uint32_t methods, ob_error *err)
{
    look l;
    *g = (grant){.keeper = k,
                 .holder = holder,
                 .maker = ob_holder_maker(holder),
                 .taker = ob_holder_taker(holder)};
    ob_epochs epochs = ob_epochs_now(k->epochs);
    ob_status status = hold_settings(k, err);
    if (status)
        return status;
    status = decide(&l, k, item, methods, err);
    *why = l.best;
    if (!status && why->allow)
        status = make(g, why, &l, &epochs, err);
    else if (!status)
        status = ob_fail(err, OB_EREFUSED, "%s", ob_reason_name(why->reason));
    pthread_rwlock_unlock(&k->lock);
    if (status) {
        if (status == OB_EREFUSED && !why->allow)
            deny(k, item, why);
        return status;
    }
    raise_mark(k, l.at);
    memcpy(g->use.item.id, item->id.bytes, sizeof g->use.item.id);
    for (int m = 0; m < OB_METHODS; m++)
        if (l.request.situation[m])
            g->use.methods |= UINT32_C(1) << m;
    show_now(&g->use, k);
    return ob_permit_take(&g->terms, &g->permit, &g->use, &g->taker, err);
}

ob_status grant_hand_on(void *context, ob_permit *out, uint32_t *methods,
                        const ob_permit_item *item, ob_epochs epochs, const ob_seal *seal,
                        ob_error *err)
{
    grant *g = context;
    *methods &= g->terms.methods;
    if (!*methods)
        return ob_fail(err, OB_EREFUSED, "the permit is for another method");
    ob_permit_use use = g->use;
    show_now(&use, g->keeper);
    use.methods = *methods;
    use.epochs = epochs;
    return ob_permit_hand_on(out, &g->permit, &use, &g->maker, item, seal, err);
}

ob_leave grant_leave(grant *g, uint32_t methods)
{
    show_now(&g->use, g->keeper);
    g->use.methods = methods & g->terms.methods;
    return (ob_leave){.permit = &g->permit, .use = &g->use, .seal = &g->taker};
}

void grant_used(const grant *g, const ob_item *item)
{
    tallies_allow(g->keeper->tallies, item, &g->terms);
}
