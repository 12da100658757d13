/* Causes: records that permit scanning one account for a limited time. */
#ifndef OBHUT_RECORDS_CAUSE_H
#define OBHUT_RECORDS_CAUSE_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef enum ob_cause_ground { OB_GROUND_VERDICT, OB_GROUND_REPORT } ob_cause_ground;

typedef struct ob_cause {
    int64_t id;
    ob_record_key account;
    ob_cause_ground ground;
    int64_t record, record_at; /* the verdict or report, and its instant */
    char reason[OB_RECORD_TEXT + 1];
    char proposed_by[OB_NAME_MAX + 1], confirmed_by[OB_NAME_MAX + 1];
    int64_t from, until;
    int64_t ended_at; /* 0: not before `until` */
    int64_t told_at;  /* when the account was told; 0: not yet */
} ob_cause;

/* Adds a cause and sets *id to its number. OB_EREFUSED: a cause of that account rests on this or a
 * newer record already, or was confirmed by the same person. */
ob_status ob_store_cause_add(int64_t *id, ob_writing *w, const ob_cause *cause, ob_error *err);
/* Ends a cause at the instant `at`. Raises a withdrawal. OB_ENOTFOUND also where it has ended. */
ob_status ob_store_cause_end(ob_writing *w, int64_t id, int64_t at, ob_error *err);
/* Notes that the account was told at the instant `at`. OB_ENOTFOUND also where that was noted
 * before. */
ob_status ob_store_cause_told(ob_writing *w, int64_t id, int64_t at, ob_error *err);
/* Sets *out to the newest causes, at most `most`, for the caller to free. */
ob_status ob_store_causes(ob_cause **out, size_t *count, ob_view *view, size_t most, ob_error *err);
/* Finds the cause of an account that is in force at the instant `at`. *found is false, and *out
 * untouched, where there is none. */
ob_status ob_store_cause_of(bool *found, ob_cause *out, ob_view *view, const ob_record_key *account,
                            int64_t at, ob_error *err);

#endif
