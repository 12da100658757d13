/* The parts of the front: front.c is its life, leave.c what it gives up, exchange.c one request
 * from head to answer, strict.c what a head must be, head.c what of a head the core is told,
 * intake.c the body of a request, reply.c what the client is sent, flow.c a body in pieces, own.c
 * what the front answers alone, room.c the memory for all, caller.c who is there, sweep.c an end
 * for what takes too long, page.c errors for people. */
#ifndef OBHUT_FRONT_H
#define OBHUT_FRONT_H

#include "channel.h"
#include "control.h"
#include "daemon.h"

#include <obhut/pages.h>
#include <obhut/services.h>

#include <arpa/inet.h>
#include <microhttpd.h>

/* ---- caller.c --------------------------------------------------------------------------------
 */

enum { CALLER_KEY = 16, CALLER_LINES = 1024 };

/* An address that has connections here. */
typedef struct caller {
    struct caller *next;
    uint8_t key[CALLER_KEY];
    unsigned connections;
    uint64_t held; /* bytes of bodies and answers on their way */
} caller;

typedef struct callers {
    caller *line[CALLER_LINES];
} callers;

/* It has one connection more, or one less: with the last it is gone. NULL: out of memory. */
caller *caller_come(callers *all, const struct sockaddr *address);
void caller_go(callers *all, caller *c);

/* The address as text, "" where it is none of a network. */
void caller_print(char out[INET6_ADDRSTRLEN], const struct sockaddr *address);

/* Who has most of something; NULL: there is nobody. */
caller *caller_with_most(const callers *all, uint64_t (*has)(const caller *));

/* ---- intake.c -------------------------------------------------------------------------------- */

/* A body on its way: kept where it is wanted, overwritten where it is not. */
typedef struct intake {
    bool wanted, multipart, in_part, part_seen, part_has_bytes, too_large, no_memory;
    const char *fault; /* of a multipart body; NULL: none so far */
    bool to_file;
    int file; /* a memory file, or -1 */
    ob_buf bytes;
    uint64_t size, most;
    struct MHD_Connection *connection; /* in whose query fields of the item stand */
    struct MHD_PostProcessor *parts;
    /* Takes so many bytes from what there is for all bodies on their way (false: there are not so
     * many), or gives them back. */
    bool (*hold)(void *context, uint64_t bytes);
    void (*let_go)(void *context, uint64_t bytes);
    void *context;
} intake;

/* Starts; multipart bodies are taken apart where one part is wanted. `like` says how bytes are
 * held. False: out of memory. */
bool intake_begin(intake *in, struct MHD_Connection *connection, bool to_file, uint64_t most,
                  const intake *like);
/* There is no room for it any more: what came is forgotten. */
void intake_give_way(intake *in);
void intake_drop(intake *in);
/* Takes the next piece, or overwrites it. */
void intake_add(intake *in, char *piece, size_t size);
/* No more comes. NULL, or why the file of a multipart body cannot be known: a sentence. */
const char *intake_end(intake *in);
void intake_free(intake *in);

/* ---- leave.c --------------------------------------------------------------------------------- */

enum {
    /* Bytes for a connection: its head, and some of a body. The library overwrites all of them
     * after every request. */
    FRONT_HEAD_AND_BUFFER = 65536,
    FRONT_BEYOND = 64, /* connections of a listener more than there may be: to hear that, or that
                        * it lives */
    FRONT_OTHER_MEMORY = 32 << 20, /* bytes of bodies and answers, where services do not ask */
};

/* Bounds memory, descriptors and the size of a memory file by what the configuration lets be, lets
 * go of main's descriptors 0 to 2, and confines the process: *layers is set to OB_CONFINED_…. */
ob_status front_leave(uint32_t *layers, const config *config, ob_error *err);

/* ---- exchange.c ------------------------------------------------------------------------------ */

enum { EXCHANGES_MOST = 16384 };

typedef struct front front;
typedef struct visitor visitor;

/* A listener, with all that a crowd on it can take: nothing of another's. */
typedef struct door {
    front *front;
    ob_listener listener;
    struct MHD_Daemon *http; /* NULL: nobody listens there */
    unsigned connections_most, exchange_count;
    uint64_t memory_most, held; /* bytes of bodies and answers on their way */
    callers callers;
    visitor *visitors;
    unsigned visitor_count, leaving; /* leaving: of these */
    bool woken;                      /* an answer has come for one that sleeps */
    int64_t due_ms;                  /* when the library wants to look, whatever comes */
} door;

