/* Which laws a service is under. */
#include "policy_priv.h"

#include <obhut/regimes.h>

#include <string.h>

bool policy_is_of(const ob_regime *regime, const char *country)
{
    for (const char *c = regime->countries; *c && *country; c += c[2] ? 3 : 2)
        if (!strncmp(c, country, 2))
            return true;
    return false;
}

void ob_profile_laws(const ob_regime *out[OB_LAWS_MOST], size_t *count, const ob_profile *p)
{
    const ob_regimes *all = ob_law_regimes();
    const ob_regime *house = ob_regime_find(all, p->regime);
    *count = 0;
    for (size_t i = 0; i < all->count && *count < OB_LAWS_MOST; i++)
        if (policy_is_of(&all->regime[i], p->country) && all->regime[i].kind != OB_REGIME_PROPOSAL)
            out[(*count)++] = &all->regime[i];
    if (!*count && house)
        out[(*count)++] = house;
}

void ob_profile_retention(uint32_t *months, const ob_regime **regime, const ob_profile *p)
{
    const ob_regime *laws[OB_LAWS_MOST];
    size_t count;
    *months = 0;
    *regime = NULL;
    ob_profile_laws(laws, &count, p);
    for (size_t i = 0; i < count; i++) {
        const ob_regime *r = laws[i];
        if (r->status != OB_STATUS_IN_FORCE || !r->retention_months ||
            (*months && r->retention_months > *months))
            continue;
        *months = r->retention_months;
        *regime = r;
    }
}
