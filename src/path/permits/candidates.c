/* What the gate is asked about an item: every basis that the records hold for it, under every law
 * that is about it, with every detector. */
#include "permits_priv.h"

#include <obhut/crypto.h>
#include <obhut/records/cause.h>
#include <obhut/records/incoming.h>

#include <stdio.h>
#include <string.h>

static bool is_private(const ob_item *item)
{
    return item->surface == OB_SURFACE_DIRECT || item->surface == OB_SURFACE_GROUP;
}

static bool is_on(const inquiry *q, ob_basis basis)
{
    return q->settings->profile.bases >> basis & 1 &&
           q->settings->profile.surfaces >> q->item->surface & 1;
}

/* ---- The situation ------------------------------------------------------------------------------
 */

/* Messages are an interpersonal service's, uploads a host's, where a service is both. */
static ob_service_kind kind_of(const inquiry *q)
{
    static const ob_service_kind of_messages[] = {OB_SERVICE_INTERPERSONAL, OB_SERVICE_NUMBER_BASED,
                                                  OB_SERVICE_HOSTING};
    static const ob_service_kind of_uploads[] = {OB_SERVICE_HOSTING, OB_SERVICE_INTERPERSONAL,
                                                 OB_SERVICE_NUMBER_BASED};
    const ob_service_kind *rather = is_private(q->item) ? of_messages : of_uploads;
    for (int i = 0; i < 3; i++)
        if (q->settings->profile.kinds >> rather[i] & 1)
            return rather[i];
    return OB_SERVICE_HOSTING;
}

/* What is the same under every basis, law and detector. */
static void describe(inquiry *q, ob_situation *s)
{
    const ob_profile *profile = &q->settings->profile;
    const ob_item *item = q->item;
    *s = (ob_situation){.mode = OB_MODE_PRODUCTION,
                        .at = q->at,
                        .service_kind = kind_of(q),
                        .service_name = profile->service,
                        .item = q->item_text,
                        .account = item->has_account ? q->account_text : "-",
                        .media = item->media,
                        .surface = item->surface,
                        .encryption = item->encryption,
                        .locus = item->locus,
                        .is_hash = item->is_hash,
                        .clock_ok = q->clock_ok,
                        .audit_ok = q->audit_ok,
                        .policy_bases = profile->bases,
                        .policy_detectors = profile->detectors,
                        .policy_surfaces = profile->surfaces,
                        .list_trusted = true, /* lists of another purpose, or that nobody
                                               * vouches for, are refused at their import */
                        .list_csam = true,
                        .output_is_patterns = true};
    if (!is_private(item))
        return;
    ob_yes_no is_protected = !profile->has_register ? OB_UNKNOWN
                             : q->has_conversation  ? q->conversation.is_protected
                                                    : OB_NO;
    s->is_protected = is_protected == OB_YES;
    s->child_user = q->has_conversation && q->conversation.has_child == OB_YES;
    if (is_protected == OB_UNKNOWN)
        s->incomplete = "conversation.protected";
}

/* ---- Laws ---------------------------------------------------------------------------------------
 */

static bool is_in_force(const ob_regime *r, int64_t at)
{
    return r->status == OB_STATUS_IN_FORCE && r->from <= at && at < r->until;
}

static bool is_about(const ob_regime *r, const ob_situation *s)
{
    return r->services >> s->service_kind & 1 && r->surfaces >> s->surface & 1 &&
           r->encryptions >> s->encryption & 1;
}

static bool is_displaced(const inquiry *q, const ob_regime *rule, const ob_situation *s)
{
    for (size_t i = 0; i < q->settings->regime_count; i++) {
        const ob_regime *r = q->settings->regime[i];
        if (r->kind == OB_REGIME_DEROGATION && is_in_force(r, q->at) && is_about(r, s) &&
            r->bases >> s->basis & 1 && !strcmp(r->displaces, rule->id))
            return true;
    }
    return false;
}

/* The laws that must all allow: rules that nothing displaces, and the derogations that do. */
static size_t laws_for(const ob_regime *out[OB_LAWS_MOST], const inquiry *q, const ob_situation *s)
{
    size_t count = 0;
    for (size_t i = 0; i < q->settings->regime_count; i++) {
        const ob_regime *r = q->settings->regime[i];
        if (!is_in_force(r, q->at) || !is_about(r, s))
            continue;
        if (r->kind == OB_REGIME_DEROGATION ? r->bases >> s->basis & 1 : !is_displaced(q, r, s))
            out[count++] = r;
    }
    return count;
}

/* ---- Trying -------------------------------------------------------------------------------------
 */

