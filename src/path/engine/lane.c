/* A queue, the threads that serve it, and whose turn it is.
 *
 * Every client has lines of its own. A client pays for its tasks with the time that they take; who
 * has paid least is served next, so that whoever hands in a hundred slow files delays another by
 * the one that runs. A slow task runs alone: while one does, other threads take quick ones.
 *
 * Who works has a seat, of which there are so many. A task that must ask the records first, which
 * may be slow, does so standing: it takes a seat when it has asked, and until then another works.
 *
 * There are so many places; who comes when all are taken waits for one: a bounded number, for a
 * bounded time. Where there is no room to wait, the client that has most waiting gives way. */
#include "engine_priv.h"

#include <stdio.h>
#include <string.h>

enum {
    PLACED_BYTES = 512000000,                /* of all that have a place and do not run yet */
    BEYOND_MOST = 512,                       /* that wait for a place */
    BEYOND_BYTES = 256000000,                /* of all of them */
    TASK_BYTES = BEYOND_BYTES / BEYOND_MOST, /* what work weighs besides its bytes */
    LEAST_US = 1000,                         /* that work costs its client at first */
};

/* ---- Lines ------------------------------------------------------------------------------------
 */

static void line_init(line *l)
{
    *l = (line){.first = NULL};
    l->last = &l->first;
}

static void put(line *l, ob_turn *t)
{
    t->next = NULL;
    *l->last = t;
    l->last = &t->next;
    l->count++;
}

static void put_first(line *l, ob_turn *t)
{
    t->next = l->first;
    l->first = t;
    if (!t->next)
        l->last = &t->next;
    l->count++;
}

/* Takes out what *at points to. */
static ob_turn *take_at(line *l, ob_turn **at)
{
    ob_turn *t = *at;
    *at = t->next;
    if (l->last == &t->next)
        l->last = at;
    l->count--;
    t->next = NULL;
    return t;
}

/* ---- Clients; from here on all of it under the lock -------------------------------------------
 */

/* Which of a client's lines a task stands in. */
static int line_of(const ob_turn *t)
{
    return (t->asks ? SPEEDS : 0) + (t->is_slow ? SLOW : QUICK);
}

static unsigned waiting_of(const client *c)
{
    unsigned waiting = 0;
    for (int i = 0; i < LINES; i++)
        waiting += c->line[i].count;
    return waiting;
}

static bool is_idle(const client *c)
{
    return !waiting_of(c) && !c->running;
}

static client *take_over(client *c, const char *name)
{
    *c = (client){.served = c->served};
    snprintf(c->name, sizeof c->name, "%s", name);
    for (int i = 0; i < LINES; i++)
        line_init(&c->line[i]);
    return c;
}

/* Finds a client or makes it, in the place of the idle one that was served longest ago. Where all
 * are at work, those beyond share the last. */
static client *client_of(lane *l, const char *name)
{
    client *idle = NULL;
    for (unsigned i = 0; i < l->client_count; i++) {
        client *c = &l->clients[i];
        if (!strcmp(c->name, name))
            return c;
        if (is_idle(c) && (!idle || c->served < idle->served))
            idle = c;
    }
    if (l->client_count < LANE_CLIENTS_MOST)
        return take_over(&l->clients[l->client_count++], name);
    return idle ? take_over(idle, name) : &l->clients[LANE_CLIENTS_MOST - 1];
}

static uint64_t weight_of(const ob_turn *t)
{
    return TASK_BYTES + t->bytes;
}

static uint64_t bytes_of(const ob_turn *t)
{
    return t->bytes;
}

static uint64_t cost_of(const ob_turn *t)
{
    return t->cost_us > LEAST_US ? t->cost_us : LEAST_US;
}

/* ---- Places -----------------------------------------------------------------------------------
 */

static bool has_place(const lane *l, uint64_t bytes)
{
    return l->placed + l->running < l->most &&
           (!l->placed || l->placed_bytes + bytes <= PLACED_BYTES);
}

static bool may_wait(const lane *l, uint64_t bytes)
{
    return l->beyond < BEYOND_MOST && l->beyond_bytes + bytes <= BEYOND_BYTES;
}

static void come(lane *l, client *c, ob_turn *t)
{
    t->came = ++l->came;
    t->by = c;
    t->until_ms = 0;
    if (!waiting_of(c) && c->paid_us < l->paid_us)
        c->paid_us = l->paid_us; /* who was away has saved nothing */
}

