/* The floor: what no law, policy or consent opens. Its source's digest stands in /readyz, in every
 * checkpoint and on the public page. */
#include "gate_priv.h"

#include <string.h>

bool gate_is_private(const ob_situation *s)
{
    return s->surface == OB_SURFACE_DIRECT || s->surface == OB_SURFACE_GROUP;
}

bool gate_has_text(const ob_texts *texts, const char *text)
{
    const char *at = texts->first;
    for (size_t i = 0; i < texts->count; i++, at += strlen(at) + 1)
        if (!strcmp(at, text))
            return true;
    return false;
}

/* No purpose but child sexual abuse. */
bool floor_purpose(gate_case *c)
{
    return c->s->detector >= OB_MATERIAL_OTHER;
}

/* No audio, no live, no analysis of metadata. */
bool floor_media(gate_case *c)
{
    return c->s->media != OB_MEDIA_IMAGE && c->s->media != OB_MEDIA_VIDEO &&
           c->s->media != OB_MEDIA_TEXT;
}

/* On a device only the account's own wish. */
bool floor_device(gate_case *c)
{
    const ob_situation *s = c->s;
    bool own_wish = (s->basis == OB_BASIS_CONSENT || s->basis == OB_BASIS_OWN_IMAGE) &&
                    s->consent.present && !s->consent.garbled && s->consent.by_account;
    return s->locus == OB_LOCUS_DEVICE && !own_wish;
}

/* End-to-end-encrypted content (now, before, planned): nothing on a server. */
bool floor_e2ee_server(gate_case *c)
{
    return c->s->locus == OB_LOCUS_SERVER && c->s->encryption >= OB_ENCRYPTION_E2EE;
}

/* No order without named accounts. */
bool floor_untargeted(gate_case *c)
{
    const struct ob_order_facts *order = &c->s->order;
    return c->s->basis == OB_BASIS_ORDER &&
           (order->everybody || (order->has_accounts && !order->accounts.count) ||
            (order->has_accounts && gate_has_text(&order->accounts, "*")));
}

/* No order but a court's. */
bool floor_not_judicial(gate_case *c)
{
    return c->s->basis == OB_BASIS_ORDER && !c->s->order.judicial;
}

/* A cause: a record against that very account, confirmed by a person, of limited time. */
static bool has_cause(const ob_situation *s)
{
    const struct ob_cause_facts *cause = &s->cause;
    return cause->present && !cause->garbled && cause->account && s->account &&
           !strcmp(cause->account, s->account) && cause->ground_ok && cause->confirmed &&
           cause->from <= s->at && s->at < cause->until && cause->until > cause->from &&
           cause->until - cause->from <= OB_CAUSE_SECONDS;
}

/* On direct and group surfaces nobody is looked at without a cause or an own wish. */
bool floor_suspicionless(gate_case *c)
{
    return c->s->basis == OB_BASIS_VOLUNTARY && gate_is_private(c->s) && !has_cause(c->s);
}

/* A cause opens known material only. */
bool floor_known_only(gate_case *c)
{
    return c->s->basis == OB_BASIS_VOLUNTARY && gate_is_private(c->s) &&
           c->s->detector != OB_MATERIAL_KNOWN;
}

/* Private storage only by notice of the exact item, or by an own wish or an order. */
bool floor_storage(gate_case *c)
{
    return c->s->surface == OB_SURFACE_STORAGE &&
           (c->s->basis == OB_BASIS_PUBLIC || c->s->basis == OB_BASIS_VOLUNTARY);
}

/* Conversations with those who must keep secrets. */
bool floor_secrecy(gate_case *c)
{
    const ob_situation *s = c->s;
    bool named = s->basis == OB_BASIS_ORDER && s->order.names_professional;
    return s->is_protected && s->basis != OB_BASIS_REPORT && s->locus != OB_LOCUS_DEVICE && !named;
}

/* No detector beyond its measured error bound. */
bool floor_detector_suspended(gate_case *c)
{
    return c->s->detector_state == OB_STATE_SUSPENDED;
}

bool floor_detector_unmeasured(gate_case *c)
{
    return c->s->detector_state != OB_STATE_TRIAL && c->s->detector_state != OB_STATE_ON;
}

/* No list that nobody vouches for, and none for another purpose. */
bool floor_list(gate_case *c)
{
    const ob_situation *s = c->s;
    return s->detector == OB_MATERIAL_KNOWN &&
           (!s->list_trusted || (!s->list_csam && s->basis != OB_BASIS_OWN_IMAGE));
}

const char *floor_article(ob_reason reason)
{
    switch (reason) {
    case OB_PURPOSE_LIMIT:
        return "Obhut's floor; Regulation (EU) 2021/1232 Art. 3(1)(a)(i)";
    case OB_FLOOR_MEDIA:
        return "Obhut's floor; Regulation (EU) 2026/1881 Art. 1(2)";
    case OB_FLOOR_DEVICE:
        return "Obhut's floor; Directive 2002/58/EC Art. 5(3)";
    case OB_FLOOR_E2EE_SERVER:
        return "Obhut's floor; Regulation (EU) 2026/1881 Art. 1(3)";
    case OB_FLOOR_UNTARGETED:
    case OB_FLOOR_NOT_JUDICIAL:
        return "Obhut's floor; Charter Art. 7; Parliament's mandate A9-0364/2023 Art. 7";
    case OB_FLOOR_SUSPICIONLESS:
        return "Obhut's floor; Charter Art. 7 and 8";
    case OB_FLOOR_KNOWN_ONLY:
    case OB_FLOOR_STORAGE:
        return "Obhut's floor";
    case OB_PROFESSIONAL_SECRECY:
        return "Obhut's floor; ECHR Art. 8 and 10; StPO §§ 53, 97";
    default:
        return "Obhut's floor: no detector beyond its measured error, no list that nobody vouches "
               "for";
    }
}
