/* What a service says of itself: what of that is possible, and what makes an impact assessment
 * old. */
#include <obhut/clock.h>
#include <obhut/policy.h>
#include <obhut/regimes.h>

#include <stdio.h>
#include <string.h>

ob_status ob_profile_set_service(ob_profile *p, const char *name, ob_error *err)
{
    if (!ob_name_is_valid(name))
        return ob_fail(err, OB_EINVAL, "\"%.80s\" is no name: a-z 0-9 . _ -, at most %d", name,
                       OB_NAME_MAX);
    snprintf(p->service, sizeof p->service, "%s", name);
    return OB_OK;
}

ob_status ob_profile_set_country(ob_profile *p, const char *country, ob_error *err)
{
    if (*country && (strlen(country) != 2 || strspn(country, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2))
        return ob_fail(err, OB_EINVAL, "a country is two capital letters (ISO 3166), or none");
    snprintf(p->country, sizeof p->country, "%s", country);
    return OB_OK;
}

ob_status ob_profile_set_regime(ob_profile *p, const char *name, ob_error *err)
{
    const ob_regime *regime = ob_regime_find(ob_law_regimes(), name);
    if (!regime)
        return ob_fail(err, OB_EINVAL, "no regime \"%.60s\" is built in: see obhut gate regimes",
                       name);
    if (regime->status != OB_STATUS_IN_FORCE)
        return ob_fail(
            err, OB_EREFUSED,
            "%s is a proposal, or could not be verified: it can be explained, never used", name);
    snprintf(p->regime, sizeof p->regime, "%s", name);
    return OB_OK;
}

/* The set of a profile that words of a kind go into, and those that none may have. */
static uint32_t *set_of(ob_profile *p, uint32_t *never, ob_word word)
{
    *never = 0;
    switch (word) {
    case OB_WORD_SERVICE_KIND:
        return &p->kinds;
    case OB_WORD_SURFACE:
        return &p->surfaces;
    case OB_WORD_BASIS:
        *never = UINT32_C(1) << OB_BASIS_NONE;
        return &p->bases;
    case OB_WORD_MATERIAL:
        *never = UINT32_C(1) << OB_MATERIAL_OTHER;
        return &p->detectors;
    default:
        return NULL;
    }
}

ob_status ob_profile_set_words(ob_profile *p, ob_word word, uint32_t set, ob_error *err)
{
    uint32_t never, *own = set_of(p, &never, word);
    if (!own)
        return ob_fail(err, OB_EINVAL, "a profile has no such words");
    for (unsigned v = 0; v < 32; v++) {
        const char *name = ob_word_name(word, v);
        if (set >> v & 1 && (!name || never >> v & 1))
            return ob_fail(err, OB_EINVAL, "\"%.60s\" is none of the words that are known here",
                           name ? name : "");
    }
    *own = set;
    return OB_OK;
}

static bool is_wider(const ob_profile *before, const ob_profile *now)
{
    return now->surfaces & ~before->surfaces || now->detectors & ~before->detectors ||
           now->bases & ~before->bases || now->kinds != before->kinds ||
           strcmp(now->country, before->country) || strcmp(now->regime, before->regime);
}

ob_status ob_profile_change(ob_profile *p, ob_act *act, ob_error *err)
{
    ob_profile before = ob_profile_default;
    ob_status status = ob_store_profile(&before, act->view, err);
    if (status)
        return status;
    p->changed_at = is_wider(&before, p) ? ob_now() : before.changed_at;
    return ob_store_profile_set(act->w, p, err);
}
