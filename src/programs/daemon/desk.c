#include "desk.h"

#include <obhut/thread.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

/* More than there are processors: some wait for a record. */
enum { THREADS_MOST = 64, A_PROCESSOR = 2, LEAST = 4 };

/* Jobs of clients that share one take turns as one. */
enum { LINES = 64 };

typedef struct line {
    desk_job *first, **last;
} line;

struct desks {
    pthread_mutex_t lock;
    pthread_cond_t some;
    line line[LINES];
    unsigned turn;                /* the line that is served next, if somebody stands there */
    unsigned waiting, most, idle; /* idle: threads that wait for a job */
    bool closing, yields;
    pthread_t threads[THREADS_MOST];
    unsigned thread_count;
};

/* Whose turn it is; NULL: nobody waits. */
static desk_job *take_next(desks *d)
{
    if (!d->waiting)
        return NULL;
    while (!d->line[d->turn].first)
        d->turn = (d->turn + 1) % LINES;
    line *l = &d->line[d->turn];
    desk_job *job = l->first;
    l->first = job->next;
    if (!l->first)
        l->last = &l->first;
    d->turn = (d->turn + 1) % LINES;
    d->waiting--;
    return job;
}

static void *work(void *argument)
{
    desks *d = argument;
    if (d->yields)
        ob_yield_to_others();
    pthread_mutex_lock(&d->lock);
    for (;;) {
        d->idle++;
        while (!d->waiting && !d->closing)
            pthread_cond_wait(&d->some, &d->lock);
        d->idle--;
        desk_job *job = take_next(d);
        if (!job)
            break;
        pthread_mutex_unlock(&d->lock);
        job->run(job);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* Those that yield leave half of the processors to others all the same. */
static unsigned threads_wanted(bool yields)
{
    cpu_set_t set;
    const unsigned processors =
        sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
    const unsigned wanted = yields ? (processors + 1) / 2 : A_PROCESSOR * processors;
    const unsigned least = yields ? 1 : LEAST;
    return wanted < least ? least : wanted > THREADS_MOST ? THREADS_MOST : wanted;
}

ob_status desks_open(desks **out, unsigned most, bool yields, ob_error *err)
{
    desks *d = calloc(1, sizeof *d);
    const unsigned wanted = threads_wanted(yields);
    if (!d)
        return ob_fail(err, OB_ENOMEM, "out of memory: threads for requests");
    d->most = most;
    d->yields = yields;
    for (int i = 0; i < LINES; i++)
        d->line[i].last = &d->line[i].first;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->some, NULL);
    while (d->thread_count < wanted && !pthread_create(&d->threads[d->thread_count], NULL, work, d))
        d->thread_count++;
    if (!d->thread_count) {
        desks_close(d);
        return ob_fail(err, OB_ENOMEM, "no thread for requests could be started");
    }
    *out = d;
    return OB_OK;
}

bool desks_put(desks *d, desk_job *job)
{
    pthread_mutex_lock(&d->lock);
    bool has_room = d->waiting < d->most;
    if (has_room) {
        line *l = &d->line[job->client % LINES];
        job->next = NULL;
        *l->last = job;
        l->last = &job->next;
        d->waiting++;
    }
    const bool wakes = has_room && d->idle;
    pthread_mutex_unlock(&d->lock);
    if (wakes) /* who wakes finds the lock free */
        pthread_cond_signal(&d->some);
    return has_room;
}

void desks_close(desks *d)
{
    if (!d)
        return;
    pthread_mutex_lock(&d->lock);
    d->closing = true;
    pthread_cond_broadcast(&d->some);
    pthread_mutex_unlock(&d->lock);
    for (unsigned i = 0; i < d->thread_count; i++)
        pthread_join(d->threads[i], NULL);
    pthread_cond_destroy(&d->some);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
