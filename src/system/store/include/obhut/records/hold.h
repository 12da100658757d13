/* Holds: reasons for which records are retained longer. */
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

/* Adds a hold and sets *id to its number. OB_EINVAL: reason, person or end is missing, or such
 * records cannot be held. */
ob_status ob_store_hold_add(int64_t *id, ob_writing *w, const ob_hold *hold, ob_error *err);
/* Sets *out to the newest holds, at most `most`, for the caller to free. */
ob_status ob_store_holds(ob_hold **out, size_t *count, ob_view *view, size_t most, ob_error *err);
/* Ends a hold at the instant `at`. OB_ENOTFOUND also where it has ended. */
ob_status ob_store_hold_end(ob_writing *w, int64_t id, int64_t at, ob_error *err);
/* Notes that a person decided, with a reason, that a hold which a law demands stays. OB_ENOTFOUND:
 * there is no such hold in force, no law demands it, or somebody has decided before. */
ob_status ob_store_hold_decide(ob_writing *w, int64_t id, const char *by, const char *why,
                               int64_t at, ob_error *err);
/* Sets *out to the instant from which the retention of a record counts; `word` names its kind
 * ("report"). OB_ENOTFOUND: there is no such record. OB_EINVAL: such records cannot be held. */
ob_status ob_store_record_at(int64_t *out, ob_view *view, const char *word, int64_t id,
                             ob_error *err);

#endif
