/* The way of a file: grant, worker, detectors, decision. */
#include "engine_priv.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A file that is not expected to be long gets so much of a processor to show it. */
enum { TRIAL_CPU_MS = 100 };

/* ---- Results --------------------------------------------------------------------------------- */

static void drop_result(ob_file_work *f)
{
    if (f->result)
        ob_result_close(f->result);
    free(f->result);
    f->result = NULL;
}

/* It has room for many hashes: what waits, or is only looked up, has none. */
static ob_status need_result(ob_work *w, ob_file_work *f)
{
    if (!f->result)
        f->result = calloc(1, sizeof *f->result);
    return f->result ? OB_OK : ob_fail(&w->error, OB_ENOMEM, "out of memory: what a file shows");
}

void ob_scan_clear(ob_scan *scan)
{
    ob_signals_free(&scan->signals);
    drop_result(&scan->file);
}

void ob_hashing_clear(ob_hashing *hashing)
{
    drop_result(&hashing->file);
}

/* ---- Its head -------------------------------------------------------------------------------- */

static size_t read_file(void *context, void *out, size_t size, uint64_t at)
{
    const ob_file_work *f = context;
    const ssize_t got = pread(f->file, out, size, (off_t)at);
    return got > 0 ? (size_t)got : 0;
}

void file_estimate(ob_engine *e, ob_work *w)
{
    ob_file_work *f = w->class->file(w);
    const ob_media_cost cost = ob_media_estimate(read_file, f, f->size);
    w->turn.bytes = f->size;
    w->turn.cost_us = cost.us;
    w->turn.is_slow = cost.is_slow;
    w->is_long = cost.is_slow || cost.us > LONG_US;
    atomic_fetch_add(&e->slow, cost.is_slow);
}

/* ---- Workers --------------------------------------------------------------------------------- */

static void on_worker_lost(void *context, const char *sentence)
{
    ob_engine *e = context;
    atomic_fetch_add(&e->lost, 1);
    if (e->options.worker.problem)
        e->options.worker.problem(e->options.worker.context, sentence);
}

ob_status engine_need_workers(ob_workers **workers, ob_engine *e, ob_error *err)
{
    if (*workers)
        return OB_OK;
    ob_worker_options options = e->options.worker;
    options.epochs = ob_permits_epochs(e->permits);
    options.problem = on_worker_lost;
    options.context = e;
    ob_status status = ob_workers_start(workers, &options, err);
    if (!status)
        atomic_fetch_and(&e->layers, ob_workers_layers(*workers));
    return status;
}

/* Of the processor, for a file that is to be brief; 0: as much as any. */
static unsigned trial_ms(const ob_engine *e, const ob_work *w)
{
    const unsigned any = e->options.worker.cpu_ms;
    return w->is_long || (any && any <= TRIAL_CPU_MS) ? 0 : TRIAL_CPU_MS;
}

/* ---- One try --------------------------------------------------------------------------------- */

/* What a file's worker is to take, with these digests. */
static ob_job job_of(const ob_engine *e, ob_work *w, uint32_t digests, ob_grant *grant)
{
    const ob_file_work *f = w->class->file(w);
    ob_job job = {.digests = digests,
                  .size = f->size,
                  .media = f->media,
                  .client = f->owner,
                  .trial_ms = trial_ms(e, w),
                  .permit = ob_grant_hand_on,
                  .permit_context = grant};
    memcpy(job.item, w->item.id.bytes, sizeof job.item);
    ob_detectors_want(job.wants, &e->detectors, ob_detectors_for(&e->detectors, w->item.media));
    if (!digests)
        job.wants[OB_EXTRACT_DIGESTS] = 0;
    return job;
}

static uint32_t wanted_by(const ob_job *job)
{
    uint32_t detectors = 0;
    for (int x = 0; x < OB_EXTRACTS; x++)
        detectors |= job->wants[x];
    return detectors;
}

/* By the worker of this thread's seat. A file that turns out to be long has no result. */
static ob_status have_taken(ob_engine *e, ob_work *w, const ob_job *job)
{
    ob_file_work *f = w->class->file(w);
    ob_workers **workers = &e->workers[w->is_long][w->turn.seat];
    ob_status status = engine_need_workers(workers, e, &w->error);
    if (!status)
        status = ob_workers_do(f->result, *workers, job, f->file, &w->error);
    w->turns_long = !status && job->trial_ms && f->result->status == OB_ETIME;
    if (w->turns_long)
        drop_result(f);
    return status;
}

/* What detectors need of it, once. What is withdrawn meanwhile is OB_EREFUSED, with gate.allow
 * still set. Where no detector takes it, the gate is asked all the same: it may have the better
 * reason. */
static ob_status extract(ob_engine *e, ob_holder *bearer, ob_work *w, const ob_job *job,
                         ob_grant *grant)
{
    ob_file_work *f = w->class->file(w);
    const uint32_t wanted = wanted_by(job);
    ob_status status = ob_grant_get(grant, &w->decision.gate, e->permits, bearer, &w->item,
                                    wanted ? wanted : OB_EVERY_DETECTOR, &w->error);
    if (status)
        return engine_hindered(w, status, OB_HINDRANCE_RECORDS);
    engine_sit(e, w);
    status = need_result(w, f);
    if (!status && wanted)
        status = have_taken(e, w, job);
    else if (!status)
        f->result->status =
            ob_fail(&f->result->error, OB_EUNSUPPORTED, "there is no detector for it");
    return engine_hindered(w, status, OB_HINDRANCE_WORKERS);
}

