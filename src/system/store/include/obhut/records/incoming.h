/* What comes in: reports and notices. */
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

/* With its items, all or nothing. */
ob_status ob_store_incoming_add(int64_t *id, ob_writing *w, const ob_incoming *incoming,
                                const ob_record_key *items, size_t count, ob_error *err);
ob_status ob_store_incoming(ob_incoming *out, ob_view *view, ob_incoming_kind kind, int64_t id,
                            ob_error *err);
/* The newest of one kind. */
ob_status ob_store_incomings(ob_incoming **out, size_t *count, ob_view *view, ob_incoming_kind kind,
                             size_t most, ob_error *err);
/* OB_ENOTFOUND: there is none; OB_EREFUSED: it is confirmed already. */
ob_status ob_store_report_confirm(ob_writing *w, int64_t id, const char *by, int64_t at,
                                  ob_error *err);
/* OB_EREFUSED: somebody holds it at that instant. */
ob_status ob_store_incoming_remove(ob_writing *w, ob_incoming_kind kind, int64_t id, int64_t at,
                                   ob_error *err);
/* Sets *there where such a record exists, and *holds where it has this item. */
ob_status ob_store_incoming_holds(bool *there, bool *holds, ob_view *view, ob_incoming_kind kind,
                                  int64_t id, const ob_record_key *item, ob_error *err);

#endif
