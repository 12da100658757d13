/* Permits: what the gate issues for one item, and what a bearer checks before it scans. Pure: time,
 * the epoch and the MAC come in.
 *
 * A permit names the item, the detectors that may look, what may be done, why, under which article
 * and for how long. Its MAC is that of one bearer: a worker process, or the engine's own threads.
 * Nothing outside permit.c can make one, read its fields from memory by name, or change a byte of
 * it without being found out. docs/THREATS.md says what was tried. */
#ifndef OBHUT_PERMIT_H
#define OBHUT_PERMIT_H

#include <obhut/gate.h>

enum { OB_PERMIT_SIZE = 480, OB_PERMIT_KEY = 32, OB_PERMIT_MAC_SIZE = 32 };

typedef struct ob_permit {
    uint8_t bytes[OB_PERMIT_SIZE];
} ob_permit;

/* The MAC of one bearer over bytes, made by a function that is handed in. It returns
 * false where this process may not use it (another one after a fork). */
typedef struct ob_permit_mac {
    bool (*compute)(void *context, uint8_t out[OB_PERMIT_MAC_SIZE], const void *bytes, size_t size);
    void *context;
    uint64_t *sequence; /* of the last permit made for the bearer, or taken by it */
} ob_permit_mac;

/* The item: who it is by a digest, and which file holds it. */
typedef struct ob_permit_item {
    uint8_t id[OB_PERMIT_KEY];
    uint64_t device, inode, size; /* of a file; 0 where there is none */
} ob_permit_item;

/* Numbers that rise when something that allowed looking may have gone. */
typedef struct ob_epochs {
    uint64_t service, personal;
} ob_epochs;

/* What a permit says, for those who act on it. */
typedef struct ob_permit_terms {
    uint32_t detectors; /* bit m: ob_detector m */
    uint32_t actions;   /* bit a: ob_action a of engine */
    ob_basis basis;
    bool own_files; /* the permit is for files of the user who typed the command, not for a service
                     */
    char regime[65], article[160];
    int64_t record;            /* the cause's or order's number; 0: none */
    int64_t issued, expires;   /* seconds since 1970 */
    int64_t tell_by;           /* the account is told by then; 0: nobody needs to be */
    uint32_t retention_months; /* at most, of what is found; 0: the regime does not say */
} ob_permit_terms;

/* One way to look at an item: production situations of the same item under the same basis, one a
 * detector. `situation` NULL: the detector is switched off. */
typedef struct ob_permit_request {
    const ob_situation *situation[OB_DETECTORS_MOST];
    ob_permit_item item;
    ob_epochs epochs;
    int64_t monotonic_ms; /* now, of a clock that nobody sets */
    uint32_t actions;
    int64_t record, tell_by;
} ob_permit_request;

/* Decides each detector among `regimes`, and makes a permit for those that are allowed. Sets *why
 * to the first allow, or to the denial that got furthest. OB_EREFUSED where none is allowed, a
 * situation is not of production, they speak of different items, or there is no MAC for this
 * process. */
ob_status ob_permit_make(ob_permit *out, ob_gate_decision *why, const ob_permit_request *request,
                         const ob_regimes *regimes, const ob_permit_mac *mac, ob_error *err);

/* What a bearer knows when it is about to scan. */
typedef struct ob_permit_use {
    ob_permit_item item;
    uint32_t detectors; /* that it would use */
    ob_epochs epochs;
    int64_t now, monotonic_ms;
} ob_permit_use;

/* OB_OK where the permit is for exactly that and for this bearer, now; each only once: a number
 * that is not higher than the last is refused. Otherwise OB_EREFUSED with a sentence. */
ob_status ob_permit_take(ob_permit_terms *terms, const ob_permit *permit, const ob_permit_use *use,
                         const ob_permit_mac *mac, ob_error *err);

/* Whether a permit that was taken still holds: neither too late nor withdrawn. */
ob_status ob_permit_still(const ob_permit *permit, const ob_permit_use *use,
                          const ob_permit_mac *mac, ob_error *err);

/* Makes the same permit for another bearer and for the file that this one will get: never for more,
 * never for longer. `use` is checked as by ob_permit_still; its item is what the permit was for. */
ob_status ob_permit_hand_on(ob_permit *out, const ob_permit *permit, const ob_permit_use *use,
                            const ob_permit_mac *from, const ob_permit_item *item,
                            const ob_permit_mac *to, ob_error *err);

/* A permit for a command on files of one's own: no service, no regime. obhutd has no use for it. */
ob_status ob_permit_own_files(ob_permit *out, const ob_permit_use *use, const ob_permit_mac *mac,
                              ob_error *err);

#endif
