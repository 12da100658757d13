/* Tallies: how many items were scanned or denied on each day, and the latest instant at which
 * anything was allowed. */
#ifndef OBHUT_RECORDS_TALLY_H
#define OBHUT_RECORDS_TALLY_H

#include <obhut/records/record.h>
#include <obhut/store.h>

/* How often on a day (of UTC, days since 1970) something was looked at, or was not. */
typedef struct ob_tally {
    int64_t day;
    uint32_t surface, basis, reason; /* reason OB_ALLOWED: it was looked at */
    char regime[65];
    uint64_t count;
} ob_tally;

/* Adds counts to those of the same day, surface, basis, reason and regime, and remembers items
 * denied on `day` by salted digests, so that none is counted twice that day. All or nothing.
 * `clock` is the latest instant at which anything was allowed. */
ob_status ob_store_tallies_add(ob_writing *w, const ob_tally *tallies, size_t count,
                               const ob_record_key *denied, size_t denied_count, int64_t day,
                               int64_t clock, ob_error *err);
/* Sets *out to the sums over the days from `day` to before `until`, for the caller to free. */
ob_status ob_store_tallies(ob_tally **out, size_t *count, ob_view *view, int64_t day, int64_t until,
                           ob_error *err);
/* Sets *out to the salted digests of the items denied on `day`, for the caller to free, and *salt
 * to the salt that made them, which is made where there is none. Deletes those of earlier days. */
ob_status ob_store_denied(ob_record_key *salt, ob_record_key **out, size_t *count, ob_writing *w,
                          int64_t day, ob_error *err);

/* Reads the latest instant at which anything was allowed; 0 where nothing ever was. */
ob_status ob_store_clock(int64_t *out, ob_view *view, ob_error *err);
/* Sets that instant, also to an earlier one, after a person has said that the clock was wrong. */
ob_status ob_store_clock_set(ob_writing *w, int64_t at, ob_error *err);

#endif
