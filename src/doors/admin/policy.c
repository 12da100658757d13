/* Commands about what a service is and has switched on: its profile, its safeguards, its detectors,
 * its clock. */
#include "admin_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/detector.h>
#include <obhut/records/profile.h>
#include <obhut/records/safeguard.h>
#include <obhut/records/tally.h>
#include <obhut/regimes.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Profile ----------------------------------------------------------------------------------
 */

static json_t *words_of(uint32_t set, ob_word word)
{
    json_t *array = json_array();
    const char *name;
    for (unsigned v = 0; (name = ob_word_name(word, v)) != NULL; v++)
        if (set >> v & 1)
            json_array_append_new(array, json_string(name));
    return array;
}

/* "direct,group" or "none". */
static ob_status read_words(uint32_t *out, const char *text, ob_word word, ob_error *err)
{
    char copy[400], *rest = copy, *one;
    unsigned value;
    uint32_t set = 0;
    snprintf(copy, sizeof copy, "%s", text);
    if (!strcmp(text, "none")) {
        *out = 0;
        return OB_OK;
    }
    while ((one = strsep(&rest, ",")) != NULL) {
        if (!ob_word_parse(&value, word, one) ||
            (word == OB_WORD_BASIS && value == OB_BASIS_NONE) ||
            (word == OB_WORD_DETECTOR && value == OB_DETECTOR_OTHER))
            return ob_fail(err, OB_EINVAL, "\"%.60s\" is none of the words that are known here",
                           one);
        set |= UINT32_C(1) << value;
    }
    *out = set;
    return OB_OK;
}

static json_t *profile_json(const ob_profile *p)
{
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:b}", "service", p->service, "kinds",
                     words_of(p->kinds, OB_WORD_SERVICE_KIND), "country", p->country, "regime",
                     p->regime, "surfaces", words_of(p->surfaces, OB_WORD_SURFACE), "bases",
                     words_of(p->bases, OB_WORD_BASIS), "detectors",
                     words_of(p->detectors, OB_WORD_DETECTOR), "register", (int)p->keeps_register);
}

ob_status admin_policy_show(json_t **out, const admin_call *call, ob_error *err)
{
    ob_profile p;
    ob_status status = ob_store_profile(&p, call->view, err);
    if (status)
        return status;
    *out = profile_json(&p);
    json_object_set_new(*out, "open", admin_open(&p));
    return OB_OK;
}

static ob_status set_country(ob_profile *p, const char *value, ob_error *err)
{
    if (!strcmp(value, "none"))
        value = "";
    if (*value && (strlen(value) != 2 || strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 2))
        return ob_fail(err, OB_EINVAL, "a country is two capital letters (ISO 3166), or none");
    snprintf(p->country, sizeof p->country, "%s", value);
    return OB_OK;
}

static ob_status set_regime(ob_profile *p, const char *value, ob_error *err)
{
    const ob_regime *regime = ob_regime_find(ob_law_regimes(), value);
    if (!regime)
        return ob_fail(err, OB_EINVAL, "no regime \"%.60s\" is built in: see obhut gate regimes",
                       value);
    if (regime->status != OB_STATUS_IN_FORCE)
        return ob_fail(
            err, OB_EREFUSED,
            "%s is a proposal, or could not be verified: it can be explained, never used", value);
    snprintf(p->regime, sizeof p->regime, "%s", value);
    return OB_OK;
}

