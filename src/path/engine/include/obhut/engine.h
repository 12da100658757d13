/* engine: the way of one item, from its bytes or hash to a decision.
 *
 * Work is handed in, waits for its turn, is done on one of the engine's threads, and that thread
 * calls `done`. Each thread that decodes has workers of its own. */
#ifndef OBHUT_ENGINE_H
#define OBHUT_ENGINE_H

#include <obhut/acts.h>
#include <obhut/base.h>
#include <obhut/detect.h>
#include <obhut/gate.h>
#include <obhut/hindrance.h>
#include <obhut/lists.h>
#include <obhut/permits.h>
#include <obhut/sandbox.h>
#include <obhut/upkeep.h>

#include <stdatomic.h>

/* ---- Decisions ------------------------------------------------------------------------------- */

/* Why bytes could not be looked at. */
typedef enum ob_undecodable {
    OB_UNDECODABLE_DAMAGED,
    OB_UNDECODABLE_UNKNOWN_FORMAT,
    OB_UNDECODABLE_UNSUPPORTED, /* its format is known, and this program does not decode it */
    OB_UNDECODABLE_TOO_LARGE,
    OB_UNDECODABLE_TOO_SLOW,
    OB_UNDECODABLE_CRASHED,
    OB_UNDECODABLE_FAILED,
    OB_UNDECODABLES,
} ob_undecodable;

/* Returns the reason as answers have it: "DAMAGED", "UNSUPPORTED", … The text is a constant. */
const char *ob_undecodable_name(ob_undecodable why);
/* Of a job's status, which is not OB_OK. */
ob_undecodable ob_undecodable_of(ob_status status);

/* What is done about signals. An entry from two independent sources is unlikely to be an error. */
typedef struct ob_policy {
    ob_action one_source, two_sources; /* review, block; one_source also without a list */
    unsigned distance;                 /* at most so many bits of a hash differ: 31 */
    struct ob_list_policy {
        char list[OB_LIST_NAME_MAX + 1];
        ob_action action;    /* of every match in this list; the strictest counts */
        unsigned renew_days; /* how often its publisher renews it; 0: not known */
    } * lists;
    size_t list_count;
} ob_policy;

#define OB_POLICY_DEFAULT                                                                          \
    {                                                                                              \
        .one_source = OB_ACTION_REVIEW, .two_sources = OB_ACTION_BLOCK,                            \
        .distance = OB_PDQ_MAX_DISTANCE                                                            \
    }

/* Why an action was decided; several may hold. */
enum {
    OB_BECAUSE_NOTHING_FOUND = 1,
    OB_BECAUSE_ONE_SOURCE = 2,
    OB_BECAUSE_TWO_SOURCES = 4,
    OB_BECAUSE_LIST = 8,        /* the policy is stricter with a list that has it */
    OB_BECAUSE_SCORE = 16,      /* a detector without a list says so */
    OB_BECAUSE_PERMIT = 32,     /* the permit allows no more than this action */
    OB_BECAUSE_BYTES = 64,      /* they could not be looked at: `undecodable` */
    OB_BECAUSE_GATE = 128,      /* nobody may look: `gate` */
    OB_BECAUSE_HINDRANCE = 256, /* nobody could look now: `hindrance` */
};

/* What is decided of an item. */
typedef struct ob_decision {
    ob_action action;
    uint32_t because;           /* OB_BECAUSE_… */
    ob_gate_decision gate;      /* OB_ACTION_NOT_SCANNED: why nobody looked; else under what */
    ob_undecodable undecodable; /* OB_ACTION_UNDECODABLE: why */
    ob_hindrance hindrance;     /* OB_ACTION_COULD_NOT: why not now */
} ob_decision;

/* Decides action and reasons. Never more than `actions` of the permit (bit a: ob_action a): where
 * those have not what the policy wants, the next milder one. */
void ob_decide(ob_decision *out, const ob_policy *policy, const ob_signals *signals,
               uint32_t actions);

/* The action for what one look-up found. */
ob_action ob_decide_matches(const ob_policy *policy, const ob_list_match *match, size_t count);

/* ---- Work ------------------------------------------------------------------------------------ */

/* Its place and turn in a queue; the engine's. */
typedef struct ob_turn {
    struct ob_turn *next;
    const char *client; /* whose turn it is */
    void *by;           /* the same, in its queue */
    uint64_t came;      /* when it came */
    int64_t until_ms;   /* it waits for a place so long; 0: it has one */
    uint64_t bytes;     /* that it holds while it waits */
    uint64_t cost_us;   /* what it is expected to take */
    uint64_t took_us;   /* what its last turn took */
    int seat;           /* of those who work */
    bool is_slow;       /* for what it is: others of its kind wait for it */
    bool asks;          /* the records, before it is looked at */
    bool is_here;       /* the thread that asked for it is at it, and takes nothing else after it */
    atomic_bool unwanted; /* nobody waits for it: it gets no turn */
} ob_turn;

