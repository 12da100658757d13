/* Threads that do work: some decode, each with workers of its own, some only search. */
#include "engine_priv.h"

#include <time.h>
#include <unistd.h>

static const char TOO_MANY[] = "too many items are waiting already";

uint64_t engine_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Its turn is its first member. */
static ob_work *work_of(ob_turn *turn)
{
    return (ob_work *)turn;
}

lane *engine_lane_of(ob_engine *e, const ob_work *w)
{
    lane *both = w->class->decodes ? e->decoding : e->searching;
    return &both[w->is_long ? LONG : BRIEF];
}

void engine_sit(ob_engine *e, ob_work *w)
{
    lane_sit(engine_lane_of(e, w), &w->turn);
    w->sat_us = engine_now_us();
}

/* ---- What becomes of it ---------------------------------------------------------------------- */

ob_status engine_hindered(ob_work *w, ob_status status, ob_hindrance by)
{
    if (status && status != OB_EREFUSED)
        w->decision.hindrance =
            ob_hindrance_of(status) == OB_HINDRANCE_BUSY ? OB_HINDRANCE_BUSY : by;
    return status;
}

static void could_not(ob_work *w, ob_hindrance by)
{
    w->decision.action = OB_ACTION_COULD_NOT;
    w->decision.because = OB_BECAUSE_HINDRANCE;
    w->decision.hindrance = by;
}

void engine_deny(ob_engine *e, ob_work *w)
{
    w->status = OB_OK;
    w->decision.hindrance = ob_engine_hindrance(e, &w->decision.gate, OB_OK);
    if (w->decision.hindrance) {
        could_not(w, w->decision.hindrance);
        return;
    }
    w->decision.action = OB_ACTION_NOT_SCANNED;
    w->decision.because = OB_BECAUSE_GATE;
}

void engine_refuse(ob_engine *e, ob_work *w, ob_hindrance by)
{
    could_not(w, by);
    ob_engine_could_not(e, by);
}

static void close_file(ob_work *w)
{
    if (w->class->file)
        close(w->class->file(w)->file);
}

/* It waited, and is not looked at any more. */
static void turn_away(ob_engine *e, ob_work *w, ob_hindrance by, const char *sentence)
{
    engine_refuse(e, w, by);
    w->status = ob_fail(&w->error, OB_EBUSY, "%s", sentence);
    close_file(w);
}

/* Nobody waits for it any more: it moved from lane to lane while it was looked for in both. */
static void leave_alone(ob_work *w)
{
    could_not(w, OB_HINDRANCE_BUSY);
    w->status = ob_fail(&w->error, OB_EBUSY, "nobody waits for it any more");
    close_file(w);
}

void engine_turn_away_all(ob_engine *e, ob_turn *first)
{
    for (ob_turn *t = first, *next; t; t = next) {
        ob_work *w = work_of(t);
        next = t->next; /* once it is told, it may be gone */
        turn_away(e, w, OB_HINDRANCE_BUSY, TOO_MANY);
        w->done(w);
    }
}

static void count(ob_engine *e, const ob_work *w)
{
    if (w->decision.action == OB_ACTION_COULD_NOT)
        ob_engine_could_not(e, w->decision.hindrance);
    if (w->status)
        atomic_fetch_add(&e->failures, 1);
    else if (w->decision.action != OB_ACTION_NOT_SCANNED &&
             w->decision.action != OB_ACTION_COULD_NOT) /* those were counted as that */
        w->class->count(e, w);
}

/* ---- Threads --------------------------------------------------------------------------------- */

/* False: it has had its turn and is not through. */
static bool run(ob_engine *e, ob_holder *bearer, ob_work *w)
{
    w->sat_us = 0;
    const bool is_through = w->class->run(e, bearer, w);
    w->turn.took_us = w->sat_us ? engine_now_us() - w->sat_us : 0; /* asking is not working */
    w->took_us += w->turn.took_us;
    if (!is_through)
        return false;
    close_file(w);
    if (w->status)
        could_not(w, w->decision.hindrance ? w->decision.hindrance : OB_HINDRANCE_FAULT);
    if (w->class->decodes)
        atomic_fetch_add(&e->busy_us, w->took_us);
    count(e, w);
    return true;
}

