/* Commands about what a service is and has switched on: its profile, its safeguards, its detectors,
 * its clock. */
#include "commands_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/tally.h>
#include <obhut/regimes.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Profile --------------------------------------------------------------------------------- */

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
static ob_status set_words(ob_profile *p, const char *text, ob_word word, ob_error *err)
{
    char copy[400], *rest = copy, *one;
    unsigned value;
    uint32_t set = 0;
    snprintf(copy, sizeof copy, "%s", text);
    while (strcmp(text, "none") && (one = strsep(&rest, ",")) != NULL) {
        if (!ob_word_parse(&value, word, one))
            return ob_fail(err, OB_EINVAL, "\"%.60s\" is none of the words that are known here",
                           one);
        set |= UINT32_C(1) << value;
    }
    return ob_profile_set_words(p, word, set, err);
}

static json_t *profile_json(const ob_profile *p)
{
    return json_pack("{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:b}", "service", p->service, "kinds",
                     words_of(p->kinds, OB_WORD_SERVICE_KIND), "country", p->country, "regime",
                     p->regime, "surfaces", words_of(p->surfaces, OB_WORD_SURFACE), "bases",
                     words_of(p->bases, OB_WORD_BASIS), "detectors",
                     words_of(p->detectors, OB_WORD_MATERIAL), "register", (int)p->has_register);
}

ob_status commands_policy_show(json_t **out, const commands_call *call, ob_error *err)
{
    ob_profile p;
    ob_status status = ob_store_profile(&p, call->view, err);
    if (status)
        return status;
    *out = profile_json(&p);
    json_object_set_new(*out, "open", commands_open(&p));
    return OB_OK;
}

static ob_status set_one(ob_profile *p, const char *key, const char *value, ob_error *err)
{
    static const struct {
        const char *key;
        ob_word word;
    } words[] = {{"kinds", OB_WORD_SERVICE_KIND},
                 {"surfaces", OB_WORD_SURFACE},
                 {"bases", OB_WORD_BASIS},
                 {"detectors", OB_WORD_MATERIAL}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcmp(key, words[i].key))
            return set_words(p, value, words[i].word, err);
    if (!strcmp(key, "service"))
        return ob_profile_set_service(p, value, err);
    if (!strcmp(key, "country"))
        return ob_profile_set_country(p, strcmp(value, "none") ? value : "", err);
    if (!strcmp(key, "regime"))
        return ob_profile_set_regime(p, value, err);
    if (!strcmp(key, "register") && (!strcmp(value, "yes") || !strcmp(value, "no"))) {
        p->has_register = !strcmp(value, "yes");
        return OB_OK;
    }
    return ob_fail(
        err, OB_EINVAL,
        "\"%.40s\" cannot be set to \"%.60s\": service, kinds, country, regime, surfaces, "
        "bases, detectors, register (yes or no)",
        key, value);
}

ob_status commands_policy_set(json_t **out, const commands_call *call, ob_error *err)
{
    const char *key, *value;
    ob_profile p;
    ob_status status = commands_text(&key, call, "key", err);
    if (!status)
        status = commands_text(&value, call, "value", err);
    if (!status)
        status = ob_store_profile(&p, call->view, err);
    if (!status)
        status = set_one(&p, key, value, err);
    if (!status)
        status = ob_profile_change(&p, call->act, err);
    if (!status)
        *out = profile_json(&p);
    return status;
}

/* ---- Safeguards ------------------------------------------------------------------------------ */

static ob_status read_safeguard(ob_safeguard_record *r, const commands_call *call, ob_error *err)
{
    const char *regime, *name;
    ob_status status = commands_text(&regime, call, "regime", err);
    if (!status)
        status = commands_text(&name, call, "name", err);
    if (!status && !ob_safeguard_parse(&r->safeguard, name))
        status = ob_fail(err, OB_EINVAL, "no safeguard is called \"%.60s\"", name);
    if (!status)
        snprintf(r->regime, sizeof r->regime, "%s", regime);
    return status;
}

