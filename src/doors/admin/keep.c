/* Commands about how long records stay, and about whom the log knows. */
#include "admin_priv.h"

#include <obhut/records/hold.h>
#include <obhut/records/log.h>
#include <obhut/records/retention.h>
#include <obhut/regimes.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Periods ----------------------------------------------------------------------------------
 */

ob_status admin_record_kinds(json_t **out, const admin_call *call, ob_error *err)
{
    const ob_record_kind *kind;
    json_t *array = json_array();
    (void)call;
    (void)err;
    for (size_t i = 0; (kind = ob_record_kind_at(i)) != NULL; i++) {
        json_t *fields = json_object();
        const ob_record_field *field;
        for (size_t f = 0; (field = ob_record_field_at(kind, f)) != NULL; f++)
            json_object_set_new(fields, field->name, json_string(field->purpose));
        json_array_append_new(array,
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "table", kind->table,
                                        "title", kind->title, "purpose", kind->purpose, "period",
                                        kind->period, "persons", kind->persons, "fields", fields));
    }
    *out = json_pack("{s:o}", "kinds", array);
    return OB_OK;
}

ob_status admin_record_reap(json_t **out, const admin_call *call, ob_error *err)
{
    ob_reaped reaped[OB_REAPED_MOST];
    size_t count = 0;
    ob_status status = ob_records_reap(reaped, &count, call->service->store, call->service->acts,
                                       &call->actor, ob_now(), true, err);
    if (!status)
        *out = json_pack("{s:o}", "reaped", ob_reaped_json(reaped, count));
    return status;
}

/* ---- Holds ------------------------------------------------------------------------------------
 */

/* "report", "verdict", …: the one that the request names. */
static ob_status read_record(ob_hold *h, const admin_call *call, ob_error *err)
{
    static const char *const kinds[] = {"report", "notice", "verdict", "cause", "order"};
    int named = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const json_t *number = json_object_get(call->request, kinds[i]);
        if (!json_is_integer(number))
            continue;
        named++;
        h->record = json_integer_value(number);
        snprintf(h->kind, sizeof h->kind, "%s", kinds[i]);
    }
    return named == 1 ? OB_OK
                      : ob_fail(err, OB_EINVAL,
                                "one record is needed: a report, notice, verdict, cause or order");
}

static ob_status read_time(int64_t *out, const admin_call *call, const char *member, ob_error *err)
{
    char text[OB_TIME_TEXT + 1];
    const char *until = admin_optional(call, member);
    if (!until)
        return ob_fail(err, OB_EINVAL, "\"%s\" is needed: a time, or a day", member);
    snprintf(text, sizeof text, strlen(until) == 10 ? "%.10sT00:00:00Z" : "%.20s", until);
    return ob_time_parse(out, text)
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "\"%.40s\" is no time: 2027-01-31", until);
}

/* What a law demands to keep, from when it was reported on: now, unless the request says so. */
static ob_status read_law(ob_hold *h, const char *law, const admin_call *call, ob_error *err)
{
    int64_t reported = h->made_at;
    ob_status status = OB_OK;
    if (admin_optional(call, "from"))
        status = read_time(&reported, call, "from", err);
    if (!status && reported > h->made_at)
        status = ob_fail(err, OB_EINVAL, "it cannot have been reported in the future");
    if (status)
        return status;
    const ob_regime *regime = ob_regime_find(ob_law_regimes(), law);
    if (!regime || regime->status != OB_STATUS_IN_FORCE || !regime->retention_least_months)
        return ob_fail(err, OB_EINVAL, "no law \"%.60s\" that is built in demands keeping anything",
                       law);
    snprintf(h->law, sizeof h->law, "%s", law);
    h->until = ob_time_add_months(reported, regime->retention_least_months);
    return OB_OK;
}