static ob_status set_one(ob_profile *p, const char *key, const char *value, ob_error *err)
{
    if (!strcmp(key, "service")) {
        if (!ob_name_is_valid(value))
            return ob_fail(err, OB_EINVAL, "\"%.80s\" is no name: a-z 0-9 . _ -, at most %d", value,
                           OB_NAME_MAX);
        snprintf(p->service, sizeof p->service, "%s", value);
        return OB_OK;
    }
    if (!strcmp(key, "kinds"))
        return read_words(&p->kinds, value, OB_WORD_SERVICE_KIND, err);
    if (!strcmp(key, "country"))
        return set_country(p, value, err);
    if (!strcmp(key, "regime"))
        return set_regime(p, value, err);
    if (!strcmp(key, "surfaces"))
        return read_words(&p->surfaces, value, OB_WORD_SURFACE, err);
    if (!strcmp(key, "bases"))
        return read_words(&p->bases, value, OB_WORD_BASIS, err);
    if (!strcmp(key, "detectors"))
        return read_words(&p->detectors, value, OB_WORD_DETECTOR, err);
    if (!strcmp(key, "register") && (!strcmp(value, "yes") || !strcmp(value, "no"))) {
        p->keeps_register = !strcmp(value, "yes");
        return OB_OK;
    }
    return ob_fail(
        err, OB_EINVAL,
        "\"%.40s\" cannot be set to \"%.60s\": service, kinds, country, regime, surfaces, "
        "bases, detectors, register (yes or no)",
        key, value);
}

/* What an impact assessment is about: only a wider policy makes it old. */
static bool is_new_ground(const ob_profile *before, const ob_profile *now)
{
    return now->surfaces & ~before->surfaces || now->detectors & ~before->detectors ||
           now->bases & ~before->bases || now->kinds != before->kinds ||
           strcmp(now->country, before->country) || strcmp(now->regime, before->regime);
}

ob_status admin_policy_set(json_t **out, const admin_call *call, ob_error *err)
{
    const char *key, *value;
    ob_profile p, before = ob_profile_default;
    ob_status status = admin_text(&key, call, "key", err);
    if (!status)
        status = admin_text(&value, call, "value", err);
    if (!status)
        status = ob_store_profile(&before, call->view, err);
    p = before;
    if (!status)
        status = set_one(&p, key, value, err);
    if (!status && is_new_ground(&before, &p))
        p.changed_at = ob_now();
    if (!status)
        status = ob_store_profile_set(call->act->w, &p, err);
    if (!status)
        *out = profile_json(&p);
    return status;
}

/* ---- Safeguards --------------------------------------------------------------------------------
 */

static const char yearly[] = "annual_report";

static ob_status read_safeguard(ob_safeguard_record *r, const admin_call *call, ob_error *err)
{
    const char *regime, *name;
    unsigned value;
    ob_status status = admin_text(&regime, call, "regime", err);
    if (!status)
        status = admin_text(&name, call, "name", err);
    if (status)
        return status;
    if (!ob_regime_find(ob_law_regimes(), regime))
        return ob_fail(err, OB_EINVAL, "no regime \"%.60s\" is built in: see obhut gate regimes",
                       regime);
    if (ob_word_parse(&value, OB_WORD_SAFEGUARD, name))
        r->safeguard = value;
    else if (!strcmp(name, yearly))
        r->safeguard = OB_SAFEGUARD_COUNT;
    else
        return ob_fail(err, OB_EINVAL, "no safeguard is called \"%.60s\"", name);
    snprintf(r->regime, sizeof r->regime, "%s", regime);
    return OB_OK;
}

ob_status admin_safeguard_record(json_t **out, const admin_call *call, ob_error *err)
{
    ob_safeguard_record r = {.at = ob_now()};
    (void)out;
    ob_status status = read_safeguard(&r, call, err);
    if (!status && r.safeguard == OB_SAFEGUARD_COUNT)
        status = admin_number(&r.year, call, "year", err);
    if (!status && r.safeguard == OB_SAFEGUARD_COUNT && (r.year < 2021 || r.year > 9999))
        status = ob_fail(err, OB_EINVAL, "the year that the report is about is needed");
    if (!status)
        status = admin_document(r.document, call, err);
    snprintf(r.by, sizeof r.by, "%s", call->person.name);
    return status ? status : ob_store_safeguard_add(call->act->w, &r, err);
}

ob_status admin_safeguard_remove(json_t **out, const admin_call *call, ob_error *err)
{
    ob_safeguard_record r = {0};
    (void)out;
    ob_status status = read_safeguard(&r, call, err);
    return status ? status : ob_store_safeguard_remove(call->act->w, r.regime, r.safeguard, err);
}

