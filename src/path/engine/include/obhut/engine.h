/* engine: the path of one item, from its bytes or hash to an action.
 *
 * An item is a task: handed in, done on one of the engine's threads, told of from there. Each
 * thread that decodes has workers of its own. */
#ifndef OBHUT_ENGINE_H
#define OBHUT_ENGINE_H

#include <obhut/acts.h>
#include <obhut/base.h>
#include <obhut/gate.h>
#include <obhut/hindrance.h>
#include <obhut/lists.h>
#include <obhut/policy.h>
#include <obhut/records/order.h>
#include <obhut/records/profile.h>
#include <obhut/records/retention.h>
#include <obhut/sandbox.h>

#include <stdatomic.h>

/* ---- Items ----------------------------------------------------------------------------------- */

/* What a service says of an item; never its bytes. Nothing in it is a basis: bases are records. */
typedef struct ob_item {
    ob_media media;
    ob_surface surface;
    ob_encryption encryption;
    ob_locus locus; /* OB_LOCUS_SERVER or OB_LOCUS_DISCLOSED */
    bool is_hash;   /* somebody has computed it */
    bool has_account, has_conversation;
    ob_record_key id, account, conversation; /* pseudonyms */
    int64_t report, notice;                  /* numbers of records; 0: none */
} ob_item;

/* ---- Findings -------------------------------------------------------------------------------- */

/* Which of a picture's versions matched. */
typedef enum ob_version {
    OB_VERSION_STORED, /* as its pixels are stored */
    OB_VERSION_SHOWN,  /* as EXIF says that it is shown */
    OB_VERSION_TURNED, /* turned or mirrored otherwise */
} ob_version;

/* "stored", "shown", "turned". */
const char *ob_version_name(ob_version version);

/* An entry that a file matches. */
typedef struct ob_match {
    ob_list_match entry;
    bool by_hash, by_digest;
    ob_list_digest digest;   /* by_digest: which */
    ob_dihedral orientation; /* by_hash: how the file must be turned to become the listed one */
    ob_version version;
    ob_look look; /* as what of it: colours as stored, or what is seen instead */
    uint32_t frame;
    int quality;                /* of that frame */
    const char *const *sources; /* everybody who lists that hash or digest, without repeats */
    size_t source_count;
} ob_match;

/* What was found of one file: each entry once, nearest first. */
typedef struct ob_findings {
    ob_match *match;
    size_t count, total; /* total: with those that a limit left out */
    size_t source_count; /* different sources among all of them */
    bool low_quality;    /* no frame has enough in it to be matched by hash */
    void *kept;          /* what the texts belong to */
} ob_findings;

/* What a scan goes by: a permit, what it is used for, and what made its MAC.
 */
typedef struct ob_leave {
    const ob_permit *permit;
    const ob_permit_use *use;
    const ob_permit_mac *mac;
} ob_leave;

/* Looks up all that was computed of a file: every hash in eight orientations, and its digests.
 * *out is set on success: the caller frees it with ob_findings_free. OB_EREFUSED without a permit
 * that still holds; else errors as ob_lists_match. */
ob_status ob_find(ob_findings *out, ob_lists *lists, const ob_job_result *job, unsigned distance,
                  const ob_leave *leave, ob_error *err);
/* Frees the findings and what their texts belong to. {0} is fine. */
void ob_findings_free(ob_findings *findings);

/* ---- Decisions ------------------------------------------------------------------------------- */

typedef enum ob_action {
    OB_ACTION_ALLOW,
    OB_ACTION_REVIEW, /* delivered; a person should look */
    OB_ACTION_WARN,
    OB_ACTION_BLUR,
    OB_ACTION_HOLD, /* not delivered before a person has looked */
    OB_ACTION_BLOCK,
    OB_ACTION_NOT_SCANNED, /* nobody looked: there was no basis */
    OB_ACTION_UNDECODABLE, /* nobody could look: because of the bytes */
    OB_ACTION_COULD_NOT,   /* nobody could look now: whatever the bytes are */
    OB_ACTIONS,
} ob_action;

