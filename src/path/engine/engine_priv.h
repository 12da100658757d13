/* The parts of engine. Before anything is looked at: settings.c has what a service is, candidates.c
 * builds from item and records what the gate decides, keeper.c makes permits, tallies.c counts
 * them. Then: engine.c has threads, lane.c their queues, find.c, decide.c and query.c do what they
 * say, and told.c tells what was found. */
#ifndef OBHUT_ENGINE_PRIV_H
#define OBHUT_ENGINE_PRIV_H

#include <obhut/clock.h>
#include <obhut/engine.h>
#include <obhut/grounds.h>
#include <obhut/policy.h>
#include <obhut/records/conversation.h>
#include <obhut/records/order.h>
#include <obhut/records/profile.h>
#include <obhut/records/tally.h>
#include <obhut/regimes.h>
#include <obhut/thread.h>

#include <pthread.h>
#include <stdatomic.h>

/* ---- lane.c -----------------------------------------------------------------------------------
 */

enum {
    LANE_SEATS_MOST = 256,
    LANE_ASKING_MOST = 4,    /* tasks that ask the records at the same time */
    LANE_STANDS = -1,        /* the seat of who has none */
    LANE_CLIENTS_MOST = 256, /* that have a turn of their own at once */
    SLOW_ONE_OF = 4,         /* of so many threads one may be at a slow task, and one always */
};

/* Tasks in the order in which they came. */
typedef struct line {
    ob_task *first, **last;
    unsigned count;
} line;

/* Lines of a client: of these two, and the same of tasks that ask the records. */
enum { QUICK, SLOW, SPEEDS, LINES = 2 * SPEEDS };

/* Whoever hands tasks in. */
typedef struct client {
    char name[OB_CLIENT_TEXT];
    line line[LINES];
    unsigned placed, running;
    uint64_t beyond_weight; /* of its tasks that wait for a place; 0: none does */
    uint64_t paid_us;       /* time that its tasks took, as far as it counts for its turn */
    uint64_t served;        /* when it had its last turn */
} client;

/* A queue and the threads that serve it. Any thread may call what is below. */
typedef struct lane {
    struct ob_engine *engine;
    pthread_mutex_t lock;
    pthread_cond_t some, seat;
    client clients[LANE_CLIENTS_MOST];
    unsigned client_count;
    uint64_t came, served;
    uint64_t paid_us;        /* what who was served last had paid: who comes anew begins there */
    unsigned placed, beyond; /* tasks with a place, and those that wait for one: 0 while one is */
    uint64_t placed_bytes, beyond_bytes;
    unsigned running, most; /* most: places, for those that wait and those that run */
    unsigned seats, seated;
    bool is_taken[LANE_SEATS_MOST];
    unsigned asking, standing[SPEEDS]; /* before they sit down: who asks, and who has asked */
    unsigned slow_running, slow_most;  /* slow ones sit beside each other */
    unsigned wait_ms;                  /* how long a place is waited for */
    bool closing;
    pthread_t threads[LANE_SEATS_MOST + LANE_ASKING_MOST];
    unsigned thread_count;
} lane;

void lane_init(lane *l, struct ob_engine *engine, unsigned most, unsigned wait_ms);
/* As many threads as can be had for so many seats, and for those that stand; OB_ENOMEM: none. */
ob_status lane_start(lane *l, unsigned seats, void *(*serve)(void *lane), ob_error *err);
void lane_end(lane *l); /* once threads have taken all that is there */

/* Takes a task, for a place or to wait for one; else says what is in the way. Those that must give
 * way for it, linked by `next`, are not the lane's any more. */
ob_hindrance lane_add(ob_task **pushed, lane *l, ob_task *task);

/* Waits for the task whose turn it is, which then runs: lane_leave gives its place to the next and
 * lets its client pay for task->turn_us, or where it is not through lets it wait for another turn,
 * before the rest of its client's, but where nobody waits for it. True: there is none to come.
 * NULL: the lane ends, and nothing is left. `closing`: it
 * ends. */
ob_task *lane_take(bool *closing, lane *l);
bool lane_leave(lane *l, ob_task *task, bool is_through);

/* For a task that was taken and asks: it has asked, and waits until it has a seat; task->seat is
 * its number. A task that does not ask has one from the beginning. */
void lane_sit(lane *l, ob_task *task);
/* It asks once more: its seat is another's. */
void lane_stand(lane *l, ob_task *task);

