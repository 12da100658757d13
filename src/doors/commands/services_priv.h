/* The parts for services and the public: routes.c finds the handler and checks the token; a handler
 * is a file; json.c writes what several of them say. */
#ifndef OBHUT_SERVICES_PRIV_H
#define OBHUT_SERVICES_PRIV_H

#include <obhut/commands.h>
#include <obhut/gate.h>
#include <obhut/records/token.h>
#include <obhut/services.h>

#include <pthread.h>
#include <stdatomic.h>

#define SERVICES_BODY_MOST      (UINT64_C(50) * 1000 * 1000)
#define SERVICES_JSON_BODY_MOST (UINT64_C(1) << 20)
enum { SERVICES_LIMIT = 100, SERVICES_LIMIT_MOST = 10000, SERVICES_QUERY_TEXT = 320 };

/* ---- snapshot.c ------------------------------------------------------------------------------ */

typedef struct snapshot {
    pthread_mutex_t lock;
    pthread_cond_t made;
    bool making;
    int64_t made_ms; /* monotonic; -1: never */
    ob_buf bytes;
} snapshot;

typedef ob_status (*snapshot_make)(ob_buf *out, void *context, ob_error *err);

void snapshot_init(snapshot *s);
void snapshot_end(snapshot *s);
/* Appends what `make` has written within the last second, or writes now; while somebody writes,
 * what was written within 15 s. OB_EIO: there is none, and it takes long. */
ob_status snapshot_get(ob_buf *out, snapshot *s, snapshot_make make, void *context, ob_error *err);

/* ---- quota.c --------------------------------------------------------------------------------- */

#define QUOTA_MOST (UINT64_C(2000) * 1000 * 1000) /* bytes of a token and a day */
enum { QUOTA_LINES = 256, QUOTA_DAY_S = 86400 };

typedef struct quota_line {
    char token[OB_NAME_MAX + 1];
    uint64_t bytes; /* today */
} quota_line;

typedef struct quota {
    pthread_mutex_t lock;
    uint64_t most, refused;
    int64_t day; /* since 1970, UTC */
    quota_line line[QUOTA_LINES];
    unsigned count;
} quota;

typedef enum quota_answer {
    QUOTA_FINE,
    QUOTA_NEARLY,  /* the same, and somebody should hear that it is nearly used up: once a day */
    QUOTA_USED_UP, /* not now: *retry_after_s until the next day begins */
} quota_answer;

void quota_init(quota *q, uint64_t most);
void quota_end(quota *q);
/* `always`: counted, and never refused. */
quota_answer quota_take(unsigned *retry_after_s, quota *q, const char *token, uint64_t bytes,
                        bool always);
/* What was taken, and is not on the disk. */
void quota_give_back(quota *q, const char *token, uint64_t bytes);

/* What it has written on that day already, before the service was started. */
void quota_know(quota *q, const char *token, int64_t day, uint64_t bytes);
/* Requests that were refused since the start, and how much of its share who has written most today
 * has used. */
void quota_count(uint64_t *refused, unsigned *percent, quota *q);

/* ---- tries.c --------------------------------------------------------------------------------- */

enum { TRIES_LINES = 4096 };

typedef struct tries_line {
    ob_record_key account;
    int64_t day;
    unsigned count; /* matches of that day */
} tries_line;

typedef struct tries {
    pthread_mutex_t lock;
    unsigned most; /* matches of an account and a day that are told; 0: all */
    atomic_bool any;
    atomic_ullong refused;
    tries_line line[TRIES_LINES];
} tries;

void tries_init(tries *t, unsigned most);
void tries_end(tries *t);
/* Whether another of its items is looked at today, and whether a match of one is told, which then
 * counts. Otherwise *retry_after_s says when the next day begins. Items of nobody always are. */
bool tries_left(unsigned *retry_after_s, tries *t, const ob_item *item);
bool tries_take(unsigned *retry_after_s, tries *t, const ob_item *item);

/* ---------------------------------------------------------------------------------------------- */

struct ob_services {
    ob_services_options options;
    ob_services_counts counts;
    int64_t started_at;
    snapshot metrics, page[OB_LANGUAGES];
    quota written;
    tries tries;
};