/* Until when the laws of this service allow keeping a record; 0: they do not say. */
static ob_status read_limit(int64_t *limit, const ob_regime **regime, int64_t since,
                            const admin_call *call, ob_error *err)
{
    uint32_t months;
    ob_status status = ob_records_most(&months, regime, call->view, err);
    *limit = !status && months ? ob_time_add_months(since, months) : 0;
    return status;
}

ob_status admin_hold_add(json_t **out, const admin_call *call, ob_error *err)
{
    ob_hold h = {.made_at = ob_now()};
    const ob_regime *regime;
    const char *law = admin_optional(call, "law");
    int64_t id, since = 0, limit = 0;
    ob_status status = read_record(&h, call, err);
    if (!status)
        status = admin_reason(h.reason, admin_optional(call, "reason"), err);
    if (!status)
        status = ob_store_record_at(&since, call->view, h.kind, h.record, err);
    if (!status)
        status = law ? read_law(&h, law, call, err) : read_time(&h.until, call, "until", err);
    if (!status)
        status = read_limit(&limit, &regime, since, call, err);
    bool beyond = !status && limit && h.until > limit;
    if (beyond && !law) {
        char text[OB_TIME_TEXT + 1];
        ob_time_print(text, limit);
        status = ob_fail(err, OB_EREFUSED, "%s, %s, allows keeping it until %s at most", regime->id,
                         regime->retention_article, text);
    }
    if (status)
        return status;
    snprintf(h.by, sizeof h.by, "%s", call->person.name);
    status = ob_store_hold_add(&id, call->act->w, &h, err);
    if (!status)
        *out = json_pack("{s:I, s:o, s:b}", "hold", (json_int_t)id, "until", admin_time(h.until),
                         "must_be_decided", (int)beyond);
    return status;
}

static json_t *hold_json(const ob_hold *h, bool beyond, int64_t now)
{
    bool over = h->ended_at || now >= h->until;
    json_t *one = json_pack("{s:I, s:s, s:s, s:I, s:s, s:s, s:o, s:o}", "hold", (json_int_t)h->id,
                            "state", over ? "over" : "holds", "kind", h->kind, "record",
                            (json_int_t)h->record, "reason", h->reason, "by", h->by, "made_at",
                            admin_time(h->made_at), "until", admin_time(h->until));
    if (*h->law)
        json_object_set_new(one, "law", json_string(h->law));
    if (h->ended_at)
        json_object_set_new(one, "ended_at", admin_time(h->ended_at));
    if (h->decided_at) {
        json_object_set_new(one, "decided_by", json_string(h->decided_by));
        json_object_set_new(one, "decided_why", json_string(h->decided_why));
        json_object_set_new(one, "decided_at", admin_time(h->decided_at));
    } else if (!over && *h->law && beyond) {
        json_object_set_new(one, "must_be_decided", json_true());
    }
    return one;
}

ob_status admin_hold_ls(json_t **out, const admin_call *call, ob_error *err)
{
    enum { MOST = 1000 };
    ob_hold *holds = NULL;
    size_t count = 0;
    int64_t since, limit, now = ob_now();
    const ob_regime *regime;
    ob_status status = ob_store_holds(&holds, &count, call->view, MOST, err);
    json_t *array = json_array();
    for (size_t i = 0; i < count && !status; i++) {
        const ob_hold *h = &holds[i];
        bool there = !ob_store_record_at(&since, call->view, h->kind, h->record, NULL);
        status = there ? read_limit(&limit, &regime, since, call, err) : OB_OK;
        bool beyond = there && !status && limit && h->until > limit;
        json_array_append_new(array, hold_json(h, beyond, now));
    }
    free(holds);
    if (status)
        json_decref(array);
    else
        *out = json_pack("{s:o}", "holds", array);
    return status;
}

ob_status admin_hold_end(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = admin_number(&id, call, "hold", err);
    return status ? status : ob_store_hold_end(call->act->w, id, ob_now(), err);
}

