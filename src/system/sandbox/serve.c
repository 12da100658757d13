/* The life of a worker process: it confines itself, then does one job after the other. */
#include "sandbox_priv.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

/* Ends this process when the processor has worked for so long; 0: no more limit. */
static void limit_cpu(uint32_t ms)
{
    const struct itimerval timer = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
    setitimer(ITIMER_PROF, &timer, NULL);
}

/* Digests window by window: files that are no pictures may be larger than a worker's memory. */
static uint32_t digest(worker_result *result, ob_digester *digester, const worker_job *job,
                       int file)
{
    enum { WINDOW = 32 << 20 };
    ob_status status = digester ? ob_digester_reset(digester, job->digests, NULL) : OB_EREFUSED;
    for (uint64_t at = 0; at < job->size && !status; at += WINDOW) {
        size_t size = job->size - at < WINDOW ? (size_t)(job->size - at) : WINDOW;
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, (off_t)at);
        if (map == MAP_FAILED)
            return WORKER_NO_ROOM;
        status = ob_digester_add(digester, map, size, NULL);
        munmap(map, size);
    }
    if (!status)
        status = ob_digester_finish(&result->digests, digester, NULL);
    if (status)
        return WORKER_NO_DIGESTS;
    result->digested = job->digests;
    return OB_MEDIA_FINE;
}

/* Hashes, and a memory file, as the job wants them. */
static ob_media_fault decode(worker_result *result, const worker_job *job, int file, int room,
                             const ob_worker_program *program)
{
    ob_media_fault fault = {.reason = OB_MEDIA_EMPTY};
    if (!job->size)
        return fault;
    fault.reason = OB_MEDIA_NO_MEMORY;
    void *map = mmap(NULL, job->size, PROT_READ, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED)
        return fault;
    fault.reason = OB_MEDIA_FINE;
    const ob_media_options options = {.variant = (ob_pdq_variant)job->variant, .exact = job->exact};
    if (job->wants[OB_EXTRACT_PDQ] &&
        program->hash(&result->media, map, job->size, &options, &fault) && !fault.reason)
        fault.reason = OB_MEDIA_NO_HASH;
    if (!fault.reason && room >= 0 && program->fill)
        result->file_size = result_file_fill(room, program, map, job->size);
    munmap(map, job->size);
    return fault;
}

/* What this worker holds permits with. */
typedef struct holding {
    ob_holder holder;
    ob_epoch_page *epochs;
} holding;

/* Before the first byte is read. */
static bool take_permit(holding *h, const worker_job *job, int file)
{
    ob_permit_terms terms;
    const ob_permit_use use = worker_use(job, file, ob_epochs_now(h->epochs));
    const ob_permit_mac mac = ob_holder_taker(&h->holder);
    return !ob_permit_take(&terms, &job->permit, &use, &mac, NULL);
}

/* After the last one: what was withdrawn meanwhile is forgotten. */
static bool still_permitted(holding *h, const worker_job *job, int file)
{
    const ob_permit_use use = worker_use(job, file, ob_epochs_now(h->epochs));
    const ob_permit_mac mac = ob_holder_taker(&h->holder);
    return !ob_permit_still(&job->permit, &use, &mac, NULL);
}

static void refuse(worker_result *result)
{
    const uint64_t number = result->number;
    memset(result, 0, sizeof *result);
    result->number = number;
    result->fault.reason = WORKER_NO_PERMIT;
}

static void do_job(worker_result *result, const worker_job *job, int file, int room,
                   const ob_worker_program *program, ob_digester *digester, holding *h)
{
    if (!take_permit(h, job, file)) {
        refuse(result);
        return;
    }
    off_t end = file >= 0 ? lseek(file, 0, SEEK_END) : -1;
    if (end < 0 || (uint64_t)end < job->size)
        result->fault.reason = WORKER_SHORT;
    limit_cpu(job->cpu_ms);
    if (!result->fault.reason && job->digests)
        result->fault.reason = digest(result, digester, job, file);
    if (!result->fault.reason && (job->wants[OB_EXTRACT_PDQ] || room >= 0))
        result->fault = decode(result, job, file, room, program);
    limit_cpu(0);
    if (!still_permitted(h, job, file))
        refuse(result);
}