/* Takes a task out that does not run yet. False: it is not there. */
bool lane_forget(lane *l, const ob_task *task);

/* Takes those out that have waited long enough for a place, linked by `next`; lowers *next_ms to
 * the instant at which the next one has. */
ob_task *lane_late(int64_t *next_ms, lane *l, int64_t now_ms);

/* Whether a task of this client that comes next would be taken; and would have its place at once.
 */
bool lane_has_room(bool *at_once, lane *l, const char *client);

unsigned lane_waiting(lane *l); /* tasks that do not run yet */

/* ---- settings.c -------------------------------------------------------------------------------
 */

/* What the gate must know about the service; read again when it has changed. */
typedef struct settings {
    ob_profile profile;
    const ob_regime *regime[OB_LAWS_MOST]; /* of its country, whenever; or the house rule alone */
    size_t regime_count;
    ob_safeguards safeguards[OB_LAWS_MOST];
    ob_detector_state method[OB_METHODS];
    int64_t changed_at; /* of what an impact assessment is about */
    unsigned reviewers; /* active persons who may review */
} settings;

ob_status settings_read(settings *out, ob_view *view, ob_error *err);

/* ---- candidates.c -----------------------------------------------------------------------------
 */

enum { HEX = 64 };

/* One item and what the records hold for it. */
typedef struct look {
    const settings *settings;
    ob_store *store;
    ob_view *view; /* opened when something is asked; the owner of the look closes it */
    const ob_item *item;
    uint32_t methods; /* that are wanted */
    int64_t at;
    bool clock_ok, audit_ok;

    ob_gate_decision best; /* of the candidate that got furthest */
    bool any;
    /* Of the candidate that was allowed: what its permit is made from. */
    ob_situation situation[OB_METHODS];
    ob_permit_request request;

    char item_text[HEX + 1], account_text[HEX + 1], other_text[HEX + 1], record_text[24];
    ob_conversation conversation;
    bool has_conversation, is_member; /* is_member: the item's account, of it */
    ob_order_brief order;             /* the one that is tried */
} look;

/* It is made anew twice for every item. */
_Static_assert(sizeof(look) < 4096, "a look is small");

/* Tries candidate after candidate; the first allow ends it (best.allow). Fails only where records
 * cannot be read. */
ob_status look_decide(look *l, ob_error *err);

/* Whether records are asked for this item; what is public goes by what is in memory. */
bool look_asks(const ob_item *item);

/* ---- leaf.c -----------------------------------------------------------------------------------
 */

/* Whether a count stands in the entry of its second: of public uploads that were looked at. */
bool leaf_has(const ob_tally *kind);
/* more: items that are counted and not among `items` */
ob_status leaf_fill(ob_act *act, const ob_record_key *items, size_t count, uint64_t more,
                    const ob_tally *kinds, size_t kind_count, const char *service, ob_error *err);

/* The counts of days that are over and not in the log yet. */
ob_status leaf_days(ob_acts *acts, ob_store *store, int64_t today, ob_error *err);

/* ---- told.c -----------------------------------------------------------------------------------
 */

enum { MATCHES_MOST = 32, PASSED_MOST = 16, MATCH_COUNTS_MOST = 512 };

/* Matches of one kind: of a scan or a query, one of each list that has it. */
typedef struct matched {
    char list[OB_LIST_NAME_MAX + 1];
    char source[OB_LIST_TEXT_MAX + 1];
    char via[OB_CLIENT_TEXT];
    ob_action action;
    enum { ANSWER_ACTION, ANSWER_NO, ANSWER_YES } answer; /* what the asker heard */
    uint64_t count;
} matched;

/* Of a second. */
typedef struct matches {
    matched kind[MATCHES_MOST];
    size_t count;
    uint64_t more; /* of other kinds */
} matches;

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

/* Who hears of it, a whole sentence each time. */
typedef struct teller {
    void (*say)(void *context, const char *sentence);
    void *context;
} teller;

void matches_add(matches *m, const matched *one);
void matches_log(ob_entry *out, const char *member, const matches *m);
void matches_tell(const matches *m, const teller *to);
void passed_add(passed *p, const char *via, const char *reason);
void passed_tell(const passed *p, const teller *to);

typedef struct match_counts {
    pthread_mutex_t lock;
    ob_match_count kind[MATCH_COUNTS_MOST];
    size_t count;
} match_counts;

void tally_matches(match_counts *c, const matched *one);

/* ---- tallies.c --------------------------------------------------------------------------------
 */

typedef struct tallies tallies;

