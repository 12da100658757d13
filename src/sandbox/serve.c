/* The life of a worker. */
#include "sandbox_priv.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>

typedef ob_status (*hasher)(ob_media_result *out, const uint8_t *bytes, size_t size,
                            const ob_media_options *options, ob_error *err);

/* Ends this process when the processor has worked for so long; 0: no more limit. */
static void limit_cpu(uint32_t ms)
{
    const struct itimerval timer = {.it_value = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000}};
    setitimer(ITIMER_PROF, &timer, NULL);
}

/* Digests window by window: files that are no pictures may be larger than a worker's memory. */
static ob_status digest(wire_result *result, ob_digester *digester, const wire_job *job, int file,
                        ob_error *err)
{
    enum { WINDOW = 32 << 20 };
    ob_status status = digester ? ob_digester_reset(digester, job->digests, err)
                                : ob_fail(err, OB_EREFUSED, "no digests on this machine");
    for (uint64_t at = 0; at < job->size && !status; at += WINDOW) {
        size_t size = job->size - at < WINDOW ? (size_t)(job->size - at) : WINDOW;
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, file, (off_t)at);
        if (map == MAP_FAILED)
            return ob_fail(err, OB_ENOMEM, "out of memory: a part of a file");
        status = ob_digester_add(digester, map, size, err);
        munmap(map, size);
    }
    if (!status)
        status = ob_digester_finish(&result->digests, digester, err);
    if (!status)
        result->digested = job->digests;
    return status;
}

static ob_status decode(wire_result *result, const wire_job *job, int file, hasher hash,
                        ob_error *err)
{
    if (!job->size)
        return ob_fail(err, OB_EFORMAT, "an empty file");
    void *map = mmap(NULL, job->size, PROT_READ, MAP_PRIVATE, file, 0);
    if (map == MAP_FAILED)
        return ob_fail(err, OB_ENOMEM, "out of memory: %llu bytes of a file",
                       (unsigned long long)job->size);
    const ob_media_options options = {.variant = (ob_pdq_variant)job->variant, .exact = job->exact};
    ob_status status = hash(&result->media, map, job->size, &options, err);
    munmap(map, job->size);
    return status;
}

/* What this worker holds permits with. */
typedef struct holding {
    ob_holder holder;
    ob_epoch_page *epochs;
} holding;

static ob_permit_use use_of(const holding *h, const wire_job *job, int file)
{
    ob_permit_use use = {.item.size = job->size,
                         .methods = (job->hash ? UINT32_C(1) << OB_METHOD_PDQ : 0) |
                                    (job->digests ? UINT32_C(1) << OB_METHOD_DIGESTS : 0),
                         .epochs = ob_epochs_now(h->epochs),
                         .now = ob_now(),
                         .monotonic_ms = ob_now_monotonic_ms()};
    memcpy(use.item.id, job->item, sizeof use.item.id);
    holder_look_at(&use.item, file);
    return use;
}

/* Before the first byte is read. */
static ob_status take_permit(holding *h, const wire_job *job, int file, ob_error *err)
{
    ob_permit_terms terms;
    const ob_permit_use use = use_of(h, job, file);
    const ob_seal seal = ob_holder_taker(&h->holder);
    return ob_permit_take(&terms, &job->permit, &use, &seal, err);
}

/* After the last one: what was withdrawn meanwhile is forgotten. */
static ob_status check_permit(holding *h, const wire_job *job, int file, ob_error *err)
{
    const ob_permit_use use = use_of(h, job, file);
    const ob_seal seal = ob_holder_taker(&h->holder);
    return ob_permit_still(&job->permit, &use, &seal, err);
}

static void refuse(wire_result *result, const ob_error *err)
{
    const uint64_t number = result->number;
    memset(result, 0, sizeof *result);
    result->number = number;
    result->status = OB_EREFUSED;
    result->refused = 1;
    memcpy(result->text, err->text, sizeof result->text);
}

static void do_job(wire_result *result, const wire_job *job, int file, hasher hash,
                   ob_digester *digester, holding *h)
{
    ob_error err = {0};
    if (take_permit(h, job, file, &err)) {
        refuse(result, &err);
        return;
    }
    off_t end = file >= 0 ? lseek(file, 0, SEEK_END) : -1;
    if (end < 0 || (uint64_t)end < job->size)
        result->status = ob_fail(&err, OB_EIO, "fewer bytes than were announced");
    limit_cpu(job->cpu_ms);
    if (!result->status && job->digests)
        result->status = digest(result, digester, job, file, &err);
    if (!result->status && job->hash)
        result->status = decode(result, job, file, hash, &err);
    limit_cpu(0);
    memcpy(result->text, err.text, sizeof result->text);
    if (check_permit(h, job, file, &err))
        refuse(result, &err);
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

int ob_worker_serve(ob_confinement profile, hasher hash, void (*prepare)(void))
{
    wire_hello hello = {.magic = WIRE_HELLO};
    ob_digester *digester = NULL;
    ob_error err = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
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
