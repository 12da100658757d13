/* Holds: records that are kept longer. */
#ifndef OBHUT_RECORDS_HOLD_H
#define OBHUT_RECORDS_HOLD_H

#include <obhut/records/record.h>
#include <obhut/store.h>

/* A record that is kept longer: because a person has a reason, or because a law demands it. */
typedef struct ob_hold {
    int64_t id;
    char kind[16]; /* report, notice, verdict, cause, order */
    int64_t record;
    char law[65]; /* the regime that demands it; "": a person's own reason */
    char reason[OB_RECORD_TEXT + 1];
    char by[OB_NAME_MAX + 1];
    int64_t made_at, until;
    int64_t ended_at; /* 0: not before `until` */
    /* Where one law demands keeping and another deletion, a person decides to keep: who, when, why.
     */
    char decided_by[OB_NAME_MAX + 1], decided_why[OB_RECORD_TEXT + 1];
    int64_t decided_at;
} ob_hold;

/* OB_EINVAL without reason, person or end, or for a kind that cannot be held. */
ob_status ob_store_hold_add(int64_t *id, ob_writing *w, const ob_hold *hold, ob_error *err);
ob_status ob_store_hold(ob_hold *out, ob_view *view, int64_t id, ob_error *err);
ob_status ob_store_holds(ob_hold **out, size_t *count, ob_view *view, size_t most, ob_error *err);
/* OB_ENOTFOUND also where it was ended already. */
ob_status ob_store_hold_end(ob_writing *w, int64_t id, int64_t at, ob_error *err);
/* Of a law's hold that nobody has decided about: it stays. */
ob_status ob_store_hold_decide(ob_writing *w, int64_t id, const char *by, const char *why,
                               int64_t at, ob_error *err);
/* The instant from which the period of such a record counts, "report" for one. OB_ENOTFOUND;
 * OB_EINVAL: such records cannot be held. */
ob_status ob_store_record_at(int64_t *out, ob_view *view, const char *word, int64_t id,
                             ob_error *err);

#endif