/* "allow", …, "not_scanned", "undecodable", "could_not". */
const char *ob_action_name(ob_action action);

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

/* The first six, that a policy may choose; false where there is none of that name. */
bool ob_action_parse(ob_action *out, const char *name);

/* What is done about matches. Whoever is listed by two sources that do not know of each other is
 * hardly listed by mistake. */
typedef struct ob_policy {
    ob_action one_source, two_sources; /* review, block */
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

/* Returns the strictest action that the policy demands for what was found. */
ob_action ob_decide(const ob_policy *policy, const ob_findings *findings);

/* The same for what one look-up found. */
ob_action ob_decide_matches(const ob_policy *policy, const ob_list_match *match, size_t count);

/* Whether one publisher lists both: names are compared without case and outer blanks, and entries
 * that name nobody are all of one unknown source, whatever their lists are called. */
bool ob_match_same_source(const ob_list_match *a, const ob_list_match *b);

/* Everybody who lists what `of` is, as far as `all` matches of its query say, its own first: one of
 * each publisher, and "" for all entries that name nobody. `by_digest`: all are of one content.
 * Texts are the matches'. Returns how many; further ones are left out. */
enum { OB_MATCH_SOURCES = 16 };
/* Sets out[] to the sources of the entry `of` among `all` matches of its query, its own first: each
 * publisher once, and "" for all entries without a source. `by_digest`: all matches have the same
 * content. The texts are the matches'. Returns how many; sources beyond OB_MATCH_SOURCES are left
 * out. */
size_t ob_match_sources(const char *out[OB_MATCH_SOURCES], const ob_list_match *of,
                        const ob_list_match *all, size_t count, bool by_digest);

/* ---- Tasks ----------------------------------------------------------------------------------- */

/* A hash or a digest that somebody asks for. */
typedef struct ob_query {
    bool is_digest;
    ob_list_digest kind;
    ob_hash256 hash;
    uint8_t digest[OB_LIST_DIGEST_MAX];
} ob_query;

/* As people type it: 64 digits are a PDQ hash; "pdq:", "md5:", "sha1:", "sha256:" before the digits
 * say what they are. OB_EFORMAT. */
ob_status ob_query_parse(ob_query *out, const char *text, size_t length, ob_error *err);

enum { OB_QUERIES_MAX = 4096 };

/* Who hands a task in, as turns go by it: "token NAME", "gateway NAME"; "": nobody in particular.
 */
enum { OB_CLIENT_TEXT = 80 };

typedef enum ob_task_kind {
    OB_TASK_SCAN,    /* a file: hashes, matches, action */
    OB_TASK_HASH,    /* a file: hashes and digests */
    OB_TASK_LOOK_UP, /* queries: matches */
} ob_task_kind;

typedef struct ob_task {
    ob_task_kind kind;
    /* Called once, on a thread of the engine; the task is its owner's again. */
    void (*done)(struct ob_task *task);
    void *context;
    char client[OB_CLIENT_TEXT];

    /* How it came, as matches are told: "gateway NAME", "/v1/scan"; NULL: by a command. An asker
     * that hears only yes and no hears yes for these actions (bit a: ob_action a); 0: it hears the
     * action itself. */
    const char *via;
    _Atomic uint32_t yes;

    ob_item item;
    uint64_t owner; /* files of two never meet in a process; 0: the operator's */

    /* Files: a sealed memory file, the engine's until done. */
    int file;
    uint64_t size;
    ob_media_options media;

    /* Look-ups: at most OB_QUERIES_MAX, the owner's. They are looked up some at a time: `found` is
     * called for each of these (queries from, …, from + count - 1), in order, on a thread of the
     * engine, and what stands in `matches` then is gone when it returns. Only once the task is done
     * without an error, and was not left alone, does any of it count. */
    const ob_query *queries;
    uint32_t query_count;
    void (*found)(struct ob_task *task, uint32_t from, uint32_t count);

    uint32_t limit; /* matches of the file or of each query */
    bool has_distance;
    unsigned distance; /* has_distance: instead of the policy's */

    /* Results. */
    ob_status status;       /* OB_OK, or error says why nothing was done */
    ob_hindrance hindrance; /* OB_ACTION_COULD_NOT: why not now */
    ob_error error;
    uint64_t took_us; /* without waiting for its turn */
    ob_job_result
        *job; /* of a file that somebody looked at, until the task is cleared; else NULL */
    ob_gate_decision why; /* OB_ACTION_NOT_SCANNED: why nobody looked; else under what */
    ob_findings findings;
    ob_action action;
    ob_list_matches matches[1 + OB_LIST_DIGESTS]; /* [0] of hashes, [1 + kind] of digests; query is
                                                   * the place in `queries` */

    /* The engine's. */
    struct ob_task *next;
    void *by;         /* its client */
    uint64_t turn;    /* when it came */
    int64_t until_ms; /* it waits for a place so long; 0: it has one */
    uint64_t cost_us; /* what it is expected to take */
    uint64_t turn_us; /* what its last turn took */
    uint32_t asked;   /* queries that were looked up, and how many go together next */
    uint32_t together;
    bool is_slow; /* for what it is: others of its kind wait for it */
    bool is_long; /* it never keeps what is brief waiting */
    bool turns_long;
    atomic_bool unwanted; /* nobody waits for it any more: it gets no turn */
    bool asks;            /* the records, before it is looked at */
    int seat;             /* of those who work */
    uint64_t sat_us;
} ob_task;

/* Frees what results hold, not the task. */
void ob_task_clear(ob_task *task);

/* ---- The engine ------------------------------------------------------------------------------ */

typedef struct ob_engine_options {
    ob_lists *lists;
    ob_acts *acts;   /* that logs for it */
    ob_store *store; /* the engine becomes its listener for withdrawals */
    const ob_policy *policy;
    unsigned decoders;      /* threads with workers; 0: one for each processor */
    unsigned searchers;     /* threads for look-ups; 0: one for each processor */
    unsigned queue_most;    /* tasks of each kind of thread that wait or run; 0: 64 a decoder */
    unsigned place_wait_ms; /* how long a task waits for a place among those; 0: ten seconds */
    unsigned upkeep_s;      /* how often what has been kept long enough is deleted; 0: never */
    ob_worker_options worker;
} ob_engine_options;

typedef struct ob_engine ob_engine;

/* Starts threads and workers. What options point to must outlive *out. */
ob_status ob_engine_open(ob_engine **out, const ob_engine_options *options, ob_error *err);

/* Takes a task, or OB_EBUSY: too many are waiting, or it is closing; task->hindrance says which.
 *
 * Clients take turns: whose tasks have taken least time is served next, and a client's own in the
 * order of coming. Where the queue is full a task waits for a place, with 512 others and 256 MB at
 * most; one that has waited too long, or that must give way to a client with less, is done with
 * OB_EBUSY and OB_HINDRANCE_BUSY. */
ob_status ob_engine_add(ob_engine *engine, ob_task *task, ob_error *err);

/* Nobody waits for this task any more. True: it had not begun, is not done, and is its owner's
 * again, its file closed. False: it is done, or will be, or was never added. */
bool ob_engine_forget(ob_engine *engine, ob_task *task);

/* What the gate says of an item now, for turning away at once what nobody may look at: before its
 * bytes have come. `methods`: that would be used (bit m: ob_method m). A denial is counted; so is,
 * by its hindrance, what cannot be decided now: an error, or a denial that is only of now. */
ob_status ob_engine_ask(ob_gate_decision *out, ob_engine *engine, const ob_item *item,
                        uint32_t methods, ob_error *err);

enum { OB_EVERY_METHOD = (1 << OB_METHODS) - 1 };

/* What is in the way: behind the answer of ob_engine_ask (`why`), or else, where `why` is NULL,
 * behind an error of the records or the log. OB_HINDRANCE_NONE: nothing is; nobody may, or it is
 * the caller's fault. */
ob_hindrance ob_engine_hindrance(ob_engine *engine, const ob_gate_decision *why, ob_status status);

/* Counts what could not be done and never became a task: a record that cannot be made, an item that
 * there is no room for. */
void ob_engine_could_not(ob_engine *engine, ob_hindrance hindrance);

/* Counts an item that was let through although nobody looked and somebody may have, and tells so
 * on standard error, once a minute at most: because of this, or (OB_HINDRANCE_NONE) because its
 * bytes cannot be looked at. `via` as in ob_task. */
void ob_engine_let_through(ob_engine *engine, const char *via, ob_hindrance hindrance,
                           ob_undecodable why);

/* Matches since it was opened, by list, action and way; the caller frees *out with free(). */
typedef struct ob_match_count {
    char list[OB_LIST_NAME_MAX + 1];
    char via[OB_CLIENT_TEXT];
    ob_action action;
    uint64_t count;
} ob_match_count;
/* Sets *out to the number of matches since the engine was opened, by list, action and way; the
 * caller frees it with free(). */
ob_status ob_engine_matches(ob_match_count **out, size_t *count, ob_engine *engine, ob_error *err);

/* "ok", "backwards": before the last permit; "unset": before this program was built. */
const char *ob_engine_clock(ob_engine *engine);

/* The laws in force that the service is under. */
ob_status ob_engine_laws(const ob_regime *out[OB_LAWS_MOST], size_t *count, ob_engine *engine,
                         ob_error *err);

/* What the service is, and how many active persons may review. `renew`: as the records have it now;
 * else as they were when they were last asked, and nobody waits for them. False: not known. */
bool ob_engine_service(ob_profile *out, unsigned *reviewers, ob_engine *engine, bool renew);

/* A method's state now. */
ob_detector_state ob_engine_method(ob_engine *engine, ob_method method);

/* Writes down what was counted so far. OB_OK, or what cannot be recorded, and so is not done. */
ob_status ob_engine_settle(ob_engine *engine, ob_error *err);

/* As ob_clock_accept, for this engine too. */
ob_status ob_engine_accept_clock(ob_engine *engine, ob_act *act, ob_error *err);

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
void ob_engine_refused(ob_engine *engine, ob_refusal refusal);

/* Opens the log of a data directory; its checkpoints carry the digests of regimes, floor and
 * program. The log must still have what `store` knows to have been signed; NULL: there are no
 * records yet. The caller closes *out: ob_audit_close. Errors as ob_audit_open. */
ob_status ob_engine_audit(ob_audit **out, ob_store *store, const char *dir,
                          void (*problem)(void *context, const char *sentence), void *context,
                          ob_error *err);

/* The program's own build id as text, "" where it has none. */
enum { OB_BUILD_ID = 130 };
/* Writes the program's own build id as text, "" where it has none, and returns `out`. */
const char *ob_build_id(char out[OB_BUILD_ID]);

/* Deletes what has been kept long enough under the laws of the service: the log says before what is
 * due, and afterwards what went. `actor` NULL: by itself. As ob_store_reap. */
ob_status ob_records_reap(ob_reaped out[OB_REAPED_MOST], size_t *count, ob_store *store,
                          ob_acts *acts, const ob_actor *actor, int64_t now, bool scrub,
                          ob_error *err);

/* Whether a scan of this client that comes next would be taken, if only to wait for a place. */
bool ob_engine_has_room(ob_engine *engine, const char *client);

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
