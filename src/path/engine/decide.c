/* From findings to an action. */
#include <obhut/engine.h>

#include <string.h>
#include <strings.h>

static const char *const actions[OB_ACTIONS] = {
    "allow", "review", "warn", "blur", "hold", "block", "not_scanned", "undecodable", "could_not"};

const char *ob_action_name(ob_action action)
{
    return action < OB_ACTIONS ? actions[action] : "unknown";
}

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

bool ob_action_parse(ob_action *out, const char *name)
{
    for (int a = OB_ACTION_ALLOW; a <= OB_ACTION_BLOCK; a++)
        if (!strcmp(actions[a], name)) {
            *out = (ob_action)a;
            return true;
        }
    return false;
}

static size_t trim(const char **text)
{
    *text += strspn(*text, " \t");
    size_t length = strlen(*text);
    while (length && strchr(" \t", (*text)[length - 1]))
        length--;
    return length;
}

bool ob_match_same_source(const ob_list_match *a, const ob_list_match *b)
{
    const char *x = a->source, *y = b->source;
    const size_t m = trim(&x), n = trim(&y);
    return m == n && !strncasecmp(x, y, m);
}

static bool is_told(const char *const *told, size_t count, const ob_list_match *match)
{
    for (size_t i = 0; i < count; i++)
        if (ob_match_same_source(&(ob_list_match){.source = told[i]}, match))
            return true;
    return false;
}

size_t ob_match_sources(const char *out[OB_MATCH_SOURCES], const ob_list_match *of,
                        const ob_list_match *all, size_t count, bool by_digest)
{
    size_t n = 0;
    out[n++] = of->source;
    for (size_t i = 0; i < count && n < OB_MATCH_SOURCES; i++)
        if ((by_digest || !memcmp(&all[i].hash, &of->hash, sizeof of->hash)) &&
            !is_told(out, n, &all[i]))
            out[n++] = all[i].source;
    return n;
}

static ob_action stricter(const ob_policy *policy, ob_action than, const char *list)
{
    for (size_t k = 0; k < policy->list_count; k++)
        if (!strcmp(policy->lists[k].list, list) && policy->lists[k].action > than)
            than = policy->lists[k].action;
    return than;
}

ob_action ob_decide(const ob_policy *policy, const ob_findings *findings)
{
    if (!findings->count)
        return OB_ACTION_ALLOW;
    ob_action action = findings->source_count > 1 ? policy->two_sources : policy->one_source;
    for (size_t i = 0; i < findings->count; i++)
        action = stricter(policy, action, findings->match[i].entry.list);
    return action;
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