/* A request of the API on its way. */
typedef struct services_call {
    ob_call call; /* first */
    ob_services *services;
    const ob_command *command;
    union { /* what it hands the engine */
        ob_work work;
        ob_scan scan;
        ob_hashing hashing;
        ob_look_up look_up;
    };
    uint64_t owner; /* whose files: as ob_file_work.owner */
    ob_act_job job; /* of requests that change records */
    uint32_t limit;
    /* Look-ups. */
    ob_query *queries;
    char (*texts)[SERVICES_QUERY_TEXT]; /* as they were asked, to answer with */
    bool single;
    ob_buf text; /* of the answer, as it is made */
    bool truncated, no_memory;
    /* Situations. */
    char at[OB_TIME_TEXT + 1]; /* "" : their own */
    bool what_if;
    /* Records. */
    char token[OB_NAME_MAX + 1];
    char allow[40]; /* methods, where the one that came is none of them */
    struct record_body *record_body;
    /* Lists. */
    char *known;   /* versions that the client has; NULL: it does not wait */
    uint64_t seen; /* changes of lists, when they were looked at last */
} services_call;

/* Every request begins with zeros for one. */
_Static_assert(sizeof(services_call) < 6144, "a call is small");

/* Handlers of heads, each an ob_command_begin. */
typedef ob_plan services_handler(services_call *call, const ob_request *request,
                                 const ob_token *token);
services_handler commands_file_scan, commands_file_hash, commands_hash_match,
    commands_situation_explain, commands_regime_ls, commands_report_add, commands_notice_add,
    commands_members_set, commands_members_remove, commands_consents_withdraw, commands_list_names,
    commands_ready, commands_metrics, commands_page;

/* The end of every call. */
void services_end_call(ob_call *call);

/* Answers and returns OB_PLAN_ANSWER. */
ob_plan services_end(services_call *call, ob_answer answer);
/* An error of who only read the records: of a wrong format are they, then, and not the request;
 * what is damaged is told as what cannot be read. */
const ob_error *services_of_records(ob_error *err);

/* ---- warnings.c ------------------------------------------------------------------------------ */

/* Why a service protects nobody, or less than its operator believes. */
typedef enum services_warning {
    SERVICES_NO_LIST,
    SERVICES_LISTS_OFF,
    SERVICES_LIST_STALE,   /* older than the configuration says that its publisher renews it */
    SERVICES_LIST_UNKNOWN, /* a section of the configuration for a list that is not there */
    SERVICES_NO_REGISTER,
    SERVICES_NO_REVIEWER,
    SERVICES_WARNINGS,
} services_warning;

const char *services_warning_code(services_warning warning);
const char *services_warning_text(services_warning warning, ob_language language);

/* Those that hold (bit w: services_warning w); appends {code, detail} of each to `details`, which
 * may be NULL. `renew`: records are asked where they have changed; else by what is in memory. */
uint32_t services_warnings(json_t *details, const ob_services_options *options, bool renew);

/* A body of JSON is larger than SERVICES_JSON_BODY_MOST. */
ob_answer services_too_large_json(void);

/* Whether the head of a request is what the row says. Sets the answer and returns false where it
 * is not. */
bool services_check_head(services_call *call, const ob_command *command, const ob_request *request);

/* Wants a body of JSON for `class`; answers where there is none, or it is too large. */
ob_plan services_want_json(services_call *call, const ob_request *request,
                           const ob_call_class *class);

/* The body, which is what the row says; NULL after answering. The caller drops it. */
json_t *services_json(services_call *call, ob_body body);

/* What a request says of its item, into call->work.item, where the token is for it. Otherwise sets
 * the answer and returns false. */
bool services_describe(services_call *call, const ob_request *request, const ob_token *token);

/* Whether the gate lets it be looked at by these detectors. Otherwise sets the answer, that nobody
 * looked or that nobody could, and returns false. */
bool services_may_scan(services_call *call, uint32_t detectors);

/* Whether there is room for another item. Otherwise sets the answer and returns false. */
bool services_has_room(services_call *call);

/* The answer to an error that no task had: counted where it is only of now. */
ob_answer services_error(services_call *call, const ob_error *err);

/* The answer to an item that nobody looked at, because nobody may, or could not now. */
ob_answer services_unscanned(const ob_decision *decision);

/* Before its work is handed in: `done` is called once it is done. */
void services_begin_work(services_call *call, const char *via, void (*done)(ob_work *work));

/* The client has gone: work that was not begun is dropped. */
void services_gone(ob_call *call);

#endif