ob_status admin_safeguard_ls(json_t **out, const admin_call *call, ob_error *err)
{
    ob_safeguard_record *records = NULL;
    size_t count = 0;
    char digest[65];
    ob_status status = ob_store_safeguards(&records, &count, call->view, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        const ob_safeguard_record *r = &records[i];
        const char *name = ob_word_name(OB_WORD_SAFEGUARD, r->safeguard);
        ob_hex(digest, r->document, sizeof r->document);
        json_t *one = json_pack("{s:s, s:s, s:o, s:s, s:s}", "regime", r->regime, "name",
                                name ? name : yearly, "at", admin_time(r->at), "by", r->by,
                                "document", digest);
        if (r->year)
            json_object_set_new(one, "year", json_integer(r->year));
        json_array_append_new(array, one);
    }
    free(records);
    *out = json_pack("{s:o}", "safeguards", array);
    return OB_OK;
}

/* ---- Detectors ----------------------------------------------------------------------------------
 */

static ob_status read_method(unsigned *out, const admin_call *call, ob_error *err)
{
    const char *name;
    ob_status status = admin_text(&name, call, "name", err);
    if (!status && !ob_word_parse(out, OB_WORD_METHOD, name))
        status = ob_fail(err, OB_ENOTFOUND, "no detector is called \"%.60s\": digests, pdq", name);
    return status;
}

