/* What the service has switched on. */
#include "gate_priv.h"

bool policy_off(gate_case *c)
{
    const ob_situation *s = c->s;
    return !(s->policy_bases >> s->basis & 1) || !(s->policy_detectors >> s->detector & 1) ||
           !(s->policy_surfaces >> s->surface & 1);
}
