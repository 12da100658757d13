/* A queue, the threads that serve it, and those that wait for a place in it: a bounded number, for
 * a bounded time, in the order in which they came. */
#include "engine_priv.h"

enum {
    BEYOND_MOST = 512,        /* that wait for a place */
    BEYOND_BYTES = 256000000, /* of all of them */
    QUERY_BYTES = 256,        /* of one query with its text, about */
};

/* ---- Lines ------------------------------------------------------------------------------------
 */

static void line_init(line *l)
{
    *l = (line){.first = NULL};
    l->last = &l->first;
}

static void put(line *l, ob_task *t)
{
    t->next = NULL;
    *l->last = t;
    l->last = &t->next;
    l->count++;
}

/* Takes out what *at points to. */
static ob_task *take_at(line *l, ob_task **at)
{
    ob_task *t = *at;
    *at = t->next;
    if (l->last == &t->next)
        l->last = at;
    l->count--;
    t->next = NULL;
    return t;
}

static bool take_out(line *l, const ob_task *t)
{
    ob_task **at = &l->first;
    while (*at && *at != t)
        at = &(*at)->next;
    return *at && take_at(l, at);
}

/* ---- Places; all of it under the lock ---------------------------------------------------------
 */

static uint64_t bytes_of(const ob_task *t)
{
    return t->size + (uint64_t)t->query_count * QUERY_BYTES;
}

static bool has_place(const lane *l)
{
    return l->queue.count + l->running < l->most;
}

static bool may_wait(const lane *l, uint64_t bytes)
{
    return l->beyond.count < BEYOND_MOST && l->beyond_bytes + bytes <= BEYOND_BYTES;
}

static ob_task *take_beyond(lane *l)
{
    ob_task *t = take_at(&l->beyond, &l->beyond.first);
    l->beyond_bytes -= bytes_of(t);
    return t;
}

/* Whoever waits longest gets the place that is free. */
static void fill_places(lane *l)
{
    while (l->beyond.first && has_place(l)) {
        put(&l->queue, take_beyond(l));
        pthread_cond_signal(&l->some);
    }
}

/* ---- Tasks ------------------------------------------------------------------------------------
 */

ob_hindrance lane_add(lane *l, ob_task *t)
{
    ob_hindrance hindrance = OB_HINDRANCE_NONE;
    pthread_mutex_lock(&l->lock);
    if (l->closing) {
        hindrance = OB_HINDRANCE_STOPPING;
    } else if (has_place(l)) { /* then nobody waits for one */
        put(&l->queue, t);
        pthread_cond_signal(&l->some);
    } else if (may_wait(l, bytes_of(t))) {
        t->until_ms = ob_now_monotonic_ms() + l->wait_ms;
        put(&l->beyond, t);
        l->beyond_bytes += bytes_of(t);
    } else {
        hindrance = OB_HINDRANCE_BUSY;
    }
    pthread_mutex_unlock(&l->lock);
    return hindrance;
}

ob_task *lane_take(bool *closing, lane *l)
{
    ob_task *t = NULL;
    pthread_mutex_lock(&l->lock);
    while (!l->queue.first && !l->closing)
        pthread_cond_wait(&l->some, &l->lock);
    if (l->queue.first) {
        t = take_at(&l->queue, &l->queue.first);
        l->running++;
    }
    *closing = l->closing;
    pthread_mutex_unlock(&l->lock);
    return t;
}

void lane_leave(lane *l)
{
    pthread_mutex_lock(&l->lock);
    l->running--;
    fill_places(l);
    pthread_mutex_unlock(&l->lock);
}

bool lane_forget(lane *l, const ob_task *t)
{
    pthread_mutex_lock(&l->lock);
    bool found = take_out(&l->queue, t);
    if (!found && take_out(&l->beyond, t)) {
        l->beyond_bytes -= bytes_of(t);
        found = true;
    }
    fill_places(l);
    pthread_mutex_unlock(&l->lock);
    return found;
}

ob_task *lane_late(int64_t *next_ms, lane *l, int64_t now_ms)
{
    line late;
    line_init(&late);
    pthread_mutex_lock(&l->lock);
    while (l->beyond.first && l->beyond.first->until_ms <= now_ms)
        put(&late, take_beyond(l));
    if (l->beyond.first && l->beyond.first->until_ms < *next_ms)
        *next_ms = l->beyond.first->until_ms;
    pthread_mutex_unlock(&l->lock);
    return late.first;
}

bool lane_has_room(bool *at_once, lane *l)
{
    pthread_mutex_lock(&l->lock);
    *at_once = !l->closing && has_place(l);
    bool room = *at_once || (!l->closing && may_wait(l, 0));
    pthread_mutex_unlock(&l->lock);
    return room;
}

unsigned lane_waiting(lane *l)
{
    pthread_mutex_lock(&l->lock);
    unsigned waiting = l->queue.count + l->beyond.count;
    pthread_mutex_unlock(&l->lock);
    return waiting;
}

/* ---- Life -------------------------------------------------------------------------------------
 */

void lane_init(lane *l, struct ob_engine *engine, unsigned most, unsigned wait_ms)
{
    *l = (lane){.engine = engine, .most = most, .wait_ms = wait_ms};
    line_init(&l->queue);
    line_init(&l->beyond);
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->some, NULL);
}

ob_status lane_start(lane *l, unsigned threads, void *(*serve)(void *lane), ob_error *err)
{
    while (l->thread_count < threads && l->thread_count < LANE_THREADS_MOST &&
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
    pthread_cond_destroy(&l->some);
    pthread_mutex_destroy(&l->lock);
}