static void count_looked(ob_engine *e, uint32_t detectors)
{
    for (int d = 0; d < OB_DETECTORS_MOST; d++)
        if (detectors >> d & 1)
            atomic_fetch_add(&e->looked[d], 1);
}

/* What detectors say of it, and what is decided. Nobody has looked where there is no decoder of it
 * and no digest is listed. */
static ob_status scan_once(ob_engine *e, ob_holder *bearer, ob_work *w)
{
    ob_scan *s = (ob_scan *)w;
    ob_grant grant;
    const ob_policy *policy = e->options.policy;
    const ob_job job = job_of(e, w, ob_lists_digests(e->options.lists) & OB_DIGEST_ALL, &grant);
    ob_status status = extract(e, bearer, w, &job, &grant);
    if (status || w->turns_long)
        return status;
    if (s->file.result->detectors) {
        const ob_judging judging = {.lists = e->options.lists,
                                    .distance = s->has_distance ? s->distance : policy->distance};
        status = ob_detect(&s->signals, &e->detectors, &judging, s->file.result, &grant, &w->error);
        if (!status)
            ob_grant_used(&grant, &w->item);
    }
    if (status)
        return engine_hindered(w, status,
                               status == OB_EIO ? OB_HINDRANCE_LISTS : OB_HINDRANCE_FAULT);
    count_looked(e, s->file.result->detectors);
    ob_decide(&w->decision, policy, &s->signals, grant.terms.actions);
    return OB_OK;
}

static ob_status hash_once(ob_engine *e, ob_holder *bearer, ob_work *w)
{
    ob_grant grant;
    ob_job job = job_of(e, w, OB_DIGEST_ALL, &grant);
    job.wants[OB_EXTRACT_FILE] = 0; /* nothing is looked for */
    ob_status status = extract(e, bearer, w, &job, &grant);
    if (!status && !w->turns_long && w->class->file(w)->result->detectors)
        ob_grant_used(&grant, &w->item);
    return status;
}

/* ---- All of it ------------------------------------------------------------------------------- */

/* What was withdrawn while it was looked at may be allowed again by another record. */
static void do_file(ob_engine *e, ob_holder *bearer, ob_work *w,
                    ob_status (*once)(ob_engine *e, ob_holder *bearer, ob_work *w))
{
    enum { ATTEMPTS = 8 };
    ob_decision *d = &w->decision;
    w->status = OB_EREFUSED;
    d->gate.allow = true;
    for (int i = 0; i < ATTEMPTS && w->status == OB_EREFUSED && d->gate.allow; i++) {
        lane_stand(engine_lane_of(e, w), &w->turn);
        w->status = once(e, bearer, w);
        if (w->status) /* what was seen of it is forgotten */
            drop_result(w->class->file(w));
    }
    if (w->status != OB_EREFUSED)
        return;
    if (!d->gate.allow) {
        engine_deny(e, w);
        return;
    }
    w->status = ob_fail(&w->error, OB_EBUSY, "records change faster than items are looked at");
    d->hindrance = OB_HINDRANCE_BUSY;
}

/* Of a file in which nothing was found, and that was not looked at, or not at all of it. */
static void decide_undecodable(ob_scan *s)
{
    const ob_job_result *r = s->file.result;
    if ((!r->status && !r->media.unseen) || s->signals.total)
        return;
    s->work.decision.action = OB_ACTION_UNDECODABLE;
    s->work.decision.because = OB_BECAUSE_BYTES;
    s->work.decision.undecodable = ob_undecodable_of(r->status);
}

static bool run_scan(ob_engine *e, ob_holder *bearer, ob_work *w)
{
    ob_scan *s = (ob_scan *)w;
    do_file(e, bearer, w, scan_once);
    if (w->status || w->turns_long || !s->file.result)
        return !w->turns_long;
    act_on_scan(e, s);
    if (s->limit != OB_LISTS_NO_LIMIT && s->signals.count > s->limit)
        s->signals.count = s->limit;
    decide_undecodable(s);
    return true;
}

static bool run_hashing(ob_engine *e, ob_holder *bearer, ob_work *w)
{
    do_file(e, bearer, w, hash_once);
    return !w->turns_long;
}

static void count_scan(ob_engine *e, const ob_work *w)
{
    atomic_fetch_add(&e->scans[w->decision.action], 1);
}

static void count_hashing(ob_engine *e, const ob_work *w)
{
    (void)w;
    atomic_fetch_add(&e->hashes, 1);
}

static ob_file_work *file_of_scan(ob_work *w)
{
    return &((ob_scan *)w)->file;
}

static ob_file_work *file_of_hashing(ob_work *w)
{
    return &((ob_hashing *)w)->file;
}

const work_class work_scan = {
    .decodes = true, .file = file_of_scan, .run = run_scan, .count = count_scan};
const work_class work_hashing = {
    .decodes = true, .file = file_of_hashing, .run = run_hashing, .count = count_hashing};
