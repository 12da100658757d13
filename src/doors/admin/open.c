/* What a service's profile opens to whom, and what else would have to be set. The gate decides;
 * this tells an operator beforehand, in the words of `obhut policy set`. */
#include "admin_priv.h"

#include <obhut/records/profile.h>
#include <obhut/regimes.h>

#include <stdio.h>
#include <string.h>

static const struct ground {
    ob_surface surface;
    ob_basis basis;
    const char *what;
    const char *needs; /* beside what is set, a record: in words */
} grounds[] = {
    {OB_SURFACE_PUBLIC, OB_BASIS_PUBLIC, "uploads that everybody may see", ""},
    {OB_SURFACE_PUBLIC, OB_BASIS_NOTICE, "an item that somebody gave notice of", "the notice"},
    {OB_SURFACE_DIRECT, OB_BASIS_REPORT, "a message that a participant disclosed",
     "the participant's report"},
    {OB_SURFACE_DIRECT, OB_BASIS_CONSENT, "messages where all members agreed to it",
     "the consent of all members"},
    {OB_SURFACE_DIRECT, OB_BASIS_VOLUNTARY, "messages of one account, for at most 30 days",
     "a cause that two persons confirmed, and the safeguards of the law"},
    {OB_SURFACE_GROUP, OB_BASIS_REPORT, "a message that a participant disclosed",
     "the participant's report"},
    {OB_SURFACE_GROUP, OB_BASIS_CONSENT, "messages where all members agreed to it",
     "the consent of all members"},
    {OB_SURFACE_GROUP, OB_BASIS_VOLUNTARY, "messages of one account, for at most 30 days",
     "a cause that two persons confirmed, and the safeguards of the law"},
    {OB_SURFACE_STORAGE, OB_BASIS_NOTICE, "a file that somebody gave notice of", "the notice"},
};

/* "KEY WORD,WORD": all that is set already, and one more. */
static void want_word(json_t *set, const char *key, uint32_t have, unsigned more, ob_word word)
{
    char text[300];
    const char *name;
    int used = snprintf(text, sizeof text, "%s ", key);
    bool first = true;
    if (have >> more & 1)
        return;
    for (unsigned v = 0; (name = ob_word_name(word, v)) != NULL; v++) {
        if (!((have | UINT32_C(1) << more) >> v & 1) || used >= (int)sizeof text)
            continue;
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", first ? "" : ",", name);
        first = false;
    }
    json_array_append_new(set, json_string(text));
}

static bool is_of(const ob_regime *regime, const char *country)
{
    for (const char *c = regime->countries; *c; c += c[2] ? 3 : 2)
        if (!strncmp(c, country, 2))
            return true;
    return false;
}

/* Whether a law that is built in speaks of private messages: the country's, else the house rule. */
static bool has_law(const ob_profile *p)
{
    const ob_regimes *all = ob_law_regimes();
    const ob_regime *house = ob_regime_find(all, p->regime);
    bool is_known = false;
    for (size_t i = 0; *p->country && i < all->count; i++) {
        const ob_regime *r = &all->regime[i];
        if (r->status != OB_STATUS_IN_FORCE || !is_of(r, p->country))
            continue;
        is_known = true;
        if (r->surfaces >> OB_SURFACE_DIRECT & 1)
            return true;
    }
    return !is_known && house && house->surfaces >> OB_SURFACE_DIRECT & 1;
}

/* Private conversations have laws of their own, which are a country's. */
static void want_private(json_t *set, const ob_profile *p)
{
    if (!has_law(p))
        json_array_append_new(set, json_string("country DE"));
    if (!(p->kinds >> OB_SERVICE_NUMBER_BASED & 1))
        want_word(set, "kinds", p->kinds, OB_SERVICE_INTERPERSONAL, OB_WORD_SERVICE_KIND);
    if (!p->keeps_register)
        json_array_append_new(set, json_string("register yes"));
}

json_t *admin_open(const ob_profile *p)
{
    json_t *array = json_array();
    for (size_t i = 0; i < sizeof grounds / sizeof *grounds; i++) {
        const struct ground *g = &grounds[i];
        json_t *set = json_array();
        if (g->surface == OB_SURFACE_DIRECT || g->surface == OB_SURFACE_GROUP)
            want_private(set, p);
        want_word(set, "surfaces", p->surfaces, g->surface, OB_WORD_SURFACE);
        want_word(set, "bases", p->bases, g->basis, OB_WORD_BASIS);
        want_word(set, "detectors", p->detectors, OB_DETECTOR_KNOWN, OB_WORD_DETECTOR);
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:b, s:s, s:o}", "surface",
                                               ob_word_name(OB_WORD_SURFACE, g->surface), "basis",
                                               ob_word_name(OB_WORD_BASIS, g->basis), "what",
                                               g->what, "open", json_array_size(set) == 0, "needs",
                                               g->needs, "set", set));
    }
    return array;
}
