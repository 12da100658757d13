/* The side that has bytes and wants hashes: a worker process, watched and replaced. */
#include "sandbox_priv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    TIME_MS = 20000,
    CPU_MS = 15000,
    JOBS_MOST = 1000, /* of one process: what somebody planted in it does not stay for ever */
    LIFE_CPU_S = 60,  /* of the processor for all jobs of one process, and its last one */
    STARVED_MOST = 8, /* so many times the time of a job while others have the processors */
};

struct ob_worker {
    ob_worker_options options;
    char *program;
    worker_process process;
    uint32_t layers;           /* of the last that ran */
    ob_epoch_page *own_epochs; /* where the options have none */
    uint64_t of_this, client;  /* jobs of the process that runs, and whose they were */
};

static const ob_epoch_page *epochs_of(const ob_worker *w)
{
    return w->options.epochs ? w->options.epochs : w->own_epochs;
}

static void tell_problem(const ob_worker *w, const char *what)
{
    ob_error text;
    if (!w->options.problem)
        return;
    ob_fail(&text, OB_ECRASH, "a worker was lost and is replaced: %s", what);
    w->options.problem(w->options.context, text.text);
}

/* ---- Its life -------------------------------------------------------------------------------- */

static ob_status start(ob_worker *w, unsigned job_cpu_s, ob_error *err)
{
    ob_status status =
        process_start(&w->process, w->program, LIFE_CPU_S + job_cpu_s, epochs_of(w), err);
    if (!status) {
        w->layers = w->process.layers;
        w->of_this = 0;
    }
    return status;
}

static void dismiss(ob_worker *w)
{
    if (!process_dismiss(&w->process))
        tell_problem(w, "it did not end well"); /* a sanitizer has found something */
}

ob_status ob_worker_start(ob_worker **out, const ob_worker_options *options, ob_error *err)
{
    const char *name = options->program ? options->program : "obhut-worker";
    ob_worker *w = calloc(1, sizeof *w);
    if (!w)
        return ob_fail(err, OB_ENOMEM, "out of memory: a worker");
    w->options = *options;
    if (!w->options.time_ms)
        w->options.time_ms = TIME_MS;
    if (!w->options.cpu_ms)
        w->options.cpu_ms = CPU_MS;
    w->program = strchr(name, '/') ? strdup(name) : process_find(name);
    ob_status status = options->epochs ? OB_OK : ob_epoch_page_new(&w->own_epochs, err);
    if (!status)
        status = w->program ? start(w, w->options.cpu_ms / 1000 + 1, err)
                            : ob_fail(err, OB_ENOTFOUND,
                                      access("/proc/self/exe", F_OK)
                                          ? "/proc is not there, so that the program %s cannot "
                                            "be found beside this one"
                                          : "the program %s is not installed",
                                      name);
    if (status)
        ob_worker_stop(w);
    else
        *out = w;
    return status;
}

void ob_worker_stop(ob_worker *w)
{
    if (!w)
        return;
    dismiss(w);
    ob_epoch_page_free(w->own_epochs);
    free(w->program);
    free(w);
}

uint32_t ob_worker_layers(const ob_worker *w)
{
    return w->layers;
}

int ob_worker_process(const ob_worker *w)
{
    return w->process.id;
}

/* Nothing was asked: what there is to read is a second answer, a late one, or the end. */
static void hear_nothing(ob_worker *w)
{
    if (!w->process.id || !process_wait(&w->process, 0))
        return;
    const bool spoke = !process_is_gone(&w->process);
    process_kill(&w->process);
    if (spoke)
        tell_problem(w, "it spoke without being asked");
}

/* A process that may have this job: one client's, within its bounds, and silent. */
static ob_status make_ready(ob_worker *w, const worker_job *wire, uint64_t client, ob_error *err)
{
    const unsigned cpu_s = wire->cpu_ms / 1000 + 1;
    hear_nothing(w);
    if (w->process.id && (w->of_this >= JOBS_MOST || (w->of_this && w->client != client) ||
                          process_used_s(&w->process) + cpu_s > w->process.cpu_s))
        dismiss(w);
    w->client = client;
    return w->process.id ? OB_OK : start(w, cpu_s, err);
}

/* ---- Jobs ------------------------------------------------------------------------------------ */

