/* The table of detectors, and asking them. */
#include "detect_priv.h"

#include <stdlib.h>
#include <string.h>

static const ob_detector_class *const built_in[] = {&detect_digests, &detect_pdq};

/* ---- The table ------------------------------------------------------------------------------- */

static ob_status add_class(ob_detectors *all, const ob_detector_class *class, ob_error *err)
{
    ob_detector number;
    if (!ob_detector_parse(&number, class->name))
        return ob_fail(err, OB_EINVAL, "the detector \"%s\" has no file in data/detectors",
                       class->name);
    if (all->of[number])
        return ob_fail(err, OB_EINVAL, "there are two detectors \"%s\"", class->name);
    all->of[number] = class;
    return OB_OK;
}

ob_status ob_detectors_make(ob_detectors *out, const ob_detector_class *const *more, size_t count,
                            ob_error *err)
{
    ob_detectors all = {{NULL}};
    ob_status status = OB_OK;
    for (size_t i = 0; i < sizeof built_in / sizeof *built_in && !status; i++)
        status = add_class(&all, built_in[i], err);
    for (size_t i = 0; i < count && !status; i++)
        status = add_class(&all, more[i], err);
    for (ob_detector d = 0; d < ob_detector_count() && !status; d++)
        if (!all.of[d])
            status = ob_fail(err, OB_EINVAL, "data/detectors/%s.json has no detector",
                             ob_law_detectors[d].id);
    if (!status)
        *out = all;
    return status;
}

uint32_t ob_detectors_for(const ob_detectors *all, ob_media media)
{
    uint32_t detectors = 0;
    for (int d = 0; d < OB_DETECTORS_MOST; d++)
        if (all->of[d] && all->of[d]->media >> media & 1)
            detectors |= UINT32_C(1) << d;
    return detectors;
}

uint32_t ob_detectors_of_queries(const ob_detectors *all, const ob_query *queries, uint32_t count)
{
    uint32_t detectors = 0;
    for (int d = 0; d < OB_DETECTORS_MOST; d++)
        for (uint32_t i = 0; all->of[d] && all->of[d]->owns && i < count; i++)
            if (all->of[d]->owns(&queries[i])) {
                detectors |= UINT32_C(1) << d;
                break;
            }
    return detectors;
}

void ob_detectors_want(uint32_t wants[OB_EXTRACTS], const ob_detectors *all, uint32_t detectors)
{
    memset(wants, 0, OB_EXTRACTS * sizeof *wants);
    for (int d = 0; d < OB_DETECTORS_MOST; d++)
        if (all->of[d] && detectors >> d & 1)
            wants[all->of[d]->extract] |= UINT32_C(1) << d;
}

/* ---- Files ----------------------------------------------------------------------------------- */

/* One match is enough to be told of; none is no answer while a list cannot be searched, whether it
 * was asked or not: nobody knows what it has. */
static ob_status need_all(const ob_signals *s, ob_lists *lists, ob_error *err)
{
    char *why = NULL;
    ob_status status = OB_OK;
    for (unsigned i = 0; i < s->part_count && !status; i++)
        status = ob_list_matches_whole(&s->part[i], 1, err);
    if (!status && ob_lists_trouble(&why, lists))
        status = ob_fail(err, OB_EIO, "%s", why ? why : "a list cannot be searched");
    free(why);
    return status;
}

ob_status ob_detect(ob_signals *out, const ob_detectors *all, const ob_judging *with,
                    const ob_job_result *of, ob_grant *grant, ob_error *err)
{
    ob_signals s = {.count = 0};
    ob_status status = ob_grant_still(grant, of->detectors, err);
    for (ob_detector d = 0; d < OB_DETECTORS_MOST && !status; d++) {
        ob_judging one = *with;
        one.detector = d;
        if (all->of[d] && of->detectors >> d & 1)
            status = all->of[d]->judge(&s, &one, of, err);
    }
    if (!status && !s.count)
        status = need_all(&s, with->lists, err);
    if (!status)
        status = signals_bring_together(&s, err);
    if (status)
        ob_signals_free(&s);
    else
        *out = s;
    return status;
}

/* ---- Queries --------------------------------------------------------------------------------- */

ob_status ob_detect_queries(ob_query_matches *out, const ob_detectors *all, const ob_judging *with,
                            const ob_query_part *part, uint32_t detectors, ob_error *err)
{
    ob_status status = OB_OK;
    for (ob_detector d = 0; d < OB_DETECTORS_MOST && !status; d++) {
        ob_judging one = *with;
        one.detector = d;
        if (all->of[d] && all->of[d]->look_up && detectors >> d & 1)
            status = all->of[d]->look_up(out, &one, part, err);
    }
    return status;
}
