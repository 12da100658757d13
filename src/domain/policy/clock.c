/* Whether the clock can be right, and that somebody says so. */
#include <obhut/clock.h>
#include <obhut/policy.h>
#include <obhut/records/tally.h>
#include <obhut/regimes.h>

const char *ob_clock_state(int64_t now, int64_t latest)
{
    return now < ob_law_built_at ? "unset" : now < latest ? "backwards" : "ok";
}

ob_status ob_clock_propose(int64_t *proposal, ob_act *act, const char *body, ob_error *err)
{
    return body ? ob_acts_propose(proposal, act->w, "clock", body, act->actor, err)
                : ob_fail(err, OB_ENOMEM, "out of memory: a proposal");
}

ob_status ob_clock_accept(ob_act *act, int64_t now, ob_error *err)
{
    return now < ob_law_built_at
               ? ob_fail(err, OB_EREFUSED, "the clock shows a time before this program was built")
               : ob_store_clock_set(act->w, now, err);
}
