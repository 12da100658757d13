#include "engine_priv.h"

#include <obhut/records/detector.h>
#include <obhut/records/person.h>
#include <obhut/records/safeguard.h>
#include <obhut/staff.h>

#include <stdlib.h>
#include <string.h>

/* ---- Regimes -----------------------------------------------------------------------------------
 */

static bool is_of(const ob_regime *regime, const char *country)
{
    for (const char *p = regime->countries; *p; p += p[2] ? 3 : 2)
        if (!strncmp(p, country, 2))
            return true;
    return false;
}

static void choose_regimes(settings *s)
{
    const ob_regimes *all = ob_law_regimes();
    for (size_t i = 0; i < all->count && s->regime_count < REGIMES_MOST; i++)
        if (*s->profile.country && is_of(&all->regime[i], s->profile.country) &&
            all->regime[i].kind != OB_REGIME_PROPOSAL)
            s->regime[s->regime_count++] = &all->regime[i];
    const ob_regime *house = ob_regime_find(all, s->profile.regime);
    if (!s->regime_count && house)
        s->regime[s->regime_count++] = house;
}

/* ---- Evidence ----------------------------------------------------------------------------------
 */

static evidence *evidence_of(settings *s, const char *regime)
{
    for (int i = 0; i < REGIMES_MOST; i++)
        if (!*s->evidence[i].regime || !strcmp(s->evidence[i].regime, regime)) {
            strncpy(s->evidence[i].regime, regime, sizeof s->evidence[i].regime - 1);
            return &s->evidence[i];
        }
    return NULL;
}

static ob_status read_evidence(settings *s, ob_view *view, ob_error *err)
{
    ob_safeguard_record *records = NULL;
    size_t count = 0;
    ob_status status = ob_store_safeguards(&records, &count, view, err);
    for (size_t i = 0; i < count; i++) {
        evidence *e = evidence_of(s, records[i].regime);
        if (!e)
            continue;
        if (records[i].safeguard == OB_SAFEGUARD_COUNT)
            e->last_report = records[i].year;
        else
            e->recorded |= UINT32_C(1) << records[i].safeguard;
        if (records[i].safeguard == OB_SAFEGUARD_IMPACT_ASSESSMENT)
            e->assessment_at = records[i].at;
    }
    free(records);
    return status;
}

/* An assessment is current for a year, and while nothing that it is about has changed since. */
void settings_evidence(struct ob_safeguard_facts *out, const settings *s, const ob_regime *regime,
                       int64_t at)
{
    *out = (struct ob_safeguard_facts){0};
    for (int i = 0; i < REGIMES_MOST; i++) {
        const evidence *e = &s->evidence[i];
        if (strcmp(e->regime, regime->id))
            continue;
        out->present = true;
        out->regime = regime->id;
        out->recorded = e->recorded;
        out->assessment_current = e->assessment_at && e->assessment_at >= s->changed_at &&
                                  e->assessment_at <= at &&
                                  at < ob_time_add_months(e->assessment_at, 12);
        out->last_annual_report = e->last_report;
    }
}

/* ---- Methods -----------------------------------------------------------------------------------
 */

static ob_status read_methods(settings *s, ob_view *view, ob_error *err)
{
    ob_detector_record *records = NULL;
    size_t count = 0;
    unsigned method;
    for (int m = 0; m < OB_METHODS; m++)
        s->method[m] = ob_law_methods[m].state;
    ob_status status = ob_store_detectors(&records, &count, view, err);
    for (size_t i = 0; i < count; i++)
        if (ob_word_parse(&method, OB_WORD_METHOD, records[i].detector)) {
            s->method[method] = records[i].state < OB_STATE_COUNT
                                    ? (ob_detector_state)records[i].state
                                    : OB_STATE_SUSPENDED;
            if (records[i].at > s->changed_at)
                s->changed_at = records[i].at;
        }
    free(records);
    return status;
}

static ob_status count_reviewers(settings *s, ob_view *view, ob_error *err)
{
    const uint32_t may = UINT32_C(1) << OB_ROLE_REVIEWER | UINT32_C(1) << OB_ROLE_LEAD;
    ob_person *persons = NULL;
    size_t count = 0;
    ob_status status = ob_store_persons(&persons, &count, view, err);
    for (size_t i = 0; i < count; i++)
        s->reviewers += !persons[i].ended_at && persons[i].roles & may;
    free(persons);
    return status;
}

ob_status settings_read(settings *out, ob_view *view, ob_error *err)
{
    settings s = {0};
    ob_status status = ob_store_profile(&s.profile, view, err);
    s.changed_at = s.profile.changed_at;
    if (!status)
        status = read_methods(&s, view, err);
    if (!status)
        status = read_evidence(&s, view, err);
    if (!status)
        status = count_reviewers(&s, view, err);
    if (status)
        return status;
    choose_regimes(&s);
    *out = s;
    return OB_OK;
}