/* A body that comes in pieces, and goes to the client as it takes them. */
typedef struct flow {
    bool flows;        /* the answer has such a body */
    bool is_whole;     /* its last piece has come */
    bool is_broken;    /* it never will: the client is told so by the end of its connection */
    ob_buf waiting;    /* bytes that the client has not taken; from `at` on */
    size_t at, untold; /* untold: bytes that it has taken and the core has not heard of */
} flow;

/* One request. */
typedef struct exchange {
    front *front;
    struct MHD_Connection *connection;
    visitor *visitor; /* whose connection it is */
    uint64_t id;      /* its place in the front's table is id % EXCHANGES_MOST */
    enum {
        EXCHANGE_ASKING,   /* the head is with the core */
        EXCHANGE_FILLING,  /* a small body comes, and goes to the core with the head */
        EXCHANGE_TAKING,   /* the body comes, and is wanted */
        EXCHANGE_DROPPING, /* the body comes, and is not wanted; the answer is there */
        EXCHANGE_WAITING,  /* the core has everything */
        EXCHANGE_ANSWERED,
    } state;
    bool suspended, head_done, answered;
    bool is_beyond;        /* of what connections there may be: it is answered, and goes */
    bool closes;           /* where it ends cannot be known: nothing behind it is read */
    bool only_told;        /* what is told where there is no room for it is all that is asked */
    bool asked;            /* this core has the head, and owes a plan or an answer */
    bool planned;          /* this core wants the body */
    bool may_wait;         /* it can be asked anew as long as nothing of its body was handed over */
    bool waits;            /* for a core */
    bool changes;          /* the records, if it is done */
    bool is_get, is_head;  /* the method */
    int64_t wait_until_ms; /* since it first had to; 0: it never had */
    int64_t answer_by_ms;  /* who asks waits no longer; 0: no such limit is known */
    bool is_late;          /* the core was told so */
    ob_packet head;        /* as it is told to a core: a token is in it */
    int64_t length;        /* of the body; -1: it comes in chunks */
    intake body;
    uint64_t came; /* bytes of the body, wanted or not */
    int64_t began_ms;
    unsigned status, retry_after_s;
    char type[80], allow[32];
    const ob_page *page; /* that is the answer; NULL: none is */
    ob_buf headers;      /* lines of "Name: value" of the answer */
    ob_buf answer;
    int answer_file; /* or -1 */
    uint64_t answer_file_size;
    bool answer_is_file; /* the core has it as one: parts of it can be asked for */
    size_t answer_size;  /* bytes of answers that are held for it */
    flow flow;
} exchange;

/* A connection: they may never finish a head, and who has most of them gives way. */
struct visitor {
    visitor *previous, *next;
    door *door; /* it came by */
    caller *from;
    exchange *on; /* NULL: no head has come, or its answer has gone */
    int socket;
    int64_t idle_since_ms;          /* 0: a request is on its way */
    bool leaves;                    /* it has given way, and ends */
    bool is_beyond;                 /* it came when there was no room, and nobody gave way */
    char address[INET6_ADDRSTRLEN]; /* "": a socket of this machine */
    const char *target,
        *target_end;          /* of the request that is on its way, in the library's buffer */
    const char *wrong_target; /* why it cannot be taken; NULL: it can */
};

struct front {
    const config *config;
    door doors[OB_LISTENERS];
    ob_wire *main;
    ob_wire *core; /* NULL while there is none */
    exchange *exchanges[EXCHANGES_MOST];
    unsigned exchange_count, waiting;
    uint64_t next_id;
    bool stopping;
    uint32_t layers; /* OB_CONFINED_… */
    uint64_t counts[OB_FRONT_COUNTS];
};

/* Whether there are more connections than there may be, but for those that have given way. */
bool front_has_too_many(const door *d);

/* MHD's callbacks. */
enum MHD_Result exchange_handle(void *door, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *piece,
                                size_t *piece_size, void **slot);
void exchange_ended(void *door, struct MHD_Connection *connection, void **slot,
                    enum MHD_RequestTerminationCode why);

/* Ends a connection for others: whoever waits on it for an answer is told so first. */
void exchange_give_way(visitor *v);

