/* Commands about orders. One that the gate would never carry out is not taken: it says why, and
 * where something can be clarified, drafts the request for it. */
#include "admin_priv.h"

#include <obhut/regimes.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Looking at one
 * ------------------------------------------------------------------------------- */

static const char stand_in[] = "an account that it names";

/* The gate's answer for an item of an account that the order names, when it begins. */
static ob_gate_decision try_order(const ob_order *o)
{
    const ob_regime *regime = ob_regime_find(ob_law_regimes(), o->regime);
    unsigned detector = o->detectors ? (unsigned)__builtin_ctz(o->detectors) : OB_DETECTOR_KNOWN;
    ob_situation s = {
        .mode = OB_MODE_PRODUCTION,
        .at = o->start ? o->start : ob_now(),
        .regime = o->regime,
        .service_kind = regime && regime->services >> OB_SERVICE_INTERPERSONAL & 1
                            ? OB_SERVICE_INTERPERSONAL
                            : OB_SERVICE_HOSTING,
        .service_name = o->service,
        .item = "item",
        .account = stand_in,
        .media = OB_MEDIA_IMAGE,
        .surface = regime && regime->surfaces >> OB_SURFACE_DIRECT & 1 ? OB_SURFACE_DIRECT
                                                                       : OB_SURFACE_PUBLIC,
        .encryption = OB_ENCRYPTION_TRANSPORT,
        .locus = OB_LOCUS_SERVER,
        .detector = (ob_detector)detector,
        .basis = OB_BASIS_ORDER,
        .child_user = true,
        .detector_state = OB_STATE_ON,
        .clock_ok = true,
        .audit_ok = true,
        .policy_bases = UINT32_MAX,
        .policy_detectors = UINT32_MAX,
        .policy_surfaces = UINT32_MAX,
        .list_trusted = true,
        .list_csam = true,
        .output_is_patterns = true,
    };
    /* As it would be carried out: not suspended, its report given, and for somebody whom it names.
     */
    const ob_order_brief brief = ob_order_brief_of(o);
    s.order = ob_order_facts_at(&brief, s.at);
    s.order.valid = s.order.halfway_fine = true;
    s.order.accounts.first = stand_in;
    s.order.accounts.count = o->has_accounts;
    return ob_gate_decide(&s, ob_law_regimes());
}

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
                            const admin_call *call, ob_error *err)
{
    return admin_order_read(o, accounts, count, json_object_get(call->request, "order"),
                            call->service->acts, err);
}

ob_status admin_order_check(json_t **out, const admin_call *call, ob_error *err)
{
    ob_order *o = calloc(1, sizeof *o);
    ob_record_key *accounts = NULL;
    size_t count = 0;
    ob_status status = o ? read_order(o, &accounts, &count, call, err)
                         : ob_fail(err, OB_ENOMEM, "out of memory: an order");
    if (!status) {
        ob_gate_decision d = try_order(o);
        *out = d.allow ? json_pack("{s:b}", "taken", 1) : refusal(o, &d);
    }
    free(accounts);
    free(o);
    return status;
}

/* ---- Taking one
 * ------------------------------------------------------------------------------------- */

/* The transcription with pseudonyms in the place of accounts: what the second person agrees to. */
static json_t *body_of(const json_t *order, const ob_record_key *accounts, size_t count,
                       const uint8_t document[32])
{
    char digest[65];
    json_t *copy = json_copy((json_t *)(uintptr_t)order), *keys = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(keys, admin_key(&accounts[i]));
    json_object_set_new(copy, "accounts", json_array());
    ob_hex(digest, document, 32);
    return json_pack("{s:o, s:o, s:s}", "order", copy, "accounts", keys, "document", digest);
}

ob_status admin_order_add(json_t **out, const admin_call *call, ob_error *err)
{
    ob_order *o = calloc(1, sizeof *o);
    ob_record_key *accounts = NULL;
    size_t count = 0;
    uint8_t document[32];
    ob_status status = o ? read_order(o, &accounts, &count, call, err)
                         : ob_fail(err, OB_ENOMEM, "out of memory: an order");
    if (!status)
        status = admin_document(document, call, err);
    if (!status) {
        ob_gate_decision d = try_order(o);
        if (!d.allow)
            *out = refusal(o, &d);
        else
            status = admin_propose(
                out, call, "order",
                body_of(json_object_get(call->request, "order"), accounts, count, document), err);
        if (!status && d.allow)
            json_object_set_new(*out, "taken", json_true());
    }
    free(accounts);
    free(o);
    return status;
}

