/* The text of proofs, which prove.c writes and check.c reads:
 *
 *     c2sp.org/tlog-proof@v1          obhut-consistency@v1
 *     extra BASE64 (the entry)        old BASE64 (the older checkpoint)
 *     index N
 *     HASH…                           HASH…
 *     (empty)                         (empty)
 *     CHECKPOINT                      CHECKPOINT */
#ifndef OBHUT_AUDIT_PROOF_PRIV_H
#define OBHUT_AUDIT_PROOF_PRIV_H

#define PROOF_INCLUDES "c2sp.org/tlog-proof@v1\n"
#define PROOF_GREW     "obhut-consistency@v1\n"

/* RFC 9162, 2.1.3 and 2.1.4: no path is longer than this. */
enum { PROOF_HASHES_MAX = 2 * 64 };

#endif
