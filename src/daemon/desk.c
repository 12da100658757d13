#include "desk.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

/* More than there are processors: some wait for a record. */
enum { THREADS_MOST = 64, A_PROCESSOR = 2, LEAST = 4 };

struct desks {
    pthread_mutex_t lock;
    pthread_cond_t some;
    desk_job *first, **last;
    unsigned waiting, most;
    bool closing;
    pthread_t threads[THREADS_MOST];
    unsigned thread_count;
};

static void *work(void *argument)
{
    desks *d = argument;
    pthread_mutex_lock(&d->lock);
    for (;;) {
        while (!d->first && !d->closing)
            pthread_cond_wait(&d->some, &d->lock);
        desk_job *job = d->first;
        if (!job)
            break;
        d->first = job->next;
        if (!d->first)
            d->last = &d->first;
        d->waiting--;
        pthread_mutex_unlock(&d->lock);
        job->run(job);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

static unsigned threads_wanted(void)
{
    cpu_set_t set;
    unsigned wanted =
        sched_getaffinity(0, sizeof set, &set) ? LEAST : A_PROCESSOR * (unsigned)CPU_COUNT(&set);
    return wanted < LEAST ? LEAST : wanted > THREADS_MOST ? THREADS_MOST : wanted;
}

ob_status desks_open(desks **out, unsigned most, ob_error *err)
{
    desks *d = calloc(1, sizeof *d);
    const unsigned wanted = threads_wanted();
    if (!d)
        return ob_fail(err, OB_ENOMEM, "out of memory: threads for requests");
    d->most = most;
    d->last = &d->first;
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
        job->next = NULL;
        *d->last = job;
        d->last = &job->next;
        d->waiting++;
        pthread_cond_signal(&d->some);
    }
    pthread_mutex_unlock(&d->lock);
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
