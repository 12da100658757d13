/* Threads that take tasks: some decode, each with workers of its own, some only search. */
#include "engine_priv.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    QUEUE_A_DECODER = 64,
    PLACE_WAIT_MS = 10000,
    /* Of queries that are looked up together: at first, at most, with about so many matches; and
     * for how long before it is another's turn. */
    LOOK_UP_FIRST = 4,
    LOOK_UP_MOST = 256,
    LOOK_UP_MATCHES = 20000,
    LOOK_UP_US = 200000,
    /* Beyond this something is long: what a file is expected to take, and how many queries. A file
     * that is not gets so much of a processor to show it. */
    LONG_US = 50000,
    LONG_QUERIES = 8,
    TRIAL_CPU_MS = 100,
};

/* What is brief never waits for what is long: that has lanes, threads and workers of its own, which
 * the scheduler prefers others to. */
enum { BRIEF, LONG, LENGTHS };

static const char TOO_MANY[] = "too many items are waiting already";

struct ob_engine {
    ob_engine_options options;
    keeper keeper;
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
    atomic_ullong could_not[OB_HINDRANCES], let_through[OB_HINDRANCES], passed[OB_UNDECODABLES];
    match_counts matches;
    atomic_uint layers;
};

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static unsigned processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

/* ---- Tasks ---------------------------------------------------------------------------------- */

static bool is_file(const ob_task *t)
{
    return t->kind == OB_TASK_SCAN || t->kind == OB_TASK_HASH;
}

static lane *lane_of(ob_engine *e, const ob_task *t)
{
    lane *both = is_file(t) ? e->decoding : e->searching;
    return &both[t->is_long ? LONG : BRIEF];
}

static void drop_matches(ob_task *t)
{
    for (int i = 0; i <= OB_LIST_DIGESTS; i++)
        ob_list_matches_free(&t->matches[i]);
}

static void drop_result(ob_task *t)
{
    free(t->job);
    t->job = NULL;
}

/* It has room for many hashes: whoever waits, or only looks something up, has none. */
static ob_status need_result(ob_task *t)
{
    if (!t->job)
        t->job = calloc(1, sizeof *t->job);
    return t->job ? OB_OK : ob_fail(&t->error, OB_ENOMEM, "out of memory: what a file shows");
}

void ob_task_clear(ob_task *task)
{
    ob_findings_free(&task->findings);
    drop_matches(task);
    drop_result(task);
}

/* Remembers what a failed step comes down to; OB_EREFUSED is no failure. */
static ob_status hindered(ob_task *t, ob_status status, ob_hindrance by)
{
    if (status && status != OB_EREFUSED)
        t->hindrance = ob_hindrance_of(status) == OB_HINDRANCE_BUSY ? OB_HINDRANCE_BUSY : by;
    return status;
}

static void on_worker_lost(void *context, const char *sentence)
{
    ob_engine *e = context;
    atomic_fetch_add(&e->lost, 1);
    if (e->options.worker.problem)
        e->options.worker.problem(e->options.worker.context, sentence);
}

/* They have the priority of the thread that starts them. */
static ob_status need_workers(ob_workers **workers, ob_engine *e, ob_error *err)
{
    if (*workers)
        return OB_OK;
    ob_worker_options options = e->options.worker;
    options.epochs = e->keeper.epochs;
    options.problem = on_worker_lost;
    options.context = e;
    ob_status status = ob_workers_start(workers, &options, err);
    if (!status)
        atomic_fetch_and(&e->layers, ob_workers_layers(*workers));
    return status;
}

/* From here on it works, and it counts how long. */
static void sit(lane *l, ob_task *t)
{
    lane_sit(l, t);
    t->sat_us = now_us();
}

/* Of the processor, for a file that is to be brief; 0: as much as any. */
static unsigned trial_ms(const ob_engine *e, const ob_task *t)
{
    const unsigned any = e->options.worker.cpu_ms;
    return t->is_long || (any && any <= TRIAL_CPU_MS) ? 0 : TRIAL_CPU_MS;
}

/* Once: what is withdrawn meanwhile is OB_EREFUSED, with why->allow still set. A file that turns
 * out to be long is OB_OK, without result. */