/* Why a worker's end cost the job. */
static ob_status explain_death(const worker_job *job, int ended, ob_error *err)
{
    int by = WIFSIGNALED(ended) ? WTERMSIG(ended) : 0;
    switch (by) {
    case SIGPROF:
        return ob_fail(err, OB_ETIME, "more than %u ms of the processor", job->cpu_ms);
    case SIGBUS:
        return ob_fail(err, OB_EIO, "the file changed while it was read");
    case SIGSYS:
        return ob_fail(err, OB_ECRASH, "the decoder asked for what no decoder needs");
    case SIGKILL:
        return ob_fail(err, OB_ECRASH, "the decoder was killed, or let go of its channel");
    case SIGXCPU:
        return ob_fail(err, OB_ETIME, "more of the processor than a worker has");
    case 0:
        return ob_fail(err, OB_ECRASH, "the decoder ended (exit code %d)", WEXITSTATUS(ended));
    default:
        return ob_fail(err, OB_ECRASH, "the decoder crashed (signal %d)", by);
    }
}

/* Digests of a film take as long as reading it does; nothing else depends on the size alone. */
static unsigned more_ms(const ob_job *job)
{
    enum { BYTES_PER_MS = 100000 };
    uint64_t ms = job->wants[OB_EXTRACT_DIGESTS] ? job->size / BYTES_PER_MS : 0;
    return ms > 3600000 ? 3600000 : (unsigned)ms;
}

/* A job on its way: its packet, the file, and the memory file that is to be filled (-1: none). */
typedef struct errand {
    const ob_job *job;
    worker_job wire;
    int file, room;
} errand;

/* How a job ended. BROKEN: no honest worker does that, and this one is gone. */
typedef enum outcome { ANSWERED, NOT_PERMITTED, LOST, BROKEN } outcome;

/* Waits as long as the job may take, of the time in which it could have worked: what others keep
 * from it is not its file's fault. But not for ever: it holds up whoever comes behind it. */
static bool wait_for_answer(const worker_process *p, unsigned time_ms)
{
    const int64_t began = process_now_ms(), starved = process_starved_ms(p);
    const int64_t last = began + (int64_t)STARVED_MOST * time_ms;
    int64_t until = began + time_ms;
    while (!process_wait(p, until)) {
        const int64_t due = began + time_ms + process_starved_ms(p) - starved;
        until = due < last ? due : last;
        if (until <= process_now_ms())
            return false;
    }
    return true;
}

/* ANSWERED: a result, of which every number is still to be checked. Otherwise the process is gone.
 */
static outcome receive(worker_result *result, ob_worker *w, const worker_job *job, unsigned time_ms,
                       ob_error *err)
{
    ob_packet p;
    if (!wait_for_answer(&w->process, time_ms)) {
        process_kill(&w->process);
        ob_fail(err, OB_ETIME, "not decoded within %u ms", time_ms);
        return LOST;
    }
    const ob_wire_got got = ob_wire_receive(w->process.wire, &p);
    const bool answered =
        got == OB_WIRE_PACKET && p.kind == WORKER_RESULT && worker_get_result(result, &p);
    ob_packet_free(&p);
    if (answered)
        return ANSWERED;
    const bool gone = got == OB_WIRE_END && process_is_gone(&w->process);
    const int ended = process_kill(&w->process);
    if (gone)
        explain_death(job, ended, err);
    return gone ? LOST : BROKEN;
}

/* A worker that says without reason that it had no permit would have its items asked about again
 * and again. */
static bool has_no_permit(ob_worker *w, const worker_job *job, int file)
{
    ob_permit_terms terms;
    const ob_permit_use use = worker_use(job, file, ob_epochs_now(epochs_of(w)));
    const ob_permit_mac mac = ob_holder_taker(&w->process.holder);
    return ob_permit_take(&terms, &job->permit, &use, &mac, NULL) != OB_OK;
}

/* What the worker has filled is the result's, once nobody can change it any more. */
static bool take_room(ob_job_result *out, errand *e)
{
    if (!out->file_size)
        return true;
    if (!result_file_seal(e->room))
        return false;
    out->has_file = true;
    out->file = e->room;
    e->room = -1;
    return true;
}

/* Waits for the answer; every way in which it may not come ends the process. */
static outcome await(ob_job_result *out, ob_worker *w, errand *e, unsigned time_ms)
{
    worker_result result;
    ob_error err = {0};
    bool refused = false;
    outcome o = receive(&result, w, &e->wire, time_ms, &err);
    if (o == ANSWERED && !worker_take_result(out, &refused, &result, &e->wire))
        o = BROKEN;
    if (o == ANSWERED && refused)
        o = has_no_permit(w, &e->wire, e->file) ? NOT_PERMITTED : BROKEN;
    if (o == ANSWERED && !take_room(out, e))
        o = BROKEN;
    if (o == ANSWERED)
        w->process.holder.taken = w->process.holder.made;
    if (o == ANSWERED || o == NOT_PERMITTED)
        return o;
    process_kill(&w->process);
    if (o == BROKEN)
        ob_fail(&err, OB_ECRASH, "the decoder's answer makes no sense");
    if (!e->job->trial_ms || err.status != OB_ETIME)
        tell_problem(w, err.text);
    *out = (ob_job_result){.status = err.status, .error = err};
    return o;
}

