/* Commands about reports, verdicts, causes and consents: what may become a ground for looking, and
 * what ends it. */
#include "commands_priv.h"

#include <stdlib.h>

enum { MOST = 1000 };

/* ---- Reports --------------------------------------------------------------------------------- */

static bool wants_notices(const commands_call *call)
{
    return json_is_true(json_object_get(call->request, "notices"));
}

static ob_incoming_kind wanted_kind(const commands_call *call)
{
    return wants_notices(call) ? OB_INCOMING_NOTICE : OB_INCOMING_REPORT;
}

ob_status commands_report_ls(json_t **out, const commands_call *call, ob_error *err)
{
    ob_incoming *in = NULL;
    size_t count = 0;
    bool notices = wants_notices(call);
    ob_status status = ob_store_incomings(&in, &count, call->view, wanted_kind(call), MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one =
            json_pack("{s:I, s:o, s:s}", notices ? "notice" : "report", (json_int_t)in[i].id, "at",
                      commands_time(in[i].at), "reason", in[i].reason);
        if (!notices)
            json_object_set_new(one, "account", commands_key(&in[i].account));
        if (*in[i].confirmed_by)
            json_object_set_new(one, "confirmed_by", json_string(in[i].confirmed_by));
        json_array_append_new(array, one);
    }
    free(in);
    *out = json_pack("{s:o}", notices ? "notices" : "reports", array);
    return OB_OK;
}

ob_status commands_report_confirm(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, "report", err);
    return status ? status : ob_report_confirm(call->act, id, err);
}

ob_status commands_report_remove(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, wants_notices(call) ? "notice" : "report", err);
    return status ? status : ob_incoming_remove(call->act, wanted_kind(call), id, err);
}

/* ---- Verdicts -------------------------------------------------------------------------------- */

ob_status commands_verdict_add(json_t **out, const commands_call *call, ob_error *err)
{
    ob_record_key account;
    int64_t id = 0;
    const char *reason = commands_optional(call, "reason");
    ob_status status = commands_account(&account, call, err);
    if (status)
        return status;
    char *body = commands_body(
        json_pack("{s:o, s:s?}", "account", commands_key(&account), "reason", reason));
    status = ob_verdict_propose(&id, call->act, reason, body, err);
    if (!status)
        *out = commands_proposed(call, "verdict", id);
    free(body);
    return status;
}

ob_status commands_verdict_step(json_t **out, const commands_call *call, const json_t *body,
                                const ob_proposal *p, const char *second, const char *reason,
                                ob_error *err)
{
    ob_record_key account;
    int64_t id = 0;
    (void)second;
    ob_status status = commands_key_parse(&account, json_object_get(body, "account"), err);
    if (!status)
        status = ob_verdict_add(&id, call->act, &account, p->proposed_by, reason, err);
    if (!status)
        *out = json_pack("{s:I}", "verdict", (json_int_t)id);
    return status;
}

ob_status commands_verdict_ls(json_t **out, const commands_call *call, ob_error *err)
{
    ob_verdict *v = NULL;
    size_t count = 0;
    ob_status status = ob_store_verdicts(&v, &count, call->view, MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_pack("{s:I, s:o, s:s, s:s, s:s, s:o}", "verdict", (json_int_t)v[i].id,
                                "account", commands_key(&v[i].account), "reason", v[i].reason,
                                "proposed_by", v[i].proposed_by, "confirmed_by", v[i].confirmed_by,
                                "at", commands_time(v[i].at));
        if (v[i].overturned_at)
            json_object_set_new(one, "overturned_at", commands_time(v[i].overturned_at));
        json_array_append_new(array, one);
    }
    free(v);
    *out = json_pack("{s:o}", "verdicts", array);
    return OB_OK;
}

ob_status commands_verdict_overturn(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, "verdict", err);
    return status ? status : ob_verdict_overturn(call->act, id, err);
}

/* ---- Causes ---------------------------------------------------------------------------------- */

