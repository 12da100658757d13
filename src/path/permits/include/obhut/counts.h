/* counts: how often items were looked at, or denied, and what was found: kept in memory and written
 * to the records and the log every second. What cannot be written stops everything that would have
 * to be counted. Any thread. */
#ifndef OBHUT_COUNTS_H
#define OBHUT_COUNTS_H

#include <obhut/acts.h>
#include <obhut/hindrance.h>
#include <obhut/item.h>
#include <obhut/listfile.h>
#include <obhut/permit.h>

typedef struct ob_counts ob_counts;

/* Starts a thread that writes every second. `store` and `acts` must outlive *out. */
ob_status ob_counts_open(ob_counts **out, ob_store *store, ob_acts *acts, ob_error *err);
void ob_counts_close(ob_counts *counts); /* writes what is left; NULL is fine */

/* Who hears of hits and of files that passed, a whole sentence each time. */
typedef struct ob_counts_listener {
    void (*say)(void *context, const char *sentence);
    void *context;
} ob_counts_listener;
void ob_counts_tell(ob_counts *counts, const ob_counts_listener *to); /* from now on */

/* ---- What is counted ------------------------------------------------------------------------- */

/* Counts an item that a permit was made for. Any thread, as for all of these. */
void ob_counts_allow(ob_counts *counts, const ob_item *item, const ob_permit_terms *terms);
/* Counts an item that was denied; the same item once a day. */
void ob_counts_deny(ob_counts *counts, const ob_item *item, const ob_gate_decision *why,
                    int64_t at);

/* A request was turned away: its token is not known, or not for this. Goes to the log, as counts.
 */
typedef enum ob_refusal {
    OB_REFUSED_TOKEN,
    OB_REFUSED_SCOPE,
    OB_REFUSED_SURFACE,
    OB_REFUSALS,
} ob_refusal;
/* Counts a request that was refused because its token is unknown or does not permit it. The counts
 * go to the log. */
void ob_counts_refuse(ob_counts *counts, ob_refusal refusal);

/* Hits of one kind: of a file or a query, one of each list that has it, or one of each detector
 * without a list. */
typedef struct ob_hit {
    char detector[OB_LIST_NAME_MAX + 1]; /* "": an entry of `list` was found */
    char list[OB_LIST_NAME_MAX + 1];
    char source[OB_LIST_TEXT_MAX + 1];
    char via[OB_CLIENT_TEXT];
    ob_action action;
    enum { OB_ANSWERED_ACTION, OB_ANSWERED_NO, OB_ANSWERED_YES } answer; /* what the asker heard */
    uint64_t count;
} ob_hit;
/* Counts a hit and reports it to the listener. */
void ob_counts_hit(ob_counts *counts, const ob_hit *hit);

/* A file passed although nobody has looked at it and somebody may have. `reason` lives for ever. */
void ob_counts_pass(ob_counts *counts, const char *via, const char *reason);

/* ---- Writing --------------------------------------------------------------------------------- */

/* Writes down what was counted so far. OB_OK, or what cannot be recorded, and so is not done. */
ob_status ob_counts_flush(ob_counts *counts, ob_error *err);

/* Says whether what was counted last could be written. */
bool ob_counts_fine(const ob_counts *counts);
/* Says whether counts cannot be written only because it takes too long: nothing has failed. */
bool ob_counts_late(const ob_counts *counts);
/* Says whether counts cannot be written only because too much waits already, or memory is short. */
bool ob_counts_busy(const ob_counts *counts);
/* Returns which of records and log is in the way; OB_HINDRANCE_NONE where neither is. */
ob_hindrance ob_counts_hindrance(const ob_counts *counts);

/* The instant that is kept as the latest at which anything was allowed. */
void ob_counts_set_clock(ob_counts *counts, int64_t at);
void ob_counts_service(ob_counts *counts, const char *service); /* whose permits they are */

#endif