/* A permit for this file and this process; what it is not for is not asked. */
static ob_status get_permit(errand *e, uint32_t *detectors, ob_worker *w, ob_error *err)
{
    const ob_job *job = e->job;
    ob_permit_item item = {.size = job->size};
    const ob_permit_mac mac = ob_holder_maker(&w->process.holder);
    *detectors = worker_detectors(job->wants);
    memcpy(item.id, job->item, sizeof item.id);
    if (!holder_look_at(&item, e->file))
        return ob_fail(err, OB_EIO, "the file cannot be looked at: %s", strerror(errno));
    if (!job->permit)
        return ob_fail(err, OB_EREFUSED, "there is no permit");
    ob_status status = job->permit(job->permit_context, &e->wire.permit, detectors, &item,
                                   ob_epochs_now(epochs_of(w)), &mac, err);
    for (int x = 0; x < OB_EXTRACTS; x++)
        e->wire.wants[x] = job->wants[x] & *detectors;
    e->wire.digests = e->wire.wants[OB_EXTRACT_DIGESTS] ? job->digests : 0;
    return status;
}

/* A memory file, where one is to be filled: a new one for each attempt. */
static ob_status need_room(errand *e, ob_error *err)
{
    if (e->room >= 0)
        close(e->room);
    e->room = e->wire.wants[OB_EXTRACT_FILE] ? result_file_new() : -1;
    return e->wire.wants[OB_EXTRACT_FILE] && e->room < 0
               ? ob_fail(err, OB_ENOMEM, "out of memory: what a worker hands over")
               : OB_OK;
}

static bool send(ob_worker *w, ob_packet *p, int file)
{
    p->file = file;
    p->is_lent = true;
    const bool sent = ob_wire_send(w->process.wire, p);
    ob_packet_free(p);
    return sent;
}

/* False: it does not read, or is gone. Files stay who they belong to. */
static bool send_job(ob_worker *w, const errand *e)
{
    ob_packet p = ob_packet_of(WORKER_JOB, e->wire.number);
    ob_packet room = ob_packet_of(WORKER_ROOM, e->wire.number);
    worker_put_job(&p, &e->wire);
    return send(w, &p, e->file) && (e->room < 0 || send(w, &room, e->room));
}

/* A second time where the process had died before, does not read, or breaks its promises after it
 * had other files: what somebody planted there costs this file nothing. */
static ob_status do_errand(ob_job_result *out, ob_worker *w, errand *e, ob_error *err)
{
    const unsigned time_ms = w->options.time_ms + more_ms(e->job);
    for (int attempt = 0; attempt < 2; attempt++) {
        uint32_t detectors;
        ob_random(&e->wire.number, sizeof e->wire.number);
        ob_status status = make_ready(w, &e->wire, e->job->client, err);
        if (!status)
            status = get_permit(e, &detectors, w, err);
        if (!status)
            status = need_room(e, err);
        if (status)
            return status;
        const bool had_others = w->of_this++ > 0;
        if (!send_job(w, e)) {
            process_kill(&w->process);
            continue;
        }
        outcome o = await(out, w, e, time_ms);
        if (o == BROKEN && had_others && !attempt)
            continue;
        out->detectors = detectors;
        return o == NOT_PERMITTED ? ob_fail(err, OB_EREFUSED, "%s", out->error.text) : OB_OK;
    }
    return ob_fail(err, OB_EIO, "no worker takes jobs");
}

ob_status ob_worker_do(ob_job_result *out, ob_worker *w, const ob_job *job, int file, ob_error *err)
{
    const unsigned cpu_ms = job->trial_ms ? job->trial_ms : w->options.cpu_ms;
    errand e = {.job = job,
                .wire = {.size = job->size,
                         .variant = job->media.variant,
                         .exact = job->media.exact,
                         .cpu_ms = cpu_ms + more_ms(job)},
                .file = file,
                .room = -1};
    memcpy(e.wire.item, job->item, sizeof e.wire.item);
    ob_status status = do_errand(out, w, &e, err);
    if (e.room >= 0)
        close(e.room);
    return status;
}
