/* The parts of policy: words.c, profile.c what a service says of itself, opens.c what that opens,
 * laws.c which laws it is under, safeguards.c, detectors.c, clock.c. */
#ifndef OBHUT_POLICY_PRIV_H
#define OBHUT_POLICY_PRIV_H

#include <obhut/policy.h>

/* Whether a regime is a law of this country; none is of "". */
bool policy_is_of(const ob_regime *regime, const char *country);

#endif