/* What every kind of work has. The first member of each. */
typedef struct ob_work {
    ob_turn turn; /* the engine's */

    /* Called once, on a thread of the engine; the work is its owner's again. */
    void (*done)(struct ob_work *work);
    void *context;
    char client[OB_CLIENT_TEXT];

    /* How it came, as hits are told: "gateway NAME", "/v1/scan"; NULL: by a command. An asker that
     * hears only yes and no hears yes for these actions (bit a: ob_action a); 0: it hears the
     * action itself. */
    const char *via;
    _Atomic uint32_t yes;

    ob_item item;

    /* Results. */
    ob_status status; /* OB_OK, or error says why nothing was done */
    ob_error error;
    uint64_t took_us; /* without waiting for its turn */
    ob_decision decision;

    /* The engine's. */
    const struct work_class *class;
    uint64_t sat_us;
    bool is_long; /* it never keeps what is brief waiting */
    bool turns_long;
} ob_work;

/* A file that is work: a sealed memory file, the engine's until done. */
typedef struct ob_file_work {
    int file;
    uint64_t size;
    ob_media_options media;
    uint64_t owner; /* files of two never meet in a process; 0: the operator's */
    ob_job_result
        *result; /* of a file that somebody looked at, until the work is cleared; or NULL */
} ob_file_work;

/* A file is looked for: signals, decision. */
typedef struct ob_scan {
    ob_work work;
    ob_file_work file;
    uint32_t limit; /* signals at most, OB_LISTS_NO_LIMIT: all */
    bool has_distance;
    unsigned distance; /* has_distance: instead of the policy's */
    ob_signals signals;
} ob_scan;

/* A file is hashed: hashes and digests, nothing is looked for. */
typedef struct ob_hashing {
    ob_work work;
    ob_file_work file;
} ob_hashing;

/* Hashes and digests are looked up: at most OB_QUERIES_MAX, the owner's, some at a time. `found` is
 * called for each of these (queries from, …, from + count - 1), in order, on a thread of the
 * engine, and what stands in `matches` then is gone when it returns. Only once the work is done
 * without an error, and was not left alone, does any of it count. */
typedef struct ob_look_up {
    ob_work work;
    const ob_query *queries;
    uint32_t query_count;
    uint32_t limit; /* matches of each */
    void (*found)(struct ob_look_up *look_up, uint32_t from, uint32_t count);
    ob_query_matches matches;
    uint32_t asked; /* the engine's: how many were looked up, and how many go together next */
    uint32_t together;
} ob_look_up;

/* Free what results hold, not the work. */
void ob_scan_clear(ob_scan *scan);
/* Frees what the results of a hashing own, not the hashing itself. */
void ob_hashing_clear(ob_hashing *hashing);

/* ---- The engine ------------------------------------------------------------------------------ */

typedef struct ob_engine_options {
    ob_lists *lists;
    ob_acts *acts;   /* that logs for it */
    ob_store *store; /* the engine becomes its listener for withdrawals */
    const ob_policy *policy;
    /* Detectors beside those that every program has. */
    const ob_detector_class *const *detectors;
    size_t detector_count;
    unsigned decoders;      /* threads with workers; 0: one for each processor */
    unsigned searchers;     /* threads for look-ups; 0: one for each processor */
    unsigned queue_most;    /* work of each kind of thread that waits or runs; 0: 64 a decoder */
    unsigned place_wait_ms; /* how long work waits for a place among those; 0: ten seconds */
    unsigned upkeep_s;      /* how often what has been kept long enough is deleted; 0: never */
    ob_worker_options worker;
} ob_engine_options;

typedef struct ob_engine ob_engine;

/* Starts threads and workers. What options point to must outlive *out. */
ob_status ob_engine_open(ob_engine **out, const ob_engine_options *options, ob_error *err);

/* Take work, or OB_EBUSY: too much waits, or it is closing; decision.hindrance says which, and a
 * file is its caller's still.
 *
 * Clients take turns: whose work has taken least time is served next, and a client's own in the
 * order of coming. A brief look-up for which no record is asked is done before ob_engine_look_up
 * returns, on the caller's thread, where nothing else waits. Where the queue is full work waits for
 * a place, with 512 others and 256 MB at most; what has waited too long, or must give way to a
 * client with less, is done with OB_EBUSY and OB_HINDRANCE_BUSY. */
