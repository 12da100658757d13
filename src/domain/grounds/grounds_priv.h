/* The parts of grounds: incoming.c has reports and notices; verdicts.c, causes.c and orders.c what
 * two persons decide; consents.c, holds.c. */
#ifndef OBHUT_GROUNDS_PRIV_H
#define OBHUT_GROUNDS_PRIV_H

#include <obhut/grounds.h>

/* verdicts.c: by act->actor. */
ob_status grounds_propose(int64_t *id, ob_act *act, const char *kind, const char *body,
                          ob_error *err);

/* The same: the entry says whom the act is about, and by a code why. */
void grounds_log(ob_act *act, const ob_record_key *account, const char *why);

#endif
