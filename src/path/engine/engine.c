/* The engine: opened, given work, asked what it has counted, closed. */
#include "engine_priv.h"

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    QUEUE_A_DECODER = 64,
    PLACE_WAIT_MS = 10000,
    LONG_QUERIES = 8,  /* more are long */
    QUERY_BYTES = 256, /* of one query with its text, about */
};

/* ---- Life ------------------------------------------------------------------------------------ */

static unsigned processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : (unsigned)CPU_COUNT(&set);
}

/* Tells at once what would otherwise fail every item: a worker that does not start. */
static ob_status start_workers(ob_engine *e, unsigned seats, ob_error *err)
{
    ob_status status = OB_OK;
    for (unsigned i = 0; i < seats && i < LANE_SEATS_MOST && !status; i++)
        status = engine_need_workers(&e->workers[BRIEF][i], e, err);
    return status;
}

static void stop_workers(ob_engine *e)
{
    for (int l = 0; l < LENGTHS; l++)
        for (unsigned i = 0; i < LANE_SEATS_MOST; i++)
            ob_workers_stop(e->workers[l][i]);
}

static ob_status open_permits(ob_engine *e, ob_error *err)
{
    const ob_engine_options *o = &e->options;
    ob_status status = ob_detectors_make(&e->detectors, o->detectors, o->detector_count, err);
    if (!status)
        status = ob_permits_open(&e->permits, o->store, o->acts, err);
    if (!status)
        ob_counts_tell(
            ob_permits_counts(e->permits),
            &(ob_counts_listener){.say = o->worker.problem, .context = o->worker.context});
    return status;
}

static ob_status start_threads(ob_engine *e, unsigned decoders, unsigned searchers, ob_error *err)
{
    ob_status status = OB_OK;
    for (int i = 0; i < LENGTHS && !status; i++) {
        status = lane_start(&e->decoding[i], decoders, engine_serve, err);
        if (!status)
            status = lane_start(&e->searching[i], searchers, engine_serve, err);
    }
    return status ? status : engine_watch_start(e, err);
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
    engine_watch_init(e);
    pthread_mutex_init(&e->hits.lock, NULL);
    ob_status status = open_permits(e, err);
    if (!status)
        status = start_workers(e, decoders, err);
    if (!status)
        status = start_threads(e, decoders, searchers, err);
    if (!status && options->upkeep_s)
        status = upkeep_start(&e->upkeep, &e->options, e->permits, err);
    if (status)
        ob_engine_close(e);
    else
        *out = e;
    return status;
}

void ob_engine_close(ob_engine *e)
{
    if (!e)
        return;
    upkeep_stop(e->upkeep);
    engine_watch_stop(e);
    for (int i = 0; i < LENGTHS; i++) { /* in this order: one hands on to the other */
        lane_end(&e->decoding[i]);
        lane_end(&e->searching[i]);
    }
    stop_workers(e);
    ob_permits_close(e->permits);
    pthread_mutex_destroy(&e->hits.lock);
    free(e);
}

ob_permits *ob_engine_permits(ob_engine *e)
{
    return e->permits;
}

const ob_detectors *ob_engine_detectors(const ob_engine *e)
{
    return &e->detectors;
}

/* ---- Work ------------------------------------------------------------------------------------ */

static ob_status add(ob_engine *e, ob_work *w, ob_error *err)
{
    ob_turn *pushed;
    w->turn.client = w->client;
    w->turn.asks = ob_permits_need_records(&w->item);
    if (!w->class->decodes && !w->is_long && engine_serve_here(e, w))
        return OB_OK;
    const ob_hindrance by = lane_add(&pushed, engine_lane_of(e, w), &w->turn);
    engine_turn_away_all(e, pushed);
    if (!by)
        return OB_OK;
    engine_refuse(e, w, by);
    return ob_fail(err, OB_EBUSY, "%s",
                   by == OB_HINDRANCE_STOPPING ? "the service is stopping"
                                               : "too many items are waiting already");
}

ob_status ob_engine_scan(ob_engine *e, ob_scan *scan, ob_error *err)
{
    scan->work.class = &work_scan;
    file_estimate(e, &scan->work);
    return add(e, &scan->work, err);
}

