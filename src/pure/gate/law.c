/* What a regime says. */
#include "gate_priv.h"

#include <string.h>

const ob_regime *ob_regime_find(const ob_regimes *regimes, const char *id)
{
    for (size_t i = 0; i < regimes->count; i++)
        if (!strcmp(regimes->regime[i].id, id))
            return &regimes->regime[i];
    return NULL;
}

/* ---- The regime itself ----------------------------------------------------------------------- */

bool law_unknown(gate_case *c)
{
    return !c->regime;
}

bool law_not_in_force(gate_case *c)
{
    return c->s->mode != OB_MODE_EXPLAIN && c->regime->status != OB_STATUS_IN_FORCE;
}

bool law_not_yet(gate_case *c)
{
    return c->s->at < c->regime->from;
}

bool law_expired(gate_case *c)
{
    return c->s->at >= c->regime->until;
}

bool law_out_of_scope(gate_case *c)
{
    const ob_situation *s = c->s;
    return !(c->regime->services >> s->service_kind & 1) ||
           !(c->regime->surfaces >> s->surface & 1) ||
           !(c->regime->encryptions >> s->encryption & 1) ||
           (s->basis == OB_BASIS_OWN_IMAGE && gate_is_private(s) && s->locus != OB_LOCUS_DEVICE);
}

bool law_no_basis(gate_case *c)
{
    const ob_situation *s = c->s;
    return s->basis == OB_BASIS_NONE || !(c->regime->bases >> s->basis & 1) ||
           (s->basis == OB_BASIS_PUBLIC && s->surface != OB_SURFACE_PUBLIC);
}

/* ---- Reports and notices --------------------------------------------------------------------- */

static bool has_item(const struct ob_report_facts *report, const ob_situation *s)
{
    return report->present && !report->garbled && gate_has_text(&report->items, s->item);
}

bool law_report_scope(gate_case *c)
{
    const ob_situation *s = c->s;
    if (s->basis == OB_BASIS_NOTICE)
        return !has_item(&s->notice, s);
    return s->basis == OB_BASIS_REPORT && (s->locus != OB_LOCUS_DISCLOSED ||
                                           !s->report.by_participant || !has_item(&s->report, s));
}

/* ---- Orders ---------------------------------------------------------------------------------- */

static bool by_order(const gate_case *c)
{
    return c->s->basis == OB_BASIS_ORDER;
}

bool law_order_unauthenticated(gate_case *c)
{
    return by_order(c) && !c->s->order.authenticated;
}

bool law_order_defective(gate_case *c)
{
    const struct ob_order_facts *o = &c->s->order;
    const struct {
        const char *name;
        bool there;
    } needed[] = {
        {"issuer", o->issuer},
        {"service", o->service},
        {"detectors", o->has_detectors && o->detectors},
        {"accounts", o->has_accounts || o->everybody},
        {"start", o->has_start},
        {"end", o->has_end},
        {"received", o->has_received || !c->regime->months_before},
        {"reasons", o->reasons},
        {"legal_basis", o->legal_basis},
        {"redress", o->redress},
        {"order", !o->garbled},
    };
    for (size_t i = 0; by_order(c) && i < sizeof needed / sizeof *needed; i++)
        if (!needed[i].there) {
            c->names = needed[i].name;
            return true;
        }
    return false;
}

bool law_not_judicial(gate_case *c)
{
    return by_order(c) && c->regime->court_only && !c->s->order.judicial;
}

bool law_not_orderable(gate_case *c)
{
    return by_order(c) && !(c->regime->orderable >> c->s->detector & 1);
}

bool law_no_child_user(gate_case *c)
{
    return by_order(c) && c->regime->grooming_needs_child &&
           c->s->detector == OB_MATERIAL_GROOMING && !c->s->child_user;
}

bool law_order_suspended(gate_case *c)
{
    return by_order(c) && (!c->s->order.valid || !c->s->order.halfway_fine);
}

bool law_order_window(gate_case *c)
{
    const struct ob_order_facts *o = &c->s->order;
    unsigned most = c->regime->months_most[c->s->detector], before = c->regime->months_before;
    if (!by_order(c))
        return false;
    return c->s->at < o->start || c->s->at >= o->end ||
           (most && o->end > ob_time_add_months(o->start, most)) ||
           (before && o->start < ob_time_add_months(o->received, before));
}