static void enter(lane *l, client *c, ob_turn *t, bool placed)
{
    come(l, c, t);
    if (!placed)
        t->until_ms = ob_now_monotonic_ms() + l->wait_ms;
    put(&c->line[line_of(t)], t);
    if (placed) {
        c->placed++;
        l->placed++;
        l->placed_bytes += bytes_of(t);
        return;
    }
    c->beyond_weight += weight_of(t);
    l->beyond++;
    l->beyond_bytes += bytes_of(t);
}

/* It keeps its place, and stands before the rest of its client's: what has begun holds what it has
 * found, and so few do at once. */
static void go_on(lane *l, client *c, ob_turn *t)
{
    if (!waiting_of(c) && c->paid_us < l->paid_us)
        c->paid_us = l->paid_us;
    put_first(&c->line[line_of(t)], t);
    t->until_ms = 0;
    c->placed++;
    l->placed++;
    l->placed_bytes += bytes_of(t);
}

static ob_turn *leave_line(lane *l, client *c, int which, ob_turn **at)
{
    ob_turn *t = take_at(&c->line[which], at);
    if (!t->until_ms) {
        c->placed--;
        l->placed--;
        l->placed_bytes -= bytes_of(t);
        return t;
    }
    c->beyond_weight -= weight_of(t);
    l->beyond--;
    l->beyond_bytes -= bytes_of(t);
    return t;
}

/* The first of a client's that waits for a place, or NULL. */
static ob_turn *first_beyond(const client *c)
{
    ob_turn *first = NULL;
    for (int i = 0; i < LINES && c->beyond_weight; i++)
        for (ob_turn *t = c->line[i].first; t; t = t->next)
            if (t->until_ms) {
                if (!first || t->came < first->came)
                    first = t;
                break;
            }
    return first;
}

/* A place that is free goes to the client that has fewest; of those, to who waits longest. */
static bool fill_place(lane *l)
{
    client *poorest = NULL;
    ob_turn *next = NULL;
    for (unsigned i = 0; i < l->client_count; i++) {
        client *c = &l->clients[i];
        ob_turn *t = first_beyond(c);
        if (!t || (poorest && c->placed > poorest->placed) ||
            (poorest && c->placed == poorest->placed && t->came > next->came))
            continue;
        poorest = c;
        next = t;
    }
    if (!next || !has_place(l, bytes_of(next)))
        return false;
    next->until_ms = 0;
    poorest->placed++;
    l->placed++;
    l->placed_bytes += bytes_of(next);
    poorest->beyond_weight -= weight_of(next);
    l->beyond--;
    l->beyond_bytes -= bytes_of(next);
    return true;
}

static void fill_places(lane *l)
{
    while (l->beyond && fill_place(l))
        ;
}

/* Who has most waiting for places, if that is more than `c` would have with so much more. */
static client *richer(lane *l, const client *c, uint64_t weight)
{
    client *richest = NULL;
    for (unsigned i = 0; i < l->client_count; i++)
        if (!richest || l->clients[i].beyond_weight > richest->beyond_weight)
            richest = &l->clients[i];
    return richest && richest != c && richest->beyond_weight > c->beyond_weight + weight ? richest
                                                                                         : NULL;
}

/* Takes out who of a client's came last of those that wait for a place. */
static ob_turn *push_out(lane *l, client *c)
{
    ob_turn **last = NULL;
    int of = 0;
    for (int i = 0; i < LINES; i++)
        for (ob_turn **at = &c->line[i].first; *at; at = &(*at)->next)
            if ((*at)->until_ms && (!last || (*at)->came > (*last)->came)) {
                last = at;
                of = i;
            }
    return last ? leave_line(l, c, of, last) : NULL;
}

/* Makes room for `t` as far as it is its client's; who gives way for it goes to *pushed. */
static bool make_room(line *pushed, lane *l, const client *c, const ob_turn *t)
{
    client *rich;
    while (!may_wait(l, bytes_of(t)) && (rich = richer(l, c, weight_of(t))))
        put(pushed, push_out(l, rich));
    return may_wait(l, bytes_of(t));
}

/* ---- Turns ------------------------------------------------------------------------------------
 */

/* Seats that are left when those have one who have asked and may sit down. */
static bool has_seat(const lane *l)
{
    const unsigned slow_left = l->slow_most > l->slow_running ? l->slow_most - l->slow_running : 0;
    const unsigned slow = l->standing[SLOW] < slow_left ? l->standing[SLOW] : slow_left;
    return l->seated + l->standing[QUICK] + slow < l->seats;
}

static bool may_begin(const lane *l, const ob_turn *t)
{
    if (l->closing) /* nothing is looked at any more: all is handed out */
        return true;
    if (t->asks)
        return l->asking < LANE_ASKING_MOST;
    return has_seat(l) && (!t->is_slow || l->slow_running + l->standing[SLOW] < l->slow_most);
}