ob_status ob_engine_hash(ob_engine *e, ob_hashing *hashing, ob_error *err)
{
    hashing->work.class = &work_hashing;
    file_estimate(e, &hashing->work);
    return add(e, &hashing->work, err);
}

ob_status ob_engine_look_up(ob_engine *e, ob_look_up *look_up, ob_error *err)
{
    look_up->work.class = &work_look_up;
    look_up->work.is_long = look_up->query_count > LONG_QUERIES;
    look_up->work.turn.bytes = (uint64_t)look_up->query_count * QUERY_BYTES;
    return add(e, &look_up->work, err);
}

bool ob_engine_forget(ob_engine *e, ob_work *w)
{
    bool found = false;
    atomic_store(&w->turn.unwanted, true); /* first: it may be on its way from lane to lane */
    for (int i = 0; i < LENGTHS && !found; i++)
        found = lane_forget(&e->decoding[i], &w->turn) || lane_forget(&e->searching[i], &w->turn);
    if (found && w->class->file)
        close(w->class->file(w)->file);
    return found;
}

bool ob_engine_has_room(ob_engine *e, const char *client)
{
    bool at_once;
    return lane_has_room(&at_once, &e->decoding[BRIEF], client);
}

/* ---- The gate -------------------------------------------------------------------------------- */

ob_status ob_engine_ask(ob_gate_decision *out, ob_engine *e, const ob_item *item,
                        uint32_t detectors, ob_error *err)
{
    ob_status status = ob_permits_ask(out, e->permits, item, detectors, err);
    ob_hindrance hindrance = ob_permits_hindrance(e->permits, status ? NULL : out, status);
    if (hindrance)
        ob_engine_could_not(e, hindrance);
    return status;
}

ob_hindrance ob_engine_hindrance(ob_engine *e, const ob_gate_decision *why, ob_status status)
{
    return ob_permits_hindrance(e ? e->permits : NULL, why,
                                status); /* without one: by the status */
}

/* ---- Counts ---------------------------------------------------------------------------------- */

void ob_engine_could_not(ob_engine *e, ob_hindrance hindrance)
{
    atomic_fetch_add(&e->could_not[hindrance], 1);
}

void ob_engine_refused(ob_engine *e, ob_refusal refusal)
{
    ob_counts_refuse(ob_permits_counts(e->permits), refusal);
}

void ob_engine_let_through(ob_engine *e, const char *via, ob_hindrance hindrance,
                           ob_undecodable why)
{
    atomic_fetch_add(hindrance ? &e->let_through[hindrance] : &e->passed[why], 1);
    ob_counts_pass(ob_permits_counts(e->permits), via,
                   hindrance ? ob_hindrance_name(hindrance) : ob_undecodable_name(why));
}

static void count_all(uint64_t *out, atomic_ullong *from, int count)
{
    for (int i = 0; i < count; i++)
        out[i] = atomic_load(&from[i]);
}

/* What can be recorded now. */
static void count_health(ob_engine_counts *out, ob_engine *e)
{
    const ob_counts *counts = ob_permits_counts(e->permits);
    out->audit_ok = ob_counts_fine(counts);
    out->counts_busy = !out->audit_ok && ob_counts_busy(counts);
    out->counts_late = !out->audit_ok && ob_counts_late(counts);
    out->log_ok = ob_acts_log_fine(e->options.acts);
    out->log_slow = ob_acts_log_slow(e->options.acts);
    lane_has_room(&out->has_place, &e->decoding[BRIEF], "");
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
    count_all(out->scans, e->scans, OB_ACTIONS);
    count_all(out->looked, e->looked, OB_DETECTORS_MOST);
    count_all(out->signals, e->signals, OB_DETECTORS_MOST);
    count_all(out->could_not, e->could_not, OB_HINDRANCES);
    count_all(out->let_through, e->let_through, OB_HINDRANCES);
    count_all(out->passed, e->passed, OB_UNDECODABLES);
    ob_permits_denied(out->denied, out->denied_reason, e->permits);
    count_health(out, e);
    for (int i = 0; i < LENGTHS; i++)
        out->waiting += lane_waiting(&e->decoding[i]);
}