bool law_order_scope(gate_case *c)
{
    const struct ob_order_facts *o = &c->s->order;
    return by_order(c) && (!(o->detectors >> c->s->detector & 1) || !c->s->service_name ||
                           strcmp(o->service, c->s->service_name) != 0);
}

bool law_not_targeted(gate_case *c)
{
    const struct ob_order_facts *o = &c->s->order;
    return by_order(c) && !o->everybody && !gate_has_text(&o->accounts, c->s->account);
}

/* ---- The provider's own initiative ----------------------------------------------------------- */

static bool needs_evidence(const gate_case *c)
{
    return c->s->basis == OB_BASIS_VOLUNTARY && c->regime->evidence_needed;
}

bool law_evidence(gate_case *c)
{
    const struct ob_safeguard_facts *g = &c->s->safeguards;
    return needs_evidence(c) &&
           (!g->present || g->garbled || !g->regime || strcmp(g->regime, c->regime->id) != 0);
}

bool law_safeguard_missing(gate_case *c)
{
    uint32_t needed = c->regime->safeguards;
    if (c->s->detector == OB_MATERIAL_GROOMING)
        needed |= c->regime->safeguards_grooming;
    uint32_t missing = needed & ~c->s->safeguards.recorded;
    if (!needs_evidence(c) || !missing)
        return false;
    c->names = ob_word_name(OB_WORD_SAFEGUARD, (unsigned)__builtin_ctz(missing));
    return true;
}

bool law_safeguard_outdated(gate_case *c)
{
    if (!needs_evidence(c) || c->s->safeguards.assessment_current)
        return false;
    c->names = ob_word_name(OB_WORD_SAFEGUARD, OB_SAFEGUARD_IMPACT_ASSESSMENT);
    return true;
}

/* From 1 February the report for the year before must be there, if the regime applied in it. */
bool law_report_overdue(gate_case *c)
{
    enum { JANUARY = 31 * 86400 };
    if (!needs_evidence(c) || !c->regime->annual_report)
        return false;
    int year = ob_time_year(c->s->at - JANUARY) - 1; /* in January that of two years ago */
    bool applied = (c->regime->from == INT64_MIN || ob_time_year(c->regime->from) <= year) &&
                   (c->regime->until == INT64_MAX || ob_time_year(c->regime->until) >= year);
    return applied && c->s->safeguards.last_annual_report < year;
}

/* ---- Detectors ------------------------------------------------------------------------------- */

bool law_detector_unverified(gate_case *c)
{
    return c->regime->detectors[c->s->detector] != OB_PERMISSION_YES;
}

/* Text may be looked through for patterns, not understood. */
bool law_substance(gate_case *c)
{
    return c->s->media == OB_MEDIA_TEXT && !c->s->output_is_patterns;
}

/* ---- Articles -------------------------------------------------------------------------------- */

static const char *known(const char *article)
{
    return article ? article : "";
}

const char *law_article(const gate_case *c, ob_reason reason)
{
    const ob_regime *r = c->regime;
    unsigned safeguard;
    if (!r)
        return "";
    switch (reason) {
    case OB_REGIME_NOT_IN_FORCE:
    case OB_REGIME_NOT_YET:
    case OB_REGIME_EXPIRED:
        return known(r->dates_article);
    case OB_OUT_OF_SCOPE:
        return known(r->scope_article);
    case OB_ORDER_UNAUTHENTICATED:
    case OB_ORDER_DEFECTIVE:
    case OB_NOT_JUDICIAL:
    case OB_NOT_ORDERABLE:
    case OB_NO_CHILD_USER:
    case OB_ORDER_SUSPENDED:
    case OB_ORDER_WINDOW:
    case OB_ORDER_SCOPE:
    case OB_NOT_TARGETED:
        return known(r->order_article);
    case OB_SAFEGUARD_MISSING:
    case OB_SAFEGUARD_OUTDATED:
        if (c->names && ob_word_parse(&safeguard, OB_WORD_SAFEGUARD, c->names))
            return known(r->safeguard_article[safeguard]);
        return "";
    case OB_EVIDENCE_OTHER_REGIME:
    case OB_REPORT_OVERDUE:
        return known(r->report_article);
    case OB_DETECTOR_UNVERIFIED:
    case OB_SUBSTANCE_DEDUCTION:
        return known(r->detector_article[c->s->detector]);
    default:
        return known(r->basis_article[c->s->basis]);
    }
}
