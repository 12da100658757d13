/* Counts, what must not be counted twice, and the latest instant at which anything was allowed. */
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

/* Adds to what is kept, and remembers denied items of `day` by their codes until it is over; all
 * or nothing. `clock`: the latest instant that anything was allowed at. */
ob_status ob_store_tallies_add(ob_writing *w, const ob_tally *tallies, size_t count,
                               const ob_record_key *denied, size_t denied_count, int64_t day,
                               int64_t clock, ob_error *err);
/* Sums over the days from `day` to before `until`. */
ob_status ob_store_tallies(ob_tally **out, size_t *count, ob_view *view, int64_t day, int64_t until,
                           ob_error *err);
/* The codes of today's denied items, and the salt that they were made with, made where there is
 * none; older ones are deleted. */
ob_status ob_store_denied(ob_record_key *salt, ob_record_key **out, size_t *count, ob_writing *w,
                          int64_t day, ob_error *err);

/* The latest instant at which anything was allowed; 0: nothing ever was. */
ob_status ob_store_clock(int64_t *out, ob_view *view, ob_error *err);
/* Also back, where a person says that the clock was wrong. */
ob_status ob_store_clock_set(ob_writing *w, int64_t at, ob_error *err);

#endif
