/* What a service's profile opens to whom, and what else would have to be set. The gate decides;
 * this tells an operator beforehand. */
#include "policy_priv.h"

#include <obhut/regimes.h>

static const ob_opening openings[OB_OPENINGS] = {
    {OB_SURFACE_PUBLIC, OB_BASIS_PUBLIC, "uploads that everybody may see", .needs = ""},
    {OB_SURFACE_PUBLIC, OB_BASIS_NOTICE, "an item that somebody gave notice of",
     .needs = "the notice"},
    {OB_SURFACE_DIRECT, OB_BASIS_REPORT, "a message that a participant disclosed",
     .needs = "the participant's report"},
    {OB_SURFACE_DIRECT, OB_BASIS_CONSENT, "messages where all members agreed to it",
     .needs = "the consent of all members"},
    {OB_SURFACE_DIRECT, OB_BASIS_VOLUNTARY, "messages of one account, for at most 30 days",
     .needs = "a cause that two persons confirmed, and the safeguards of the law"},
    {OB_SURFACE_GROUP, OB_BASIS_REPORT, "a message that a participant disclosed",
     .needs = "the participant's report"},
    {OB_SURFACE_GROUP, OB_BASIS_CONSENT, "messages where all members agreed to it",
     .needs = "the consent of all members"},
    {OB_SURFACE_GROUP, OB_BASIS_VOLUNTARY, "messages of one account, for at most 30 days",
     .needs = "a cause that two persons confirmed, and the safeguards of the law"},
    {OB_SURFACE_STORAGE, OB_BASIS_NOTICE, "a file that somebody gave notice of",
     .needs = "the notice"},
};

/* Whether a law that is built in speaks of private messages: the country's, else the house rule. */
static bool has_law(const ob_profile *p)
{
    const ob_regimes *all = ob_law_regimes();
    const ob_regime *house = ob_regime_find(all, p->regime);
    bool is_known = false;
    for (size_t i = 0; i < all->count; i++) {
        const ob_regime *r = &all->regime[i];
        if (r->status != OB_STATUS_IN_FORCE || !policy_is_of(r, p->country))
            continue;
        is_known = true;
        if (r->surfaces >> OB_SURFACE_DIRECT & 1)
            return true;
    }
    return !is_known && house && house->surfaces >> OB_SURFACE_DIRECT & 1;
}

/* All that is set already, and one more; 0 where that is set. */
static uint32_t with(uint32_t have, unsigned more)
{
    return have >> more & 1 ? 0 : have | UINT32_C(1) << more;
}

/* Private conversations have laws of their own, which are a country's. */
static void want_private(ob_opening *o, const ob_profile *p)
{
    o->needs_country = !has_law(p);
    o->needs_register = !p->has_register;
    if (!(p->kinds >> OB_SERVICE_NUMBER_BASED & 1))
        o->kinds = with(p->kinds, OB_SERVICE_INTERPERSONAL);
}

void ob_profile_opens(ob_opening out[OB_OPENINGS], const ob_profile *p)
{
    for (size_t i = 0; i < OB_OPENINGS; i++) {
        ob_opening *o = &out[i];
        *o = openings[i];
        if (o->surface == OB_SURFACE_DIRECT || o->surface == OB_SURFACE_GROUP)
            want_private(o, p);
        o->surfaces = with(p->surfaces, o->surface);
        o->bases = with(p->bases, o->basis);
        o->detectors = with(p->detectors, OB_MATERIAL_KNOWN);
        o->is_open = !o->needs_country && !o->needs_register &&
                     !(o->kinds | o->surfaces | o->bases | o->detectors);
    }
}
