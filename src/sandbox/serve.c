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

static void do_job(wire_result *result, const wire_job *job, int file, hasher hash,
                   ob_digester *digester)
{
    ob_error err = {0};
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
}

int ob_worker_serve(ob_profile profile, hasher hash, void (*prepare)(void))
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
    for (;;) {
        wire_job job;
        int file;
        if (!wire_receive(OB_WORKER_CHANNEL, &job, sizeof job, &file))
            break;
        wire_result result;
        memset(&result, 0, sizeof result); /* no stale byte leaves, not even between fields */
        result.number = job.number;
        do_job(&result, &job, file, hash, digester);
        if (file >= 0)
            close(file);
        if (!wire_send(OB_WORKER_CHANNEL, &result, sizeof result, -1))
            break;
    }
    ob_digester_free(digester);
    return 0;
}