static ob_status try_file(ob_engine *e, ob_holder *holder, ob_task *t)
{
    const ob_policy *policy = e->options.policy;
    grant g;
    ob_job job = {.hash = true,
                  .digests = t->kind == OB_TASK_HASH
                                 ? (uint32_t)OB_DIGEST_ALL
                                 : ob_lists_digests(e->options.lists) & OB_DIGEST_ALL,
                  .size = t->size,
                  .media = t->media,
                  .client = t->owner,
                  .trial_ms = trial_ms(e, t),
                  .permit = grant_hand_on,
                  .permit_context = &g};
    const uint32_t methods =
        UINT32_C(1) << OB_METHOD_PDQ | (job.digests ? UINT32_C(1) << OB_METHOD_DIGESTS : 0);
    ob_status status = grant_get(&g, &t->why, &e->keeper, holder, &t->item, methods, &t->error);
    if (status)
        return hindered(t, status, OB_HINDRANCE_RECORDS);
    sit(lane_of(e, t), t);
    memcpy(job.item, t->item.id.bytes, sizeof job.item);
    ob_workers **workers = &e->workers[t->is_long][t->seat];
    status = need_result(t);
    if (!status)
        status = need_workers(workers, e, &t->error);
    if (!status)
        status = ob_workers_do(t->job, *workers, &job, t->file, &t->error);
    if (status)
        return hindered(t, status, OB_HINDRANCE_WORKERS);
    if (job.trial_ms && t->job->status == OB_ETIME) {
        t->turns_long = true;
        return OB_OK;
    }
    if (!t->job
             ->methods) /* nobody has looked: there is no decoder of it, and no digest is listed */
        return OB_OK;
    if (t->kind == OB_TASK_SCAN) {
        const ob_leave leave = grant_leave(&g, t->job->methods);
        status = ob_find(&t->findings, e->options.lists, t->job,
                         t->has_distance ? t->distance : policy->distance, &leave, &t->error);
    }
    if (!status)
        grant_used(&g, &t->item);
    return hindered(t, status, status == OB_EIO ? OB_HINDRANCE_LISTS : OB_HINDRANCE_FAULT);
}

/* A denial: nobody may look, or nobody can now. */
static void deny(ob_engine *e, ob_task *t)
{
    t->status = OB_OK;
    t->hindrance = ob_engine_hindrance(e, &t->why, OB_OK);
    t->action = t->hindrance ? OB_ACTION_COULD_NOT : OB_ACTION_NOT_SCANNED;
}

/* What failed is told as what could not be done now, whatever the step. */
static void fail(ob_task *t)
{
    t->action = OB_ACTION_COULD_NOT;
    if (!t->hindrance)
        t->hindrance = OB_HINDRANCE_FAULT;
}

static void decide_file(ob_engine *e, ob_task *t)
{
    t->action = ob_decide(e->options.policy, &t->findings);
    matched_tell_file(&(matched_by){&e->matches, e->keeper.tallies}, t);
    if (t->limit != OB_LISTS_NO_LIMIT && t->findings.count > t->limit)
        t->findings.count = t->limit;
    if ((t->job->status || t->job->media.unseen) && !t->findings.total)
        t->action = OB_ACTION_UNDECODABLE;
}

/* What was withdrawn while it was looked at may be allowed again by another record. */
static void do_file(ob_engine *e, ob_holder *holder, ob_task *t)
{
    enum { ATTEMPTS = 8 };
    t->status = OB_EREFUSED;
    t->why.allow = true;
    for (int i = 0; i < ATTEMPTS && t->status == OB_EREFUSED && t->why.allow; i++) {
        lane_stand(lane_of(e, t), t);
        t->status = try_file(e, holder, t);
        if (t->status) /* what was seen of it is forgotten */
            drop_result(t);
    }
    if (t->status == OB_EREFUSED && !t->why.allow) {
        deny(e, t);
    } else if (t->status == OB_EREFUSED) {
        t->status = ob_fail(&t->error, OB_EBUSY, "records change faster than items are looked at");
        t->hindrance = OB_HINDRANCE_BUSY;
    } else if (!t->status && t->kind == OB_TASK_SCAN && !t->turns_long) {
        decide_file(e, t);
    }
}

