/* What the log needs: how far it and the records agree, and whom it is about. */
#ifndef OBHUT_RECORDS_LOG_H
#define OBHUT_RECORDS_LOG_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef enum ob_mark {
    OB_MARK_LOG_ENTRY, /* the last entry whose act these records hold */
    OB_MARK_LOG_DAY,   /* the last day whose counts are in the log */
    OB_MARK_REAPED,    /* when the reaper ran last */
    OB_MARK_SCRUBBED,  /* when what it had deleted was overwritten last */
    OB_MARK_SETTLED,   /* how often it was made sure of what these records hold of the log */
    OB_MARK_COUNTED,   /* the batch of counts that these records hold last */
    OB_MARKS,
} ob_mark;

/* -1 where it was never set. */
ob_status ob_store_mark(int64_t *out, ob_view *view, ob_mark mark, ob_error *err);
ob_status ob_store_mark_set(ob_writing *w, ob_mark mark, int64_t value, ob_error *err);

/* What was announced in the log and changes something else than records: from its entry's number to
 * its end. Those that are still there when a store is opened did not end. */
ob_status ob_store_deed_begin(ob_writing *w, uint64_t entry, ob_error *err);
ob_status ob_store_deed_end(ob_writing *w, uint64_t entry, ob_error *err);
ob_status ob_store_deeds(uint64_t **out, size_t *count, ob_view *view, ob_error *err);

/* The key by which the log knows an account or person, made where there is none. Without it the
 * log's entries are about nobody: destroying it erases them there. */
ob_status ob_store_log_key(ob_record_key *out, ob_writing *w, const ob_record_key *subject,
                           int64_t at, ob_error *err);
ob_status ob_store_log_key_find(bool *found, ob_record_key *out, ob_view *view,
                                const ob_record_key *subject, ob_error *err);
ob_status ob_store_log_key_destroy(ob_writing *w, const ob_record_key *subject, ob_error *err);

#endif
