/* Causes: what one rests on, how long it lasts, and when its account must be told. */
#include "grounds_priv.h"

#include <obhut/clock.h>

#include <stdio.h>
#include <string.h>

enum { DAY_S = 86400 };

static ob_status check_days(const ob_cause_wish *wish, ob_error *err)
{
    return wish->days >= 1 && wish->days <= OB_CAUSE_DAYS
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "a cause lasts from 1 to %d days", OB_CAUSE_DAYS);
}

static ob_status other_account(ob_error *err)
{
    return ob_fail(err, OB_EREFUSED, "that record is about another account");
}

static ob_status check_verdict(int64_t *at, const ob_cause_wish *wish, ob_view *view, ob_error *err)
{
    ob_verdict v = {0};
    ob_status status = ob_store_verdict(&v, view, wish->record, err);
    if (status)
        return status;
    if (memcmp(&v.account, &wish->account, sizeof v.account) != 0)
        return other_account(err);
    if (v.overturned_at)
        return ob_fail(err, OB_EREFUSED, "verdict %lld was overturned", (long long)wish->record);
    *at = v.at;
    return OB_OK;
}

static ob_status check_report(int64_t *at, const ob_cause_wish *wish, ob_view *view, ob_error *err)
{
    ob_incoming in = {0};
    ob_status status = ob_store_incoming(&in, view, OB_INCOMING_REPORT, wish->record, err);
    if (status)
        return status;
    if (memcmp(&in.account, &wish->account, sizeof in.account) != 0)
        return other_account(err);
    if (!*in.confirmed_by)
        return ob_fail(err, OB_EREFUSED,
                       "a report alone is not enough: nobody has looked at what report %lld "
                       "disclosed, and confirmed it",
                       (long long)wish->record);
    *at = in.at;
    return OB_OK;
}

/* What it rests on, and from when that is; either against this very account. */
static ob_status check_ground(int64_t *at, const ob_cause_wish *wish, ob_view *view, ob_error *err)
{
    return wish->ground == OB_GROUND_VERDICT ? check_verdict(at, wish, view, err)
                                             : check_report(at, wish, view, err);
}

ob_status ob_cause_propose(int64_t *proposal, ob_act *act, const ob_cause_wish *wish,
                           const char *reason, const char *body, ob_error *err)
{
    int64_t at;
    char words[OB_RECORD_TEXT + 1];
    ob_status status = check_days(wish, err);
    if (!status)
        status = ob_own_words(words, reason, err);
    if (!status)
        status = check_ground(&at, wish, act->view, err);
    return status ? status : grounds_propose(proposal, act, "cause", body, err);
}

ob_status ob_cause_add(int64_t *id, int64_t *until, ob_act *act, const ob_cause_wish *wish,
                       const char *proposed_by, const char *why, ob_error *err)
{
    ob_cause c = {
        .account = wish->account, .ground = wish->ground, .record = wish->record, .from = ob_now()};
    ob_status status = check_days(wish, err);
    if (!status)
        status = ob_own_words(c.reason, why, err);
    if (!status) /* it may have been overturned since it was proposed */
        status = check_ground(&c.record_at, wish, act->view, err);
    if (status)
        return status;
    grounds_log(act, &c.account, c.reason);
    *until = c.until = c.from + wish->days * DAY_S;
    snprintf(c.proposed_by, sizeof c.proposed_by, "%s", proposed_by);
    snprintf(c.confirmed_by, sizeof c.confirmed_by, "%s", ob_actor_name(act->actor));
    return ob_store_cause_add(id, act->w, &c, err);
}

ob_status ob_cause_end(ob_act *act, int64_t id, ob_error *err)
{
    return ob_store_cause_end(act->w, id, ob_now(), err);
}

ob_status ob_cause_told(ob_act *act, int64_t id, ob_error *err)
{
    return ob_store_cause_told(act->w, id, ob_now(), err);
}

bool ob_cause_is_over(const ob_cause *c, int64_t now)
{
    return c->ended_at || now >= c->until;
}

bool ob_cause_must_be_told(const ob_cause *c, int64_t now)
{
    return !c->told_at && ob_cause_is_over(c, now);
}
