/* Commands about orders. Of one that is not taken they say why, and where something can be
 * clarified, draft the request for it. */
#include "commands_priv.h"

#include <stdlib.h>
#include <string.h>

/* ---- Looking at one -------------------------------------------------------------------------- */

static json_t *draft(const ob_order *o, const ob_gate_decision *d)
{
    ob_buf en = {0}, de = {0};
    ob_buf_printf(
        &en, NULL,
        "To: %s\n\nWe have received your order for the service \"%s\". It cannot be carried "
        "out as it is: it lacks \"%s\". %s\nPlease clarify. Until then nothing is looked at.\n",
        *o->contact ? o->contact : o->issuer, o->service, d->names,
        ob_reason_text(d->reason, OB_ENGLISH));
    ob_buf_printf(
        &de, NULL,
        "An: %s\n\nWir haben Ihre Anordnung für den Dienst „%s“ erhalten. So kann sie nicht "
        "ausgeführt werden: Es fehlt „%s“. %s\nBitte stellen Sie das klar. Bis dahin wird "
        "nichts angesehen.\n",
        *o->contact ? o->contact : o->issuer, o->service, d->names,
        ob_reason_text(d->reason, OB_GERMAN));
    json_t *both =
        json_pack("{s:s, s:s}", "en", en.bytes ? en.bytes : "", "de", de.bytes ? de.bytes : "");
    ob_buf_free(&en);
    ob_buf_free(&de);
    return both;
}

static json_t *refusal(const ob_order *o, const ob_gate_decision *d)
{
    json_t *object = json_pack(
        "{s:b, s:s, s:{s:s, s:s}}", "taken", 0, "reason", ob_reason_name(d->reason), "text", "en",
        ob_reason_text(d->reason, OB_ENGLISH), "de", ob_reason_text(d->reason, OB_GERMAN));
    if (*d->names)
        json_object_set_new(object, "names", json_string(d->names));
    if (*d->article)
        json_object_set_new(object, "article", json_string(d->article));
    if (d->clarification) /* an unverified sender was refused before */
        json_object_set_new(object, "clarification", draft(o, d));
    return object;
}

static ob_status read_order(ob_order *o, ob_record_key **accounts, size_t *count,
                            const commands_call *call, ob_error *err)
{
    return commands_order_read(o, accounts, count, json_object_get(call->request, "order"),
                               call->service->acts, err);
}

ob_status commands_order_check(json_t **out, const commands_call *call, ob_error *err)
{
    ob_gate_decision d;
    ob_order *o = calloc(1, sizeof *o);
    ob_record_key *accounts = NULL;
    size_t count = 0;
    ob_status status = o ? read_order(o, &accounts, &count, call, err)
                         : ob_fail(err, OB_ENOMEM, "out of memory: an order");
    if (!status)
        status = ob_order_check(&d, o, err);
    if (!status)
        *out = d.allow ? json_pack("{s:b}", "taken", 1) : refusal(o, &d);
    free(accounts);
    free(o);
    return status;
}

/* ---- Taking one ------------------------------------------------------------------------------ */

/* The transcription with pseudonyms in the place of accounts: what the second person agrees to. */
static char *body_of(const json_t *order, const ob_record_key *accounts, size_t count,
                     const uint8_t document[32])
{
    char digest[65];
    json_t *copy = json_copy((json_t *)(uintptr_t)order), *keys = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(keys, commands_key(&accounts[i]));
    json_object_set_new(copy, "accounts", json_array());
    ob_hex(digest, document, 32);
    return commands_body(
        json_pack("{s:o, s:o, s:s}", "order", copy, "accounts", keys, "document", digest));
}

/* Back from what body_of made; the accounts are the caller's. */
static ob_status read_body(ob_order *o, ob_record_key **accounts, size_t *count, const json_t *body,
                           const ob_acts *acts, ob_error *err)
{
    const json_t *keys = json_object_get(body, "accounts");
    const char *digest = json_string_value(json_object_get(body, "document"));
    ob_record_key *unused = NULL;
    size_t none = 0;
    *count = json_array_size(keys);
    *accounts = calloc(*count + 1, sizeof **accounts);
    ob_status status =
        *accounts && digest && strlen(digest) == 64
            ? commands_order_read(o, &unused, &none, json_object_get(body, "order"), acts, err)
            : ob_fail(err, OB_EFORMAT, "no order");
    free(unused);
    for (size_t i = 0; i < *count && !status; i++)
        status = commands_key_parse(&(*accounts)[i], json_array_get(keys, i), err);
    if (!status)
        status = ob_hex_parse(o->document, sizeof o->document, digest, err);
    if (status == OB_EINVAL) /* the fault is in the records */
        status = ob_fail_in(err, OB_EFORMAT, "order");
    o->everybody = false; /* it would not have been proposed */
    o->has_accounts = *count > 0;
    return status;
}