ob_status admin_detector_ls(json_t **out, const admin_call *call, ob_error *err)
{
    ob_detector_record *records = NULL;
    size_t count = 0;
    ob_status status = ob_store_detectors(&records, &count, call->view, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (unsigned m = 0; m < OB_METHODS; m++) {
        const ob_method_spec *spec = &ob_law_methods[m];
        const ob_detector_record *own = NULL;
        for (size_t i = 0; i < count; i++)
            if (!strcmp(records[i].detector, ob_word_name(OB_WORD_METHOD, m)))
                own = &records[i];
        json_t *one =
            json_pack("{s:s, s:s, s:s, s:i}", "name", ob_word_name(OB_WORD_METHOD, m), "kind",
                      ob_word_name(OB_WORD_DETECTOR, spec->detector), "state",
                      ob_word_name(OB_WORD_STATE, own ? own->state : (unsigned)spec->state),
                      "bound_per_million", (int)spec->bound_per_million);
        if (own) {
            json_object_set_new(one, "by", json_string(own->by));
            json_object_set_new(one, "reason", json_string(own->reason));
            json_object_set_new(one, "at", admin_time(own->at));
        }
        json_array_append_new(array, one);
    }
    free(records);
    *out = json_pack("{s:o}", "detectors", array);
    return OB_OK;
}

/* To stop needs nobody else. */
ob_status admin_detector_suspend(json_t **out, const admin_call *call, ob_error *err)
{
    unsigned method;
    ob_detector_record r = {.state = OB_STATE_SUSPENDED, .at = ob_now()};
    (void)out;
    ob_status status = read_method(&method, call, err);
    if (!status)
        status = admin_reason(r.reason, admin_optional(call, "reason"), err);
    if (status)
        return status;
    snprintf(r.detector, sizeof r.detector, "%s", ob_word_name(OB_WORD_METHOD, method));
    snprintf(r.by, sizeof r.by, "%s", ob_actor_name(&call->actor));
    return ob_store_detector_set(call->act->w, &r, err);
}

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

/* A lead proposes, another agrees: with a measurement on named data, whose upper limit is within
 * the bound for `on`. */
ob_status admin_detector_set(json_t **out, const admin_call *call, ob_error *err)
{
    enum { SEEN_MOST = 500 }; /* e to that power is still a double */
    unsigned method, state = OB_STATE_TRIAL;
    int64_t items = 0, alarms = 0;
    uint8_t document[32];
    char digest[65];
    const char *data = admin_optional(call, "data"), *wanted = admin_optional(call, "state");
    ob_status status = read_method(&method, call, err);
    if (!status && (!wanted || !ob_word_parse(&state, OB_WORD_STATE, wanted) ||
                    (state != OB_STATE_TRIAL && state != OB_STATE_ON)))
        status = ob_fail(err, OB_EINVAL, "a detector is set to trial or on");
    if (!status)
        status = admin_number(&items, call, "items", err);
    if (!status)
        status = admin_number(&alarms, call, "false_alarms", err);
    if (!status && (items < 1 || alarms < 0 || alarms > items || alarms > SEEN_MOST || !data))
        status =
            ob_fail(err, OB_EINVAL,
                    "a measurement is needed: items looked at, false alarms, name of the data");
    if (!status)
        status = admin_document(document, call, err);
    if (status)
        return status;
    double limit = upper_limit((uint64_t)alarms) * 1e6 / (double)items;
    if (state == OB_STATE_ON && limit > ob_law_methods[method].bound_per_million)
        return ob_fail(
            err, OB_EREFUSED,
            "the upper 95 %% limit of this measurement is %.1f false alarms in a million; "
            "on needs at most %u",
            limit, ob_law_methods[method].bound_per_million);
    ob_hex(digest, document, sizeof document);
    return admin_propose(out, call, "detector",
                         json_pack("{s:s, s:s, s:I, s:I, s:f, s:s, s:s}", "name",
                                   ob_word_name(OB_WORD_METHOD, method), "state",
                                   ob_word_name(OB_WORD_STATE, state), "items", (json_int_t)items,
                                   "false_alarms", (json_int_t)alarms, "upper_limit_per_million",
                                   limit, "data", data, "document", digest),
                         err);
}

ob_status admin_detector_step(json_t **out, const admin_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *state = json_string_value(json_object_get(body, "state"));
    const char *data = json_string_value(json_object_get(body, "data"));
    unsigned value;
    ob_detector_record r = {.at = ob_now()};
    (void)reason;
    if (!name || !state || !data || !ob_word_parse(&value, OB_WORD_STATE, state))
        return ob_fail(err, OB_EFORMAT, "the proposal is damaged");
    r.state = value;
    snprintf(r.detector, sizeof r.detector, "%s", name);
    snprintf(r.by, sizeof r.by, "%s", second);
    snprintf(r.reason, sizeof r.reason, "measured on %.200s; proposed by %s", data, p->proposed_by);
    ob_status status = ob_store_detector_set(call->act->w, &r, err);
    if (!status)
        *out = json_pack("{s:s, s:s}", "detector", name, "state", state);
    return status;
}

/* ---- The clock
 * ----------------------------------------------------------------------------------- */

ob_status admin_clock_show(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t mark = 0;
    const ob_service *a = call->service;
    ob_status status = a->engine ? ob_engine_settle(a->engine, err) : OB_OK;
    if (!status) /* the view is asked only now, and so it knows of that */
        status = ob_store_clock(&mark, call->view, err);
    int64_t now = ob_now();
    const char *state = now < ob_law_built_at ? "unset" : now < mark ? "backwards" : "ok";
    if (!status)
        *out = json_pack("{s:s, s:o, s:o, s:o}", "clock", state, "now", admin_time(now),
                         "latest_permit", mark ? admin_time(mark) : json_null(), "built_at",
                         admin_time(ob_law_built_at));
    return status;
}

ob_status admin_clock_accept(json_t **out, const admin_call *call, ob_error *err)
{
    return admin_propose(out, call, "clock", json_pack("{s:o}", "asked_at", admin_time(ob_now())),
                         err);
}

ob_status admin_clock_step(json_t **out, const admin_call *call, const json_t *body,
                           const ob_proposal *p, const char *second, const char *reason,
                           ob_error *err)
{
    const ob_service *a = call->service;
    (void)body;
    (void)p;
    (void)second;
    (void)reason;
    ob_status status = a->engine ? ob_engine_accept_clock(a->engine, call->act->w, err)
                                 : ob_store_clock_set(call->act->w, ob_now(), err);
    if (!status)
        *out = json_pack("{s:o}", "now", admin_time(ob_now()));
    return status;
}