/* One law demands keeping, another deletion: who decides to keep says why. */
ob_status admin_hold_keep(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    char reason[OB_RECORD_TEXT + 1];
    (void)out;
    ob_status status = admin_number(&id, call, "hold", err);
    if (!status)
        status = admin_reason(reason, admin_optional(call, "reason"), err);
    return status
               ? status
               : ob_store_hold_decide(call->act->w, id, call->person.name, reason, ob_now(), err);
}

/* ---- Who is in the log ------------------------------------------------------------------------
 */

static ob_status read_subject(ob_pseudonym_kind *kind, const char **name, const admin_call *call,
                              ob_error *err)
{
    const char *account = admin_optional(call, "account"), *person = admin_optional(call, "person");
    *kind = account ? OB_PSEUDONYM_ACCOUNT : OB_PSEUDONYM_PERSON;
    *name = account ? account : person;
    return *name && !(account && person) && strlen(*name) <= OB_PSEUDONYM_TEXT
               ? OB_OK
               : ob_fail(err, OB_EINVAL, "an account or a person is needed");
}

ob_status admin_audit_code(json_t **out, const admin_call *call, ob_error *err)
{
    ob_pseudonym_kind kind;
    const char *name;
    char code[OB_LOG_CODE];
    bool found = false;
    ob_status status = read_subject(&kind, &name, call, err);
    if (!status)
        status = ob_acts_log_code(&found, code, call->service->acts, call->view, kind, name, err);
    if (!status && !found)
        status = ob_fail(err, OB_ENOTFOUND,
                         "nobody of that name is in the log; or their key was destroyed, and "
                         "nobody can tell");
    if (!status)
        *out = json_pack("{s:s}", "code", code);
    return status;
}

/* Of the staff. */
ob_status admin_audit_names(json_t **out, const admin_call *call, ob_error *err)
{
    ob_person *persons = NULL;
    size_t count = 0;
    json_t *names = json_object();
    ob_status status = ob_store_persons(&persons, &count, call->view, err);
    for (size_t i = 0; i < count && !status; i++) {
        char code[OB_LOG_CODE];
        bool found = false;
        status = ob_acts_log_code(&found, code, call->service->acts, call->view,
                                  OB_PSEUDONYM_PERSON, persons[i].name, err);
        if (!status && found)
            json_object_set_new(names, code, json_string(persons[i].name));
    }
    free(persons);
    if (status)
        json_decref(names);
    else
        *out = json_pack("{s:o}", "names", names);
    return status;
}

ob_status admin_audit_consents(json_t **out, const admin_call *call, ob_error *err)
{
    const char *account;
    json_t *found = NULL;
    ob_status status = admin_text(&account, call, "account", err);
    if (!status && strlen(account) > OB_PSEUDONYM_TEXT)
        status =
            ob_fail(err, OB_EINVAL, "an account is named by at most %d bytes", OB_PSEUDONYM_TEXT);
    if (!status)
        status = ob_acts_log_consents(&found, call->service->acts, account, err);
    if (!status)
        *out = json_pack("{s:o}", "consents", found);
    return status;
}

/* Of accounts at any time; of persons when they have left. */
ob_status admin_audit_forget(json_t **out, const admin_call *call, ob_error *err)
{
    ob_pseudonym_kind kind;
    const char *name;
    ob_person *all = NULL;
    size_t count = 0;
    ob_record_key subject;
    (void)out;
    ob_status status = read_subject(&kind, &name, call, err);
    if (!status && kind == OB_PSEUDONYM_PERSON)
        status = ob_store_persons(&all, &count, call->view, err);
    for (size_t i = 0; i < count && !status; i++)
        if (!strcmp(all[i].name, name) && !all[i].ended_at)
            status = ob_fail(err, OB_EREFUSED, "%s still acts: obhut person remove first", name);
    free(all);
    if (status)
        return status;
    ob_acts_pseudonym(&subject, call->service->acts, kind, name);
    return ob_store_log_key_destroy(call->act->w, &subject, err);
}
