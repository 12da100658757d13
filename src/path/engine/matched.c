/* Which matches of a file, or of queries, are told: one of each list. */
#include "engine_priv.h"

#include <stdio.h>
#include <string.h>

/* Lists that were told of one file or query. */
enum { LISTS_TOLD = 16 };

static void tell_match(const matched_by *by, const ob_task *t, ob_action action,
                       const ob_list_match *match)
{
    const uint32_t yes = t->yes;
    matched one = {.action = action, .count = 1};
    if (yes)
        one.answer = yes >> action & 1 ? ANSWER_YES : ANSWER_NO;
    snprintf(one.list, sizeof one.list, "%s", match->list);
    snprintf(one.source, sizeof one.source, "%s", match->source);
    snprintf(one.via, sizeof one.via, "%s", t->via ? t->via : "a command");
    tally_matches(by->counts, &one);
    tallies_match(by->tallies, &one);
}

/* Whether its list is not among those that were told; then it is from now on. */
static bool is_first_of(const char *told[LISTS_TOLD], size_t *count, const char *list)
{
    for (size_t i = 0; i < *count; i++)
        if (!strcmp(told[i], list))
            return false;
    if (*count == LISTS_TOLD)
        return false;
    told[(*count)++] = list;
    return true;
}

void matched_tell_file(const matched_by *by, const ob_task *t)
{
    const char *told[LISTS_TOLD];
    size_t count = 0;
    for (size_t i = 0; i < t->findings.count; i++)
        if (is_first_of(told, &count, t->findings.match[i].entry.list))
            tell_match(by, t, t->action, &t->findings.match[i].entry);
}

/* Matches stand by query. */
void matched_tell_queries(const matched_by *by, const ob_policy *policy, const ob_task *t,
                          const ob_list_matches *found)
{
    for (size_t i = 0, end; i < found->count; i = end) {
        const char *told[LISTS_TOLD];
        size_t count = 0;
        for (end = i; end < found->count && found->match[end].query == found->match[i].query;)
            end++;
        const ob_action action = ob_decide_matches(policy, &found->match[i], end - i);
        for (size_t m = i; m < end; m++)
            if (is_first_of(told, &count, found->match[m].list))
                tell_match(by, t, action, &found->match[m]);
    }
}
