/* What a service's profile opens to whom, in the words of `obhut policy set`. */
#include "commands_priv.h"

#include <stdio.h>

/* "KEY WORD,WORD"; nothing where it is as it should be. */
static void want(json_t *set, const char *key, uint32_t wanted, ob_word word)
{
    char text[300];
    const char *name;
    int used = snprintf(text, sizeof text, "%s ", key);
    bool first = true;
    for (unsigned v = 0; (name = ob_word_name(word, v)) != NULL; v++) {
        if (!(wanted >> v & 1) || used >= (int)sizeof text)
            continue;
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s", first ? "" : ",", name);
        first = false;
    }
    if (wanted)
        json_array_append_new(set, json_string(text));
}

static json_t *set_of(const ob_opening *o)
{
    json_t *set = json_array();
    if (o->needs_country)
        json_array_append_new(set, json_string("country DE"));
    want(set, "kinds", o->kinds, OB_WORD_SERVICE_KIND);
    if (o->needs_register)
        json_array_append_new(set, json_string("register yes"));
    want(set, "surfaces", o->surfaces, OB_WORD_SURFACE);
    want(set, "bases", o->bases, OB_WORD_BASIS);
    want(set, "detectors", o->detectors, OB_WORD_MATERIAL);
    return set;
}

json_t *commands_open(const ob_profile *p)
{
    ob_opening openings[OB_OPENINGS];
    json_t *array = json_array();
    ob_profile_opens(openings, p);
    for (size_t i = 0; i < OB_OPENINGS; i++) {
        const ob_opening *o = &openings[i];
        json_array_append_new(array, json_pack("{s:s, s:s, s:s, s:b, s:s, s:o}", "surface",
                                               ob_word_name(OB_WORD_SURFACE, o->surface), "basis",
                                               ob_word_name(OB_WORD_BASIS, o->basis), "what",
                                               o->what, "open", (int)o->is_open, "needs", o->needs,
                                               "set", set_of(o)));
    }
    return array;
}
