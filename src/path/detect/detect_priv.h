/* The parts of detect: a class is a file (digest.c, pdq.c); detectors.c is their table and asks
 * them, signals.c brings together what they say, source.c knows who published what, query.c reads
 * hashes and digests as people type them. */
#ifndef OBHUT_DETECT_PRIV_H
#define OBHUT_DETECT_PRIV_H

#include <obhut/detect.h>
#include <obhut/regimes.h>

/* Classes that every program has. */
extern const ob_detector_class detect_digests, detect_pdq;

/* query.c: after a look-up of some queries: OB_EIO where a list could not be searched and a query
 * has no match all the same; else gives matches their places among all queries back. */
ob_status query_places(ob_list_matches *found, const uint32_t *place, uint32_t count,
                       ob_error *err);

/* signals.c: of all that classes have added: each entry once, nearest first, with its sources. */
ob_status signals_bring_together(ob_signals *signals, ob_error *err);

#endif
