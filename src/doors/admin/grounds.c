/* Commands about reports, verdicts, causes and consents: what may become a ground for looking, and
 * what ends it. */
#include "admin_priv.h"

#include <obhut/records/cause.h>
#include <obhut/records/conversation.h>
#include <obhut/records/incoming.h>
#include <obhut/records/verdict.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1000 };

/* ---- Reports ------------------------------------------------------------------------------------
 */

static bool wants_notices(const admin_call *call)
{
    return json_is_true(json_object_get(call->request, "notices"));
}

ob_status admin_report_ls(json_t **out, const admin_call *call, ob_error *err)
{
    ob_incoming *in = NULL;
    size_t count = 0;
    bool notices = wants_notices(call);
    ob_status status = ob_store_incomings(
        &in, &count, call->view, notices ? OB_INCOMING_NOTICE : OB_INCOMING_REPORT, MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one =
            json_pack("{s:I, s:o, s:s}", notices ? "notice" : "report", (json_int_t)in[i].id, "at",
                      admin_time(in[i].at), "reason", in[i].reason);
        if (!notices)
            json_object_set_new(one, "account", admin_key(&in[i].account));
        if (*in[i].confirmed_by)
            json_object_set_new(one, "confirmed_by", json_string(in[i].confirmed_by));
        json_array_append_new(array, one);
    }
    free(in);
    *out = json_pack("{s:o}", notices ? "notices" : "reports", array);
    return OB_OK;
}

/* A trained person has looked at all that was disclosed. */
ob_status admin_report_confirm(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = admin_number(&id, call, "report", err);
    return status ? status
                  : ob_store_report_confirm(call->act->w, id, call->person.name, ob_now(), err);
}

ob_status admin_report_remove(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    bool notices = wants_notices(call);
    (void)out;
    ob_status status = admin_number(&id, call, notices ? "notice" : "report", err);
    return status ? status
                  : ob_store_incoming_remove(call->act->w,
                                             notices ? OB_INCOMING_NOTICE : OB_INCOMING_REPORT, id,
                                             ob_now(), err);
}

/* ---- Verdicts
 * ------------------------------------------------------------------------------------ */

ob_status admin_verdict_add(json_t **out, const admin_call *call, ob_error *err)
{
    ob_record_key account;
    char reason[OB_RECORD_TEXT + 1];
    ob_status status = admin_account(&account, call, err);
    if (!status)
        status = admin_reason(reason, admin_optional(call, "reason"), err);
    return status ? status
                  : admin_propose(
                        out, call, "verdict",
                        json_pack("{s:o, s:s}", "account", admin_key(&account), "reason", reason),
                        err);
}

ob_status admin_verdict_step(json_t **out, const admin_call *call, const json_t *body,
                             const ob_proposal *p, const char *second, const char *reason,
                             ob_error *err)
{
    ob_verdict v = {.at = ob_now()};
    int64_t id = 0;
    ob_status status = admin_key_parse(&v.account, json_object_get(body, "account"), err);
    if (!status)
        status = admin_reason(v.reason, reason, err);
    if (status)
        return status;
    ob_act_account(call->act, "about", &v.account);
    ob_act_text(call->act, "reason", v.reason);
    snprintf(v.proposed_by, sizeof v.proposed_by, "%s", p->proposed_by);
    snprintf(v.confirmed_by, sizeof v.confirmed_by, "%s", second);
    status = ob_store_verdict_add(&id, call->act->w, &v, err);
    if (!status)
        *out = json_pack("{s:I}", "verdict", (json_int_t)id);
    return status;
}

ob_status admin_verdict_ls(json_t **out, const admin_call *call, ob_error *err)
{
    ob_verdict *v = NULL;
    size_t count = 0;
    ob_status status = ob_store_verdicts(&v, &count, call->view, MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        json_t *one = json_pack("{s:I, s:o, s:s, s:s, s:s, s:o}", "verdict", (json_int_t)v[i].id,
                                "account", admin_key(&v[i].account), "reason", v[i].reason,
                                "proposed_by", v[i].proposed_by, "confirmed_by", v[i].confirmed_by,
                                "at", admin_time(v[i].at));
        if (v[i].overturned_at)
            json_object_set_new(one, "overturned_at", admin_time(v[i].overturned_at));
        json_array_append_new(array, one);
    }
    free(v);
    *out = json_pack("{s:o}", "verdicts", array);
    return OB_OK;
}

ob_status admin_verdict_overturn(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = admin_number(&id, call, "verdict", err);
    return status ? status
                  : ob_store_verdict_overturn(call->act->w, id, call->person.name, ob_now(), err);
}

/* ---- Causes
 * --------------------------------------------------------------------------------------- */

static ob_status check_days(int64_t *out, const admin_call *call, ob_error *err)
{
    *out = OB_CAUSE_SECONDS / 86400;
    if (!json_object_get(call->request, "days"))
        return OB_OK;
    ob_status status = admin_number(out, call, "days", err);
    if (!status && (*out < 1 || *out > OB_CAUSE_SECONDS / 86400))
        status =
            ob_fail(err, OB_EINVAL, "a cause lasts from 1 to %d days", OB_CAUSE_SECONDS / 86400);
    return status;
}

/* What the cause rests on: a verdict that stands, or a report that a person has looked at; either
 * against this very account. */
