/* What a service is, as the records have it: profile, laws, safeguards, detectors, reviewers. */
#include "permits_priv.h"

#include <obhut/records/person.h>
#include <obhut/staff.h>

#include <stdlib.h>

/* What an impact assessment is about has changed when a detector's state did, too. */
static ob_status read_detectors(settings *s, ob_view *view, ob_error *err)
{
    ob_detector_record now[OB_DETECTORS_MOST];
    ob_status status = ob_detectors_now(now, view, err);
    for (int d = 0; d < OB_DETECTORS_MOST && !status; d++) {
        s->detector[d] = (ob_detector_state)now[d].state;
        if (now[d].at > s->changed_at)
            s->changed_at = now[d].at;
    }
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
        status = read_detectors(&s, view, err);
    if (!status)
        status = ob_safeguards_read(s.safeguards, view, err);
    if (!status)
        status = count_reviewers(&s, view, err);
    if (status)
        return status;
    ob_profile_laws(s.regime, &s.regime_count, &s.profile);
    *out = s;
    return OB_OK;
}