ob_status commands_order_add(json_t **out, const commands_call *call, ob_error *err)
{
    ob_order *o = calloc(1, sizeof *o);
    ob_gate_decision d = {.allow = false};
    ob_record_key *accounts = NULL;
    size_t count = 0;
    int64_t id = 0;
    char *body = NULL;
    uint8_t document[32];
    ob_status status = o ? read_order(o, &accounts, &count, call, err)
                         : ob_fail(err, OB_ENOMEM, "out of memory: an order");
    if (!status)
        status = commands_document(document, call, err);
    if (!status) {
        body = body_of(json_object_get(call->request, "order"), accounts, count, document);
        status = ob_order_propose(&d, &id, call->act, o, body, err);
    }
    if (!status)
        *out = d.allow ? commands_proposed(call, "order", id) : refusal(o, &d);
    if (!status && d.allow)
        json_object_set_new(*out, "taken", json_true());
    free(body);
    free(accounts);
    free(o);
    return status;
}

ob_status commands_order_step(json_t **out, const commands_call *call, const json_t *body,
                              const ob_proposal *p, const char *second, const char *reason,
                              ob_error *err)
{
    ob_order *o = calloc(1, sizeof *o);
    ob_record_key *accounts = NULL;
    size_t count = 0;
    int64_t id = 0;
    (void)second;
    (void)reason;
    ob_status status = o ? read_body(o, &accounts, &count, body, call->service->acts, err)
                         : ob_fail(err, OB_ENOMEM, "out of memory: an order");
    if (!status)
        status = ob_order_add(&id, call->act, o, accounts, count, p->proposed_by, err);
    if (!status)
        *out = json_pack("{s:I}", "order", (json_int_t)id);
    free(accounts);
    free(o);
    return status;
}

/* ---- Keeping them ---------------------------------------------------------------------------- */

static json_t *order_json(const ob_order *o, int64_t now)
{
    static const char *const states[] = {"valid", "suspended", "revoked"};
    char digest[65];
    ob_hex(digest, o->document, sizeof o->document);
    bool over = ob_order_is_over(o, now);
    json_t *one = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:o}", "order", (json_int_t)o->id,
        "state", over ? "over" : states[o->state < OB_ORDER_STATES ? o->state : OB_ORDER_REVOKED],
        "regime", o->regime, "issuer", o->issuer, "service", o->service, "document", digest,
        "start", commands_time(o->start), "end", commands_time(o->end), "proposed_by",
        o->proposed_by, "approved_by", o->approved_by, "halfway_report_due",
        commands_time(o->halfway_at));
    if (o->halfway_done_at)
        json_object_set_new(one, "halfway_report_done", commands_time(o->halfway_done_at));
    if (ob_order_report_is_overdue(o, now))
        json_object_set_new(one, "halfway_report_overdue", json_true());
    if (o->secret_until)
        json_object_set_new(one, "secret_until", commands_time(o->secret_until));
    if (ob_order_must_be_told(o, now))
        json_object_set_new(one, "accounts_must_be_told", json_true());
    return one;
}

ob_status commands_order_ls(json_t **out, const commands_call *call, ob_error *err)
{
    enum { MOST = 1000 };
    ob_order *orders = NULL;
    size_t count = 0;
    int64_t now = ob_now();
    ob_status status = ob_store_orders(&orders, &count, call->view, MOST, err);
    if (status)
        return status;
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, order_json(&orders[i], now));
    free(orders);
    *out = json_pack("{s:o}", "orders", array);
    return OB_OK;
}

static ob_status set_state(const commands_call *call, ob_order_state state, ob_error *err)
{
    int64_t id;
    ob_status status = commands_number(&id, call, "order", err);
    return status ? status : ob_order_set_state(call->act, id, state, err);
}

ob_status commands_order_suspend(json_t **out, const commands_call *call, ob_error *err)
{
    (void)out;
    return set_state(call, OB_ORDER_STATE_SUSPENDED, err);
}

ob_status commands_order_resume(json_t **out, const commands_call *call, ob_error *err)
{
    (void)out;
    return set_state(call, OB_ORDER_VALID, err);
}

ob_status commands_order_revoke(json_t **out, const commands_call *call, ob_error *err)
{
    (void)out;
    return set_state(call, OB_ORDER_REVOKED, err);
}

ob_status commands_order_halfway(json_t **out, const commands_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = commands_number(&id, call, "order", err);
    return status ? status : ob_order_reported(call->act, id, err);
}
