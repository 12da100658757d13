/* The life of a worker. */
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
static uint32_t digest(wire_result *result, ob_digester *digester, const wire_job *job, int file)
{
    enum { WINDOW = 32 << 20 };
    ob_status status = digester ? ob_digester_reset(digester, job->digests, NULL) : OB_EREFUSED;
    for (uint64_t at = 0; at < job->size && !status; at += WINDOW) {
        size_t size = job->size - at < WINDOW ? (size_t)(job->size - at) : WINDOW;
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, (off_t)at);
        if (map == MAP_FAILED)
            return WIRE_NO_ROOM;
        status = ob_digester_add(digester, map, size, NULL);
        munmap(map, size);
    }
    if (!status)
        status = ob_digester_finish(&result->digests, digester, NULL);
    if (status)
        return WIRE_NO_DIGESTS;
    result->digested = job->digests;
    return OB_MEDIA_FINE;
}

static ob_media_fault decode(wire_result *result, const wire_job *job, int file,
                             ob_worker_hasher hash)
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
    if (hash(&result->media, map, job->size, &options, &fault) && !fault.reason)
        fault.reason = OB_MEDIA_NO_HASH;
    munmap(map, job->size);
    return fault;
}

/* What this worker holds permits with. */
typedef struct holding {
    ob_holder holder;
    ob_epoch_page *epochs;
} holding;

/* Before the first byte is read. */
static bool take_permit(holding *h, const wire_job *job, int file)
{
    ob_permit_terms terms;
    const ob_permit_use use = wire_use(job, file, ob_epochs_now(h->epochs));
    const ob_permit_mac mac = ob_holder_taker(&h->holder);
    return !ob_permit_take(&terms, &job->permit, &use, &mac, NULL);
}

/* After the last one: what was withdrawn meanwhile is forgotten. */
static bool still_permitted(holding *h, const wire_job *job, int file)
{
    const ob_permit_use use = wire_use(job, file, ob_epochs_now(h->epochs));
    const ob_permit_mac mac = ob_holder_taker(&h->holder);
    return !ob_permit_still(&job->permit, &use, &mac, NULL);
}

static void refuse(wire_result *result)
{
    const uint64_t number = result->number;
    memset(result, 0, sizeof *result);
    result->number = number;
    result->fault.reason = WIRE_NO_PERMIT;
}

static void do_job(wire_result *result, const wire_job *job, int file, ob_worker_hasher hash,
                   ob_digester *digester, holding *h)
{
    if (!take_permit(h, job, file)) {
        refuse(result);
        return;
    }
    off_t end = file >= 0 ? lseek(file, 0, SEEK_END) : -1;
    if (end < 0 || (uint64_t)end < job->size)
        result->fault.reason = WIRE_SHORT;
    limit_cpu(job->cpu_ms);
    if (!result->fault.reason && job->digests)
        result->fault.reason = digest(result, digester, job, file);
    if (!result->fault.reason && job->hash)
        result->fault = decode(result, job, file, hash);
    limit_cpu(0);
    if (!still_permitted(h, job, file))
        refuse(result);
}

/* The key, and the epochs. */
static bool take_welcome(holding *h)
{
    wire_welcome welcome;
    int file = -1;
    if (!wire_receive(OB_WORKER_CHANNEL, &welcome, sizeof welcome, &file) ||
        welcome.magic != WIRE_HELLO || file < 0)
        return false;
    h->epochs = epochs_open(file);
    close(file);
    h->holder = (ob_holder){.process = getpid()};
    memcpy(h->holder.key, welcome.key, sizeof h->holder.key);
    ob_wipe(&welcome, sizeof welcome);
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

int ob_worker_serve(char **arguments, ob_confinement profile, ob_worker_hasher hash,
                    void (*prepare)(void))
{
    wire_hello hello = {.magic = WIRE_HELLO};
    ob_digester *digester = NULL;
    ob_error err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    limit_life(arguments);
    ob_digester_new(&digester, NULL); /* reads the library's configuration */
    if (prepare)
        prepare();
    if (ob_confine(&hello.layers, profile, &err)) {
        hello.layers = 0;
        snprintf(hello.text, sizeof hello.text, "%.*s", (int)sizeof hello.text - 1, err.text);
    }
    if (!wire_send(OB_WORKER_CHANNEL, &hello, sizeof hello, -1) || !hello.layers)
        return hello.layers ? 0 : 3;
    holding h;
    if (!take_welcome(&h)) {
        ob_digester_free(digester);
        return 0;
    }
    for (;;) {
        wire_job job;
        int file;
        if (!wire_receive(OB_WORKER_CHANNEL, &job, sizeof job, &file))
            break;
        wire_result result;
        memset(&result, 0, sizeof result); /* no stale byte leaves, not even between fields */
        result.number = job.number;
        do_job(&result, &job, file, hash, digester, &h);
        if (file >= 0)
            close(file);
        if (!wire_send(OB_WORKER_CHANNEL, &result, sizeof result, -1))
            break;
    }
    ob_epoch_page_free(h.epochs);
    ob_digester_free(digester);
    return 0;
}
