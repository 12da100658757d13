/* Between the records and whoever looks: nobody gets a permit but from here. */
#include "engine_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Life --------------------------------------------------------------------------------------
 */

/* On the thread that withdraws, before it is acknowledged. */
static void on_withdrawal(void *context, bool personal)
{
    keeper *k = context;
    ob_epoch_raise(k->epochs, personal);
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

ob_status keeper_open(keeper *k, ob_store *store, ob_acts *acts, ob_error *err)
{
    int64_t mark = 0;
    k->store = store;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->renewed, NULL);
    ob_status status = ob_epoch_page_new(&k->epochs, err);
    if (!status)
        status = read_clock(&mark, store, err);
    if (!status)
        status = tallies_open(&k->tallies, store, acts, err);
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
    free(k->now);
    pthread_cond_destroy(&k->renewed);
    pthread_mutex_destroy(&k->lock);
}

/* ---- Settings --------------------------------------------------------------------------------
 */

static ob_status read_settings(settings_now **out, keeper *k, uint64_t generation, ob_error *err)
{
    ob_view *view = NULL;
    settings_now *fresh = calloc(1, sizeof *fresh);
    ob_status status =
        fresh ? ob_view_open(&view, k->store, err) : ob_fail(err, OB_ENOMEM, "out of memory");
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
static ob_status renew(keeper *k, uint64_t generation, ob_error *err)
{
    settings_now *fresh = NULL;
    if (k->renewing) {
        pthread_cond_wait(&k->renewed, &k->lock);
        return OB_OK;
    }
    k->renewing = true;
    pthread_mutex_unlock(&k->lock);
    ob_status status = read_settings(&fresh, k, generation, err);
    pthread_mutex_lock(&k->lock);
    k->renewing = false;
    pthread_cond_broadcast(&k->renewed);
    if (status)
        return status;
    if (k->now && !--k->now->users)
        free(k->now);
    k->now = fresh;
    k->now->users = 1;
    tallies_service(k->tallies, fresh->settings.profile.service);
    return OB_OK;
}

/* Those of now, whatever was changed before this call. Nobody waits here for whoever looks: what
 * is in use stays as long as it is used. */
static ob_status use_settings(settings_now **out, keeper *k, ob_error *err)
{
    ob_status status = OB_OK;
    const uint64_t generation = ob_store_generation(k->store);
    pthread_mutex_lock(&k->lock);
    while (!status && (!k->now || k->now->generation < generation))
        status = renew(k, generation, err);
    if (!status) {
        k->now->users++;
        *out = k->now;
    }
    pthread_mutex_unlock(&k->lock);
    return status;
}

static void drop_settings(settings_now *now, keeper *k)
{
    pthread_mutex_lock(&k->lock);
    bool is_last = !--now->users;
    pthread_mutex_unlock(&k->lock);
    if (is_last)
        free(now);
}

ob_status keeper_settings(settings *out, keeper *k, ob_error *err)
{
    settings_now *now = NULL;
    ob_status status = use_settings(&now, k, err);
    if (status)
        return status;
    *out = now->settings;
    drop_settings(now, k);
    return OB_OK;
}

bool keeper_glance(settings *out, keeper *k)
{
    pthread_mutex_lock(&k->lock);
    const bool known = k->now != NULL;
    if (known)
        *out = k->now->settings;
    pthread_mutex_unlock(&k->lock);
    return known;
}

/* ---- The clock ---------------------------------------------------------------------------------
 */

const char *keeper_clock(keeper *k, int64_t now)
{
    return ob_clock_state(now, atomic_load(&k->mark));
}

static void raise_mark(keeper *k, int64_t now)
{
    long long mark = atomic_load(&k->mark);
    while (mark < now && !atomic_compare_exchange_weak(&k->mark, &mark, now))
        ;
}

/* ---- Asking ------------------------------------------------------------------------------------
 */

static ob_status decide(look *l, keeper *k, const settings *settings, const ob_item *item,
                        uint32_t methods, ob_error *err)
{
    int64_t now = ob_now();
    memset(l, 0, sizeof *l);
    l->settings = settings;
    l->store = k->store;
    l->item = item;
    l->methods = methods;
    l->at = now;
    l->clock_ok = !strcmp(keeper_clock(k, now), "ok");
    l->audit_ok = tallies_fine(k->tallies);
    ob_status status = look_decide(l, err);
    ob_view_close(l->view);
    l->view = NULL;
    return status;
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
    settings_now *now = NULL;
    ob_status status = use_settings(&now, k, err);
    if (status)
        return status;
    status = decide(&l, k, &now->settings, item, methods, err);
    drop_settings(now, k);
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
    settings_now *now = NULL;
    ob_status status = use_settings(&now, k, err);
    if (status)
        return status;
    status = decide(&l, k, &now->settings, item, methods, err);
    *why = l.best;
    if (!status && why->allow)
        status = make(g, why, &l, &epochs, err);
    else if (!status)
        status = ob_fail(err, OB_EREFUSED, "%s", ob_reason_name(why->reason));
    drop_settings(now, k);
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
                        const ob_permit_item *item, ob_epochs epochs, const ob_permit_mac *mac,
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
    return ob_permit_hand_on(out, &g->permit, &use, &g->maker, item, mac, err);
}

ob_leave grant_leave(grant *g, uint32_t methods)
{
    show_now(&g->use, g->keeper);
    g->use.methods = methods & g->terms.methods;
    return (ob_leave){.permit = &g->permit, .use = &g->use, .mac = &g->taker};
}

void grant_used(const grant *g, const ob_item *item)
{
    tallies_allow(g->keeper->tallies, item, &g->terms);
}
