/* permits: nobody looks at an item but with one of these.
 *
 * The records and the gate say whether somebody may look. Who may gets a grant: a permit for one
 * thread, which hands it on to a worker and shows it to whatever searches. */
#ifndef OBHUT_PERMITS_H
#define OBHUT_PERMITS_H

#include <obhut/acts.h>
#include <obhut/counts.h>
#include <obhut/hindrance.h>
#include <obhut/item.h>
#include <obhut/policy.h>
#include <obhut/records/profile.h>
#include <obhut/sandbox.h>

/* Who asks the gate and makes permits. Any thread. */
typedef struct ob_permits ob_permits;

/* Becomes the store's listener for withdrawals. `store` and `acts` must outlive *out. */
ob_status ob_permits_open(ob_permits **out, ob_store *store, ob_acts *acts, ob_error *err);
void ob_permits_close(ob_permits *permits); /* NULL is fine */

/* Returns the counts, which belong to `permits`. */
ob_counts *ob_permits_counts(ob_permits *permits);
/* Returns the page of epochs, which belongs to `permits`. */
const ob_epoch_page *ob_permits_epochs(const ob_permits *permits);

/* ---- Asking ---------------------------------------------------------------------------------- */

enum { OB_EVERY_DETECTOR = (1 << OB_DETECTORS_MOST) - 1 };

/* What the gate says of an item now. `detectors`: that would be used (bit d: detector d). A denial
 * is counted, where it is more than one of now. Fails only where records cannot be read. */
ob_status ob_permits_ask(ob_gate_decision *out, ob_permits *permits, const ob_item *item,
                         uint32_t detectors, ob_error *err);

/* What is in the way: behind the gate's answer (`why`), or else, where `why` is NULL, behind an
 * error of the records or the log. OB_HINDRANCE_NONE: nothing is; nobody may, or it is the caller's
 * fault. */
ob_hindrance ob_permits_hindrance(ob_permits *permits, const ob_gate_decision *why,
                                  ob_status status);

/* Whether records are asked for this item; what is public goes by what is in memory. */
bool ob_permits_need_records(const ob_item *item);

/* Items that nobody may look at, since it was opened: by surface and by reason. */
void ob_permits_denied(uint64_t surfaces[OB_SURFACES], uint64_t reasons[OB_REASON_COUNT],
                       ob_permits *permits);

/* ---- Granting -------------------------------------------------------------------------------- */

/* A permit on its way to who looks: made for this thread, and handed on. */
typedef struct ob_grant {
    ob_permits *permits;
    ob_permit permit;
    ob_permit_use use;
    ob_permit_terms terms;
    ob_permit_mac maker, taker;
} ob_grant;

/* Asks, and makes a permit for the thread of `bearer`, which takes it at once. OB_EREFUSED where
 * nobody may look: *why says why, and it is counted. */
ob_status ob_grant_get(ob_grant *out, ob_gate_decision *why, ob_permits *permits, ob_holder *bearer,
                       const ob_item *item, uint32_t detectors, ob_error *err);

/* For ob_job (ob_permit_maker): hands it on to a worker; `context` is the grant. */
ob_status ob_grant_hand_on(void *context, ob_permit *out, uint32_t *detectors,
                           const ob_permit_item *item, ob_epochs epochs, const ob_permit_mac *seal,
                           ob_error *err);

/* Whether these detectors may still look, by the clocks and epochs of now. OB_EREFUSED. */
ob_status ob_grant_still(ob_grant *grant, uint32_t detectors, ob_error *err);

/* It was used: counted. */
void ob_grant_used(const ob_grant *grant, const ob_item *item);

/* ---- What the service is --------------------------------------------------------------------- */

/* The laws in force that the service is under. */
ob_status ob_permits_laws(const ob_regime *out[OB_LAWS_MOST], size_t *count, ob_permits *permits,
                          ob_error *err);

/* What the service is, and how many active persons may review. `renew`: as the records have it now;
 * else as they were when they were last asked, and nobody waits for them. False: not known. */
bool ob_permits_service(ob_profile *out, unsigned *reviewers, ob_permits *permits, bool renew);

/* A detector's state now; suspended where the records cannot be read. */
ob_detector_state ob_permits_detector(ob_permits *permits, ob_detector detector);

/* "ok", "backwards": before the last permit; "unset": before this program was built. */
const char *ob_permits_clock(ob_permits *permits, int64_t now);

/* As ob_clock_accept, for these permits too. */
ob_status ob_permits_accept_clock(ob_permits *permits, ob_act *act, ob_error *err);

#endif
