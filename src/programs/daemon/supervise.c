#include "supervise.h"

#include "launch.h"
#include "weigh.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
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
    WEIGH_MS = 250, /* how often it is looked how much the front has */
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
    int64_t weigh_ms; /* when it is looked next */
    bool told_ready;
    int64_t stop_ms; /* 0: not stopping */
    bool core_told;
    int code;
} state;

/* ---- One child ------------------------------------------------------------------------------ */

static pid_t launch_core(const supervision *s, int control)
{
    char data[4200], places[OB_LISTENERS][160];
    char name[] = "core", program[] = "obhutd", option[] = "--config";
    snprintf(data, sizeof data, "--data=%s", s->config->data);
    for (int i = 0; i < OB_LISTENERS; i++)
        snprintf(places[i], sizeof places[i], "--%s=%s", config_listen_keys[i],
                 s->listeners->told[i]);
    char *file = s->config_file ? strdup(s->config_file) : NULL;
    char *arguments[] = {program, name, data, places[0], places[1], places[2], file ? option : NULL,
                         file,    NULL};
    const launch_plan plan = {.arguments = arguments, .control = control};
    pid_t process = launch(&plan);
    free(file);
    return process;
}

static pid_t launch_front(const supervision *s, int control)
{
    char words[FRONT_NUMBERS][FRONT_WORD], name[] = "front", program[] = "obhutd";
    char *arguments[2 + FRONT_NUMBERS + 1] = {program, name};
    front_words(words, s->config);
    for (int i = 0; i < FRONT_NUMBERS; i++)
        arguments[2 + i] = words[i];
    const launch_plan plan = {
        .arguments = arguments, .control = control, .listening = s->listeners->socket};
    return launch(&plan);
}

static bool spawn(state *st, int which)
{
    child *c = &st->children[which];
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return false;
    pid_t process = which == CORE ? launch_core(st->s, ends[1]) : launch_front(st->s, ends[1]);
    const int problem = errno;
    close(ends[1]);
    if (process < 0) {
        daemon_say("main", "the %s cannot be started: %s", names[which], strerror(problem));
        close(ends[0]);
        return false;
    }
    c->process = process;
    c->control = ends[0];
    c->ready = false;
    c->started_ms = daemon_now_ms();
    c->again_ms = 0;
    return true;
}

/* One that does not do its part is ended; on_end starts it anew. */
static void end_child(state *st, int which, const char *why)
{
    child *c = &st->children[which];
    if (why && c->process)
        daemon_say("main", "the %s is ended: %s", names[which], why);
    if (c->process)
        kill(c->process, SIGKILL);
    if (c->control >= 0)
        close(c->control);
    c->control = -1;
    c->ready = false;
}

/* Main never waits for who does not read. One that is at its end already has no part to do. */
static void tell(state *st, int which, control_word word, int peer)
{
    if (control_send(st->children[which].control, word, peer))
        return;
    const bool is_deaf = errno == EAGAIN || errno == EWOULDBLOCK || errno == ETOOMANYREFS;
    end_child(st, which, is_deaf ? "it does not read what it is told" : NULL);
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
        tell(st, i, CONTROL_PEER, ends[i]);
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
        tell(st, FRONT, CONTROL_STOP, -1);
}

static void on_ready(state *st, int which)
{
    st->children[which].ready = st->children[which].ever_ready = true;
    introduce(st);
    if (st->children[CORE].ready && st->children[FRONT].ready && !st->told_ready) {
        st->told_ready = true;
        notify("READY=1");
        char where[LISTENERS_TEXT];
        listeners_tell(where, st->s->listeners);
        daemon_say("main", "ready: %s", where);
    }
}

/* One word a turn: whoever talks without end keeps nobody else waiting. */
static void on_word(state *st, int which)
{
    child *c = &st->children[which];
    control_word word;
    int peer;
    if (c->control < 0 || !control_receive(c->control, &word, &peer))
        return;
    if (peer >= 0)
        close(peer);
    if (word == CONTROL_READY && !c->ready)
        on_ready(st, which);
    else if (word == CONTROL_HANG_UP && which == CORE)
        end_child(st, FRONT, "the core does not speak to it any more");
    else /* nothing: it ends, or will now */
        end_child(st, which, word ? "it says what it has no reason to say" : NULL);
}

static void on_end(state *st, int which, int ended)
{
    child *c = &st->children[which];
    int64_t now = daemon_now_ms();
    if (c->control >= 0)
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
        tell(st, CORE, CONTROL_STOP, -1);
    }
    if (now > st->stop_ms)
        for (int i = 0; i < CHILDREN; i++)
            if (st->children[i].process)
                kill(st->children[i].process, SIGKILL);
    *wait = 100;
    return !core->process && !front->process;
}

/* The front may have gigabytes of memory files before any limit counts. Returns how long to wait.
 */
static int64_t weigh_front(state *st, int64_t wait)
{
    const child *front = &st->children[FRONT];
    const int64_t now = daemon_now_ms();
    if (!front->process || front->control < 0)
        return wait;
    if (now >= st->weigh_ms) {
        st->weigh_ms = now + WEIGH_MS;
        if (weighs_too_much(front->process, st->s->config))
            end_child(st, FRONT, "it has more memory files than it has use for");
    }
    return wait < WEIGH_MS ? wait : WEIGH_MS;
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
        wait = weigh_front(&st, wait);
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
