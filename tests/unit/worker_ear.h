/* A worker as it hears its owner, in this process: ob_worker_serve is the real one, and what would
 * confine or limit this process does nothing. The linker puts these in the place of the real calls.
 */
#ifndef OBHUT_TEST_WORKER_EAR_H
#define OBHUT_TEST_WORKER_EAR_H

#include "flat.h"
#include "sandbox_priv.h"

#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

ob_status __wrap_ob_confine(uint32_t *layers, ob_confinement profile, ob_error *err);
ob_status __wrap_ob_confine(uint32_t *layers, ob_confinement profile, ob_error *err)
{
    (void)profile;
    (void)err;
    *layers = OB_CONFINED_SECCOMP;
    return OB_OK;
}

/* Under both names that the C library has for it. */
int __wrap_setrlimit(int what, const void *limit);
int __wrap_setrlimit(int what, const void *limit)
{
    (void)what;
    (void)limit;
    return 0;
}

int __wrap_setrlimit64(int what, const void *limit);
int __wrap_setrlimit64(int what, const void *limit)
{
    return __wrap_setrlimit(what, limit);
}

int __wrap_setitimer(int which, const struct itimerval *to, struct itimerval *from);
int __wrap_setitimer(int which, const struct itimerval *to, struct itimerval *from)
{
    (void)which;
    (void)to;
    (void)from;
    return 0;
}

int __wrap_prctl(int what, ...);
int __wrap_prctl(int what, ...)
{
    (void)what;
    return 0;
}

static unsigned worker_ear_decoded; /* files that it looked at */

static inline ob_status worker_ear_hash(ob_media_result *out, const uint8_t *bytes, size_t size,
                                        const ob_media_options *options, ob_media_fault *fault)
{
    volatile uint8_t sum = 0;
    (void)options;
    (void)fault;
    for (size_t i = 0; i < size; i++) /* every byte is there */
        sum = (uint8_t)(sum + bytes[i]);
    worker_ear_decoded++;
    *out = (ob_media_result){
        .format = OB_FORMAT_PNG, .width = 1, .height = 1, .orientation = 1, .frames = 1};
    return OB_OK;
}

typedef struct worker_ear {
    int far; /* the owner's end */
    ob_epoch_page *epochs;
    ob_holder holder; /* as the worker's */
} worker_ear;

/* Descriptor 3 must be nobody's: call it before anything else is opened. */
static inline void worker_ear_reserve(void)
{
    if (fcntl(OB_WORKER_CHANNEL, F_GETFD) < 0 && dup2(STDIN_FILENO, OB_WORKER_CHANNEL) < 0)
        abort();
}

static inline void worker_ear_open(worker_ear *e)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ||
        dup2(ends[0], OB_WORKER_CHANNEL) < 0)
        abort();
    close(ends[0]);
    e->far = ends[1];
    ob_holder_init(&e->holder);
}

static inline ob_packet worker_ear_welcome(worker_ear *e)
{
    ob_packet p = ob_packet_of(WORKER_WELCOME, 0);
    ob_put_bytes(&p, e->holder.key, sizeof e->holder.key);
    p.file = epochs_file(e->epochs);
    p.is_lent = true;
    return p;
}

/* A job with a permit that is good, for a file of so many bytes. */
static inline ob_packet worker_ear_job(worker_ear *e, uint64_t number, int file, uint64_t size)
{
    worker_job job = {.number = number,
                      .size = size,
                      .wants = {[OB_EXTRACT_PDQ] = OB_OWN_WISH, [OB_EXTRACT_DIGESTS] = OB_OWN_WISH},
                      .digests = OB_DIGEST_ALL,
                      .cpu_ms = 1000};
    uint32_t detectors = OB_OWN_WISH;
    ob_permit_item item = {.size = size};
    const ob_permit_mac mac = ob_holder_maker(&e->holder);
    ob_packet p = ob_packet_of(WORKER_JOB, number);
    if (!holder_look_at(&item, file) || ob_own_files_permit(NULL, &job.permit, &detectors, &item,
                                                            ob_epochs_now(e->epochs), &mac, NULL))
        abort();
    worker_put_job(&p, &job);
    p.file = file;
    p.is_lent = true;
    return p;
}

static inline bool worker_ear_send(const worker_ear *e, const uint8_t *bytes, size_t size, int file)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    return ob_bytes_send(e->far, &piece, 1, file, MSG_DONTWAIT) >= 0;
}

/* The worker's whole life: it does what was sent, and ends. Returns how many results it gave. */
static inline unsigned worker_ear_live(worker_ear *e)
{
    char name[] = "worker", seconds[] = "1";
    char *arguments[] = {name, seconds, NULL};
    unsigned results = 0;
    ob_packet p;
    shutdown(e->far, SHUT_WR);
    const ob_worker_program program = {.profile = OB_PROFILE_WORKER, .hash = worker_ear_hash};
    if (ob_worker_serve(arguments, &program))
        abort();
    ob_wire *owner = ob_wire_new(e->far, &worker_protocol, OWNER_SIDE, NULL);
    for (ob_wire_got got; (got = ob_wire_receive(owner, &p)) == OB_WIRE_PACKET; results++)
        ob_packet_free(&p);
    ob_wire_free(owner);
    return results - 1; /* hello */
}

#endif