static void keep_best(inquiry *q, const ob_gate_decision *d)
{
    if (!q->any || ob_reason_is_further(d->reason, q->best.reason))
        q->best = *d;
    q->any = true;
}

/* One detector under one law. */
static ob_gate_decision decide(inquiry *q, ob_situation *s, const ob_regime *law,
                               ob_detector detector)
{
    s->regime = law->id;
    s->detector = ob_law_detectors[detector].material;
    s->detector_state = q->settings->detector[detector];
    s->safeguards = ob_safeguards_at(q->settings->safeguards, law, q->settings->changed_at, q->at);
    return ob_gate_decide(s, ob_law_regimes());
}

/* No law in force is about it: those that are not say why. */
static void tell_why_no_law(inquiry *q, ob_situation *s)
{
    static const ob_regime none = {.id = ""};
    ob_gate_decision d = decide(q, s, &none, 0);
    if (!q->settings->regime_count)
        keep_best(q, &d);
    for (size_t i = 0; i < q->settings->regime_count; i++) {
        d = decide(q, s, q->settings->regime[i], 0);
        keep_best(q, &d);
    }
}

/* A detector is allowed when every law that is about the item allows it; the situations under the
 * last of them make the permit. */
static bool try_candidate(inquiry *q, ob_situation *s, int64_t record, int64_t tell_by)
{
    const ob_regime *laws[OB_LAWS_MOST];
    size_t count = laws_for(laws, q, s);
    bool allowed = false;
    if (!count) {
        tell_why_no_law(q, s);
        return false;
    }
    q->request = (ob_permit_request){.record = record, .tell_by = tell_by};
    for (ob_detector one = 0; one < OB_DETECTORS_MOST && ob_law_detectors[one].id; one++) {
        ob_gate_decision d = {.allow = true};
        if (!(q->detectors >> one & 1))
            continue;
        for (size_t i = 0; i < count && d.allow; i++)
            d = decide(q, s, laws[i], one);
        keep_best(q, &d);
        if (!d.allow)
            continue;
        q->situation[one] = *s;
        q->request.situation[one] = &q->situation[one];
        allowed = true;
    }
    return allowed;
}

/* ---- Bases --------------------------------------------------------------------------------------
 */

static bool try_plain(inquiry *q, ob_basis basis)
{
    ob_situation s;
    describe(q, &s);
    s.basis = basis;
    return try_candidate(q, &s, 0, 0);
}

/* Public items need no records: who looks at one waits for no connection. */
static ob_status need_view(ob_view **out, inquiry *q, ob_error *err)
{
    ob_status status = q->view ? OB_OK : ob_view_open(&q->view, q->store, err);
    *out = q->view;
    return status;
}

/* A participant's report, or a third party's notice, of this very item. */
static ob_status try_incoming(bool *allowed, inquiry *q, ob_basis basis, int64_t id, ob_error *err)
{
    ob_situation s;
    bool holds;
    const ob_texts items = {.first = q->item_text, .count = 1};
    struct ob_report_facts facts = {.by_participant = basis == OB_BASIS_REPORT};
    ob_view *view = NULL;
    ob_status status = need_view(&view, q, err);
    if (!status)
        status = ob_store_incoming_has(&facts.present, &holds, view,
                                       basis == OB_BASIS_REPORT ? OB_INCOMING_REPORT
                                                                : OB_INCOMING_NOTICE,
                                       id, &q->item->id, err);
    if (status)
        return status;
    if (holds)
        facts.items = items;
    describe(q, &s);
    s.basis = basis;
    if (basis == OB_BASIS_REPORT)
        s.report = facts;
    else
        s.notice = facts;
    *allowed = try_candidate(q, &s, id, 0);
    return OB_OK;
}

/* Of all members, and whose item it is must be one of them: who came after the service told of its
 * members was not asked, nor was who is nobody. */
static bool try_consent(inquiry *q)
{
    ob_situation s;
    const ob_conversation *c = &q->conversation;
    if (!q->has_conversation || !c->members)
        return false;
    describe(q, &s);
    s.basis = OB_BASIS_CONSENT;
    s.consent = (struct ob_consent_facts){
        .present = true, .by_all = c->consenting == c->members && q->is_member, .free = c->is_free};
    return try_candidate(q, &s, 0, 0);
}

/* q->order. */
static bool try_order(inquiry *q)
{
    ob_situation s;
    const ob_order_brief *o = &q->order;
    describe(q, &s);
    snprintf(q->record_text, sizeof q->record_text, "%lld", (long long)o->id);
    s.basis = OB_BASIS_ORDER;
    s.order = ob_order_facts_at(o, q->at);
    s.order.id = q->record_text;
    s.order.accounts.first = q->account_text; /* it was found by this account */
    s.order.accounts.count = 1;
    return try_candidate(q, &s, o->id, o->secret_until > o->end ? o->secret_until : o->end);
}

