/* The front as it hears a core, in this process: front_main is the real one, on a thread of its
 * own, with HTTP over a Unix socket. The test is main, core and clients. */
#ifndef OBHUT_TEST_FRONT_EAR_H
#define OBHUT_TEST_FRONT_EAR_H

#include "flat.h"

#include "front.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/sockios.h>

ob_status __wrap_front_leave(uint32_t *layers, const config *config, ob_error *err);
ob_status __wrap_front_leave(uint32_t *layers, const config *config, ob_error *err)
{
    (void)config;
    (void)err;
    *layers = OB_CONFINED_SECCOMP;
    return OB_OK;
}

typedef struct front_ear {
    config config;
    char path[100]; /* where it listens */
    ob_wire *main;  /* our end */
    ob_wire *core;  /* our end; NULL: there is none */
    pthread_t thread;
    int code;
} front_ear;

/* Descriptors 3 to 6 must be nobody's: call it before anything else is opened. */
static void front_ear_reserve(void)
{
    for (int file = CONTROL_FD; file < LISTEN_END; file++)
        if (fcntl(file, F_GETFD) < 0 && dup2(STDIN_FILENO, file) < 0)
            abort();
}

static void front_ear_place(int file, int where)
{
    if (file < 0 || dup2(file, where) < 0)
        abort();
    close(file);
}

static void *front_ear_live(void *argument)
{
    front_ear *e = argument;
    e->code = front_main(&e->config);
    return NULL;
}

static void front_ear_open(front_ear *e, const char *folder)
{
    int ends[2];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *e = (front_ear){.config = {.connections_most = {64, 0, 0},
                                .head_time_ms = 60000,
                                .body_time_ms = 60000,
                                .gateway_time_ms = 60000,
                                .body_most = 1 << 20,
                                .memory_most = 16 << 20}};
    snprintf(e->path, sizeof e->path, "%s/front", folder);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", e->path);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, sizeof address) ||
        listen(listening, 64) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        abort();
    front_ear_place(listening, LISTEN_FD);
    front_ear_place(ends[0], CONTROL_FD);
    e->main = ob_wire_new(ends[1], &control_protocol, CONTROL_MAIN, "front");
    if (!e->main || pthread_create(&e->thread, NULL, front_ear_live, e))
        abort();
}

/* Another core, whose end is ours. */
static void front_ear_introduce(front_ear *e)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        abort();
    ob_wire_free(e->core);
    e->core = ob_wire_new(ends[0], &channel_protocol, CHANNEL_CORE, NULL);
    if (!e->core || !control_send(e->main, CONTROL_PEER, ROLE_CORE, ends[1]))
        abort();
}

/* Sends bytes as they are, and waits until the front has taken them, or has hung up. */
static void front_ear_send(front_ear *e, const uint8_t *bytes, size_t size, int file)
{
    const int to = ob_wire_socket(e->core);
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    struct pollfd gone = {.fd = to};
    int left = 1;
    if (ob_bytes_send(to, &piece, 1, file, 0) < 0)
        return;
    while (!ioctl(to, SIOCOUTQ, &left) && left > 0 && !poll(&gone, 1, 0))
        sched_yield();
}

static int front_ear_connect(const front_ear *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", e->path);
    if (to < 0 || connect(to, (struct sockaddr *)&address, sizeof address))
        abort();
    return to;
}

/* Ends it as main does; returns its exit code. */
static int front_ear_close(front_ear *e)
{
    if (!control_send(e->main, CONTROL_STOP, ROLE_CORE, -1))
        abort();
    ob_wire_free(e->core);
    pthread_join(e->thread, NULL);
    ob_wire_free(e->main);
    unlink(e->path);
    return e->code;
}

#endif