/* A file that was to be brief and is not begins anew among those that are long. */
static void move_to_long(ob_engine *e, ob_work *w)
{
    ob_turn *pushed;
    w->turns_long = false;
    w->is_long = true;
    w->turn.cost_us = LONG_US > w->took_us ? LONG_US : w->took_us;
    atomic_fetch_add(&e->slow, 1);
    const ob_hindrance by = lane_add(&pushed, engine_lane_of(e, w), &w->turn);
    engine_turn_away_all(e, pushed);
    if (by) {
        turn_away(e, w, by, TOO_MANY);
        w->done(w);
    }
}

/* Its turn is over. */
static void leave(ob_engine *e, lane *l, ob_work *w, bool is_through)
{
    const bool moves = !is_through && w->turns_long;
    const bool ends = lane_leave(l, &w->turn, is_through || moves);
    if (moves)
        move_to_long(e, w);
    else if (ends)
        w->done(w);
}

bool engine_serve_here(ob_engine *e, ob_work *w)
{
    lane *l = engine_lane_of(e, w);
    if (ob_yields_to_others() || !lane_begin(l, &w->turn))
        return false;
    const int seat = w->turn.seat;
    if (!l->has_bearer[seat])
        ob_holder_init(&l->bearers[seat]);
    l->has_bearer[seat] = true;
    leave(e, l, w, run(e, &l->bearers[seat], w));
    return true;
}

void *engine_serve(void *argument)
{
    lane *l = argument;
    ob_engine *e = l->engine;
    ob_holder bearer;
    bool closing;
    if (l == &e->decoding[LONG] || l == &e->searching[LONG])
        ob_yield_to_others();
    ob_holder_init(&bearer);
    for (ob_turn *t = lane_take(&closing, l); t; t = lane_take(&closing, l)) {
        ob_work *w = work_of(t);
        bool is_through = true;
        if (closing)
            turn_away(e, w, OB_HINDRANCE_STOPPING, "the service is stopping");
        else if (atomic_load(&t->unwanted))
            leave_alone(w);
        else
            is_through = run(e, &bearer, w);
        leave(e, l, w, is_through);
    }
    return NULL;
}

/* ---- Who has waited too long for a place ----------------------------------------------------- */

/* While all threads are at work, somebody else must look at who has waited too long. */
static void *watch(void *argument)
{
    ob_engine *e = argument;
    pthread_mutex_lock(&e->lock);
    while (!e->closing) {
        pthread_mutex_unlock(&e->lock);
        const int64_t now = ob_now_monotonic_ms();
        int64_t next = now + e->place_wait_ms; /* who comes from now on is due later */
        for (int i = 0; i < LENGTHS; i++) {
            engine_turn_away_all(e, lane_late(&next, &e->decoding[i], now));
            engine_turn_away_all(e, lane_late(&next, &e->searching[i], now));
        }
        pthread_mutex_lock(&e->lock);
        const struct timespec until = ob_in_ms(next - now);
        if (!e->closing)
            pthread_cond_timedwait(&e->ends, &e->lock, &until);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

void engine_watch_init(ob_engine *e)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

ob_status engine_watch_start(ob_engine *e, ob_error *err)
{
    if (!e->place_wait_ms)
        return OB_OK; /* nobody waits for a place */
    e->has_watch = !pthread_create(&e->watch, NULL, watch, e);
    return e->has_watch ? OB_OK : ob_fail(err, OB_ENOMEM, "no thread could be started");
}

void engine_watch_stop(ob_engine *e)
{
    pthread_mutex_lock(&e->lock);
    e->closing = true;
    pthread_cond_broadcast(&e->ends);
    pthread_mutex_unlock(&e->lock);
    if (e->has_watch)
        pthread_join(e->watch, NULL);
    pthread_cond_destroy(&e->ends);
    pthread_mutex_destroy(&e->lock);
}