/* What a client would have done next: the first that came of those that may begin. */
static ob_turn *next_of(const lane *l, const client *c)
{
    ob_turn *next = NULL;
    for (int i = 0; i < LINES; i++) {
        ob_turn *t = c->line[i].first;
        if (t && (!next || t->came < next->came) && may_begin(l, t))
            next = t;
    }
    return next;
}

/* Whose turn it is: of who has something to do, who has paid least; of those, who was served
 * longest ago. */
static client *turn_of(lane *l)
{
    client *next = NULL;
    for (unsigned i = 0; i < l->client_count; i++) {
        client *c = &l->clients[i];
        if (!next_of(l, c))
            continue;
        if (!next || c->paid_us < next->paid_us ||
            (c->paid_us == next->paid_us && c->served < next->served))
            next = c;
    }
    return next;
}

static void sit_down(lane *l, ob_turn *t)
{
    t->seat = 0;
    while (l->is_taken[t->seat])
        t->seat++;
    l->is_taken[t->seat] = true;
    l->seated++;
    l->slow_running += t->is_slow;
}

static void stand_up(lane *l, ob_turn *t)
{
    l->is_taken[t->seat] = false;
    t->seat = LANE_STANDS;
    l->seated--;
    l->slow_running -= t->is_slow;
    pthread_cond_broadcast(&l->seat);
    if (t->is_slow) /* another thread may sit beside a slow one that may begin now */
        pthread_cond_signal(&l->some);
}

/* It has left its line. */
static void begin(lane *l, client *c, ob_turn *t)
{
    if (l->paid_us < c->paid_us)
        l->paid_us = c->paid_us;
    c->paid_us += cost_of(t);
    c->served = ++l->served;
    c->running++;
    l->running++;
    t->seat = LANE_STANDS;
    if (t->asks)
        l->asking++;
    else if (!l->closing)
        sit_down(l, t);
}

static ob_turn *begin_next(lane *l)
{
    client *c = turn_of(l);
    if (!c)
        return NULL;
    ob_turn *t = next_of(l, c);
    const int which = line_of(t);
    leave_line(l, c, which, &c->line[which].first);
    begin(l, c, t);
    return t;
}

/* ---- Tasks ------------------------------------------------------------------------------------
 */

ob_hindrance lane_add(ob_turn **pushed, lane *l, ob_turn *t)
{
    ob_hindrance hindrance = OB_HINDRANCE_NONE;
    line out;
    line_init(&out);
    pthread_mutex_lock(&l->lock);
    client *c = client_of(l, t->client);
    if (l->closing)
        hindrance = OB_HINDRANCE_STOPPING;
    else if (!l->beyond && has_place(l, bytes_of(t)))
        enter(l, c, t, true);
    else if (make_room(&out, l, c, t))
        enter(l, c, t, false);
    else
        hindrance = OB_HINDRANCE_BUSY;
    pthread_mutex_unlock(&l->lock);
    if (!hindrance) /* who wakes finds the lock free */
        pthread_cond_signal(&l->some);
    *pushed = out.first;
    return hindrance;
}

bool lane_begin(lane *l, ob_turn *t)
{
    pthread_mutex_lock(&l->lock);
    const bool begins = !l->closing && !t->asks && !t->is_slow && !l->placed && !l->beyond &&
                        has_place(l, bytes_of(t)) && has_seat(l);
    if (begins) {
        client *c = client_of(l, t->client);
        t->is_here = true;
        come(l, c, t);
        begin(l, c, t);
    }
    pthread_mutex_unlock(&l->lock);
    return begins;
}

static bool is_empty(const lane *l)
{
    return !l->placed && !l->beyond;
}

ob_turn *lane_take(bool *closing, lane *l)
{
    ob_turn *t;
    pthread_mutex_lock(&l->lock);
    while (!(t = begin_next(l)) && !(l->closing && is_empty(l)))
        pthread_cond_wait(&l->some, &l->lock);
    *closing = l->closing;
    pthread_mutex_unlock(&l->lock);
    return t;
}

void lane_sit(lane *l, ob_turn *t)
{
    pthread_mutex_lock(&l->lock);
    if (t->seat == LANE_STANDS) {
        const int speed = t->is_slow ? SLOW : QUICK;
        l->asking--;
        pthread_cond_signal(&l->some); /* another may ask */
        l->standing[speed]++;
        while (l->seated >= l->seats || (t->is_slow && l->slow_running >= l->slow_most))
            pthread_cond_wait(&l->seat, &l->lock);
        l->standing[speed]--;
        sit_down(l, t);
    }
    pthread_mutex_unlock(&l->lock);
}