/* The key, and the epochs. */
static bool take_welcome(holding *h, ob_wire *wire)
{
    ob_packet p;
    h->holder = (ob_holder){.process = getpid()};
    h->epochs = NULL;
    if (ob_wire_await(wire, &p) == OB_WIRE_PACKET && p.kind == WORKER_WELCOME &&
        ob_get_block(h->holder.key, sizeof h->holder.key, &p) && ob_get_end(&p))
        h->epochs = epochs_open(p.file);
    ob_packet_free(&p);
    return h->epochs != NULL;
}

/* Of the processor, for the whole life; whoever hands out jobs has clocks of its own. */
static void limit_life(char **arguments)
{
    enum { CPU_S = 120 };
    const long given = arguments[0] && arguments[1] ? strtol(arguments[1], NULL, 10) : 0;
    const rlim_t most = given > 0 ? (rlim_t)given : CPU_S;
    const struct rlimit both = {.rlim_cur = most, .rlim_max = most + 1};
    (void)setrlimit(RLIMIT_CPU, &both);
}

/* Says what holds this process, or why it gives up. */
static bool say_hello(ob_wire *wire, uint32_t layers, const char *why)
{
    enum { WHY_MOST = 180 };
    char text[WHY_MOST];
    ob_packet p = ob_packet_of(WORKER_HELLO, 0);
    snprintf(text, sizeof text, "%.*s", WHY_MOST - 1, why);
    ob_put_u32(&p, layers);
    ob_put_text(&p, text);
    const bool said = ob_wire_send(wire, &p);
    ob_packet_free(&p);
    return said;
}

/* A job with its file and, where it wants one, its memory file. False: the owner is gone, or sends
 * what is none. */
static bool take_job(worker_job *job, ob_packet *p, ob_packet *room, ob_wire *wire)
{
    *room = ob_packet_of(WORKER_ROOM, 0);
    if (ob_wire_await(wire, p) != OB_WIRE_PACKET)
        return false;
    if (p->kind == WORKER_JOB && worker_get_job(job, p) &&
        (!job->wants[OB_EXTRACT_FILE] ||
         (ob_wire_await(wire, room) == OB_WIRE_PACKET && room->kind == WORKER_ROOM)))
        return true;
    ob_packet_free(p);
    ob_packet_free(room);
    return false;
}

/* Jobs, until the owner is gone or sends what is none. `answer` has the memory for the longest. */
static void do_jobs(ob_wire *wire, ob_packet *answer, const ob_worker_program *program,
                    ob_digester *digester, holding *h)
{
    ob_packet p, room;
    worker_job job;
    bool sent = true;
    while (sent && take_job(&job, &p, &room, wire)) {
        worker_result result;
        memset(&result, 0, sizeof result); /* no stale byte leaves, not even between fields */
        result.number = job.number;
        do_job(&result, &job, p.file, room.file, program, digester, h);
        ob_packet_free(&p);
        ob_packet_free(&room);
        ob_packet_reset(answer, WORKER_RESULT, result.number);
        worker_put_result(answer, &result);
        sent = ob_wire_send(wire, answer);
    }
}

int ob_worker_serve(char **arguments, const ob_worker_program *program)
{
    uint32_t layers = 0;
    ob_digester *digester = NULL;
    ob_error err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    limit_life(arguments);
    ob_digester_new(&digester, NULL); /* reads the library's configuration */
    ob_wire *wire = ob_wire_new(OB_WORKER_CHANNEL, &worker_protocol, WORKER_SIDE, NULL);
    ob_packet answer = ob_packet_of(WORKER_RESULT, 0);
    if (!wire || !ob_packet_reserve(&answer, worker_protocol.kinds[WORKER_RESULT].most))
        return 3;
    if (program->prepare)
        program->prepare();
    if (ob_confine(&layers, program->profile, &err))
        layers = 0;
    holding h = {.epochs = NULL};
    const bool said = say_hello(wire, layers, layers ? "" : err.text);
    if (said && layers && take_welcome(&h, wire))
        do_jobs(wire, &answer, program, digester, &h);
    ob_epoch_page_free(h.epochs);
    ob_packet_free(&answer);
    ob_wire_free(wire);
    ob_digester_free(digester);
    return layers ? 0 : 3;
}
