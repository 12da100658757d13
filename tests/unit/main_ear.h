/* Main as it hears its processes, in this process: supervise() is the real one, and processes are
 * sockets whose other ends speak at every turn. The linker puts these in the place of the real
 * calls. The clock goes on by itself, so that nobody waits. */
#ifndef OBHUT_TEST_MAIN_EAR_H
#define OBHUT_TEST_MAIN_EAR_H

#include "flat.h"

#include "control.h"
#include "launch.h"
#include "supervise.h"
#include "weigh.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAIN_EAR_STEP_MS = 3000 };

typedef struct main_ear {
    int far[ROLES]; /* the processes' ends; -1: none runs */
    pid_t process[ROLES];
    bool dead[ROLES];
    unsigned started[ROLES], killed[ROLES];
    int signals; /* where signals are written */
    int64_t now_ms;
    unsigned said;
    void (*turn)(struct main_ear *e); /* what processes say; at every turn of main's */
    void *context;
} main_ear;

static main_ear *main_ear_now;

static role_id main_ear_role(pid_t process)
{
    int i = 0;
    while (i < ROLES && main_ear_now->process[i] != process)
        i++;
    return (role_id)i;
}

static void main_ear_signal(main_ear *e, int number)
{
    const struct signalfd_siginfo info = {.ssi_signo = (uint32_t)number};
    (void)!write(e->signals, &info, sizeof info);
}

static void main_ear_die(main_ear *e, role_id which)
{
    if (e->far[which] >= 0)
        close(e->far[which]);
    e->far[which] = -1;
    e->dead[which] = true;
    main_ear_signal(e, SIGCHLD);
}

pid_t __wrap_launch(const launch_plan *plan);
pid_t __wrap_launch(const launch_plan *plan)
{
    main_ear *e = main_ear_now;
    const role_id which = role_find(plan->arguments[1]);
    static pid_t next = 1000;
    if (which == ROLES)
        abort();
    e->far[which] = fcntl(plan->control, F_DUPFD_CLOEXEC, 0);
    e->started[which]++;
    e->dead[which] = false;
    return e->process[which] = next++;
}

int __wrap_kill(pid_t process, int number);
int __wrap_kill(pid_t process, int number)
{
    const role_id which = main_ear_role(process);
    if (which == ROLES || number != SIGKILL)
        abort();
    if (!main_ear_now->dead[which])
        main_ear_now->killed[which]++;
    main_ear_die(main_ear_now, which);
    return 0;
}

pid_t __wrap_waitpid(pid_t process, int *ended, int options);
pid_t __wrap_waitpid(pid_t process, int *ended, int options)
{
    main_ear *e = main_ear_now;
    (void)process;
    (void)options;
    for (int i = 0; i < ROLES; i++)
        if (e->dead[i] && e->process[i]) {
            const pid_t was = e->process[i];
            e->process[i] = 0;
            *ended = SIGKILL;
            return was;
        }
    return 0;
}

int __wrap_signalfd(int file, const sigset_t *set, int flags);
int __wrap_signalfd(int file, const sigset_t *set, int flags)
{
    int ends[2];
    (void)file;
    (void)set;
    (void)flags;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK))
        abort();
    main_ear_now->signals = ends[1];
    return ends[0];
}

uint64_t __wrap_weigh_files(pid_t process);
uint64_t __wrap_weigh_files(pid_t process)
{
    (void)process;
    return 0;
}

int64_t __wrap_daemon_now_ms(void);
int64_t __wrap_daemon_now_ms(void)
{
    return main_ear_now->now_ms;
}

void __wrap_daemon_say(const char *who, const char *format, ...);
void __wrap_daemon_say(const char *who, const char *format, ...)
{
    (void)who;
    (void)format;
    main_ear_now->said++;
}

int __real_poll(struct pollfd *all, nfds_t count, int ms);
int __wrap_poll(struct pollfd *all, nfds_t count, int ms);
int __wrap_poll(struct pollfd *all, nfds_t count, int ms)
{
    if (!ms) /* of a wire that looks whether it is at its end */
        return __real_poll(all, count, 0);
    main_ear_now->now_ms += MAIN_EAR_STEP_MS;
    main_ear_now->turn(main_ear_now);
    return __real_poll(all, count, 0);
}

/* What roles.c names, and nobody calls here. */
const char *const config_listen_keys[OB_LISTENERS] = {"listen", "listen-staff", "listen-public"};

int core_main(const config *config)
{
    (void)config;
    return EXIT_FAILED;
}

int front_main(const config *config)
{
    (void)config;
    return EXIT_FAILED;
}

void listeners_tell(char out[LISTENERS_TEXT], const listeners *listeners)
{
    (void)listeners;
    *out = '\0';
}

/* A packet without fields, or any bytes. */
static bool main_ear_send(const main_ear *e, role_id from, const uint8_t *bytes, size_t size,
                          int file)
{
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    return e->far[from] >= 0 && ob_bytes_send(e->far[from], &piece, 1, file, MSG_DONTWAIT) >= 0;
}

static bool main_ear_say(const main_ear *e, role_id from, control_kind kind, uint64_t about)
{
    static uint8_t bytes[FLAT_MOST];
    const ob_packet p = ob_packet_of(kind, about);
    return main_ear_send(e, from, bytes, flat(bytes, &p), -1);
}

/* What main has sent to a process. Returns how many introductions are among it. */
static unsigned main_ear_take(const main_ear *e, role_id at)
{
    static uint8_t bytes[FLAT_MOST];
    struct iovec piece = {bytes, sizeof bytes};
    unsigned peers = 0;
    for (int file = -1;
         e->far[at] >= 0 && ob_bytes_receive(&file, e->far[at], &piece, 1, MSG_DONTWAIT) > 0;)
        if (file >= 0) {
            peers++;
            close(file);
        }
    return peers;
}

/* Runs main until the turn ends it with main_ear_signal(e, SIGTERM). Returns its exit code. */
static int main_ear_run(main_ear *e)
{
    static config config;
    static listeners listeners;
    const supervision s = {.config = &config, .listeners = &listeners};
    for (int i = 0; i < ROLES; i++)
        e->far[i] = -1;
    e->now_ms = 1000;
    main_ear_now = e;
    const int code = supervise(&s);
    close(e->signals);
    for (int i = 0; i < ROLES; i++)
        if (e->far[i] >= 0)
            close(e->far[i]);
    return code;
}

#endif