void lane_stand(lane *l, ob_turn *t)
{
    pthread_mutex_lock(&l->lock);
    if (t->asks && t->seat != LANE_STANDS) {
        stand_up(l, t);
        l->asking++;
        pthread_cond_signal(&l->some);
    }
    pthread_mutex_unlock(&l->lock);
}

bool lane_leave(lane *l, ob_turn *t, bool is_through)
{
    pthread_mutex_lock(&l->lock);
    client *c = t->by;
    const uint64_t cost = cost_of(t);
    c->paid_us = c->paid_us - cost + t->took_us;
    c->running--;
    l->running--;
    if (t->seat != LANE_STANDS)
        stand_up(l, t);
    else if (t->asks)
        l->asking--;
    const bool goes_on = !is_through && !atomic_load(&t->unwanted);
    if (goes_on)
        go_on(l, c, t);
    fill_places(l);
    if (t->is_here && l->placed) /* a thread of the lane would have taken the next itself */
        pthread_cond_signal(&l->some);
    t->is_here = false;
    pthread_mutex_unlock(&l->lock);
    return !goes_on;
}

/* By its place alone: it may never have been added. */
static bool take_out(lane *l, const ob_turn *t)
{
    const int which = line_of(t);
    for (unsigned i = 0; i < l->client_count; i++)
        for (ob_turn **at = &l->clients[i].line[which].first; *at; at = &(*at)->next)
            if (*at == t) {
                leave_line(l, &l->clients[i], which, at);
                return true;
            }
    return false;
}

bool lane_forget(lane *l, const ob_turn *t)
{
    pthread_mutex_lock(&l->lock);
    bool found = take_out(l, t);
    fill_places(l);
    pthread_mutex_unlock(&l->lock);
    return found;
}

static void take_late(line *late, int64_t *next_ms, lane *l, client *c, int64_t now_ms)
{
    for (int i = 0; i < LINES && c->beyond_weight; i++)
        for (ob_turn **at = &c->line[i].first; *at;) {
            const int64_t until = (*at)->until_ms;
            if (until && until <= now_ms) {
                put(late, leave_line(l, c, i, at));
                continue;
            }
            if (until && until < *next_ms)
                *next_ms = until;
            at = &(*at)->next;
        }
}

ob_turn *lane_late(int64_t *next_ms, lane *l, int64_t now_ms)
{
    line late;
    line_init(&late);
    pthread_mutex_lock(&l->lock);
    for (unsigned i = 0; i < l->client_count; i++)
        take_late(&late, next_ms, l, &l->clients[i], now_ms);
    pthread_mutex_unlock(&l->lock);
    return late.first;
}

bool lane_has_room(bool *at_once, lane *l, const char *name)
{
    pthread_mutex_lock(&l->lock);
    *at_once = !l->closing && !l->beyond && has_place(l, 0);
    bool room = *at_once || (!l->closing && may_wait(l, 0));
    if (!room && !l->closing)
        room = richer(l, client_of(l, name), TASK_BYTES);
    pthread_mutex_unlock(&l->lock);
    return room;
}

unsigned lane_waiting(lane *l)
{
    pthread_mutex_lock(&l->lock);
    unsigned waiting = l->placed + l->beyond;
    pthread_mutex_unlock(&l->lock);
    return waiting;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

void lane_init(lane *l, struct ob_engine *engine, unsigned most, unsigned wait_ms)
{
    *l = (lane){.engine = engine,
                .most = most,
                .wait_ms = wait_ms,
                .seats = LANE_SEATS_MOST,
                .slow_most = 1};
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->some, NULL);
    pthread_cond_init(&l->seat, NULL);
}

ob_status lane_start(lane *l, unsigned seats, void *(*serve)(void *lane), ob_error *err)
{
    l->seats = seats < LANE_SEATS_MOST ? seats : LANE_SEATS_MOST;
    l->slow_most = seats > SLOW_ONE_OF ? seats / SLOW_ONE_OF : 1;
    while (l->thread_count < l->seats + LANE_ASKING_MOST &&
           !pthread_create(&l->threads[l->thread_count], NULL, serve, l))
        l->thread_count++;
    return l->thread_count ? OB_OK : ob_fail(err, OB_ENOMEM, "no thread could be started");
}

void lane_end(lane *l)
{
    pthread_mutex_lock(&l->lock);
    l->closing = true;
    pthread_cond_broadcast(&l->some);
    pthread_mutex_unlock(&l->lock);
    for (unsigned i = 0; i < l->thread_count; i++)
        pthread_join(l->threads[i], NULL);
    pthread_cond_destroy(&l->seat);
    pthread_cond_destroy(&l->some);
    pthread_mutex_destroy(&l->lock);
}
