/* Desks: threads at which requests are looked at, so that whoever carries them never waits. What
 * may wait for the records has desks of its own, so that the rest does not wait with it. */
#ifndef OBHUT_DESK_H
#define OBHUT_DESK_H

#include <obhut/base.h>

/* Something to look at, at the beginning of a struct of its owner's. */
typedef struct desk_job {
    void (*run)(struct desk_job *job); /* on a desk's thread; the job is its owner's again */
    uint64_t client;                   /* jobs of different ones take turns */
    struct desk_job *next;
} desk_job;

typedef struct desks desks;

/* `most`: jobs that may wait. `yields`: whoever sits there yields to others. */
ob_status desks_open(desks **out, unsigned most, bool yields, ob_error *err);

/* False where too many wait. */
bool desks_put(desks *d, desk_job *job);

/* Waits until everything that was put has run. NULL is fine. */
void desks_close(desks *d);

#endif
