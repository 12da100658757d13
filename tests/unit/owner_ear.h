/* The owner of a worker as it hears one, in this process: what ob_worker_do does is real, and the
 * process is a socket whose other end speaks when it is waited for. The linker puts these in the
 * place of process.c's functions. */
#ifndef OBHUT_TEST_OWNER_EAR_H
#define OBHUT_TEST_OWNER_EAR_H

#include "flat.h"
#include "sandbox_priv.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

/* What the worker sends when it is waited for: `job` is the one that it has. */
typedef struct owner_ear {
    int far; /* the worker's end; -1: no process */
    unsigned started;
    bool is_gone; /* it has closed its end */
    void (*speak)(struct owner_ear *e, const ob_packet *job);
    void *context;
} owner_ear;

static owner_ear *owner_ear_now;

static void owner_ear_let_go(owner_ear *e)
{
    if (e->far >= 0)
        close(e->far);
    e->far = -1;
}

/* Sends bytes with so many descriptors of standard input. */
static bool owner_ear_send(const owner_ear *e, const uint8_t *bytes, size_t size, size_t files)
{
    enum { MOST = 4 };
    union {
        char bytes[CMSG_SPACE(MOST * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (files > MOST || e->far < 0)
        return false;
    if (files) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(files * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        head->cmsg_len = CMSG_LEN(files * sizeof(int)); /* what they are is 0 already */
    }
    return sendmsg(e->far, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

ob_status __wrap_process_start(worker_process *p, char *program, unsigned cpu_s,
                               const ob_epoch_page *epochs, ob_error *err);
ob_status __wrap_process_start(worker_process *p, char *program, unsigned cpu_s,
                               const ob_epoch_page *epochs, ob_error *err)
{
    owner_ear *e = owner_ear_now;
    int ends[2];
    (void)program;
    (void)epochs;
    (void)err;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        abort();
    *p = (worker_process){.id = (pid_t)++e->started,
                          .wire = ob_wire_new(ends[0], &worker_protocol, OWNER_SIDE, NULL),
                          .layers = OB_CONFINED_SECCOMP,
                          .cpu_s = cpu_s};
    ob_holder_init(&p->holder);
    e->far = ends[1];
    return OB_OK;
}

int __wrap_process_kill(worker_process *p);
int __wrap_process_kill(worker_process *p)
{
    if (!p->id)
        return 0;
    p->id = 0;
    ob_wire_free(p->wire);
    p->wire = NULL;
    owner_ear_let_go(owner_ear_now);
    return 0;
}

bool __wrap_process_dismiss(worker_process *p);
bool __wrap_process_dismiss(worker_process *p)
{
    __wrap_process_kill(p);
    return true;
}

unsigned __wrap_process_used_s(const worker_process *p);
unsigned __wrap_process_used_s(const worker_process *p)
{
    (void)p;
    return 1;
}

int64_t __wrap_process_starved_ms(const worker_process *p);
int64_t __wrap_process_starved_ms(const worker_process *p)
{
    (void)p;
    return 0;
}

/* Nobody waits: what the worker has to say it says now. */
bool __real_process_wait(const worker_process *p, int64_t deadline_ms);
bool __wrap_process_wait(const worker_process *p, int64_t deadline_ms);
bool __wrap_process_wait(const worker_process *p, int64_t deadline_ms)
{
    static uint8_t bytes[FLAT_MOST];
    owner_ear *e = owner_ear_now;
    struct iovec piece = {bytes, sizeof bytes};
    int file;
    ssize_t got;
    (void)deadline_ms;
    if (e->far >= 0 && (got = ob_bytes_receive(&file, e->far, &piece, 1, MSG_DONTWAIT)) >
                           (ssize_t)sizeof(wire_head)) {
        wire_head head;
        ob_packet job = ob_packet_of(WORKER_JOB, 0);
        memcpy(&head, bytes, sizeof head);
        job.id = head.id;
        job.file = file;
        job.bytes = bytes + sizeof head;
        job.size = (size_t)got - sizeof head;
        e->speak(e, &job);
        ob_packet_free(&job);
    }
    return __real_process_wait(p, 0);
}

#endif