static ob_status check_ground(ob_cause *c, ob_view *view, ob_error *err)
{
    ob_verdict v = {0};
    ob_incoming in = {0};
    ob_status status = c->ground == OB_GROUND_VERDICT
                           ? ob_store_verdict(&v, view, c->record, err)
                           : ob_store_incoming(&in, view, OB_INCOMING_REPORT, c->record, err);
    if (status)
        return status;
    const ob_record_key *account = c->ground == OB_GROUND_VERDICT ? &v.account : &in.account;
    if (memcmp(account, &c->account, sizeof *account) != 0)
        return ob_fail(err, OB_EREFUSED, "that record is about another account");
    if (c->ground == OB_GROUND_VERDICT && v.overturned_at)
        return ob_fail(err, OB_EREFUSED, "verdict %lld was overturned", (long long)c->record);
    if (c->ground == OB_GROUND_REPORT && !*in.confirmed_by)
        return ob_fail(err, OB_EREFUSED,
                       "a report alone is not enough: nobody has looked at what report %lld "
                       "disclosed, and confirmed it",
                       (long long)c->record);
    c->record_at = c->ground == OB_GROUND_VERDICT ? v.at : in.at;
    return OB_OK;
}

ob_status admin_cause_add(json_t **out, const admin_call *call, ob_error *err)
{
    ob_cause c = {0};
    int64_t days;
    bool has_verdict = json_object_get(call->request, "verdict") != NULL;
    ob_status status = admin_account(&c.account, call, err);
    c.ground = has_verdict ? OB_GROUND_VERDICT : OB_GROUND_REPORT;
    if (!status)
        status = admin_number(&c.record, call, has_verdict ? "verdict" : "report", err);
    if (!status)
        status = check_days(&days, call, err);
    if (!status)
        status = admin_reason(c.reason, admin_optional(call, "reason"), err);
    if (!status)
        status = check_ground(&c, call->view, err);
    return status ? status
                  : admin_propose(out, call, "cause",
                                  json_pack("{s:o, s:i, s:I, s:I, s:s}", "account",
                                            admin_key(&c.account), "ground", (int)c.ground,
                                            "record", (json_int_t)c.record, "days",
                                            (json_int_t)days, "reason", c.reason),
                                  err);
}

ob_status admin_cause_step(json_t **out, const admin_call *call, const json_t *body,
                           const ob_proposal *p, const char *second, const char *reason,
                           ob_error *err)
{
    ob_cause c = {
        .ground = (ob_cause_ground)json_integer_value(json_object_get(body, "ground")),
        .record = json_integer_value(json_object_get(body, "record")),
        .from = ob_now(),
    };
    int64_t id = 0, days = json_integer_value(json_object_get(body, "days"));
    ob_status status = admin_key_parse(&c.account, json_object_get(body, "account"), err);
    if (!status)
        status = admin_reason(c.reason, reason, err);
    if (!status)
        status = check_ground(&c, call->view, err); /* it may have been overturned since */
    if (status)
        return status;
    ob_act_account(call->act, "about", &c.account);
    ob_act_text(call->act, "reason", c.reason);
    c.until = c.from + days * 86400;
    snprintf(c.proposed_by, sizeof c.proposed_by, "%s", p->proposed_by);
    snprintf(c.confirmed_by, sizeof c.confirmed_by, "%s", second);
    status = ob_store_cause_add(&id, call->act->w, &c, err);
    if (!status)
        *out = json_pack("{s:I, s:o}", "cause", (json_int_t)id, "until", admin_time(c.until));
    return status;
}

ob_status admin_cause_ls(json_t **out, const admin_call *call, ob_error *err)
{
    ob_cause *c = NULL;
    size_t count = 0;
    int64_t now = ob_now();
    ob_status status = ob_store_causes(&c, &count, call->view, MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        bool over = c[i].ended_at || now >= c[i].until;
        json_t *one = json_pack(
            "{s:I, s:s, s:o, s:s, s:I, s:s, s:s, s:s, s:o, s:o}", "cause", (json_int_t)c[i].id,
            "state", over ? "over" : "holds", "account", admin_key(&c[i].account), "ground",
            c[i].ground == OB_GROUND_VERDICT ? "confirmed_verdict" : "participant_report", "record",
            (json_int_t)c[i].record, "reason", c[i].reason, "proposed_by", c[i].proposed_by,
            "confirmed_by", c[i].confirmed_by, "from", admin_time(c[i].from), "until",
            admin_time(c[i].until));
        if (c[i].ended_at)
            json_object_set_new(one, "ended_at", admin_time(c[i].ended_at));
        if (c[i].told_at)
            json_object_set_new(one, "told_at", admin_time(c[i].told_at));
        else if (over)
            json_object_set_new(one, "account_must_be_told", json_true());
        json_array_append_new(array, one);
    }
    free(c);
    *out = json_pack("{s:o}", "causes", array);
    return OB_OK;
}

ob_status admin_cause_end(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = admin_number(&id, call, "cause", err);
    return status ? status : ob_store_cause_end(call->act->w, id, ob_now(), err);
}

ob_status admin_cause_told(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = admin_number(&id, call, "cause", err);
    return status ? status : ob_store_cause_told(call->act->w, id, ob_now(), err);
}

/* ---- Consents
 * -------------------------------------------------------------------------------------- */

ob_status admin_consent_withdraw(json_t **out, const admin_call *call, ob_error *err)
{
    ob_record_key account;
    uint64_t changed = 0;
    ob_status status = admin_account(&account, call, err);
    if (!status)
        status = ob_store_consent_withdraw(&changed, call->act->w, &account, ob_now(), err);
    if (!status)
        *out = json_pack("{s:I}", "conversations", (json_int_t)changed);
    return status;
}
