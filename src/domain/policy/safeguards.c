/* What a derogation demands beforehand, and until when what is on record counts. */
#include <obhut/clock.h>
#include <obhut/policy.h>
#include <obhut/regimes.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char annual_report[] = "annual_report";

const char *ob_safeguard_name(uint32_t safeguard)
{
    return safeguard == OB_ANNUAL_REPORT ? annual_report
                                         : ob_word_name(OB_WORD_SAFEGUARD, safeguard);
}

bool ob_safeguard_parse(uint32_t *out, const char *name)
{
    unsigned value = OB_ANNUAL_REPORT;
    bool is_known = !strcmp(name, annual_report) || ob_word_parse(&value, OB_WORD_SAFEGUARD, name);
    if (is_known)
        *out = value;
    return is_known;
}

/* ---- Recording ------------------------------------------------------------------------------- */

static ob_status check_regime(const char *regime, ob_error *err)
{
    return ob_regime_find(ob_law_regimes(), regime)
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "no regime \"%.60s\" is built in: see obhut gate regimes",
                         regime);
}

ob_status ob_safeguard_add(ob_act *act, const ob_safeguard_record *wanted, ob_error *err)
{
    enum { FIRST_YEAR = 2021, LAST_YEAR = 9999 };
    ob_safeguard_record r = *wanted;
    ob_status status = check_regime(r.regime, err);
    if (!status && r.safeguard == OB_ANNUAL_REPORT && (r.year < FIRST_YEAR || r.year > LAST_YEAR))
        status = ob_fail(err, OB_EINVAL, "the year that the report is about is needed");
    if (status)
        return status;
    r.at = ob_now();
    snprintf(r.by, sizeof r.by, "%s", ob_actor_name(act->actor));
    return ob_store_safeguard_add(act->w, &r, err);
}

ob_status ob_safeguard_remove(ob_act *act, const char *regime, uint32_t safeguard, ob_error *err)
{
    ob_status status = check_regime(regime, err);
    return status ? status : ob_store_safeguard_remove(act->w, regime, safeguard, err);
}

/* ---- What counts ----------------------------------------------------------------------------- */

/* The place of a regime, or an empty one; NULL: all are taken. */
static ob_safeguards *place_of(ob_safeguards all[OB_LAWS_MOST], const char *regime)
{
    for (int i = 0; i < OB_LAWS_MOST; i++)
        if (!*all[i].regime || !strcmp(all[i].regime, regime)) {
            snprintf(all[i].regime, sizeof all[i].regime, "%s", regime);
            return &all[i];
        }
    return NULL;
}

ob_status ob_safeguards_read(ob_safeguards out[OB_LAWS_MOST], ob_view *view, ob_error *err)
{
    ob_safeguard_record *records = NULL;
    size_t count = 0;
    memset(out, 0, OB_LAWS_MOST * sizeof *out);
    ob_status status = ob_store_safeguards(&records, &count, view, err);
    for (size_t i = 0; i < count; i++) {
        ob_safeguards *s = place_of(out, records[i].regime);
        if (!s)
            continue;
        if (records[i].safeguard == OB_ANNUAL_REPORT)
            s->last_report = records[i].year;
        else
            s->recorded |= UINT32_C(1) << records[i].safeguard;
        if (records[i].safeguard == OB_SAFEGUARD_IMPACT_ASSESSMENT)
            s->assessment_at = records[i].at;
    }
    free(records);
    return status;
}

static bool is_current(int64_t assessed_at, int64_t changed_at, int64_t at)
{
    enum { MONTHS = 12 };
    return assessed_at && assessed_at >= changed_at && assessed_at <= at &&
           at < ob_time_add_months(assessed_at, MONTHS);
}

struct ob_safeguard_facts ob_safeguards_at(const ob_safeguards all[OB_LAWS_MOST],
                                           const ob_regime *regime, int64_t changed_at, int64_t at)
{
    struct ob_safeguard_facts facts = {0};
    for (int i = 0; i < OB_LAWS_MOST; i++) {
        const ob_safeguards *s = &all[i];
        if (strcmp(s->regime, regime->id) != 0)
            continue;
        facts = (struct ob_safeguard_facts){.present = true,
                                            .regime = regime->id,
                                            .recorded = s->recorded,
                                            .assessment_current =
                                                is_current(s->assessment_at, changed_at, at),
                                            .last_annual_report = s->last_report};
    }
    return facts;
}
