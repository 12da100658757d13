/* What two persons decided about something that an account had done. */
#include "grounds_priv.h"

#include <obhut/clock.h>

#include <stdio.h>

ob_status grounds_propose(int64_t *id, ob_act *act, const char *kind, const char *body,
                          ob_error *err)
{
    return body ? ob_acts_propose(id, act->w, kind, body, act->actor, err)
                : ob_fail(err, OB_ENOMEM, "out of memory: a proposal");
}

void grounds_log(ob_act *act, const ob_record_key *account, const char *why)
{
    ob_act_account(act, "about", account);
    ob_act_text(act, "reason", why);
}

ob_status ob_verdict_propose(int64_t *proposal, ob_act *act, const char *reason, const char *body,
                             ob_error *err)
{
    char words[OB_RECORD_TEXT + 1];
    ob_status status = ob_own_words(words, reason, err);
    return status ? status : grounds_propose(proposal, act, "verdict", body, err);
}

ob_status ob_verdict_add(int64_t *id, ob_act *act, const ob_record_key *account,
                         const char *proposed_by, const char *why, ob_error *err)
{
    ob_verdict v = {.account = *account, .at = ob_now()};
    ob_status status = ob_own_words(v.reason, why, err);
    if (status)
        return status;
    grounds_log(act, account, v.reason);
    snprintf(v.proposed_by, sizeof v.proposed_by, "%s", proposed_by);
    snprintf(v.confirmed_by, sizeof v.confirmed_by, "%s", ob_actor_name(act->actor));
    return ob_store_verdict_add(id, act->w, &v, err);
}

ob_status ob_verdict_overturn(ob_act *act, int64_t id, ob_error *err)
{
    return ob_store_verdict_overturn(act->w, id, ob_actor_name(act->actor), ob_now(), err);
}
