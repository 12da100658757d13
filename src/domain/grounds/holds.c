/* Holds: how long somebody may keep a record beyond its time, and how long a law demands it. */
#include "grounds_priv.h"

#include <obhut/clock.h>
#include <obhut/regimes.h>

#include <stdio.h>

/* Until when the laws of this service allow keeping a record; 0: they do not say. */
static ob_status limit_of(int64_t *limit, const ob_regime **regime, int64_t since, ob_view *view,
                          ob_error *err)
{
    ob_profile profile;
    uint32_t months;
    *limit = 0;
    ob_status status = ob_store_profile(&profile, view, err);
    if (status)
        return status;
    ob_profile_retention(&months, regime, &profile);
    if (months)
        *limit = ob_time_add_months(since, months);
    return OB_OK;
}

/* What a law demands to keep, from when it was reported on. */
static ob_status take_law(ob_hold *h, const ob_hold_wish *wish, ob_error *err)
{
    int64_t reported = wish->reported_at ? wish->reported_at : h->made_at;
    if (reported > h->made_at)
        return ob_fail(err, OB_EINVAL, "it cannot have been reported in the future");
    const ob_regime *regime = ob_regime_find(ob_law_regimes(), wish->law);
    if (!regime || regime->status != OB_STATUS_IN_FORCE || !regime->retention_least_months)
        return ob_fail(err, OB_EINVAL, "no law \"%.60s\" that is built in demands keeping anything",
                       wish->law);
    snprintf(h->law, sizeof h->law, "%s", wish->law);
    h->until = ob_time_add_months(reported, regime->retention_least_months);
    return OB_OK;
}

/* A person's own reason ends where the law does. */
static ob_status check_limit(bool *beyond, const ob_hold *h, int64_t since, ob_view *view,
                             ob_error *err)
{
    int64_t limit;
    const ob_regime *regime;
    ob_status status = limit_of(&limit, &regime, since, view, err);
    *beyond = !status && limit && h->until > limit;
    if (!*beyond || *h->law)
        return status;
    char text[OB_TIME_TEXT + 1];
    ob_time_print(text, limit);
    return ob_fail(err, OB_EREFUSED, "%s, %s, allows keeping it until %s at most", regime->id,
                   regime->retention_article, text);
}

ob_status ob_hold_add(ob_hold *out, bool *must_be_decided, ob_act *act, const ob_hold_wish *wish,
                      ob_error *err)
{
    ob_hold h = {.record = wish->record, .until = wish->until, .made_at = ob_now()};
    int64_t since = 0;
    snprintf(h.kind, sizeof h.kind, "%s", wish->kind);
    snprintf(h.by, sizeof h.by, "%s", ob_actor_name(act->actor));
    ob_status status = ob_own_words(h.reason, wish->reason, err);
    if (!status)
        status = ob_store_record_at(&since, act->view, h.kind, h.record, err);
    if (!status && wish->law)
        status = take_law(&h, wish, err);
    if (!status)
        status = check_limit(must_be_decided, &h, since, act->view, err);
    if (!status)
        status = ob_store_hold_add(&h.id, act->w, &h, err);
    if (!status)
        *out = h;
    return status;
}

ob_status ob_hold_end(ob_act *act, int64_t id, ob_error *err)
{
    return ob_store_hold_end(act->w, id, ob_now(), err);
}

ob_status ob_hold_decide(ob_act *act, int64_t id, const char *why, ob_error *err)
{
    char words[OB_RECORD_TEXT + 1];
    ob_status status = ob_own_words(words, why, err);
    return status
               ? status
               : ob_store_hold_decide(act->w, id, ob_actor_name(act->actor), words, ob_now(), err);
}

bool ob_hold_is_over(const ob_hold *h, int64_t now)
{
    return h->ended_at || now >= h->until;
}

ob_status ob_hold_must_be_decided(bool *out, const ob_hold *h, ob_view *view, int64_t now,
                                  ob_error *err)
{
    int64_t since, limit;
    const ob_regime *regime;
    *out = false;
    if (!*h->law || h->decided_at || ob_hold_is_over(h, now) ||
        ob_store_record_at(&since, view, h->kind, h->record, NULL))
        return OB_OK; /* a record that is gone is kept by nobody */
    ob_status status = limit_of(&limit, &regime, since, view, err);
    *out = !status && limit && h->until > limit;
    return status;
}