/* Queries of one kind go together; matches get their place among all of them back. */
static ob_status look_up_kind(ob_task *t, ob_lists *lists, unsigned distance, int kind,
                              uint32_t count)
{
    uint32_t place[LOOK_UP_MOST], some = 0;
    uint8_t keys[LOOK_UP_MOST * OB_LIST_DIGEST_MAX];
    ob_hash256 hashes[LOOK_UP_MOST];
    const unsigned width = kind ? ob_list_digest_width((ob_list_digest)(kind - 1)) : 0;
    for (uint32_t i = t->asked; i < t->asked + count; i++) {
        const ob_query *q = &t->queries[i];
        if ((q->is_digest ? 1 + (int)q->kind : 0) != kind)
            continue;
        hashes[some] = q->hash;
        memcpy(keys + (size_t)some * width, q->digest, width);
        place[some++] = i;
    }
    ob_list_matches *found = &t->matches[kind];
    ob_status status = OB_OK;
    if (some && kind)
        status = ob_lists_match_digests(found, lists, (ob_list_digest)(kind - 1), keys, some,
                                        t->limit, &t->error);
    else if (some)
        status = ob_lists_match(found, lists, hashes, some, distance, t->limit, &t->error);
    if (!status && some)
        status = ob_list_matches_whole(found, some, &t->error);
    for (size_t i = 0; i < found->count && !status; i++)
        found->match[i].query = place[found->match[i].query];
    return status;
}

/* How many queries go together next: few where each of these had many matches, which are in memory
 * at once. */
static uint32_t look_up_next(const ob_task *t, uint32_t count)
{
    uint64_t total = 0;
    for (int i = 0; i <= OB_LIST_DIGESTS; i++)
        total += t->matches[i].total;
    const uint64_t most = total ? (uint64_t)count * LOOK_UP_MATCHES / total : LOOK_UP_MOST;
    const uint32_t twice = 2 * count < LOOK_UP_MOST ? 2 * count : LOOK_UP_MOST;
    return most < 1 ? 1 : most < twice ? (uint32_t)most : twice;
}

/* The next few queries; of a method that has no permit they find nothing. */
static ob_status look_up_some(ob_engine *e, ob_task *t, uint32_t methods)
{
    ob_status status = OB_OK;
    if (!t->together)
        t->together = LOOK_UP_FIRST;
    const uint32_t left = t->query_count - t->asked;
    const uint32_t count = t->together < left ? t->together : left;
    for (int kind = 0; kind <= OB_LIST_DIGESTS && !status; kind++) {
        const uint32_t method = UINT32_C(1) << (kind ? OB_METHOD_DIGESTS : OB_METHOD_PDQ);
        if (methods & method)
            status = look_up_kind(t, e->options.lists, e->options.policy->distance, kind, count);
    }
    for (int kind = 0; kind <= OB_LIST_DIGESTS && !status; kind++)
        matched_tell_queries(&(matched_by){&e->matches, e->keeper.tallies}, e->options.policy, t,
                             &t->matches[kind]);
    if (!status && t->found)
        t->found(t, t->asked, count);
    t->together = look_up_next(t, count);
    drop_matches(t);
    t->asked += count;
    return hindered(t, status, status == OB_EIO ? OB_HINDRANCE_LISTS : OB_HINDRANCE_FAULT);
}

static uint32_t methods_of(const ob_task *t)
{
    uint32_t methods = 0;
    for (uint32_t i = 0; i < t->query_count; i++)
        methods |= UINT32_C(1) << (t->queries[i].is_digest ? OB_METHOD_DIGESTS : OB_METHOD_PDQ);
    return methods;
}

/* Looks up for a while, with a permit for that. False: it is not through, and has another turn. */
static bool look_up(ob_engine *e, ob_holder *holder, ob_task *t)
{
    grant g;
    t->status = grant_get(&g, &t->why, &e->keeper, holder, &t->item, methods_of(t), &t->error);
    if (t->status == OB_EREFUSED && !t->why.allow) {
        deny(e, t);
        return true;
    }
    hindered(t, t->status, OB_HINDRANCE_RECORDS);
    if (!t->status)
        sit(lane_of(e, t), t);
    while (!t->status && t->asked < t->query_count && now_us() < t->sat_us + LOOK_UP_US)
        t->status = look_up_some(e, t, g.terms.methods);
    if (!t->status && t->asked < t->query_count)
        return false;
    if (!t->status)
        grant_used(&g, &t->item);
    return true;
}