ob_status admin_order_step(json_t **out, const admin_call *call, const json_t *body,
                           const ob_proposal *p, const char *second, const char *reason,
                           ob_error *err)
{
    const json_t *keys = json_object_get(body, "accounts");
    const char *digest = json_string_value(json_object_get(body, "document"));
    size_t count = json_array_size(keys), none = 0;
    ob_order *o = calloc(1, sizeof *o);
    ob_record_key *accounts = calloc(count + 1, sizeof *accounts), *unused = NULL;
    int64_t id = 0;
    (void)reason;
    ob_status status = o && accounts && digest && strlen(digest) == 64
                           ? admin_order_read(o, &unused, &none, json_object_get(body, "order"),
                                              call->service->acts, err)
                           : ob_fail(err, OB_EFORMAT, "the proposal is damaged");
    for (size_t i = 0; i < count && !status; i++)
        status = admin_key_parse(&accounts[i], json_array_get(keys, i), err);
    if (!status)
        status = ob_hex_parse(o->document, sizeof o->document, digest, err);
    if (!status) {
        o->everybody = false; /* it would not have been proposed */
        o->has_accounts = count > 0;
        o->made_at = ob_now();
        snprintf(o->proposed_by, sizeof o->proposed_by, "%s", p->proposed_by);
        snprintf(o->approved_by, sizeof o->approved_by, "%s", second);
        status = ob_store_order_add(&id, call->act->w, o, accounts, count, err);
    }
    if (!status) {
        ob_act_word(call->act, "document", digest);
        ob_act_accounts(call->act, "accounts", accounts, count);
        *out = json_pack("{s:I}", "order", (json_int_t)id);
    }
    free(unused);
    free(accounts);
    free(o);
    return status;
}

/* ---- Keeping them
 * ------------------------------------------------------------------------------------ */

static json_t *order_json(const ob_order *o, int64_t now)
{
    static const char *const states[] = {"valid", "suspended", "revoked"};
    char digest[65];
    ob_hex(digest, o->document, sizeof o->document);
    bool over = now >= o->end;
    json_t *one = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:s, s:s, s:o}", "order", (json_int_t)o->id,
        "state", over ? "over" : states[o->state < OB_ORDER_STATES ? o->state : OB_ORDER_REVOKED],
        "regime", o->regime, "issuer", o->issuer, "service", o->service, "document", digest,
        "start", admin_time(o->start), "end", admin_time(o->end), "proposed_by", o->proposed_by,
        "approved_by", o->approved_by, "halfway_report_due", admin_time(o->halfway_at));
    if (o->halfway_done_at)
        json_object_set_new(one, "halfway_report_done", admin_time(o->halfway_done_at));
    else if (!over && now >= o->halfway_at)
        json_object_set_new(one, "halfway_report_overdue", json_true());
    if (o->secret_until)
        json_object_set_new(one, "secret_until", admin_time(o->secret_until));
    if (now >= o->secret_until && over)
        json_object_set_new(one, "accounts_must_be_told", json_true());
    return one;
}

ob_status admin_order_ls(json_t **out, const admin_call *call, ob_error *err)
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

static ob_status set_state(const admin_call *call, ob_order_state state, ob_error *err)
{
    int64_t id;
    ob_status status = admin_number(&id, call, "order", err);
    return status ? status : ob_store_order_set_state(call->act->w, id, state, ob_now(), err);
}

ob_status admin_order_suspend(json_t **out, const admin_call *call, ob_error *err)
{
    (void)out;
    return set_state(call, OB_ORDER_HELD, err);
}

ob_status admin_order_resume(json_t **out, const admin_call *call, ob_error *err)
{
    (void)out;
    return set_state(call, OB_ORDER_VALID, err);
}

ob_status admin_order_revoke(json_t **out, const admin_call *call, ob_error *err)
{
    (void)out;
    return set_state(call, OB_ORDER_REVOKED, err);
}

ob_status admin_order_halfway(json_t **out, const admin_call *call, ob_error *err)
{
    int64_t id;
    (void)out;
    ob_status status = admin_number(&id, call, "order", err);
    return status ? status : ob_store_order_halfway_done(call->act->w, id, ob_now(), err);
}
