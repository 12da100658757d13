/* The regimes that are built in, from data/regimes, with the digests of their files: the only ones
 * that can be used. Needs nothing but the C library. */
#ifndef OBHUT_REGIMES_H
#define OBHUT_REGIMES_H

#include <obhut/gate.h>

/* By their ids. */
const ob_regimes *ob_law_regimes(void);

/* SHA-256 over the digests of all of them in that order, and of the floor's source. */
extern const uint8_t ob_law_regimes_digest[32], ob_law_floor_digest[32];

/* When this program was built, in seconds since 1970: no clock is right that shows less. */
extern const int64_t ob_law_built_at;

#endif
