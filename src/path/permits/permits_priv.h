/* The parts of permits: settings.c reads what a service is, candidates.c builds from item and
 * records what the gate decides, permits.c asks and grants. counts.c counts, denied.c knows which
 * items were denied today, flush.c writes; tick.c and hits.c say what the log hears. */
#ifndef OBHUT_PERMITS_PRIV_H
#define OBHUT_PERMITS_PRIV_H

#include <obhut/clock.h>
#include <obhut/grounds.h>
#include <obhut/permits.h>
#include <obhut/policy.h>
#include <obhut/records/conversation.h>
#include <obhut/records/order.h>
#include <obhut/records/profile.h>
#include <obhut/records/tally.h>
#include <obhut/regimes.h>

#include <pthread.h>
#include <stdatomic.h>

/* ---- settings.c ------------------------------------------------------------------------------ */

/* What the gate must know about the service; read again when it has changed. */
typedef struct settings {
    ob_profile profile;
    const ob_regime *regime[OB_LAWS_MOST]; /* of its country, whenever; or the house rule alone */
    size_t regime_count;
    ob_safeguards safeguards[OB_LAWS_MOST];
    ob_detector_state detector[OB_DETECTORS_MOST];
    int64_t changed_at; /* of what an impact assessment is about */
    unsigned reviewers; /* active persons who may review */
} settings;

ob_status settings_read(settings *out, ob_view *view, ob_error *err);

/* ---- candidates.c ---------------------------------------------------------------------------- */

enum { HEX = 64 };

/* One question to the gate: an item, and what the records hold for it. */
typedef struct inquiry {
    const settings *settings;
    ob_store *store;
    ob_view *view; /* opened when something is asked; the owner of the inquiry closes it */
    const ob_item *item;
    uint32_t detectors; /* that are wanted */
    int64_t at;
    bool clock_ok, audit_ok;

    ob_gate_decision best; /* of the candidate that got furthest */
    bool any;
    ob_permit_request request; /* of the candidate that was allowed */

    char item_text[HEX + 1], account_text[HEX + 1], other_text[HEX + 1], record_text[24];
    ob_conversation conversation;
    bool has_conversation, is_member; /* is_member: the item's account, of it */
    ob_order_brief order;             /* the one that is tried */

    /* What its permit is made from, of each detector in the request. The last member: it is not
     * cleared. */
    ob_situation situation[OB_DETECTORS_MOST];
} inquiry;

/* It is made anew twice for every item. */
_Static_assert(offsetof(inquiry, situation) < 4096, "an inquiry is small");

/* Tries candidate after candidate; the first allow ends it (best.allow). Fails only where records
 * cannot be read. */
ob_status inquiry_decide(inquiry *q, ob_error *err);

/* ---- tick.c ---------------------------------------------------------------------------------- */

/* Whether a count stands in the entry of its second: of public uploads that were looked at. */
bool tick_has(const ob_tally *kind);
/* more: items that are counted and not among `items` */
ob_status tick_fill(ob_act *act, const ob_record_key *items, size_t count, uint64_t more,
                    const ob_tally *kinds, size_t kind_count, const char *service, ob_error *err);

/* The counts of days that are over and not in the log yet. */
ob_status tick_days(ob_acts *acts, ob_store *store, int64_t today, ob_error *err);

/* ---- hits.c ---------------------------------------------------------------------------------- */

enum { HITS_MOST = 32, PASSED_MOST = 16 };

/* Of a second. */
typedef struct hits {
    ob_hit kind[HITS_MOST];
    size_t count;
    uint64_t more; /* of other kinds */
} hits;

/* Files that passed without being looked at. */
typedef struct passed {
    struct {
        char via[OB_CLIENT_TEXT];
        const char *reason;
        uint64_t number;
    } kind[PASSED_MOST];
    size_t count;
    uint64_t all;
} passed;

void hits_add(hits *h, const ob_hit *one);
void hits_log(ob_entry *out, const char *member, const hits *h);
void hits_tell(const hits *h, const ob_counts_listener *to);
void passed_add(passed *p, const char *via, const char *reason);
void passed_tell(const passed *p, const ob_counts_listener *to);

/* ---- counts.c, denied.c, flush.c ------------------------------------------------------------- */

enum { DAY = 86400 };

enum {
    COUNTS_KINDS_MOST = 1024,
    COUNTS_SEEN_MOST = 1 << 15,  /* of a second, or of as long as nothing can be written */
    COUNTS_FRESH_MOST = 1 << 16, /* the same; of what is beyond, a retry is counted twice */
};

/* An item that was denied; whether for the first time that day is found out when it is written. */
typedef struct denial {
    ob_record_key item;
    ob_tally one;
} denial;

/* What was counted and is not written yet. */
typedef struct batch {
    ob_tally kinds[COUNTS_KINDS_MOST];
    size_t kind_count;
    denial *denials;
    size_t denial_count, denial_capacity;
    int64_t day;          /* of `fresh` */
    ob_record_key *fresh; /* codes of items that were denied for the first time that day */
    size_t fresh_count, fresh_capacity;
    ob_record_key *seen; /* public items that were looked at */
    size_t seen_count, seen_capacity;
    uint64_t unseen;               /* beyond COUNTS_SEEN_MOST */
    uint64_t refused[OB_REFUSALS]; /* requests, by what their token lacked */
    hits hits;
    int64_t number; /* no other batch has it */
} batch;

void batch_count(batch *b, const ob_tally *one);
void batch_append(ob_record_key **keys, size_t *count, size_t *capacity, const ob_record_key *key);
bool batch_has_any(const batch *b);

/* Denied items of one day by code, in a table that is at most half full. */
typedef struct denied {
    int64_t day; /* -1: none yet */
    ob_record_key salt, *table;
    size_t size, count;
} denied;

/* Counts the denied items of a batch, each once a day; those that are left where the day cannot be
 * read come next time. */
ob_status denied_count(denied *d, batch *b, ob_acts *acts, ob_error *err);
void denied_free(denied *d);

struct ob_counts {
    ob_store *store;
    ob_acts *acts;
    pthread_mutex_t lock; /* briefly: of `now` and what is told */
    pthread_cond_t closing_now;
    pthread_t thread;
    bool has_thread, closing;
    char service[OB_NAME_MAX + 1];
    passed passed;          /* and not told yet */
    int64_t told_passed_ms; /* monotonic; 0: never */
    ob_counts_listener listener;
    batch *now;               /* grows */
    pthread_mutex_t flushing; /* while something is written; taken before the lock */
    batch *old;               /* is being written, or could not be */
    int64_t batches;          /* the number of the last */
    atomic_llong clock;       /* of the latest that was counted */
    atomic_llong
        waiting_since;      /* monotonic ms: what was looked at and is not written; 0: nothing */
    denied denied;          /* the flushing thread's */
    atomic_bool fine, busy; /* busy: not fine, for too much waits already */
};

/* Tells files that passed: at once, and then once a minute; `all`: what is left. */
void counts_tell_passed(ob_counts *c, bool all);

#endif