ob_status commands_safeguard_record(json_t **out, const commands_call *call, ob_error *err)
{
    ob_safeguard_record r = {0};
    (void)out;
    ob_status status = read_safeguard(&r, call, err);
    if (!status && r.safeguard == OB_ANNUAL_REPORT)
        status = commands_number(&r.year, call, "year", err);
    if (!status)
        status = commands_document(r.document, call, err);
    return status ? status : ob_safeguard_add(call->act, &r, err);
}

ob_status commands_safeguard_remove(json_t **out, const commands_call *call, ob_error *err)
{
    ob_safeguard_record r = {0};
    (void)out;
    ob_status status = read_safeguard(&r, call, err);
    return status ? status : ob_safeguard_remove(call->act, r.regime, r.safeguard, err);
}

ob_status commands_safeguard_ls(json_t **out, const commands_call *call, ob_error *err)
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
        ob_hex(digest, r->document, sizeof r->document);
        json_t *one = json_pack("{s:s, s:s, s:o, s:s, s:s}", "regime", r->regime, "name",
                                ob_safeguard_name(r->safeguard), "at", commands_time(r->at), "by",
                                r->by, "document", digest);
        if (r->year)
            json_object_set_new(one, "year", json_integer(r->year));
        json_array_append_new(array, one);
    }
    free(records);
    *out = json_pack("{s:o}", "safeguards", array);
    return OB_OK;
}

/* ---- Detectors ------------------------------------------------------------------------------- */

/* The sentence names those that there are. */
static ob_status no_detector(const char *name, ob_error *err)
{
    char names[200] = "";
    for (ob_detector d = 0; d < ob_detector_count(); d++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", d ? ", " : "",
                 ob_law_detectors[d].id);
    return ob_fail(err, OB_ENOTFOUND, "no detector is called \"%.60s\": %s", name, names);
}

static ob_status read_detector(ob_detector *out, const commands_call *call, ob_error *err)
{
    const char *name;
    ob_status status = commands_text(&name, call, "name", err);
    if (!status && !ob_detector_parse(out, name))
        status = no_detector(name, err);
    return status;
}

