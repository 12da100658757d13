/* What follows from what was found: it is counted, and told to the log and the operator. Of one
 * item or query a list, or a detector without a list, is told of once. */
#include "engine_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Since the start ------------------------------------------------------------------------- */

static bool is_kind(const ob_hit_count *kind, const ob_hit *one)
{
    return kind->action == one->action && !strcmp(kind->detector, one->detector) &&
           !strcmp(kind->list, one->list) && !strcmp(kind->via, one->via);
}

static void count_hit(hit_counts *c, const ob_hit *one)
{
    ob_hit_count *found = NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count && !found; i++)
        if (is_kind(&c->kind[i], one))
            found = &c->kind[i];
    if (!found) {
        const bool fits = c->count < HIT_COUNTS_MOST;
        found = &c->kind[fits ? c->count++ : HIT_COUNTS_MOST - 1];
        memcpy(found->detector, fits ? one->detector : "", fits ? sizeof found->detector : 1);
        memcpy(found->list, fits ? one->list : "other", fits ? sizeof found->list : 6);
        memcpy(found->via, fits ? one->via : "other", fits ? sizeof found->via : 6);
        found->action = one->action;
    }
    found->count += one->count;
    pthread_mutex_unlock(&c->lock);
}

ob_status ob_engine_hits(ob_hit_count **out, size_t *count, ob_engine *e, ob_error *err)
{
    pthread_mutex_lock(&e->hits.lock);
    const size_t some = e->hits.count;
    ob_hit_count *copy = malloc((some + 1) * sizeof *copy);
    if (copy)
        memcpy(copy, e->hits.kind, some * sizeof *copy);
    pthread_mutex_unlock(&e->hits.lock);
    if (!copy)
        return ob_fail(err, OB_ENOMEM, "out of memory: counts of hits");
    *out = copy;
    *count = some;
    return OB_OK;
}

/* ---- Telling --------------------------------------------------------------------------------- */

/* Lists and detectors that were told of one file or query. */
enum { TOLD_MOST = 16 };
typedef struct told {
    const char *name[TOLD_MOST];
    size_t count;
} told;

/* Whether it is not among those that were told; then it is from now on. */
static bool is_first_of(told *t, const char *name)
{
    for (size_t i = 0; i < t->count; i++)
        if (!strcmp(t->name[i], name))
            return false;
    if (t->count == TOLD_MOST)
        return false;
    t->name[t->count++] = name;
    return true;
}

/* `hit` has its list and source, or its detector. */
static void tell(ob_engine *e, const ob_work *w, ob_action action, ob_hit *hit)
{
    const uint32_t yes = w->yes;
    hit->action = action;
    hit->count = 1;
    if (yes)
        hit->answer = yes >> action & 1 ? OB_ANSWERED_YES : OB_ANSWERED_NO;
    snprintf(hit->via, sizeof hit->via, "%s", w->via ? w->via : "a command");
    count_hit(&e->hits, hit);
    ob_counts_hit(ob_permits_counts(e->permits), hit);
}

static void tell_entry(ob_engine *e, const ob_work *w, ob_action action, const ob_list_match *match)
{
    ob_hit hit = {.count = 1};
    snprintf(hit.list, sizeof hit.list, "%s", match->list);
    snprintf(hit.source, sizeof hit.source, "%s", match->source);
    tell(e, w, action, &hit);
}

static void tell_score(ob_engine *e, const ob_work *w, const char *detector)
{
    ob_hit hit = {.count = 1};
    snprintf(hit.detector, sizeof hit.detector, "%s", detector);
    tell(e, w, w->decision.action, &hit);
}

void act_on_scan(ob_engine *e, const ob_scan *s)
{
    told lists = {.count = 0}, detectors = {.count = 0};
    for (size_t i = 0; i < s->signals.count; i++) {
        const ob_signal *signal = &s->signals.signal[i];
        for (int d = 0; d < OB_DETECTORS_MOST; d++) {
            if (!(signal->detectors >> d & 1))
                continue;
            atomic_fetch_add(&e->signals[d], 1);
            if (!signal->has_entry && is_first_of(&detectors, e->detectors.of[d]->name))
                tell_score(e, &s->work, e->detectors.of[d]->name);
        }
        if (signal->has_entry && is_first_of(&lists, signal->entry.list))
            tell_entry(e, &s->work, s->work.decision.action, &signal->entry);
    }
}

/* Matches stand by query. */
static void tell_matches(ob_engine *e, const ob_work *w, const ob_list_matches *found)
{
    for (size_t i = 0, end; i < found->count; i = end) {
        told lists = {.count = 0};
        for (end = i; end < found->count && found->match[end].query == found->match[i].query;)
            end++;
        const ob_action action = ob_decide_matches(e->options.policy, &found->match[i], end - i);
        for (size_t m = i; m < end; m++)
            if (is_first_of(&lists, found->match[m].list))
                tell_entry(e, w, action, &found->match[m]);
    }
}

void act_on_queries(ob_engine *e, const ob_look_up *l)
{
    for (int i = 0; i < OB_QUERY_KINDS; i++)
        tell_matches(e, &l->work, &l->matches.of[i]);
}
