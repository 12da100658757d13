/* From signals to a decision. */
#include <obhut/engine.h>

#include <string.h>

static const char *const undecodable[OB_UNDECODABLES] = {
    "DAMAGED", "UNKNOWN_FORMAT", "UNSUPPORTED", "TOO_LARGE", "TOO_SLOW", "CRASHED", "FAILED"};

const char *ob_undecodable_name(ob_undecodable why)
{
    return undecodable[why < OB_UNDECODABLES ? why : OB_UNDECODABLE_FAILED];
}

ob_undecodable ob_undecodable_of(ob_status status)
{
    switch (status) {
    case OB_EFORMAT:
        return OB_UNDECODABLE_DAMAGED;
    case OB_ENOTFOUND:
        return OB_UNDECODABLE_UNKNOWN_FORMAT;
    case OB_EUNSUPPORTED:
        return OB_UNDECODABLE_UNSUPPORTED;
    case OB_ELIMIT:
    case OB_ENOMEM:
        return OB_UNDECODABLE_TOO_LARGE;
    case OB_ETIME:
        return OB_UNDECODABLE_TOO_SLOW;
    case OB_ECRASH:
        return OB_UNDECODABLE_CRASHED;
    default:
        return OB_UNDECODABLE_FAILED;
    }
}

static ob_action stricter(const ob_policy *policy, ob_action than, const char *list)
{
    for (size_t k = 0; k < policy->list_count; k++)
        if (!strcmp(policy->lists[k].list, list) && policy->lists[k].action > than)
            than = policy->lists[k].action;
    return than;
}

/* The strictest of `actions` that is not beyond `wanted`. */
static ob_action within(ob_action wanted, uint32_t actions)
{
    while (wanted > OB_ACTION_ALLOW && !(actions >> wanted & 1))
        wanted--;
    return wanted;
}

/* By how many sources, or by a detector without a list. */
static void decide_by_sources(ob_decision *d, const ob_policy *policy, const ob_signals *signals)
{
    const bool two = signals->source_count > 1;
    d->action = two ? policy->two_sources : policy->one_source;
    d->because = two ? OB_BECAUSE_TWO_SOURCES : signals->source_count ? OB_BECAUSE_ONE_SOURCE : 0;
    for (size_t i = 0; i < signals->count; i++)
        if (!signals->signal[i].has_entry)
            d->because |= OB_BECAUSE_SCORE;
}

void ob_decide(ob_decision *out, const ob_policy *policy, const ob_signals *signals,
               uint32_t actions)
{
    out->action = OB_ACTION_ALLOW;
    out->because = OB_BECAUSE_NOTHING_FOUND;
    if (!signals->count)
        return;
    decide_by_sources(out, policy, signals);
    ob_action wanted = out->action;
    for (size_t i = 0; i < signals->count; i++)
        if (signals->signal[i].has_entry)
            wanted = stricter(policy, wanted, signals->signal[i].entry.list);
    if (wanted != out->action)
        out->because |= OB_BECAUSE_LIST;
    out->action = within(wanted, actions);
    if (out->action != wanted)
        out->because |= OB_BECAUSE_PERMIT;
}

ob_action ob_decide_matches(const ob_policy *policy, const ob_list_match *match, size_t count)
{
    if (!count)
        return OB_ACTION_ALLOW;
    bool two = false;
    for (size_t i = 1; i < count && !two; i++)
        two = !ob_match_same_source(&match[0], &match[i]);
    ob_action action = two ? policy->two_sources : policy->one_source;
    for (size_t i = 0; i < count; i++)
        action = stricter(policy, action, match[i].list);
    return action;
}