ob_status commands_detector_ls(json_t **out, const commands_call *call, ob_error *err)
{
    ob_detector_record now[OB_DETECTORS_MOST];
    ob_status status = ob_detectors_now(now, call->view, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (ob_detector d = 0; d < ob_detector_count(); d++) {
        const ob_detector_spec *spec = &ob_law_detectors[d];
        json_t *one = json_pack("{s:s, s:s, s:s, s:i}", "name", now[d].detector, "kind",
                                ob_word_name(OB_WORD_MATERIAL, spec->material), "state",
                                ob_word_name(OB_WORD_STATE, now[d].state), "bound_per_million",
                                (int)spec->bound_per_million);
        if (now[d].at) {
            json_object_set_new(one, "by", json_string(now[d].by));
            json_object_set_new(one, "reason", json_string(now[d].reason));
            json_object_set_new(one, "at", commands_time(now[d].at));
        }
        json_array_append_new(array, one);
    }
    *out = json_pack("{s:o}", "detectors", array);
    return OB_OK;
}

ob_status commands_detector_suspend(json_t **out, const commands_call *call, ob_error *err)
{
    ob_detector detector;
    (void)out;
    ob_status status = read_detector(&detector, call, err);
    return status
               ? status
               : ob_detector_suspend(call->act, detector, commands_optional(call, "reason"), err);
}

static ob_status read_measurement(ob_measurement *m, const commands_call *call, ob_error *err)
{
    unsigned state = OB_STATE_COUNT;
    const char *wanted = commands_optional(call, "state");
    m->data = commands_optional(call, "data");
    ob_status status = read_detector(&m->detector, call, err);
    if (wanted)
        ob_word_parse(&state, OB_WORD_STATE, wanted);
    if (!status)
        status = commands_number(&m->items, call, "items", err);
    if (!status)
        status = commands_number(&m->false_alarms, call, "false_alarms", err);
    m->state = (ob_detector_state)state;
    if (!status)
        status = ob_measurement_check(m, err);
    return status ? status : commands_document(m->document, call, err);
}

static char *body_of(const ob_measurement *m)
{
    char digest[2 * sizeof m->document + 1];
    ob_hex(digest, m->document, sizeof m->document);
    return commands_body(json_pack(
        "{s:s, s:s, s:I, s:I, s:f, s:s, s:s}", "name", ob_law_detectors[m->detector].id, "state",
        ob_word_name(OB_WORD_STATE, m->state), "items", (json_int_t)m->items, "false_alarms",
        (json_int_t)m->false_alarms, "upper_limit_per_million",
        ob_measured_limit(m->items, m->false_alarms), "data", m->data, "document", digest));
}

ob_status commands_detector_set(json_t **out, const commands_call *call, ob_error *err)
{
    ob_measurement m;
    int64_t id = 0;
    ob_status status = read_measurement(&m, call, err);
    if (status)
        return status;
    char *body = body_of(&m);
    status = ob_detector_propose(&id, call->act, &m, body, err);
    if (!status)
        *out = commands_proposed(call, "detector", id);
    free(body);
    return status;
}

ob_status commands_detector_step(json_t **out, const commands_call *call, const json_t *body,
                                 const ob_proposal *p, const char *second, const char *reason,
                                 ob_error *err)
{
    const char *name = json_string_value(json_object_get(body, "name"));
    const char *state = json_string_value(json_object_get(body, "state"));
    ob_measurement m = {
        .items = json_integer_value(json_object_get(body, "items")),
        .false_alarms = json_integer_value(json_object_get(body, "false_alarms")),
        .data = json_string_value(json_object_get(body, "data")),
    };
    unsigned wanted;
    (void)second;
    (void)reason;
    if (!name || !state || !m.data || !ob_detector_parse(&m.detector, name) ||
        !ob_word_parse(&wanted, OB_WORD_STATE, state))
        return ob_fail(err, OB_EFORMAT, "no measurement");
    m.state = (ob_detector_state)wanted;
    ob_status status = ob_detector_set(call->act, &m, p->proposed_by, err);
    if (!status)
        *out = json_pack("{s:s, s:s}", "detector", name, "state", state);
    return status;
}

/* ---- The clock ------------------------------------------------------------------------------- */

static ob_counts *counts_of(const ob_service *service)
{
    return ob_permits_counts(ob_engine_permits(service->engine));
}

ob_status commands_clock_show(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t counter = 0;
    const ob_service *a = call->service;
    ob_status status = a->engine ? ob_counts_flush(counts_of(a), err) : OB_OK;
    if (!status) /* the view is asked only now, and so it knows of that */
        status = ob_store_clock(&counter, call->view, err);
    int64_t now = ob_now();
    if (!status)
        *out =
            json_pack("{s:s, s:o, s:o*, s:o}", "clock", ob_clock_state(now, counter), "now",
                      commands_time(now), "latest_permit", counter ? commands_time(counter) : NULL,
                      "built_at", commands_time(ob_law_built_at));
    return status;
}

ob_status commands_clock_accept(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id = 0;
    char *body = commands_body(json_pack("{s:o}", "asked_at", commands_time(ob_now())));
    ob_status status = ob_clock_propose(&id, call->act, body, err);
    if (!status)
        *out = commands_proposed(call, "clock", id);
    free(body);
    return status;
}

ob_status commands_clock_step(json_t **out, const commands_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err)
{
    const ob_service *a = call->service;
    (void)body;
    (void)p;
    (void)second;
    (void)reason;
    ob_status status = a->engine
                           ? ob_permits_accept_clock(ob_engine_permits(a->engine), call->act, err)
                           : ob_clock_accept(call->act, ob_now(), err);
    if (!status)
        *out = json_pack("{s:o}", "now", commands_time(ob_now()));
    return status;
}
