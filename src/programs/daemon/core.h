/* The parts of the core: core.c is its life and its main thread, peer.c the front as it sees it,
 * carry.c a request on its way, letter.c the body of one, pieces.c an answer in pieces, wait.c
 * requests that wait for something to happen. */
#ifndef OBHUT_CORE_H
#define OBHUT_CORE_H

#include "channel.h"
#include "control.h"
#include "daemon.h"
#include "desk.h"

#include <obhut/commands.h>
#include <obhut/gateways.h>
#include <obhut/services.h>
#include <obhut/socket.h>

#include <pthread.h>
#include <stdatomic.h>

enum { CALLS = 16384 };

/* A request that the front carries to us. The main thread only carries it on: its head is looked at
 * at a desk, and so is a body of JSON. */
typedef struct carried {
    desk_job job;        /* first: of its head */
    ob_packet *head;     /* a copy */
    bool head_is_fine;   /* the desk's word, with `plan` and `call` */
    bool asks;           /* the records, and so may wait for them */
    bool is_beyond;      /* there is no room for it: only what is told then is wanted */
    atomic_bool is_head; /* only the head: a desk has it, or it comes back with a plan; else it is
                          * answered when it comes back */
    struct core *core;
    ob_call *call;
    ob_plan plan;
    uint64_t id;
    ob_listener listener;  /* over which it came, as the front says */
    bool busy;             /* a desk has it, or a handler the body and will answer */
    bool waits;            /* among those that wait for something to happen */
    int64_t wait_until_ms; /* 0: it never did */
    struct carried *next_waiting;
    bool flows;           /* its answer is given, and comes in pieces; under core.telling, with */
    bool is_broken;       /* no more pieces go to the client */
    uint64_t sent, taken; /* bytes of pieces: what the front was sent, and the client has taken */
    atomic_bool gone;     /* nobody waits for the answer any more */
    bool told;            /* the front has its answer; under core.telling */
    struct carried *next; /* among those that come back */
} carried;

typedef struct core {
    const config *config;
    ob_service service;
    ob_services *services;
    ob_gateways *gateways;
    desks *desks, *asking; /* asking: of what may wait for the records */
    desks *reading;        /* of bodies that are long */
    desks *showing;        /* of what is for everybody: nobody else waits behind a crowd */
    int admin_socket;
    pthread_mutex_t telling; /* of `front`, but for what is heard from it, and of `deaf` */
    pthread_cond_t took;     /* a client has taken pieces, or has gone */
    bool flows_end;          /* the service stops: no more pieces are sent */
    ob_wire *front;          /* set by the main thread only */
    bool deaf;               /* it could not be told something */
    char blame[400];         /* why the front will be hung up on; "": it does its part */
    int64_t deaf_since_ms;   /* 0: the front has read all */
    atomic_size_t held[OB_LISTENERS];
    unsigned call_count;
    carried *calls[CALLS];
    pthread_mutex_t lock; /* of what was answered */
    carried *answered;
    carried *waiting; /* for something to happen; the main thread's */
    unsigned waiting_count;
    int answered_event;
    bool stopping, ran;
    ob_wire *main;
    ob_packet packet; /* of the front, that is heard; else its kind is 0 */
} core;

/* ---- peer.c ---------------------------------------------------------------------------------- */

/* A front that does what ours does not was taken over, or is ill: its end costs no more than what
 * it carries, and main starts another. Done when nobody is in the middle of a call; said with the
 * packet that is heard. */
void peer_blame(core *c, const char *why);

/* Any thread. `k`: whose answer it is, which is for nobody else: another front has other requests
 * under the same numbers. NULL: the main thread's, which knows. Frees the packet. */
void peer_tell(core *c, carried *k, ob_packet *p);
/* The same of an answer of which more follows. */
void peer_tell_more(core *c, carried *k, ob_packet *p);

/* Another front, or NULL: the one before is gone, with peer_lose for what it had asked. */
void peer_set(core *c, ob_wire *front);
void peer_lose(core *c);

/* Sends what waits. False: it is gone. */
bool peer_flush(core *c);

/* A few packets a turn: whoever talks without end keeps nobody else waiting. */
void peer_hear(core *c);

/* Hangs up where it was blamed. True: until it has read what waits for it, nothing more is taken
 * from it; but not for ever. */
bool peer_look_after(core *c);

/* ---- carry.c --------------------------------------------------------------------------------- */

/* Bytes of a packet that waits for a desk. False: too many of that listener do. */
bool carry_hold(core *c, ob_listener listener, size_t size);
void carry_let_go(core *c, ob_listener listener, size_t size);

/* Overwrites and frees a copy that was held: a token is in it, or what somebody wrote. NULL is
 * fine.
 */
void carry_drop(core *c, ob_listener listener, ob_packet *copy);

/* The front said: a head; nobody waits for that answer any more. */
void carry_ask(core *c, ob_packet *p);
void carry_gone(core *c, uint64_t id);
/* It said: who waits for that answer takes another now. Without one the front has its own. */
void carry_late(core *c, uint64_t id);

/* Which of this number waits for an answer; NULL: none, or the front has it. */
carried *carry_find(core *c, uint64_t id);

/* What came back from desks and handlers since the last time. */
void carry_back(core *c);

/* Answers at once; the second is counted. */
void carry_refuse(core *c, uint64_t id, ob_answer why);
void carry_refuse_busy(core *c, uint64_t id);

/* From any thread: the main one takes it off its table and frees it, or hears its plan. */
void carry_come_back(carried *k);

/* Off the table, and freed. */
void carry_end(carried *k);

/* From a desk: sends the answer that is there. */
void carry_answer(carried *k);

/* ---- pieces.c -------------------------------------------------------------------------------- */

/* An ob_call's `piece`. */
bool pieces_send(ob_call *call, const void *bytes, size_t size, bool last);
/* The front said: the client has taken so many bytes. */
void pieces_taken(core *c, ob_packet *p);
/* Nobody waits any more for clients that take nothing. */
void pieces_wake(core *c);
void pieces_end(core *c);

/* ---- wait.c ---------------------------------------------------------------------------------- */

/* The main thread's. It waits until something has happened. */
void wait_add(carried *k);
void wait_remove(carried *k);
/* Looks whether something has; how many ms may pass until it is to be called again, -1: any. */
int wait_look(core *c);

/* ---- letter.c -------------------------------------------------------------------------------- */

/* The front said: a body, whose file becomes the handler's; or that it cannot take one now. */
void letter_hear(core *c, ob_packet *p);
void letter_unable(core *c, ob_packet *p);

/* From a desk: the body that came with a head takes long to read, and is read elsewhere, in turns
 * with other clients'. The head is then the letter's. False: there is no room for it. */
bool letter_set_aside(carried *k, ob_packet *head, const char *body, size_t size);

#endif
