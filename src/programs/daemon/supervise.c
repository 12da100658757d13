/* Main's loop: starts the processes of the table, introduces them to each other, ends those that do
 * not do their part, starts again what has ended, and stops all of them. */
#include "supervise.h"

#include "control.h"
#include "launch.h"
#include "weigh.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LOOK_MS = 100,        /* how often it is looked how far stopping is */
    WEIGH_MS = 250,       /* and how much memory files take */
    WIRE_BYTES = 1 << 20, /* on their way between two peers */
};

/* A process of a role. */
typedef struct child {
    role_id id;
    pid_t process; /* 0: does not run */
    ob_wire *wire; /* NULL: it does not run, or is ended */
    bool ready, ever_ready, told_to_stop;
    int64_t started_ms, again_ms; /* again_ms: when to start it, 0: now runs */
    unsigned backoff_ms;
} child;

typedef struct state {
    const supervision *s;
    child children[ROLES];
    int signals;
    int64_t weigh_ms; /* when it is looked next */
    bool told_ready;
    int64_t stopping_ms; /* since when; 0: it does not stop */
    int code;
} state;

static const char *name_of(const child *c)
{
    return roles[c->id].name;
}

static bool has(unsigned mask, role_id id)
{
    return mask >> id & 1U;
}

/* ---- One child ------------------------------------------------------------------------------ */

static pid_t launch_role(role_id id, const supervision *s, int control)
{
    const role *r = &roles[id];
    role_words words = {.count = 0};
    words_add(&words, "obhutd");
    words_add(&words, "%s", r->name);
    r->tell(&words, s);
    const launch_plan plan = {.arguments = words.words,
                              .control = control,
                              .is_apart = r->is_confined,
                              .listening = r->listens ? s->listeners->socket : NULL};
    errno = ENOMEM;
    const pid_t process = words.failed ? -1 : launch(&plan);
    const int problem = errno;
    words_free(&words);
    errno = problem;
    return process;
}

static bool spawn(const state *st, child *c)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return false;
    ob_wire *wire = ob_wire_new(ends[0], &control_protocol, CONTROL_MAIN, name_of(c));
    errno = ENOMEM;
    const pid_t process = wire ? launch_role(c->id, st->s, ends[1]) : -1;
    const int problem = errno;
    close(ends[1]);
    if (process < 0) {
        daemon_say("main", "the %s cannot be started: %s", name_of(c), strerror(problem));
        ob_wire_free(wire);
        return false;
    }
    c->process = process;
    c->wire = wire;
    c->ready = c->told_to_stop = false;
    c->started_ms = daemon_now_ms();
    c->again_ms = 0;
    return true;
}

static void forget_wire(child *c)
{
    ob_wire_free(c->wire);
    c->wire = NULL;
    c->ready = false;
}

/* One that does not do its part is ended; on_end starts it anew. `why` NULL: it was at its end;
 * `packet`: what it said, or NULL. */
static void end_child(child *c, const char *why, const char *packet)
{
    if (why && c->process)
        daemon_say("main", "the %s is ended: %s%s%s%s", name_of(c), why, packet ? " (" : "",
                   packet ? packet : "", packet ? ")" : "");
    if (c->process)
        kill(c->process, SIGKILL);
    forget_wire(c);
}

/* Main never waits for a process that does not read. */
static void tell(child *c, control_kind kind, role_id about, int file)
{
    if (!c->wire) {
        if (file >= 0)
            close(file);
        return;
    }
    if (control_send(c->wire, kind, about, file))
        return;
    const bool is_deaf = errno == EAGAIN || errno == ETOOMANYREFS;
    end_child(c, is_deaf ? "it does not read what it is told" : NULL, NULL);
}

