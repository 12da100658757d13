/* The order in which reasons are looked for, and what follows from the first that holds. */
#include "gate_priv.h"

/* From here on every fact can be relied on. */
static bool incomplete(gate_case *c)
{
    c->names = c->s->incomplete;
    return c->s->incomplete != NULL;
}

static bool clock_wrong(gate_case *c)
{
    return !c->s->clock_ok;
}

static bool audit_wrong(gate_case *c)
{
    return !c->s->audit_ok;
}

/* `floor_only`: what the law alone would answer skips it. */
static const struct step {
    ob_reason reason;
    ob_ceiling ceiling;
    gate_check applies;
    bool floor_only;
} steps[] = {
    {OB_INPUT_INCOMPLETE, OB_CEILING_NONE, incomplete, false},
    {OB_CLOCK, OB_CEILING_NONE, clock_wrong, false},
    {OB_NO_AUDIT, OB_CEILING_NONE, audit_wrong, false},
    {OB_PURPOSE_LIMIT, OB_CEILING_FLOOR, floor_purpose, false},
    {OB_FLOOR_MEDIA, OB_CEILING_FLOOR, floor_media, false},
    {OB_FLOOR_DEVICE, OB_CEILING_FLOOR, floor_device, true},
    {OB_FLOOR_E2EE_SERVER, OB_CEILING_FLOOR, floor_e2ee_server, true},
    {OB_FLOOR_UNTARGETED, OB_CEILING_FLOOR, floor_untargeted, true},
    {OB_FLOOR_NOT_JUDICIAL, OB_CEILING_FLOOR, floor_not_judicial, true},
    {OB_FLOOR_SUSPICIONLESS, OB_CEILING_FLOOR, floor_suspicionless, true},
    {OB_FLOOR_KNOWN_ONLY, OB_CEILING_FLOOR, floor_known_only, true},
    {OB_FLOOR_STORAGE, OB_CEILING_FLOOR, floor_storage, true},
    {OB_PROFESSIONAL_SECRECY, OB_CEILING_FLOOR, floor_secrecy, false},
    {OB_REGIME_UNKNOWN, OB_CEILING_LAW, law_unknown, false},
    {OB_REGIME_NOT_IN_FORCE, OB_CEILING_LAW, law_not_in_force, false},
    {OB_REGIME_NOT_YET, OB_CEILING_LAW, law_not_yet, false},
    {OB_REGIME_EXPIRED, OB_CEILING_LAW, law_expired, false},
    {OB_OUT_OF_SCOPE, OB_CEILING_LAW, law_out_of_scope, false},
    {OB_NO_BASIS, OB_CEILING_LAW, law_no_basis, false},
    {OB_CONSENT_INCOMPLETE, OB_CEILING_CONSENT, consent_incomplete, false},
    {OB_REPORT_SCOPE, OB_CEILING_LAW, law_report_scope, false},
    {OB_ORDER_UNAUTHENTICATED, OB_CEILING_LAW, law_order_unauthenticated, false},
    {OB_ORDER_DEFECTIVE, OB_CEILING_LAW, law_order_defective, false},
    {OB_NOT_JUDICIAL, OB_CEILING_LAW, law_not_judicial, false},
    {OB_NOT_ORDERABLE, OB_CEILING_LAW, law_not_orderable, false},
    {OB_NO_CHILD_USER, OB_CEILING_LAW, law_no_child_user, false},
    {OB_ORDER_SUSPENDED, OB_CEILING_LAW, law_order_suspended, false},
    {OB_ORDER_WINDOW, OB_CEILING_LAW, law_order_window, false},
    {OB_ORDER_SCOPE, OB_CEILING_LAW, law_order_scope, false},
    {OB_NOT_TARGETED, OB_CEILING_LAW, law_not_targeted, false},
    {OB_EVIDENCE_OTHER_REGIME, OB_CEILING_LAW, law_evidence, false},
    {OB_SAFEGUARD_MISSING, OB_CEILING_LAW, law_safeguard_missing, false},
    {OB_SAFEGUARD_OUTDATED, OB_CEILING_LAW, law_safeguard_outdated, false},
    {OB_REPORT_OVERDUE, OB_CEILING_LAW, law_report_overdue, false},
    {OB_DETECTOR_UNVERIFIED, OB_CEILING_LAW, law_detector_unverified, false},
    {OB_SUBSTANCE_DEDUCTION, OB_CEILING_LAW, law_substance, false},
    {OB_DETECTOR_SUSPENDED, OB_CEILING_FLOOR, floor_detector_suspended, false},
    {OB_ERROR_UNMEASURED, OB_CEILING_FLOOR, floor_detector_unmeasured, false},
    {OB_LIST_UNTRUSTED, OB_CEILING_FLOOR, floor_list, false},
    {OB_POLICY_OFF, OB_CEILING_POLICY, policy_off, false},
};

enum { STEPS = sizeof steps / sizeof *steps };
_Static_assert(STEPS == OB_REASON_COUNT - 1, "every reason is looked for");

ob_ceiling ob_reason_ceiling(ob_reason reason)
{
    return reason > OB_ALLOWED && reason < OB_REASON_COUNT ? steps[reason - 1].ceiling
                                                           : OB_CEILING_NONE;
}

static ob_reason first_reason(gate_case *c, bool law_alone)
{
    for (size_t i = 0; i < STEPS; i++)
        if (!(law_alone && steps[i].floor_only) && steps[i].applies(c))
            return steps[i].reason;
    return OB_ALLOWED;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A permit never outlives what it came from. */
static int64_t expiry(const ob_situation *s, const ob_regime *regime)
{
    int64_t end = least(s->at + OB_PERMIT_SECONDS, regime->until);
    if (s->basis == OB_BASIS_ORDER)
        end = least(end, s->order.end);
    if (s->basis == OB_BASIS_VOLUNTARY && gate_is_private(s))
        end = least(end, s->cause.until);
    return end;
}

ob_gate_decision ob_gate_decide(const ob_situation *s, const ob_regimes *regimes)
{
    gate_case c = {.s = s, .regime = s->incomplete ? NULL : ob_regime_find(regimes, s->regime)};
    ob_gate_decision d = {.reason = first_reason(&c, false),
                          .names = "",
                          .regime = c.regime,
                          .basis = s->basis,
                          .article = "",
                          .law_names = ""};
    d.allow = d.reason == OB_ALLOWED;
    d.ceiling = ob_reason_ceiling(d.reason);
    if (c.names)
        d.names = c.names;
    d.clarification = d.reason == OB_ORDER_DEFECTIVE;
    d.article = d.ceiling == OB_CEILING_FLOOR ? floor_article(d.reason)
                : d.allow || d.ceiling == OB_CEILING_LAW || d.ceiling == OB_CEILING_CONSENT
                    ? law_article(&c, d.reason)
                    : "";
    if (d.allow) {
        d.expires = expiry(s, c.regime);
        d.referral = s->locus == OB_LOCUS_DEVICE ? OB_REFERRAL_NEVER : OB_REFERRAL_AFTER_HUMAN;
    }
    gate_case law = {.s = s, .regime = c.regime};
    d.law_reason = first_reason(&law, true);
    d.law_allow = d.law_reason == OB_ALLOWED;
    if (law.names)
        d.law_names = law.names;
    return d;
}
