/* The parts of engine: lane.c queues work and says whose turn it is, serve.c has the threads,
 * file.c and look_up.c are the ways of a file and of queries, decide.c decides, act.c tells what
 * was found, upkeep.c deletes what is due, engine.c opens and closes all of it. */
#ifndef OBHUT_ENGINE_PRIV_H
#define OBHUT_ENGINE_PRIV_H

#include <obhut/clock.h>
#include <obhut/engine.h>
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
    ob_turn *first, **last;
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
    ob_holder bearers[LANE_SEATS_MOST]; /* of tasks that their callers run, by seat */
    bool has_bearer[LANE_SEATS_MOST];
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
ob_hindrance lane_add(ob_turn **pushed, lane *l, ob_turn *turn);

/* Begins a task at once, which was not added: true where nobody waits and there is a seat. The
 * caller's thread runs it then, as if it had taken it. A task that asks never begins so. */
bool lane_begin(lane *l, ob_turn *turn);

/* Waits for the task whose turn it is, which then runs: lane_leave gives its place to the next and
 * lets its client pay for turn->took_us, or where it is not through lets it wait for another turn,
 * before the rest of its client's, but where nobody waits for it. True: there is none to come.
 * NULL: the lane ends, and nothing is left. `closing`: it
 * ends. */
ob_turn *lane_take(bool *closing, lane *l);
bool lane_leave(lane *l, ob_turn *turn, bool is_through);

/* For a task that was taken and asks: it has asked, and waits until it has a seat; turn->seat is
 * its number. A task that does not ask has one from the beginning. */
void lane_sit(lane *l, ob_turn *turn);
/* It asks once more: its seat is another's. */
void lane_stand(lane *l, ob_turn *turn);

/* Takes a task out that does not run yet. False: it is not there. */
bool lane_forget(lane *l, const ob_turn *turn);

/* Takes those out that have waited long enough for a place, linked by `next`; lowers *next_ms to
 * the instant at which the next one has. */
ob_turn *lane_late(int64_t *next_ms, lane *l, int64_t now_ms);

/* Whether a task of this client that comes next would be taken; and would have its place at once.
 */
bool lane_has_room(bool *at_once, lane *l, const char *client);

unsigned lane_waiting(lane *l); /* tasks that do not run yet */

/* ---- act.c ----------------------------------------------------------------------------------- */

enum { HIT_COUNTS_MOST = 512 };

/* Hits since the start. */
typedef struct hit_counts {
    pthread_mutex_t lock;
    ob_hit_count kind[HIT_COUNTS_MOST];
    size_t count;
} hit_counts;

/* What a scan came to, and what was found for some queries: counted, and told to the log. */
void act_on_scan(struct ob_engine *e, const ob_scan *scan);
void act_on_queries(struct ob_engine *e, const ob_look_up *look_up);

/* ---- upkeep.c -------------------------------------------------------------------------------- */

typedef struct upkeep upkeep; /* a thread that deletes what is due, every options->upkeep_s */
ob_status upkeep_start(upkeep **out, const ob_engine_options *options, ob_permits *permits,
                       ob_error *err);
void upkeep_stop(upkeep *u); /* NULL is fine */

/* ---- The engine ------------------------------------------------------------------------------ */

/* What is brief never waits for what is long: that has lanes, threads and workers of its own, which
 * the scheduler prefers others to. */
enum { BRIEF, LONG, LENGTHS };

struct ob_engine {
    ob_engine_options options;
    ob_detectors detectors;
    ob_permits *permits;
    upkeep *upkeep;
    lane decoding[LENGTHS], searching[LENGTHS];
    ob_workers
        *workers[LENGTHS][LANE_SEATS_MOST]; /* of the seats for decoding; of who sits there */
    pthread_t watch;                        /* of those that wait for a place */
    pthread_mutex_t lock;                   /* of `closing`, which is for it */
    pthread_cond_t ends;
    bool has_watch, closing;
    unsigned place_wait_ms;
    atomic_ullong scans[OB_ACTIONS], hashes, look_ups, queries, failures, lost, busy_us, slow;
    atomic_ullong looked[OB_DETECTORS_MOST], signals[OB_DETECTORS_MOST];
    atomic_ullong could_not[OB_HINDRANCES], let_through[OB_HINDRANCES], passed[OB_UNDECODABLES];
    hit_counts hits;
    atomic_uint layers;
};

/* A kind of work. */
typedef struct work_class {
    bool decodes;                         /* by the lanes that decode; else those that search */
    ob_file_work *(*file)(ob_work *work); /* NULL: it has none */
    /* Does what can be done in a turn. False: it is not through, and has another one. */
    bool (*run)(ob_engine *e, ob_holder *bearer, ob_work *work);
    void (*count)(ob_engine *e, const ob_work *work); /* it was looked at */
} work_class;

extern const work_class work_scan, work_hashing, work_look_up; /* file.c, look_up.c */

/* ---- serve.c --------------------------------------------------------------------------------- */

uint64_t engine_now_us(void);

/* Work is long beyond this. */
enum { LONG_US = 50000 };

/* What it stands in. */
lane *engine_lane_of(ob_engine *e, const ob_work *work);

/* From here on it works, and the time counts. */
void engine_sit(ob_engine *e, ob_work *work);

/* What a failed step comes down to is remembered; OB_EREFUSED is no failure. Returns `status`. */
ob_status engine_hindered(ob_work *work, ob_status status, ob_hindrance by);

/* A denial: nobody may look, or nobody can now. */
void engine_deny(ob_engine *e, ob_work *work);

/* It is not done now, and nothing was begun. */
void engine_refuse(ob_engine *e, ob_work *work, ob_hindrance by);

/* These gave way to others, linked by `next`. */
void engine_turn_away_all(ob_engine *e, ob_turn *first);

void *engine_serve(void *lane); /* the life of a thread */

/* Does work on the caller's thread, where nobody waits for a turn and there is a seat: from thread
 * to thread it would go slower than it is done. False: it has not begun, and is to be added. */
bool engine_serve_here(ob_engine *e, ob_work *work);

ob_status engine_watch_start(ob_engine *e, ob_error *err);
void engine_watch_init(ob_engine *e);
void engine_watch_stop(ob_engine *e);

/* ---- file.c ---------------------------------------------------------------------------------- */

/* What it will take, by its head. */
void file_estimate(ob_engine *e, ob_work *work);

/* Workers have the priority of the thread that starts them. */
ob_status engine_need_workers(ob_workers **workers, ob_engine *e, ob_error *err);

#endif
