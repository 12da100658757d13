/* The records: reports as the service takes them, each an act with its entry in the log, beside the
 * two syncs that it costs at least; dumping them, and deleting them when their time is over. */
#include "bench.h"

#include "../unit/once.h"

#include <obhut/crypto.h>
#include <obhut/engine.h>
#include <obhut/records/incoming.h>
#include <obhut/records/retention.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ACTS = 3000, CLIENTS = 16, REPORTS = 100000, REPORTED = REPORTS + ACTS, OLD = 400 * 86400 };

typedef struct place {
    char dir[64];
    ob_store *store;
    ob_audit *audit;
    ob_acts *acts;
    int bare;
    uint64_t dumped;
} place;

static void must(ob_status status, const ob_error *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

static ob_status add_report(ob_writing *w, uint64_t number, int64_t at, ob_error *err)
{
    int64_t id;
    ob_record_key item = {{0}};
    ob_incoming in = {.kind = OB_INCOMING_REPORT, .reason = "a reason of usual length", .at = at};
    memcpy(item.bytes, &number, sizeof number);
    in.account = in.reporter = in.conversation = item;
    return ob_store_incoming_add(&id, w, &in, &item, 1, err);
}

/* ---- Acts --------------------------------------------------------------------------------------
 */

static ob_status report(ob_act *act, void *number, ob_error *err)
{
    return add_report(act->w, *(uint64_t *)number, (int64_t)time(NULL), err);
}

typedef struct client {
    pthread_t thread;
    place *place;
    uint64_t acts;
} client;

static void *tell(void *context)
{
    client *c = context;
    for (uint64_t i = 0; i < c->acts; i++) {
        ob_error err = {0};
        must(ob_acts_do(NULL, c->place->acts, "report.add", NULL, report, &i, &err), &err);
    }
    return NULL;
}

/* Seconds an act, told by so many at the same time. */
static double act(place *p, unsigned clients)
{
    client all[CLIENTS];
    double started = bench_now();
    for (unsigned i = 0; i < clients; i++) {
        all[i] = (client){.place = p, .acts = ACTS / clients};
        if (pthread_create(&all[i].thread, NULL, tell, &all[i]))
            abort();
    }
    for (unsigned i = 0; i < clients; i++)
        pthread_join(all[i].thread, NULL);
    return (bench_now() - started) / (ACTS / clients * clients);
}

/* The same number of pairs of small writes, each made durable. */
static double sync_twice(place *p)
{
    char bytes[300];
    memset(bytes, 'x', sizeof bytes);
    double started = bench_now();
    for (int i = 0; i < 2 * ACTS; i++)
        if (pwrite(p->bare, bytes, sizeof bytes, (off_t)i * (off_t)sizeof bytes) < 0 ||
            fdatasync(p->bare))
            abort();
    return (bench_now() - started) / ACTS;
}

static ob_status take(void *context, const void *bytes, size_t size, ob_error *err)
{
    place *p = context;
    (void)bytes;
    (void)err;
    p->dumped += size;
    return OB_OK;
}

static void fill_old(place *p)
{
    ob_error err = {0};
    must(open_writing(p->store, &err), &err);
    for (uint64_t i = 0; i < REPORTS; i++)
        must(add_report(once_writing, i, (int64_t)time(NULL) - OLD, &err), &err);
    must(end_writing(OB_OK, &err), &err);
}

static void bench_in(place *p)
{
    ob_error err = {0};
    double alone = act(p, 1), bare = sync_twice(p);
    printf(
        "    %8.2f x the time of two syncs: %.0f reports/s, each in records and log; bare pairs: "
        "%.0f/s\n",
        alone / bare, 1 / alone, 1 / bare);
    fill_old(p);
    double started = bench_now();
    must(READS(p->store, &err, ob_store_dump(view, take, p, &err)), &err);
    double seconds = bench_now() - started;
    printf("    %8.2f s to dump %d reports with an item each: %.0f rows/s, %.0f MB/s\n", seconds,
           REPORTED, 2 * REPORTED / seconds, (double)p->dumped / 1e6 / seconds);
    ob_reaped reaped[OB_REAPED_MOST];
    size_t count;
    started = bench_now();
    must(ob_records_reap(reaped, &count, p->store, p->acts, NULL, (int64_t)time(NULL), false, &err),
         &err);
    seconds = bench_now() - started;
    printf("    %8.2f s to delete %d of them that are due: %.0f/s\n", seconds, REPORTS,
           REPORTS / seconds);
    started = bench_now();
    must(ob_store_scrub(p->store, &err), &err);
    printf("    %8.2f s to overwrite what they were\n", bench_now() - started);
    double together = act(p, CLIENTS); /* last: each batch above passes by what is not due */
    printf("    %8.2f x the time of two syncs, of %d clients at the same time: %.0f reports/s\n",
           together / bare, CLIENTS, 1 / together);
}

void bench_records(void)
{
    place p = {.dir = "./obhut-bench-XXXXXX"}; /* on a disk, not in memory */
    ob_error err = {0};
    char path[96], command[96];
    if (!mkdtemp(p.dir))
        exit(1);
    snprintf(path, sizeof path, "%s/bare", p.dir);
    p.bare = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    must(ob_crypto_start(&err), &err);
    must(ob_store_open(&p.store, p.dir, NULL, &err), &err);
    must(ob_engine_audit(&p.audit, p.store, p.dir, NULL, NULL, &err), &err);
    must(ob_acts_open(&p.acts, p.store, p.audit, p.dir, &err), &err);
    printf("\nrecords in SQLite (reference: pwrite of 300 bytes and fdatasync, twice)\n");
    bench_in(&p);
    ob_acts_close(p.acts);
    ob_audit_close(p.audit, NULL);
    ob_store_close(p.store);
    close(p.bare);
    snprintf(command, sizeof command, "rm -rf %s", p.dir);
    if (system(command))
        fprintf(stderr, "bench: %s is left behind\n", p.dir);
}
