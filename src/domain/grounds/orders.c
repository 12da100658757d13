/* Orders. One that the gate would never carry out is not taken. */
#include "grounds_priv.h"

#include <obhut/clock.h>
#include <obhut/regimes.h>

#include <stdio.h>
#include <stdlib.h>

/* Every rule about an order is the gate's: this only says which facts the record holds. Of texts
 * the gate looks whether they are there. */
struct ob_order_facts ob_order_facts_at(const ob_order_brief *o, int64_t at)
{
    static const char there[] = "there";
    return (struct ob_order_facts){
        .present = true,
        .authenticated = o->is_authentic,
        .judicial = o->is_judicial,
        .valid = o->state == OB_ORDER_VALID,
        .halfway_fine = o->halfway_done_at || at < o->halfway_at,
        .names_professional = o->names_professional,
        .everybody = o->everybody,
        .issuer = o->has_issuer ? there : NULL,
        .service = *o->service ? o->service : NULL,
        .reasons = o->has_reasons ? there : NULL,
        .legal_basis = o->has_legal_basis ? there : NULL,
        .redress = o->has_redress ? there : NULL,
        .has_detectors = o->has_detectors,
        .has_accounts = o->has_accounts,
        .has_received = o->received != 0,
        .has_start = o->start != 0,
        .has_end = o->end != 0,
        .detectors = o->detectors,
        .received = o->received,
        .start = o->start,
        .end = o->end,
    };
}

/* ---- Taking one ------------------------------------------------------------------------------ */

static ob_gate_decision try_order(const ob_order *o)
{
    static const char stand_in[] = "an account that it names";
    const ob_regime *regime = ob_regime_find(ob_law_regimes(), o->regime);
    unsigned detector = o->detectors ? (unsigned)__builtin_ctz(o->detectors) : OB_MATERIAL_KNOWN;
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
        .detector = (ob_material)detector,
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

ob_status ob_order_check(ob_gate_decision *out, const ob_order *o, ob_error *err)
{
    if (o->is_authentic && (!*o->authenticity || !*o->verified_by))
        return ob_fail(err, OB_EFORMAT,
                       "order: \"authenticity\" says verified, but not how and by whom");
    *out = try_order(o);
    return OB_OK;
}

ob_status ob_order_propose(ob_gate_decision *out, int64_t *proposal, ob_act *act, const ob_order *o,
                           const char *body, ob_error *err)
{
    ob_status status = ob_order_check(out, o, err);
    return status || !out->allow ? status : grounds_propose(proposal, act, "order", body, err);
}

/* Which law there is may have changed since it was proposed. */
static ob_status check_again(const ob_order *o, ob_error *err)
{
    ob_gate_decision d;
    ob_status status = ob_order_check(&d, o, err);
    if (!status && !d.allow)
        status = ob_fail(err, OB_EREFUSED, "this order cannot be carried out: %s",
                         ob_reason_name(d.reason));
    return status;
}

static ob_status add(int64_t *id, ob_act *act, ob_order *o, const ob_record_key *accounts,
                     size_t count, ob_error *err)
{
    char digest[2 * sizeof o->document + 1];
    o->made_at = ob_now();
    if (!o->halfway_at && o->start && o->end > o->start)
        o->halfway_at = o->start + (o->end - o->start) / 2;
    ob_status status = ob_store_order_add(id, act->w, o, accounts, count, err);
    if (status)
        return status;
    ob_hex(digest, o->document, sizeof o->document);
    ob_act_word(act, "document", digest);
    ob_act_accounts(act, "accounts", accounts, count);
    return OB_OK;
}

ob_status ob_order_add(int64_t *id, ob_act *act, const ob_order *wanted,
                       const ob_record_key *accounts, size_t count, const char *proposed_by,
                       ob_error *err)
{
    ob_order *o = malloc(sizeof *o);
    if (!o)
        return ob_fail(err, OB_ENOMEM, "out of memory: an order");
    *o = *wanted;
    snprintf(o->proposed_by, sizeof o->proposed_by, "%s", proposed_by);
    snprintf(o->approved_by, sizeof o->approved_by, "%s", ob_actor_name(act->actor));
    ob_status status = check_again(o, err);
    if (!status)
        status = add(id, act, o, accounts, count, err);
    free(o);
    return status;
}

/* ---- Keeping them ---------------------------------------------------------------------------- */

ob_status ob_order_set_state(ob_act *act, int64_t id, ob_order_state state, ob_error *err)
{
    return ob_store_order_set_state(act->w, id, state, ob_now(), err);
}

ob_status ob_order_reported(ob_act *act, int64_t id, ob_error *err)
{
    return ob_store_order_halfway_done(act->w, id, ob_now(), err);
}

bool ob_order_is_over(const ob_order *o, int64_t now)
{
    return now >= o->end;
}

bool ob_order_report_is_overdue(const ob_order *o, int64_t now)
{
    return !o->halfway_done_at && !ob_order_is_over(o, now) && now >= o->halfway_at;
}

bool ob_order_must_be_told(const ob_order *o, int64_t now)
{
    return ob_order_is_over(o, now) && now >= o->secret_until;
}