static void count_task(ob_engine *e, const ob_task *t)
{
    if (t->action == OB_ACTION_COULD_NOT)
        ob_engine_could_not(e, t->hindrance);
    if (t->status)
        atomic_fetch_add(&e->failures, 1);
    else if (t->action == OB_ACTION_NOT_SCANNED || t->action == OB_ACTION_COULD_NOT)
        return; /* it was counted as that */
    else if (t->kind == OB_TASK_SCAN)
        atomic_fetch_add(&e->scans[t->action], 1);
    else if (t->kind == OB_TASK_HASH)
        atomic_fetch_add(&e->hashes, 1);
    else
        atomic_fetch_add(&e->look_ups, 1);
    atomic_fetch_add(&e->queries, t->query_count);
}

/* ---- Threads --------------------------------------------------------------------------------- */

/* False: it has had its turn and is not through. */
static bool run_task(ob_engine *e, ob_holder *holder, ob_task *t)
{
    bool is_through;
    t->sat_us = 0;
    if (is_file(t)) {
        do_file(e, holder, t);
        is_through = !t->turns_long;
    } else {
        is_through = look_up(e, holder, t);
    }
    t->turn_us = t->sat_us ? now_us() - t->sat_us : 0; /* asking is not working */
    t->took_us += t->turn_us;
    if (!is_through)
        return false;
    if (is_file(t))
        close(t->file);
    if (t->status)
        fail(t);
    if (is_file(t))
        atomic_fetch_add(&e->busy_us, t->took_us);
    count_task(e, t);
    return true;
}

/* It is not done now, and nothing was begun. */
static void refuse(ob_engine *e, ob_task *t, ob_hindrance by)
{
    t->action = OB_ACTION_COULD_NOT;
    t->hindrance = by;
    ob_engine_could_not(e, by);
}

/* It waited, and is not looked at any more. */
static void turn_away(ob_engine *e, ob_task *t, ob_hindrance by, const char *sentence)
{
    refuse(e, t, by);
    t->status = ob_fail(&t->error, OB_EBUSY, "%s", sentence);
    if (is_file(t))
        close(t->file);
}

/* Nobody waits for it any more: it moved from lane to lane while it was looked for in both. */
static void leave_alone(ob_task *t)
{
    t->action = OB_ACTION_COULD_NOT;
    t->hindrance = OB_HINDRANCE_BUSY;
    t->status = ob_fail(&t->error, OB_EBUSY, "nobody waits for it any more");
    if (is_file(t))
        close(t->file);
}

static void turn_away_all(ob_engine *e, ob_task *first)
{
    for (ob_task *t = first, *next; t; t = next) {
        next = t->next; /* once it is told, it may be gone */
        turn_away(e, t, OB_HINDRANCE_BUSY, TOO_MANY);
        t->done(t);
    }
}

/* A file that was to be brief and is not begins anew among those that are long. */
static void move_to_long(ob_engine *e, ob_task *t)
{
    ob_task *pushed;
    t->turns_long = false;
    t->is_long = true;
    drop_result(t);
    t->cost_us = LONG_US > t->took_us ? LONG_US : t->took_us;
    atomic_fetch_add(&e->slow, 1);
    const ob_hindrance by = lane_add(&pushed, lane_of(e, t), t);
    turn_away_all(e, pushed);
    if (by) {
        turn_away(e, t, by, TOO_MANY);
        t->done(t);
    }
}

static void *serve(void *argument)
{
    lane *l = argument;
    ob_engine *e = l->engine;
    ob_holder holder;
    bool closing;
    if (l == &e->decoding[LONG] || l == &e->searching[LONG])
        ob_yield_to_others();
    ob_holder_init(&holder);
    for (ob_task *t = lane_take(&closing, l); t; t = lane_take(&closing, l)) {
        bool is_through = true;
        if (closing)
            turn_away(e, t, OB_HINDRANCE_STOPPING, "the service is stopping");
        else if (atomic_load(&t->unwanted))
            leave_alone(t);
        else
            is_through = run_task(e, &holder, t);
        const bool moves = !is_through && t->turns_long;
        const bool ends = lane_leave(l, t, is_through || moves);
        if (moves)
            move_to_long(e, t);
        else if (ends)
            t->done(t);
    }
    return NULL;
}