ob_status ob_engine_scan(ob_engine *engine, ob_scan *scan, ob_error *err);
/* Takes a file to be hashed, as ob_engine_scan takes one to be scanned. */
ob_status ob_engine_hash(ob_engine *engine, ob_hashing *hashing, ob_error *err);
/* Takes queries to be looked up, as ob_engine_scan takes a file. A brief look-up may be done before
 * this returns. */
ob_status ob_engine_look_up(ob_engine *engine, ob_look_up *look_up, ob_error *err);

/* Drops work whose client has gone. Returns true where the work had not begun: it is its owner's
 * again, and its file closed. Returns false where it is done, or will be, or was never added. */
bool ob_engine_forget(ob_engine *engine, ob_work *work);

/* Whether a scan of this client that comes next would be taken, if only to wait for a place. */
bool ob_engine_has_room(ob_engine *engine, const char *client);

/* Who may look, and what it has counted. The engine's still. */
ob_permits *ob_engine_permits(ob_engine *engine);
/* Returns the detectors, which belong to the engine. */
const ob_detectors *ob_engine_detectors(const ob_engine *engine);

/* As ob_permits_ask, for turning away at once what nobody may look at: before its bytes have come.
 * Counts by its hindrance what cannot be decided now: an error, or a denial that is only of now. */
ob_status ob_engine_ask(ob_gate_decision *out, ob_engine *engine, const ob_item *item,
                        uint32_t detectors, ob_error *err);

/* Returns what is in the way, as ob_permits_hindrance does. */
ob_hindrance ob_engine_hindrance(ob_engine *engine, const ob_gate_decision *why, ob_status status);

/* ---- What it has counted --------------------------------------------------------------------- */

/* Counts what could not be done and never became work: a record that cannot be made, an item that
 * there is no room for. */
void ob_engine_could_not(ob_engine *engine, ob_hindrance hindrance);

/* Counts a request that was refused because its token is unknown or does not permit it. */
void ob_engine_refused(ob_engine *engine, ob_refusal refusal);

/* Counts an item that was let through although nobody looked and somebody may have, and tells so
 * on standard error, once a minute at most: because of this, or (OB_HINDRANCE_NONE) because its
 * bytes cannot be looked at. `via` as in ob_work. */
void ob_engine_let_through(ob_engine *engine, const char *via, ob_hindrance hindrance,
                           ob_undecodable why);

/* Hits since it was opened, by list (or detector, where there is no list), action and way; the
 * caller frees *out with free(). */
typedef struct ob_hit_count {
    char detector[OB_LIST_NAME_MAX + 1]; /* "": an entry of `list` */
    char list[OB_LIST_NAME_MAX + 1];
    char via[OB_CLIENT_TEXT];
    ob_action action;
    uint64_t count;
} ob_hit_count;
/* Sets *out to the hits since the engine was opened, by list (or detector, where there is no list),
 * action and way; the caller frees it with free(). */
ob_status ob_engine_hits(ob_hit_count **out, size_t *count, ob_engine *engine, ob_error *err);

/* What it has done since it was opened. */
typedef struct ob_engine_counts {
    uint64_t scans[OB_ACTIONS];                                   /* by action */
    uint64_t denied[OB_SURFACES], denied_reason[OB_REASON_COUNT]; /* items that nobody looked at */
    uint64_t could_not[OB_HINDRANCES];                            /* items and records */
    uint64_t let_through[OB_HINDRANCES]; /* as ob_engine_let_through has it */
    uint64_t passed[OB_UNDECODABLES];    /* the same because of their bytes */
    bool audit_ok;    /* counts and log could be written; else nothing is looked at */
    bool log_ok;      /* the log could */
    bool log_slow;    /* and is being written for too long now */
    bool counts_late; /* !audit_ok: nothing has failed, it only takes too long */
    bool counts_busy; /* !audit_ok: or too much waits already */
    bool has_place;   /* a scan that comes next need not wait for a place in the queue */
    uint64_t looked[OB_DETECTORS_MOST];  /* files and look-ups that a detector has judged */
    uint64_t signals[OB_DETECTORS_MOST]; /* what it said of them */
    uint64_t hashes, look_ups, queries, failures, workers_lost;
    uint64_t busy_us; /* of decoding threads */
    uint64_t slow;    /* files that may run beside no other slow one, for what their heads say */
    unsigned waiting, decoders;
    uint32_t layers; /* OB_CONFINED_… of every worker */
} ob_engine_counts;

/* Sets *out to what the engine has counted since it was opened. Any thread. */
void ob_engine_count(ob_engine_counts *out, ob_engine *engine);

/* Finishes what is running, fails what waits with OB_EBUSY and OB_HINDRANCE_STOPPING, ends workers
 * and threads. */
void ob_engine_close(ob_engine *engine); /* NULL is fine */

#endif
