/* Incoming: reports by participants of a conversation, and notices by third parties. */
#ifndef OBHUT_RECORDS_INCOMING_H
#define OBHUT_RECORDS_INCOMING_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef enum ob_incoming_kind { OB_INCOMING_REPORT, OB_INCOMING_NOTICE } ob_incoming_kind;

typedef struct ob_incoming {
    int64_t id;
    ob_incoming_kind kind;
    ob_record_key conversation, reporter, account; /* account: whom it is about; of reports only */
    char reason[OB_RECORD_TEXT + 1];
    int64_t at;
    char confirmed_by[OB_NAME_MAX + 1]; /* who looked at all its items and confirmed; "" */
    int64_t confirmed_at;
} ob_incoming;

/* Adds a report or notice with its items, all or nothing, and sets *id to its number. */
ob_status ob_store_incoming_add(int64_t *id, ob_writing *w, const ob_incoming *incoming,
                                const ob_record_key *items, size_t count, ob_error *err);
/* Reads the report or notice of this number. OB_ENOTFOUND leaves *out untouched. */
ob_status ob_store_incoming(ob_incoming *out, ob_view *view, ob_incoming_kind kind, int64_t id,
                            ob_error *err);
/* Sets *out to the newest reports or notices, at most `most`, for the caller to free. */
ob_status ob_store_incomings(ob_incoming **out, size_t *count, ob_view *view, ob_incoming_kind kind,
                             size_t most, ob_error *err);
/* Notes that a person has looked at all items of a report and confirms it. OB_ENOTFOUND: there is
 * no such report; OB_EREFUSED: it is confirmed already. */
ob_status ob_store_report_confirm(ob_writing *w, int64_t id, const char *by, int64_t at,
                                  ob_error *err);
/* Deletes a report or notice with its items. Raises a withdrawal for a report. OB_EREFUSED: a hold
 * is in force at the instant `at`. */
ob_status ob_store_incoming_remove(ob_writing *w, ob_incoming_kind kind, int64_t id, int64_t at,
                                   ob_error *err);
/* Sets *there to whether such a record exists, and *holds to whether this item belongs to it. */
ob_status ob_store_incoming_has(bool *there, bool *holds, ob_view *view, ob_incoming_kind kind,
                                int64_t id, const ob_record_key *item, ob_error *err);

#endif
