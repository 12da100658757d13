/* What the records know of the log: how far both agree, announced changes, and keys of aliases. */
#ifndef OBHUT_RECORDS_LOG_H
#define OBHUT_RECORDS_LOG_H

#include <obhut/records/record.h>
#include <obhut/store.h>

typedef enum ob_counter {
    OB_COUNTER_LOG_ENTRY, /* the last entry whose act these records hold */
    OB_COUNTER_LOG_DAY,   /* the last day whose counts are in the log */
    OB_COUNTER_REAPED,    /* when the reaper ran last */
    OB_COUNTER_SCRUBBED,  /* when what it had deleted was overwritten last */
    OB_COUNTER_RECOVERED, /* how often it was made sure of what these records hold of the log */
    OB_COUNTER_COUNTED,   /* the batch of counts that these records hold last */
    OB_COUNTERS,
} ob_counter;

/* Reads a counter; -1 where it was never set. */
ob_status ob_store_counter(int64_t *out, ob_view *view, ob_counter counter, ob_error *err);
/* Sets a counter to `value`, whatever it was. */
ob_status ob_store_counter_set(ob_writing *w, ob_counter counter, int64_t value, ob_error *err);

/* Notes that entry number `entry` announced a change outside the records. Call this within the act
 * that announces it. */
ob_status ob_store_intent_begin(ob_writing *w, uint64_t entry, ob_error *err);
/* Notes that the announced change has ended, done or not. */
ob_status ob_store_intent_end(ob_writing *w, uint64_t entry, ob_error *err);
/* Sets *out to the entries whose changes have not ended, for the caller to free: at start, those
 * that a crash interrupted. */
ob_status ob_store_intents(uint64_t **out, size_t *count, ob_view *view, ob_error *err);

/* Reads the key that makes the alias of an account or person in the log, and makes the key where
 * there is none. Once the key is destroyed, nobody can tell whom the entries are about. */
ob_status ob_store_log_key(ob_record_key *out, ob_writing *w, const ob_record_key *subject,
                           int64_t at, ob_error *err);
/* Reads the key of an alias without making one. *found is false, and *out untouched, where there is
 * none. */
ob_status ob_store_log_key_find(bool *found, ob_record_key *out, ob_view *view,
                                const ob_record_key *subject, ob_error *err);
/* Deletes the key of an alias: the log's entries about `subject` become anonymous. OB_ENOTFOUND:
 * there is none. */
ob_status ob_store_log_key_destroy(ob_writing *w, const ob_record_key *subject, ob_error *err);

#endif