static ob_status read_cause(ob_cause_wish *wish, const commands_call *call, ob_error *err)
{
    bool has_verdict = json_object_get(call->request, "verdict") != NULL;
    wish->ground = has_verdict ? OB_GROUND_VERDICT : OB_GROUND_REPORT;
    wish->days = OB_CAUSE_DAYS;
    ob_status status = commands_account(&wish->account, call, err);
    if (!status && has_verdict == (json_object_get(call->request, "report") != NULL))
        status = ob_fail(err, OB_EINVAL, "a cause rests on one record: \"verdict\" or \"report\"");
    if (!status)
        status = commands_number(&wish->record, call, has_verdict ? "verdict" : "report", err);
    if (!status && json_object_get(call->request, "days"))
        status = commands_number(&wish->days, call, "days", err);
    return status;
}

ob_status commands_cause_add(json_t **out, const commands_call *call, ob_error *err)
{
    ob_cause_wish wish;
    int64_t id = 0;
    const char *reason = commands_optional(call, "reason");
    ob_status status = read_cause(&wish, call, err);
    if (status)
        return status;
    char *body = commands_body(json_pack("{s:o, s:i, s:I, s:I, s:s?}", "account",
                                         commands_key(&wish.account), "ground", (int)wish.ground,
                                         "record", (json_int_t)wish.record, "days",
                                         (json_int_t)wish.days, "reason", reason));
    status = ob_cause_propose(&id, call->act, &wish, reason, body, err);
    if (!status)
        *out = commands_proposed(call, "cause", id);
    free(body);
    return status;
}

ob_status commands_cause_step(json_t **out, const commands_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err)
{
    ob_cause_wish wish = {
        .ground = (ob_cause_ground)json_integer_value(json_object_get(body, "ground")),
        .record = json_integer_value(json_object_get(body, "record")),
        .days = json_integer_value(json_object_get(body, "days")),
    };
    int64_t id = 0, until = 0;
    (void)second;
    ob_status status = commands_key_parse(&wish.account, json_object_get(body, "account"), err);
    if (!status)
        status = ob_cause_add(&id, &until, call->act, &wish, p->proposed_by, reason, err);
    if (!status)
        *out = json_pack("{s:I, s:o}", "cause", (json_int_t)id, "until", commands_time(until));
    return status;
}

ob_status commands_cause_ls(json_t **out, const commands_call *call, ob_error *err)
{
    ob_cause *c = NULL;
    size_t count = 0;
    int64_t now = ob_now();
    ob_status status = ob_store_causes(&c, &count, call->view, MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one =
            json_pack("{s:I, s:s, s:o, s:s, s:I, s:s, s:s, s:s, s:o, s:o}", "cause",
                      (json_int_t)c[i].id, "state", ob_cause_is_over(&c[i], now) ? "over" : "holds",
                      "account", commands_key(&c[i].account), "ground",
                      c[i].ground == OB_GROUND_VERDICT ? "confirmed_verdict" : "participant_report",
                      "record", (json_int_t)c[i].record, "reason", c[i].reason, "proposed_by",
                      c[i].proposed_by, "confirmed_by", c[i].confirmed_by, "from",
                      commands_time(c[i].from), "until", commands_time(c[i].until));
        if (c[i].ended_at)
            json_object_set_new(one, "ended_at", commands_time(c[i].ended_at));
        if (c[i].told_at)
            json_object_set_new(one, "told_at", commands_time(c[i].told_at));
        if (ob_cause_must_be_told(&c[i], now))
            json_object_set_new(one, "account_must_be_told", json_true());
        json_array_append_new(array, one);
    }
    free(c);
    *out = json_pack("{s:o}", "causes", array);
    return OB_OK;
}

ob_status commands_cause_end(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, "cause", err);
    return status ? status : ob_cause_end(call->act, id, err);
}

ob_status commands_cause_told(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, "cause", err);
    return status ? status : ob_cause_told(call->act, id, err);
}

/* ---- Consents -------------------------------------------------------------------------------- */

ob_status commands_consent_withdraw(json_t **out, const commands_call *call, ob_error *err)
{
    ob_record_key account;
    uint64_t changed = 0;
    ob_status status = commands_account(&account, call, err);
    if (!status)
        status = ob_consent_withdraw(&changed, call->act, &account, err);
    if (!status)
        *out = json_pack("{s:I}", "conversations", (json_int_t)changed);
    return status;
}
