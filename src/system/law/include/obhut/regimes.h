/* regimes: the laws that are built in, from data/regimes, with the digests of their files: the only
 * ones that can be used. Needs nothing but the C library. */
#ifndef OBHUT_REGIMES_H
#define OBHUT_REGIMES_H

#include <obhut/gate.h>

/* Returns the regimes that are built in, ordered by id. They are constant. */
const ob_regimes *ob_law_regimes(void);

/* SHA-256 over the digests of all of them in that order, and of the floor's source. */
extern const uint8_t ob_law_regimes_digest[32], ob_law_floor_digest[32];

/* Each detector, from data/detectors/ID.json: what it looks for, the state in which it is shipped,
 * and how many false alarms there may be in a million items, at most (upper 95 % limit), for it to
 * be `on`. Its place here is its number (ob_detector). Rows without an id are empty and the last.
 */
typedef struct ob_detector_spec {
    const char *id;
    ob_material material;
    ob_detector_state state;
    unsigned bound_per_million;
    const char *about; /* a sentence */
} ob_detector_spec;
extern const ob_detector_spec ob_law_detectors[OB_DETECTORS_MOST];

/* How many there are. */
unsigned ob_detector_count(void);

/* False where no detector has this id; *out is then untouched. */
bool ob_detector_parse(ob_detector *out, const char *id);

/* When this program was built, in seconds since 1970: no clock is right that shows less. */
extern const int64_t ob_law_built_at;

#endif