/* Two peers get the ends of a new pair of sockets. */
static void introduce(child *a, child *b)
{
    const int size = WIRE_BYTES;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        return;
    for (int i = 0; i < 2; i++)
        setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
    tell(a, CONTROL_PEER, b->id, ends[0]);
    tell(b, CONTROL_PEER, a->id, ends[1]);
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

static void tell_to_stop(child *c)
{
    if (!c->process || c->told_to_stop)
        return;
    c->told_to_stop = true;
    tell(c, CONTROL_STOP, ROLE_CORE, -1);
}

static void begin_stop(state *st)
{
    if (st->stopping_ms)
        return;
    st->stopping_ms = daemon_now_ms();
    notify("STOPPING=1");
}

static void tell_ready(state *st)
{
    char where[LISTENERS_TEXT];
    for (int i = 0; i < ROLES; i++)
        if (!st->children[i].ready)
            return;
    if (st->told_ready)
        return;
    st->told_ready = true;
    notify("READY=1");
    listeners_tell(where, st->s->listeners);
    daemon_say("main", "ready: %s", where);
}

static void on_ready(state *st, child *c)
{
    c->ready = c->ever_ready = true;
    for (int i = 0; i < ROLES; i++)
        if (has(roles[c->id].peers, (role_id)i) && st->children[i].ready)
            introduce(c, &st->children[i]);
    tell_ready(st);
}

/* A process that another judges: main believes that one. */
static void hang_up(child *judged, const child *by)
{
    char why[80];
    snprintf(why, sizeof why, "the %s does not speak to it any more", name_of(by));
    end_child(judged, why, NULL);
}

/* One packet a turn: a process that talks without end keeps no other waiting. */
static void on_packet(state *st, child *c)
{
    char text[OB_WIRE_TEXT];
    ob_packet p;
    const ob_wire_got got = c->wire ? ob_wire_receive(c->wire, &p) : OB_WIRE_NOTHING;
    if (got == OB_WIRE_END) /* it ends, or will now */
        end_child(c, NULL, NULL);
    if (got == OB_WIRE_NONSENSE)
        end_child(c, "it says what makes no sense", ob_wire_fault(c->wire));
    if (got != OB_WIRE_PACKET)
        return;
    ob_packet_print(text, c->wire, &p);
    ob_packet_free(&p);
    if (p.kind == CONTROL_READY && !c->ready)
        on_ready(st, c);
    else if (p.kind == CONTROL_HANG_UP && p.id < ROLES && has(roles[c->id].judges, (role_id)p.id))
        hang_up(&st->children[p.id], c);
    else
        end_child(c, "it says what it has no reason to say", text);
}

static void on_end(state *st, child *c, int ended)
{
    const role *r = &roles[c->id];
    const int64_t now = daemon_now_ms();
    forget_wire(c);
    c->process = 0;
    if (st->stopping_ms)
        return;
    if (!c->ever_ready) { /* it has said why: to try again would change nothing */
        st->code = WIFEXITED(ended) && WEXITSTATUS(ended) ? WEXITSTATUS(ended) : EXIT_FAILED;
        begin_stop(st);
        return;
    }
    c->backoff_ms = now - c->started_ms > r->calm_ms ? 0 : 2 * c->backoff_ms + 50;
    if (c->backoff_ms > r->again_most_ms)
        c->backoff_ms = r->again_most_ms;
    c->again_ms = now + c->backoff_ms + 1;
    if (WIFSIGNALED(ended))
        daemon_say("main", "the %s was ended by signal %d and starts again", r->name,
                   WTERMSIG(ended));
    else
        daemon_say("main", "the %s ended (exit code %d) and starts again", r->name,
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
        for (int i = 0; i < ROLES; i++)
            if (st->children[i].process == process)
                on_end(st, &st->children[i], ended);
}

/* Starts what is due; returns how long to wait. */
static int64_t start_due(state *st)
{
    const int64_t now = daemon_now_ms();
    int64_t wait = 60000;
    for (int i = 0; i < ROLES; i++) {
        child *c = &st->children[i];
        if (c->process || !c->again_ms)
            continue;
        if (c->again_ms <= now && !spawn(st, c))
            c->again_ms = now + roles[i].again_most_ms;
        if (!c->process && c->again_ms - now < wait)
            wait = c->again_ms - now;
    }
    return wait;
}

/* Gone, or too late to be waited for. */
static bool is_over(const state *st, role_id id)
{
    return !st->children[id].process || daemon_now_ms() > st->stopping_ms + roles[id].stop_ms;
}

static bool is_its_turn(const state *st, role_id id)
{
    for (int i = 0; i < ROLES; i++)
        if (has(roles[id].stops_after, (role_id)i) && !is_over(st, (role_id)i))
            return false;
    return true;
}

/* Each in its turn. True when all are gone. */
static bool go_on_stopping(state *st)
{
    bool all_gone = true;
    for (int i = 0; i < ROLES; i++) {
        child *c = &st->children[i];
        if (c->process && is_over(st, (role_id)i))
            kill(c->process, SIGKILL);
        if (is_its_turn(st, (role_id)i))
            tell_to_stop(c);
        all_gone &= !c->process;
    }
    return all_gone;
}

/* A process may have gigabytes of memory files before any limit counts. Returns how long to wait.
 */
static int64_t weigh(state *st, int64_t wait)
{
    const int64_t now = daemon_now_ms();
    if (now < st->weigh_ms)
        return wait < WEIGH_MS ? wait : WEIGH_MS;
    for (int i = 0; i < ROLES; i++) {
        child *c = &st->children[i];
        if (roles[i].files_most && c->process && c->wire &&
            weigh_files(c->process) > roles[i].files_most(st->s->config))
            end_child(c, "it has more memory files than it has use for", NULL);
    }
    st->weigh_ms = now + WEIGH_MS;
    return wait < WEIGH_MS ? wait : WEIGH_MS;
}

static int watch_signals(void)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    sigaddset(&wanted, SIGINT);
    sigprocmask(SIG_BLOCK, &wanted, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* One turn: what came within `wait` milliseconds. */
static void turn(state *st, int64_t wait)
{
    struct pollfd all[ROLES + 1];
    for (int i = 0; i < ROLES; i++) {
        const ob_wire *w = st->children[i].wire;
        all[i] = (struct pollfd){.fd = w ? ob_wire_socket(w) : -1, .events = POLLIN};
    }
    all[ROLES] = (struct pollfd){.fd = st->signals, .events = POLLIN};
    poll(all, ROLES + 1, (int)wait);
    for (int i = 0; i < ROLES; i++)
        if (all[i].revents)
            on_packet(st, &st->children[i]);
    if (all[ROLES].revents)
        on_signals(st);
}

int supervise(const supervision *s)
{
    state st = {.s = s, .code = EXIT_FINE, .signals = watch_signals()};
    for (int i = 0; i < ROLES; i++)
        st.children[i] = (child){.id = (role_id)i, .again_ms = 1};
    for (;;) {
        int64_t wait = st.stopping_ms ? LOOK_MS : start_due(&st);
        if (st.stopping_ms && go_on_stopping(&st))
            break;
        turn(&st, weigh(&st, wait));
    }
    close(st.signals);
    return st.code;
}
