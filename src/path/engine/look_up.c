/* The way of queries: hashes and digests that somebody has computed already. */
#include "engine_priv.h"

#include <string.h>

enum {
    /* Of queries that are looked up together: at first, and with about so many matches; and for how
     * long before it is another's turn. */
    FIRST = 4,
    MATCHES = 20000,
    TURN_US = 200000,
};

/* How many queries go together next: few where each of these had many matches, which are in memory
 * at once. */
static uint32_t next_together(const ob_look_up *l, uint32_t count)
{
    uint64_t total = 0;
    for (int i = 0; i < OB_QUERY_KINDS; i++)
        total += l->matches.of[i].total;
    const uint64_t most = total ? (uint64_t)count * MATCHES / total : OB_QUERIES_TOGETHER;
    const uint32_t twice = 2 * count < OB_QUERIES_TOGETHER ? 2 * count : OB_QUERIES_TOGETHER;
    return most < 1 ? 1 : most < twice ? (uint32_t)most : twice;
}

/* The next few queries; of a detector that has no permit they find nothing. */
static ob_status look_up_some(ob_engine *e, ob_look_up *l, uint32_t detectors)
{
    if (!l->together)
        l->together = FIRST;
    const uint32_t left = l->query_count - l->asked;
    const ob_query_part part = {.queries = l->queries,
                                .from = l->asked,
                                .count = l->together < left ? l->together : left,
                                .limit = l->limit};
    const ob_judging judging = {.lists = e->options.lists, .distance = e->options.policy->distance};
    ob_status status =
        ob_detect_queries(&l->matches, &e->detectors, &judging, &part, detectors, &l->work.error);
    if (!status)
        act_on_queries(e, l);
    if (!status && l->found)
        l->found(l, part.from, part.count);
    l->together = next_together(l, part.count);
    ob_query_matches_free(&l->matches);
    l->asked += part.count;
    return engine_hindered(&l->work, status,
                           status == OB_EIO ? OB_HINDRANCE_LISTS : OB_HINDRANCE_FAULT);
}

/* Looks up for a while, with a permit for that. False: it is not through, and has another turn. */
static bool run(ob_engine *e, ob_holder *bearer, ob_work *w)
{
    ob_look_up *l = (ob_look_up *)w;
    ob_grant grant;
    const uint32_t detectors = ob_detectors_of_queries(&e->detectors, l->queries, l->query_count);
    w->status =
        ob_grant_get(&grant, &w->decision.gate, e->permits, bearer, &w->item, detectors, &w->error);
    if (w->status == OB_EREFUSED && !w->decision.gate.allow) {
        engine_deny(e, w);
        return true;
    }
    engine_hindered(w, w->status, OB_HINDRANCE_RECORDS);
    if (!w->status)
        engine_sit(e, w);
    while (!w->status && l->asked < l->query_count && engine_now_us() < w->sat_us + TURN_US)
        w->status = look_up_some(e, l, grant.terms.detectors);
    if (!w->status && l->asked < l->query_count)
        return false;
    if (!w->status) {
        ob_grant_used(&grant, &w->item);
        for (int d = 0; d < OB_DETECTORS_MOST; d++)
            if (grant.terms.detectors >> d & 1)
                atomic_fetch_add(&e->looked[d], 1);
    }
    return true;
}

static void count(ob_engine *e, const ob_work *w)
{
    atomic_fetch_add(&e->look_ups, 1);
    atomic_fetch_add(&e->queries, ((const ob_look_up *)w)->query_count);
}

const work_class work_look_up = {.run = run, .count = count};
