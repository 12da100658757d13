/* regimes: the laws that are built in, from data/regimes, with the digests of their files: the only
 * ones that can be used. Needs nothing but the C library. */
#ifndef OBHUT_REGIMES_H
#define OBHUT_REGIMES_H

#include <obhut/gate.h>

/* Returns the regimes that are built in, ordered by id. They are constant. */
const ob_regimes *ob_law_regimes(void);

/* SHA-256 over the digests of all of them in that order, and of the floor's source. */
extern const uint8_t ob_law_regimes_digest[32], ob_law_floor_digest[32];

/* Each method, from data/detectors: what it looks for, the state in which it is shipped, and how
 * many false alarms there may be in a million items, at most (upper 95 % limit), for it to be `on`.
 */
typedef struct ob_method_spec {
    ob_detector detector;
    ob_detector_state state;
    unsigned bound_per_million;
} ob_method_spec;
extern const ob_method_spec ob_law_methods[OB_METHODS];

/* When this program was built, in seconds since 1970: no clock is right that shows less. */
extern const int64_t ob_law_built_at;

#endif
