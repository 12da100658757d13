/* The consent of the people concerned. */
#include "gate_priv.h"

/* On a device: freely given (by whom is the floor's business). Elsewhere: by all, and freely. */
bool consent_incomplete(gate_case *c)
{
    const ob_situation *s = c->s;
    const struct ob_consent_facts *consent = &s->consent;
    bool fine = consent->present && !consent->garbled && consent->free;
    if (s->locus == OB_LOCUS_DEVICE)
        return (s->basis == OB_BASIS_CONSENT || s->basis == OB_BASIS_OWN_IMAGE) && !fine;
    return s->basis == OB_BASIS_CONSENT && !(fine && consent->by_all);
}
