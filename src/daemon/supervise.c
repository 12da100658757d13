#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    FRONT_STOP_MS = 8500, /* to finish its requests */
    STOP_MS = 9500,       /* then everything is killed */
    CALM_MS = 10000,      /* a process that ran so long had not failed at its start */
    BACKOFF_MOST_MS = 2000,
};

enum { CORE, FRONT, CHILDREN };
static const char *const names[CHILDREN] = {"core", "front"};

typedef struct child {
    pid_t process; /* 0: does not run */
    int control;
    bool ready, ever_ready;
    int64_t started_ms, again_ms; /* again_ms: when to start it, 0: now runs */
    unsigned backoff_ms;
} child;

typedef struct state {
    const supervision *s;
    child children[CHILDREN];
    int signals;
    bool told_ready;
    int64_t stop_ms; /* 0: not stopping */
    bool core_told;
    int code;
} state;

/* ---- One child ------------------------------------------------------------------------------ */

static bool spawn(state *st, int which)
{
    child *c = &st->children[which];
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return false;
    char name[16], data[4200], listen_to[160];
    snprintf(name, sizeof name, "%s", names[which]);
    snprintf(data, sizeof data, "--data=%s", st->s->config->data);
    snprintf(listen_to, sizeof listen_to, "--listen=%s", st->s->config->listen);
    char program[] = "obhutd", config_option[] = "--config";
    char *file = st->s->config_file ? strdup(st->s->config_file) : NULL;
    char *arguments[] = {program, name, data, listen_to, file ? config_option : NULL, file, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    /* our own descriptors are all above these two */
    int failed = posix_spawn_file_actions_adddup2(&actions, ends[1], CONTROL_FD);
    if (!failed && which == FRONT)
        failed = posix_spawn_file_actions_adddup2(&actions, st->s->listening, LISTEN_FD);
    if (!failed)
        failed =
            posix_spawn(&c->process, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    free(file);
    close(ends[1]);
    if (failed) {
        daemon_say("main", "the %s cannot be started: %s", names[which], strerror(failed));
        close(ends[0]);
        c->process = 0;
        return false;
    }
    c->control = ends[0];
    c->ready = false;
    c->started_ms = daemon_now_ms();
    c->again_ms = 0;
    return true;
}

/* Front and core get the two ends of a new pair of sockets. */
static void introduce(state *st)
{
    int ends[2];
    if (!st->children[CORE].ready || !st->children[FRONT].ready ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return;
    const int size = 1 << 20;
    for (int i = 0; i < CHILDREN; i++) {
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        control_send(st->children[i].control, CONTROL_PEER, ends[i]);
        close(ends[i]);
    }
}

/* ---- Telling others ------------------------------------------------------------------------- */

/* The protocol of sd_notify(3): a datagram to the socket that systemd names. */
static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (!length || length >= sizeof address.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(address.sun_path, path, length);
    if (*path == '@')
        address.sun_path[0] = '\0';
    int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (to >= 0)
        (void)!sendto(to, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
                      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    if (to >= 0)
        close(to);
}

/* ---- What happens --------------------------------------------------------------------------- */

static void begin_stop(state *st)
{
    if (st->stop_ms)
        return;
    st->stop_ms = daemon_now_ms() + STOP_MS;
    notify("STOPPING=1");
    if (st->children[FRONT].process)
        control_send(st->children[FRONT].control, CONTROL_STOP, -1);
}

static void on_word(state *st, int which)
{
    control_word word;
    int peer;
    while (st->children[which].control >= 0 &&
           control_receive(st->children[which].control, &word, &peer)) {
        if (peer >= 0)
            close(peer);
        if (!word)
            return; /* it ends: a signal will say so */
        if (word != CONTROL_READY)
            continue;
        st->children[which].ready = st->children[which].ever_ready = true;
        introduce(st);
        if (st->children[CORE].ready && st->children[FRONT].ready && !st->told_ready) {
            st->told_ready = true;
            notify("READY=1");
            daemon_say("main", "ready: %s", st->s->url);
        }
    }
}

static void on_end(state *st, int which, int ended)
{
    child *c = &st->children[which];
    int64_t now = daemon_now_ms();
    close(c->control);
    c->control = -1;
    c->process = 0;
    c->ready = false;
    if (st->stop_ms)
        return;
    if (!c->ever_ready) { /* it has said why: to try again would change nothing */
        st->code = WIFEXITED(ended) && WEXITSTATUS(ended) ? WEXITSTATUS(ended) : EXIT_FAILED;
        begin_stop(st);
        return;
    }
    c->backoff_ms = now - c->started_ms > CALM_MS ? 0 : 2 * c->backoff_ms + 50;
    if (c->backoff_ms > BACKOFF_MOST_MS)
        c->backoff_ms = BACKOFF_MOST_MS;
    c->again_ms = now + c->backoff_ms + 1;
    if (WIFSIGNALED(ended))
        daemon_say("main", "the %s was ended by signal %d and starts again", names[which],
                   WTERMSIG(ended));
    else
        daemon_say("main", "the %s ended (exit code %d) and starts again", names[which],
                   WEXITSTATUS(ended));
}

static void on_signals(state *st)
{
    struct signalfd_siginfo info;
    while (read(st->signals, &info, sizeof info) == sizeof info)
        if (info.ssi_signo != SIGCHLD)
            begin_stop(st);
    int ended;
    pid_t process;
    while ((process = waitpid(-1, &ended, WNOHANG)) > 0)
        for (int i = 0; i < CHILDREN; i++)
            if (st->children[i].process == process)
                on_end(st, i, ended);
}

/* Starts what is due; returns how long to wait. */
static int64_t start_due(state *st)
{
    int64_t now = daemon_now_ms(), wait = 60000;
    for (int i = 0; i < CHILDREN; i++) {
        child *c = &st->children[i];
        if (c->process || !c->again_ms)
            continue;
        if (c->again_ms <= now && !spawn(st, i))
            c->again_ms = now + BACKOFF_MOST_MS;
        if (!c->process && c->again_ms - now < wait)
            wait = c->again_ms - now;
    }
    return wait;
}

/* The front first, then the core. True when both are gone. */
static bool go_on_stopping(state *st, int64_t *wait)
{
    int64_t now = daemon_now_ms();
    child *core = &st->children[CORE], *front = &st->children[FRONT];
    bool front_late = now > st->stop_ms - STOP_MS + FRONT_STOP_MS;
    if (front->process && front_late)
        kill(front->process, SIGKILL);
    if (core->process && !st->core_told && (!front->process || front_late)) {
        st->core_told = true;
        control_send(core->control, CONTROL_STOP, -1);
    }
    if (now > st->stop_ms)
        for (int i = 0; i < CHILDREN; i++)
            if (st->children[i].process)
                kill(st->children[i].process, SIGKILL);
    *wait = 100;
    return !core->process && !front->process;
}

int supervise(const supervision *s)
{
    state st = {.s = s, .code = EXIT_FINE};
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    signal(SIGPIPE, SIG_IGN);
    st.signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
    for (int i = 0; i < CHILDREN; i++) {
        st.children[i].control = -1;
        st.children[i].again_ms = 1;
    }
    for (;;) {
        int64_t wait = st.stop_ms ? 100 : start_due(&st);
        if (st.stop_ms && go_on_stopping(&st, &wait))
            break;
        struct pollfd all[3] = {{.fd = st.signals, .events = POLLIN},
                                {.fd = st.children[CORE].control, .events = POLLIN},
                                {.fd = st.children[FRONT].control, .events = POLLIN}};
        poll(all, 3, (int)wait);
        if (all[1].revents)
            on_word(&st, CORE);
        if (all[2].revents)
            on_word(&st, FRONT);
        if (all[0].revents)
            on_signals(&st);
    }
    close(st.signals);
    return st.code;
}
