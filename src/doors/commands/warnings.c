/* A service that protects nobody, or less than its operator believes, says so: at its start, in
 * /readyz and /metrics, and to everybody on the page. */
#include "services_priv.h"

#include <obhut/clock.h>
#include <obhut/records/profile.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY = 86400 };

static const struct {
    const char *code, *text[OB_LANGUAGES]; /* for the public, which lists have no names for */
} kinds[SERVICES_WARNINGS] = {
    [SERVICES_NO_LIST] =
        {"NO_LIST",
         {"No list of known material is loaded: nothing can be found.",
          "Keine Liste bekannten Materials ist geladen: Nichts kann gefunden werden."}},
    [SERVICES_LISTS_OFF] =
        {"LISTS_OFF",
         {"Every list of known material is switched off: nothing can be found.",
          "Alle Listen bekannten Materials sind ausgeschaltet: Nichts kann gefunden "
          "werden."}},
    [SERVICES_LIST_STALE] = {"LIST_STALE",
                             {"A list of known material is older than it should be.",
                              "Eine Liste bekannten Materials ist älter, als sie sein sollte."}},
    [SERVICES_LIST_UNKNOWN] = {"LIST_UNKNOWN",
                               {"Something is set for a list that is not there.",
                                "Für eine Liste, die es hier nicht gibt, ist etwas eingestellt."}},
    [SERVICES_NO_REGISTER] =
        {"NO_REGISTER",
         {"Private conversations are switched on, but nobody has declared which of "
          "them are protected: nobody looks there.",
          "Private Unterhaltungen sind eingeschaltet, aber niemand hat erklärt, "
          "welche geschützt sind: Dort sieht niemand nach."}},
    [SERVICES_NO_REVIEWER] =
        {"NO_REVIEWER",
         {"Some matches wait for a person, and nobody is named who would look.",
          "Manche Treffer warten auf einen Menschen, und niemand ist benannt, der "
          "nachsieht."}},
};

const char *services_warning_code(services_warning warning)
{
    return kinds[warning].code;
}

const char *services_warning_text(services_warning warning, ob_language language)
{
    return kinds[warning].text[language];
}

/* What is found out, and where it is told. */
typedef struct finding {
    const ob_services_options *options;
    const ob_list_info *lists;
    size_t count;
    uint32_t found;
    json_t *details; /* or NULL */
} finding;

static void warn(finding *f, services_warning warning, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void warn(finding *f, services_warning warning, const char *format, ...)
{
    va_list arguments;
    char line[400];
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    f->found |= UINT32_C(1) << warning;
    if (f->details)
        json_array_append_new(f->details,
                              json_pack("{s:s, s:s}", "code", kinds[warning].code, "detail", line));
}

static const ob_list_info *list_of(const finding *f, const char *name)
{
    for (size_t i = 0; i < f->count; i++)
        if (!strcmp(f->lists[i].name, name))
            return &f->lists[i];
    return NULL;
}

static void check_lists(finding *f)
{
    size_t enabled = 0;
    for (size_t i = 0; i < f->count; i++)
        enabled += f->lists[i].enabled;
    if (!f->count)
        warn(f, SERVICES_NO_LIST, "no list is loaded: nothing can be found (obhut list import)");
    else if (!enabled)
        warn(f, SERVICES_LISTS_OFF,
             "every list is switched off: nothing can be found (obhut list enable)");
}

static void check_sections(finding *f)
{
    const ob_policy *policy = f->options->policy;
    for (size_t i = 0; i < policy->list_count; i++) {
        const struct ob_list_policy *section = &policy->lists[i];
        const ob_list_info *list = list_of(f, section->list);
        const int64_t days = list ? (ob_now() - list->updated_at) / DAY : 0;
        if (!list)
            warn(f, SERVICES_LIST_UNKNOWN,
                 "the configuration has a section for the list \"%s\", which "
                 "is not there",
                 section->list);
        else if (list->enabled && section->renew_days && days > (int64_t)section->renew_days)
            warn(f, SERVICES_LIST_STALE,
                 "the list \"%s\" was imported or updated %lld days ago; renew-days says %u",
                 section->list, (long long)days, section->renew_days);
    }
}

static bool waits_for_a_person(ob_action action)
{
    return action >= OB_ACTION_REVIEW && action <= OB_ACTION_HOLD;
}

static bool any_waits_for_a_person(const ob_policy *policy)
{
    bool any = waits_for_a_person(policy->one_source) || waits_for_a_person(policy->two_sources);
    for (size_t i = 0; i < policy->list_count; i++)
        any |= waits_for_a_person(policy->lists[i].action);
    return any;
}

static void check_records(finding *f, bool renew)
{
    ob_profile profile;
    unsigned reviewers;
    const uint32_t closed = UINT32_C(1) << OB_SURFACE_DIRECT | UINT32_C(1) << OB_SURFACE_GROUP;
    if (!ob_permits_service(&profile, &reviewers, ob_engine_permits(f->options->engine), renew))
        return; /* what is not known is no reason to warn of it */
    if (profile.surfaces & closed && !profile.has_register)
        warn(f, SERVICES_NO_REGISTER,
             "direct or group is switched on, and no register of protected "
             "conversations is kept: nobody looks there (obhut policy set "
             "register yes)");
    if (!reviewers && any_waits_for_a_person(f->options->policy))
        warn(f, SERVICES_NO_REVIEWER,
             "matches are answered so that a person looks (review to hold), and no person is "
             "registered who may: obhut person add NAME --role reviewer");
}

uint32_t services_warnings(json_t *details, const ob_services_options *options, bool renew)
{
    ob_list_info *lists = NULL;
    finding f = {.options = options, .details = details};
    if (!ob_lists_info(&lists, &f.count, options->lists, NULL)) {
        f.lists = lists;
        check_lists(&f);
        check_sections(&f);
    }
    check_records(&f, renew);
    free(lists);
    return f.found;
}

void ob_services_warn(ob_services *services, void (*say)(void *context, const char *sentence),
                      void *context)
{
    json_t *details = json_array(), *one;
    size_t i;
    services_warnings(details, &services->options, true);
    json_array_foreach(details, i, one)
        say(context, json_string_value(json_object_get(one, "detail")));
    json_decref(details);
}