/* What the core said. */
void exchange_hear(front *f, ob_packet *p);

/* There is a core again: it is asked all that waits for one. */
void exchange_core_came(front *f);

/* The core is gone: whatever was handed over to it fails, the rest waits for the next one. */
void exchange_core_lost(front *f);

/* Whether bytes of a body come, and are kept; or have come, and are kept until the core says what
 * becomes of them. */
bool exchange_takes_body(const exchange *x);
bool exchange_has_body(const exchange *x);

/* They gave way: a client that only waits for a core hears so. */
void exchange_lost_body(exchange *x);

/* The service stops: calls that wait for something to happen are answered now. */
void exchange_hurry(front *f);

/* There was no core for too long. */
void exchange_end_waiting(exchange *x);

/* Nobody waits for its answer any more. */
void exchange_was_left(exchange *x);

/* Who asks waits no longer: the core says what it hears, or, where it does not, we. */
void exchange_is_late(exchange *x);

/* Whether it came by that door. */
bool exchange_came_by(const exchange *x, ob_listener listener);

/* A header field of the request, or NULL. */
const char *exchange_header(const exchange *x, const char *name);

/* Lets the library go on with a connection that sleeps, or stop. */
void exchange_sleep(exchange *x);
void exchange_wake(exchange *x);

/* The answer is there; those that come later are not taken. */
void exchange_set_answer(exchange *x, unsigned status, const char *type, const char *body,
                         size_t size);
void exchange_set_problem(exchange *x, unsigned status, const char *code, const char *detail);

/* ---- head.c ---------------------------------------------------------------------------------- */

/* Puts method, path, client, and what of its fields, cookies and query a handler may want into the
 * packet that the core is sent. False: out of memory, or too large. */
bool head_put(exchange *x, const char *method, const char *path);

/* ---- reply.c --------------------------------------------------------------------------------- */

/* Sends the client the answer that is there. */
enum MHD_Result reply_give(exchange *x);

/* ---- flow.c ---------------------------------------------------------------------------------- */

enum {
    FLOW_WINDOW = 256 << 10
}; /* bytes that the core may send before the client has taken them */

/* A piece came. False: there is no room for it, or it is more than may come. */
bool flow_add(exchange *x, const void *bytes, size_t size, bool last);
/* No more comes. */
void flow_break(exchange *x);
/* The library's callback that takes the next bytes. */
ssize_t flow_read(void *exchange, uint64_t at, char *out, size_t most);
void flow_free(exchange *x);

/* ---- own.c ----------------------------------------------------------------------------------- */

/* Answers what needs no core: whether this process lives, and built-in files. False: it is none of
 * that. */
bool own_answer(exchange *x, const char *method, const char *path);

/* ---- strict.c -------------------------------------------------------------------------------- */

/* What is wrong with a head; status 0: nothing. */
typedef struct head_fault {
    unsigned status;
    const char *code, *sentence;
    bool closes; /* where the request ends is not known */
} head_fault;

/* MHD's callback for the target as it came, before anything of it is taken apart. */
void *strict_target(void *door, const char *target, struct MHD_Connection *connection);
/* And the one that takes escapes away, in place: of a path, all but those of "/" and "%". */
size_t strict_unescape(void *door, struct MHD_Connection *connection, char *text);
head_fault strict_head(exchange *x, const char *method, const char *version);
/* The path of a target that may name scheme and host. */
const char *strict_path(const char *url);

/* ---- room.c ---------------------------------------------------------------------------------- */

/* For bodies and answers of an exchange on their way: takes so many bytes of what there is (false:
 * there are not so many), and gives them back. Where there is no room, an address that would still
 * hold less than another takes of its. */
bool room_hold(void *exchange, uint64_t bytes);
void room_let_go(void *exchange, uint64_t bytes);

/* ---- page.c ----------------------------------------------------------------------------------
 */

/* Where people ask with a browser: a page that says what a problem says. `accept` and `language`
 * are the request's fields, or NULL. False: a problem is what is wanted, or nothing is to be said
 * of this status, or out of memory; *out is to be freed all the same. */
bool page_of(ob_buf *out, unsigned status, const char *accept, const char *language);

/* ---- sweep.c --------------------------------------------------------------------------------- */

/* Ends what is too slow, what has waited long enough, and what nobody waits for any more. */
void sweep(front *f);

#endif
