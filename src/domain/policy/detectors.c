/* The states of detectors, and the measurement that each needs. */
#include <obhut/clock.h>
#include <obhut/policy.h>
#include <obhut/regimes.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- States ---------------------------------------------------------------------------------- */

static void set_name(ob_detector_record *r, ob_detector detector)
{
    snprintf(r->detector, sizeof r->detector, "%s", ob_law_detectors[detector].id);
}

ob_status ob_detectors_now(ob_detector_record out[OB_DETECTORS_MOST], ob_view *view, ob_error *err)
{
    ob_detector_record *records = NULL;
    size_t count = 0;
    ob_detector detector;
    for (ob_detector d = 0; d < OB_DETECTORS_MOST; d++) {
        out[d] = (ob_detector_record){.state = (uint32_t)ob_law_detectors[d].state};
        if (ob_law_detectors[d].id)
            set_name(&out[d], d);
    }
    ob_status status = ob_store_detectors(&records, &count, view, err);
    for (size_t i = 0; i < count; i++)
        if (ob_detector_parse(&detector, records[i].detector)) {
            out[detector] = records[i];
            if (records[i].state >= OB_STATE_COUNT)
                out[detector].state = OB_STATE_SUSPENDED;
        }
    free(records);
    return status;
}

ob_status ob_detector_suspend(ob_act *act, ob_detector detector, const char *reason, ob_error *err)
{
    ob_detector_record r = {.state = OB_STATE_SUSPENDED, .at = ob_now()};
    ob_status status = ob_own_words(r.reason, reason, err);
    if (status)
        return status;
    set_name(&r, detector);
    snprintf(r.by, sizeof r.by, "%s", ob_actor_name(act->actor));
    return ob_store_detector_set(act->w, &r, err);
}

/* ---- Measurements ---------------------------------------------------------------------------- */

/* The number of events of which so few, or fewer, are seen in 5 of 100 cases only: the upper 95 %
 * limit of what was counted (Poisson). Found by halving. */
static double upper_limit(uint64_t seen)
{
    double low = 0, high = 20 + 3.0 * (double)seen;
    for (int turn = 0; turn < 100; turn++) {
        double mean = (low + high) / 2, term = 1, sum = 1;
        for (uint64_t k = 1; k <= seen; k++) {
            term *= mean / (double)k;
            sum += term;
        }
        if (sum * exp(-mean) > 0.05)
            low = mean;
        else
            high = mean;
    }
    return high;
}

double ob_measured_limit(int64_t items, int64_t false_alarms)
{
    return upper_limit((uint64_t)false_alarms) * 1e6 / (double)items;
}

ob_status ob_measurement_check(const ob_measurement *m, ob_error *err)
{
    if (m->state != OB_STATE_TRIAL && m->state != OB_STATE_ON)
        return ob_fail(err, OB_EINVAL, "a detector is set to trial or on");
    if (m->items < 1 || m->false_alarms < 0 || m->false_alarms > m->items ||
        m->false_alarms > OB_ALARMS_MOST || !m->data)
        return ob_fail(err, OB_EINVAL,
                       "a measurement is needed: items looked at, false alarms, name of the data");
    const double limit = ob_measured_limit(m->items, m->false_alarms);
    const unsigned bound = ob_law_detectors[m->detector].bound_per_million;
    return m->state == OB_STATE_ON && limit > bound
               ? ob_fail(err, OB_EREFUSED,
                         "the upper 95 %% limit of this measurement is %.1f false alarms in a "
                         "million; on needs at most %u",
                         limit, bound)
               : OB_OK;
}

ob_status ob_detector_propose(int64_t *proposal, ob_act *act, const ob_measurement *m,
                              const char *body, ob_error *err)
{
    ob_status status = ob_measurement_check(m, err);
    if (!status && !body)
        status = ob_fail(err, OB_ENOMEM, "out of memory: a proposal");
    return status ? status : ob_acts_propose(proposal, act->w, "detector", body, act->actor, err);
}

ob_status ob_detector_set(ob_act *act, const ob_measurement *m, const char *proposed_by,
                          ob_error *err)
{
    ob_detector_record r = {.state = (uint32_t)m->state, .at = ob_now()};
    ob_status status = ob_measurement_check(m, err); /* the bound may be another by now */
    if (status)
        return status;
    set_name(&r, m->detector);
    snprintf(r.by, sizeof r.by, "%s", ob_actor_name(act->actor));
    snprintf(r.reason, sizeof r.reason, "measured on %.200s; proposed by %s", m->data, proposed_by);
    return ob_store_detector_set(act->w, &r, err);
}