/* While all threads are at work, somebody else must look at who has waited too long for a place. */
static void *watch(void *argument)
{
    ob_engine *e = argument;
    pthread_mutex_lock(&e->lock);
    while (!e->closing) {
        pthread_mutex_unlock(&e->lock);
        const int64_t now = ob_now_monotonic_ms();
        int64_t next = now + e->place_wait_ms; /* who comes from now on is due later */
        for (int i = 0; i < LENGTHS; i++) {
            turn_away_all(e, lane_late(&next, &e->decoding[i], now));
            turn_away_all(e, lane_late(&next, &e->searching[i], now));
        }
        pthread_mutex_lock(&e->lock);
        const struct timespec until = ob_in_ms(next - now);
        if (!e->closing)
            pthread_cond_timedwait(&e->ends, &e->lock, &until);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

static void watch_init(ob_engine *e)
{
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->ends, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static ob_status watch_start(ob_engine *e, ob_error *err)
{
    if (!e->place_wait_ms)
        return OB_OK; /* nobody waits for a place */
    e->has_watch = !pthread_create(&e->watch, NULL, watch, e);
    return e->has_watch ? OB_OK : ob_fail(err, OB_ENOMEM, "no thread could be started");
}

static void watch_stop(ob_engine *e)
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

/* ---- The engine ------------------------------------------------------------------------------ */

/* Tells at once what would otherwise fail every item: a worker that does not start. */
static ob_status start_workers(ob_engine *e, unsigned seats, ob_error *err)
{
    ob_status status = OB_OK;
    for (unsigned i = 0; i < seats && i < LANE_SEATS_MOST && !status; i++)
        status = need_workers(&e->workers[BRIEF][i], e, err);
    return status;
}

static void stop_workers(ob_engine *e)
{
    for (int l = 0; l < LENGTHS; l++)
        for (unsigned i = 0; i < LANE_SEATS_MOST; i++)
            ob_workers_stop(e->workers[l][i]);
}

ob_status ob_engine_open(ob_engine **out, const ob_engine_options *options, ob_error *err)
{
    ob_engine *e = calloc(1, sizeof *e);
    if (!e)
        return ob_fail(err, OB_ENOMEM, "out of memory: the engine");
    e->options = *options;
    unsigned decoders = options->decoders ? options->decoders : processors();
    unsigned searchers = options->searchers ? options->searchers : processors();
    unsigned most = options->queue_most ? options->queue_most : QUEUE_A_DECODER * decoders;
    atomic_store(&e->layers, UINT32_MAX);
    e->place_wait_ms = options->place_wait_ms ? options->place_wait_ms : PLACE_WAIT_MS;
    for (int i = 0; i < LENGTHS; i++) {
        lane_init(&e->decoding[i], e, most, e->place_wait_ms);
        lane_init(&e->searching[i], e, most, e->place_wait_ms);
    }
    watch_init(e);
    pthread_mutex_init(&e->matches.lock, NULL);
    ob_status status = keeper_open(&e->keeper, options->store, options->acts, err);
    if (!status)
        tallies_tell(e->keeper.tallies,
                     &(teller){.say = options->worker.problem, .context = options->worker.context});
    if (!status)
        status = start_workers(e, decoders, err);
    for (int i = 0; i < LENGTHS && !status; i++) {
        status = lane_start(&e->decoding[i], decoders, serve, err);
        if (!status)
            status = lane_start(&e->searching[i], searchers, serve, err);
    }
    if (!status)
        status = watch_start(e, err);
    if (!status && options->upkeep_s)
        status = upkeep_start(&e->upkeep, &e->options, &e->keeper, err);
    if (status)
        ob_engine_close(e);
    else
        *out = e;
    return status;
}

static size_t read_file(void *context, void *out, size_t size, uint64_t at)
{
    const ob_task *t = context;
    const ssize_t got = pread(t->file, out, size, (off_t)at);
    return got > 0 ? (size_t)got : 0;
}

static void estimate(ob_engine *e, ob_task *t)
{
    const ob_media_cost cost = ob_media_estimate(read_file, t, t->size);
    t->cost_us = cost.us;
    t->is_slow = cost.is_slow;
    t->is_long = cost.is_slow || cost.us > LONG_US;
    atomic_fetch_add(&e->slow, cost.is_slow);
}

ob_status ob_engine_add(ob_engine *e, ob_task *task, ob_error *err)
{
    task->asks = look_asks(&task->item);
    if (is_file(task))
        estimate(e, task);
    else
        task->is_long = task->query_count > LONG_QUERIES;
    ob_task *pushed;
    ob_hindrance by = lane_add(&pushed, lane_of(e, task), task);
    turn_away_all(e, pushed);
    if (!by)
        return OB_OK;
    refuse(e, task, by);
    return ob_fail(err, OB_EBUSY, "%s",
                   by == OB_HINDRANCE_STOPPING ? "the service is stopping" : TOO_MANY);
}

bool ob_engine_forget(ob_engine *e, ob_task *task)
{
    bool found = false;
    atomic_store(&task->unwanted, true); /* first: it may be on its way from one lane to another */
    for (int i = 0; i < LENGTHS && !found; i++)
        found = lane_forget(&e->decoding[i], task) || lane_forget(&e->searching[i], task);
    if (!found)
        return false;
    if (is_file(task))
        close(task->file);
    return true;
}

bool ob_engine_has_room(ob_engine *e, const char *client)
{
    bool at_once;
    return lane_has_room(&at_once, &e->decoding[BRIEF], client);
}

void ob_engine_count(ob_engine_counts *out, ob_engine *e)
{
    *out = (ob_engine_counts){
        .hashes = atomic_load(&e->hashes),
        .look_ups = atomic_load(&e->look_ups),
        .queries = atomic_load(&e->queries),
        .failures = atomic_load(&e->failures),
        .workers_lost = atomic_load(&e->lost),
        .busy_us = atomic_load(&e->busy_us),
        .slow = atomic_load(&e->slow),
        .decoders = e->decoding[BRIEF].seats,
        .layers = atomic_load(&e->layers),
    };
    for (int a = 0; a < OB_ACTIONS; a++)
        out->scans[a] = atomic_load(&e->scans[a]);
    for (int s = 0; s < OB_SURFACES; s++)
        out->denied[s] = atomic_load(&e->keeper.denied[s]);
    for (int r = 0; r < OB_REASON_COUNT; r++)
        out->denied_reason[r] = atomic_load(&e->keeper.denied_reason[r]);
    out->audit_ok = tallies_fine(e->keeper.tallies);
    out->counts_busy = !out->audit_ok && tallies_busy(e->keeper.tallies);
    out->counts_late = !out->audit_ok && tallies_late(e->keeper.tallies);
    out->log_ok = ob_acts_log_fine(e->options.acts);
    out->log_slow = ob_acts_log_slow(e->options.acts);
    lane_has_room(&out->has_place, &e->decoding[BRIEF], "");
    for (int h = 0; h < OB_HINDRANCES; h++) {
        out->could_not[h] = atomic_load(&e->could_not[h]);
        out->let_through[h] = atomic_load(&e->let_through[h]);
    }
    for (int u = 0; u < OB_UNDECODABLES; u++)
        out->passed[u] = atomic_load(&e->passed[u]);
    for (int i = 0; i < LENGTHS; i++)
        out->waiting += lane_waiting(&e->decoding[i]);
}

void ob_engine_close(ob_engine *e)
{
    if (!e)
        return;
    upkeep_stop(e->upkeep);
    watch_stop(e);
    for (int i = 0; i < LENGTHS; i++) { /* in this order: one hands on to the other */
        lane_end(&e->decoding[i]);
        lane_end(&e->searching[i]);
    }
    stop_workers(e);
    keeper_close(&e->keeper);
    pthread_mutex_destroy(&e->matches.lock);
    free(e);
}

/* ---- The gate -------------------------------------------------------------------------------- */

ob_status ob_engine_ask(ob_gate_decision *out, ob_engine *e, const ob_item *item, uint32_t methods,
                        ob_error *err)
{
    ob_status status = keeper_ask(out, &e->keeper, item, methods, err);
    ob_hindrance hindrance = ob_engine_hindrance(e, status ? NULL : out, status);
    if (hindrance)
        ob_engine_could_not(e, hindrance);
    return status;
}

/* Counts that cannot be written, or not now. */
static ob_hindrance behind_counts(const tallies *t)
{
    ob_hindrance of = tallies_hindrance(t);
    return of == OB_HINDRANCE_RECORDS && tallies_busy(t) ? OB_HINDRANCE_BUSY : of;
}

ob_hindrance ob_engine_hindrance(ob_engine *e, const ob_gate_decision *why, ob_status status)
{
    if (why && (why->allow || !ob_reason_is_operational(why->reason)))
        return OB_HINDRANCE_NONE;
    if (why)
        return why->reason == OB_CLOCK ? OB_HINDRANCE_CLOCK : behind_counts(e->keeper.tallies);
    ob_hindrance of = ob_hindrance_of(status);
    return of == OB_HINDRANCE_RECORDS ? tallies_hindrance(e->keeper.tallies) : of;
}

void ob_engine_could_not(ob_engine *e, ob_hindrance hindrance)
{
    atomic_fetch_add(&e->could_not[hindrance], 1);
}

void ob_engine_let_through(ob_engine *e, const char *via, ob_hindrance hindrance,
                           ob_undecodable why)
{
    atomic_fetch_add(hindrance ? &e->let_through[hindrance] : &e->passed[why], 1);
    tallies_pass(e->keeper.tallies, via,
                 hindrance ? ob_hindrance_name(hindrance) : ob_undecodable_name(why));
}

ob_status ob_engine_matches(ob_match_count **out, size_t *count, ob_engine *e, ob_error *err)
{
    pthread_mutex_lock(&e->matches.lock);
    const size_t some = e->matches.count;
    ob_match_count *copy = malloc((some + 1) * sizeof *copy);
    if (copy)
        memcpy(copy, e->matches.kind, some * sizeof *copy);
    pthread_mutex_unlock(&e->matches.lock);
    if (!copy)
        return ob_fail(err, OB_ENOMEM, "out of memory: counts of matches");
    *out = copy;
    *count = some;
    return OB_OK;
}

ob_status ob_engine_laws(const ob_regime *out[OB_LAWS_MOST], size_t *count, ob_engine *e,
                         ob_error *err)
{
    settings now;
    int64_t at = ob_now();
    *count = 0;
    ob_status status = keeper_settings(&now, &e->keeper, err);
    for (size_t i = 0; !status && i < now.regime_count; i++) {
        const ob_regime *r = now.regime[i];
        if (r->status == OB_STATUS_IN_FORCE && r->from <= at && at < r->until)
            out[(*count)++] = r;
    }
    return status;
}

bool ob_engine_service(ob_profile *out, unsigned *reviewers, ob_engine *e, bool renew)
{
    settings now;
    const bool known =
        renew ? !keeper_settings(&now, &e->keeper, NULL) : keeper_glance(&now, &e->keeper);
    if (!known)
        return false;
    *out = now.profile;
    *reviewers = now.reviewers;
    return true;
}

ob_detector_state ob_engine_method(ob_engine *e, ob_method method)
{
    settings now;
    return keeper_settings(&now, &e->keeper, NULL) ? OB_STATE_SUSPENDED : now.method[method];
}

const char *ob_engine_clock(ob_engine *e)
{
    return keeper_clock(&e->keeper, ob_now());
}

ob_status ob_engine_settle(ob_engine *e, ob_error *err)
{
    return tallies_settle(e->keeper.tallies, err);
}

ob_status ob_engine_accept_clock(ob_engine *e, ob_act *act, ob_error *err)
{
    int64_t now = ob_now();
    ob_status status = ob_clock_accept(act, now, err);
    if (!status) {
        tallies_set_clock(e->keeper.tallies, now);
        atomic_store(&e->keeper.mark, now);
    }
    return status;
}

void ob_engine_refused(ob_engine *e, ob_refusal refusal)
{
    tallies_refuse(e->keeper.tallies, refusal);
}