static ob_status try_orders(bool *allowed, inquiry *q, ob_error *err)
{
    enum { ORDERS_MOST = 8 };
    size_t count = 0;
    ob_order_brief orders[ORDERS_MOST];
    ob_view *view = NULL;
    ob_status status = need_view(&view, q, err);
    if (!status)
        status = ob_store_orders_naming(orders, &count, ORDERS_MOST, view, &q->item->account, q->at,
                                        err);
    for (size_t i = 0; i < count && !status && !*allowed; i++) {
        q->order = orders[i];
        *allowed = try_order(q);
    }
    return status;
}

static ob_status try_voluntary(bool *allowed, inquiry *q, ob_error *err)
{
    ob_situation s;
    bool found = false;
    ob_cause cause;
    ob_view *view = NULL;
    ob_status status = need_view(&view, q, err);
    if (!status)
        status = ob_store_cause_of(&found, &cause, view, &q->item->account, q->at, err);
    if (status)
        return status;
    describe(q, &s);
    s.basis = OB_BASIS_VOLUNTARY;
    if (found) {
        ob_hex(q->other_text, cause.account.bytes, sizeof cause.account.bytes);
        snprintf(q->record_text, sizeof q->record_text, "%lld", (long long)cause.id);
        s.cause = (struct ob_cause_facts){.present = true,
                                          .ground_ok = cause.ground <= OB_GROUND_REPORT,
                                          .confirmed = *cause.confirmed_by != '\0',
                                          .id = q->record_text,
                                          .account = q->other_text,
                                          .from = cause.from,
                                          .until = cause.until};
    }
    *allowed = try_candidate(q, &s, found ? cause.id : 0, found ? cause.until : 0);
    return OB_OK;
}

/* Nothing holds for the item. Where the service has switched nothing on for its surface, that is
 * the reason, whatever is not known of the item: nobody should look for what is missing in vain. */
static void tell_no_basis(inquiry *q)
{
    const ob_profile *profile = &q->settings->profile;
    const uint32_t of_others = profile->bases & ~(UINT32_C(1) << OB_BASIS_PUBLIC);
    const bool is_off = !(profile->surfaces >> q->item->surface & 1) || !of_others;
    ob_situation s;
    describe(q, &s);
    s.basis = OB_BASIS_NONE;
    if (is_off)
        s.incomplete = NULL;
    try_candidate(q, &s, 0, 0);
    if (is_off && q->best.reason == OB_OUT_OF_SCOPE) {
        q->best.reason = OB_NO_BASIS;
        q->best.article = "";
    }
}

static ob_status try_all(inquiry *q, ob_error *err)
{
    const ob_item *item = q->item;
    bool allowed = false;
    ob_status status = OB_OK;
    if (item->report && is_on(q, OB_BASIS_REPORT))
        status = try_incoming(&allowed, q, OB_BASIS_REPORT, item->report, err);
    if (!status && !allowed && item->notice && is_on(q, OB_BASIS_NOTICE))
        status = try_incoming(&allowed, q, OB_BASIS_NOTICE, item->notice, err);
    if (!status && !allowed && item->surface == OB_SURFACE_PUBLIC)
        allowed = try_plain(q, OB_BASIS_PUBLIC);
    if (!status && !allowed && is_on(q, OB_BASIS_CONSENT))
        allowed = try_consent(q);
    if (!status && !allowed && item->has_account && is_on(q, OB_BASIS_ORDER))
        status = try_orders(&allowed, q, err);
    if (!status && !allowed && item->has_account && is_private(item) &&
        is_on(q, OB_BASIS_VOLUNTARY))
        status = try_voluntary(&allowed, q, err);
    if (!status && !q->any)
        tell_no_basis(q);
    return status;
}

bool ob_permits_need_records(const ob_item *item)
{
    return item->surface != OB_SURFACE_PUBLIC || item->report || item->notice;
}

ob_status inquiry_decide(inquiry *q, ob_error *err)
{
    const ob_item *item = q->item;
    ob_status status = OB_OK;
    ob_hex(q->item_text, item->id.bytes, sizeof item->id.bytes);
    ob_hex(q->account_text, item->account.bytes, sizeof item->account.bytes);
    ob_view *view = NULL;
    if (is_private(item) && item->has_conversation && q->settings->profile.has_register) {
        status = need_view(&view, q, err);
        if (!status)
            status = ob_store_conversation_of(&q->has_conversation, &q->conversation, &q->is_member,
                                              view, &item->conversation, &item->account, err);
        q->is_member &= item->has_account;
    }
    return status ? status : try_all(q, err);
}