ob_status tallies_open(tallies **out, ob_store *store, ob_acts *acts, ob_error *err);
void tallies_close(tallies *t); /* writes what is left; NULL is fine */
void tallies_allow(tallies *t, const ob_item *item, const ob_permit_terms *terms);
void tallies_deny(tallies *t, const ob_item *item, const ob_gate_decision *why, int64_t at);
void tallies_refuse(tallies *t, ob_refusal refusal);
void tallies_match(tallies *t, const matched *one);
void tallies_pass(tallies *t, const char *via, const char *reason);
void tallies_tell(tallies *t, const teller *to); /* from now on */
void tallies_set_clock(tallies *t, int64_t at);
void tallies_service(tallies *t, const char *service); /* whose permits they are */
ob_status tallies_settle(tallies *t, ob_error *err);
bool tallies_fine(const tallies *t); /* what was counted last could be written */
/* Where it could not: whether nothing has failed yet, and which of the two is in the way. */
bool tallies_late(const tallies *t);
bool tallies_busy(const tallies *t); /* or only too much waits already, or memory is short */
ob_hindrance tallies_hindrance(const tallies *t);

/* ---- matched.c --------------------------------------------------------------------------------
 */

/* Where matches are counted, and where they wait to be told. */
typedef struct matched_by {
    match_counts *counts;
    tallies *tallies;
} matched_by;

/* What a file's findings came to, and what was found for some queries; whoever asked is in `t`. */
void matched_tell_file(const matched_by *by, const ob_task *t);
void matched_tell_queries(const matched_by *by, const ob_policy *policy, const ob_task *t,
                          const ob_list_matches *found);

/* ---- keeper.c ---------------------------------------------------------------------------------
 */

/* Settings that are in use; counted, under the keeper's lock. */
typedef struct settings_now {
    settings settings;
    uint64_t generation; /* of the store when they were read, or before */
    unsigned users;
} settings_now;

/* Who asks the gate, and makes permits. Any thread. */
typedef struct keeper {
    ob_store *store;
    tallies *tallies;
    ob_epoch_page *epochs;
    pthread_mutex_t lock; /* of `now`; briefly */
    pthread_cond_t renewed;
    bool renewing;
    settings_now *now;
    atomic_llong mark; /* the latest instant at which anything was allowed */
    atomic_ullong denied[OB_SURFACES], denied_reason[OB_REASON_COUNT];
} keeper;

ob_status keeper_open(keeper *k, ob_store *store, ob_acts *acts, ob_error *err);
void keeper_close(keeper *k);
const char *keeper_clock(keeper *k, int64_t now);

/* The gate's answer; a denial is counted where it is more than one of now. */
ob_status keeper_ask(ob_gate_decision *out, keeper *k, const ob_item *item, uint32_t methods,
                     ob_error *err);

/* Copies the settings of now. */
ob_status keeper_settings(settings *out, keeper *k, ob_error *err);
/* The same of when they were last read, without waiting; false: they never were. */
bool keeper_glance(settings *out, keeper *k);

/* A permit on its way from the keeper to whoever looks: made for this thread, and handed on. */
typedef struct grant {
    keeper *keeper;
    ob_holder *holder;
    ob_permit permit;
    ob_permit_use use;
    ob_permit_terms terms;
    ob_permit_mac maker, taker;
} grant;

/* Asks, and makes a permit for the thread of `holder`, which it takes at once. OB_EREFUSED where
 * nobody may look: *why says why, and it is counted. */
ob_status grant_get(grant *g, ob_gate_decision *why, keeper *k, ob_holder *holder,
                    const ob_item *item, uint32_t methods, ob_error *err);

/* For ob_job: hands it on to a worker. */
ob_status grant_hand_on(void *context, ob_permit *out, uint32_t *methods,
                        const ob_permit_item *item, ob_epochs epochs, const ob_permit_mac *mac,
                        ob_error *err);

/* As it must be shown: with the clocks and epochs of now. */
ob_leave grant_leave(grant *g, uint32_t methods);

/* It was used: counted. */
void grant_used(const grant *g, const ob_item *item);

/* ---- upkeep.c ---------------------------------------------------------------------------------
 */

typedef struct upkeep upkeep; /* a thread that deletes what is due, every options->upkeep_s */
ob_status upkeep_start(upkeep **out, const ob_engine_options *options, const keeper *keeper,
                       ob_error *err);
void upkeep_stop(upkeep *u); /* NULL is fine */

#endif
