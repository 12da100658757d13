/* Requests over DIR/run/admin.sock: a line of JSON, with a descriptor where one belongs to it;
 * lines come back. */
#include "socket_priv.h"

#include <obhut/file.h>
#include <obhut/json.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MOST = 32, READ_TIME_S = 30 };

/* ---- Addresses ------------------------------------------------------------------------------- */

static ob_status address_of(struct sockaddr_un *out, const char *dir, ob_error *err)
{
    *out = (struct sockaddr_un){.sun_family = AF_UNIX};
    int length = snprintf(out->sun_path, sizeof out->sun_path, "%s/run/admin.sock", dir);
    if (length < 0 || (size_t)length >= sizeof out->sun_path)
        return ob_fail(err, OB_EINVAL, "%s: the path is too long for a socket", dir);
    return OB_OK;
}

ob_status ob_socket_listen(int *out, const char *dir, ob_error *err)
{
    struct sockaddr_un address;
    char run[sizeof address.sun_path + 8];
    ob_status status = address_of(&address, dir, err);
    if (status)
        return status;
    snprintf(run, sizeof run, "%s/run", dir);
    status = ob_file_make_dir(run, dir, err);
    if (status)
        return status;
    int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(address.sun_path); /* we own the directory: nobody listens there */
    mode_t mask = umask(0177);
    bool bound = listening >= 0 && !bind(listening, (struct sockaddr *)&address, sizeof address) &&
                 !listen(listening, CONNECTIONS_MOST);
    umask(mask);
    if (bound) {
        *out = listening;
        return OB_OK;
    }
    status = ob_fail(err, OB_EIO, "%s cannot be opened: %s", address.sun_path, strerror(errno));
    if (listening >= 0)
        close(listening);
    return status;
}

/* ---- Serving --------------------------------------------------------------------------------- */

typedef struct connection {
    ob_service *service;
    socket_incoming in;
} connection;

static void pass_on(void *context, json_t *event)
{
    connection *c = context;
    socket_send_line(c->in.from, event, -1); /* who does not listen gets it done all the same */
}

static json_t *refuse_line(const socket_incoming *in)
{
    return json_pack("{s:{s:i, s:s}}", "error", "status", (int)OB_EFORMAT, "text",
                     in->is_crowded ? "one file goes with a request, at most"
                                    : "a request is one line of JSON");
}

static void *serve(void *argument)
{
    connection *c = argument;
    const ob_commands_listener listener = {.hear = pass_on, .context = c};
    json_t *request = socket_receive_line(&c->in);
    json_t *answer = request
                         ? ob_commands_do(c->service, request, c->in.file, &listener, OB_AT_SOCKET)
                         : refuse_line(&c->in);
    socket_send_line(c->in.from, answer, -1);
    json_decref(answer);
    json_decref(request);
    socket_incoming_free(&c->in);
    free(c);
    ob_commands_exit(OB_AT_SOCKET);
    return NULL;
}

/* In one packet, for which nobody waits. */
static void say_busy(int peer)
{
    static const char busy[] =
        "{\"error\": {\"status\": -7, \"text\": \"as many commands run already as "
        "may at a time: try again\"}}\n";
    _Static_assert(OB_EBUSY == -7, "the number that stands there");
    (void)!send(peer, busy, sizeof busy - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Commands are for the user who owns this process, and for root. */
static bool is_owner(int peer)
{
    struct ucred who;
    socklen_t size = sizeof who;
    return !getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &who, &size) &&
           (who.uid == geteuid() || who.uid == 0);
}

void ob_socket_serve(int listening, ob_service *service)
{
    int peer = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    if (peer < 0)
        return;
    const struct timeval patience = {.tv_sec = READ_TIME_S};
    setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    connection *c = is_owner(peer) ? calloc(1, sizeof *c) : NULL;
    pthread_attr_t detached;
    pthread_t thread;
    bool started = false;
    const bool entered = c && ob_commands_enter(OB_AT_SOCKET);
    if (entered) {
        *c = (connection){.service = service, .in = {.from = peer, .file = -1, .takes_file = true}};
        pthread_attr_init(&detached);
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        started = !pthread_create(&thread, &detached, serve, c);
        pthread_attr_destroy(&detached);
    }
    if (started)
        return;
    if (entered)
        ob_commands_exit(OB_AT_SOCKET);
    if (c)
        say_busy(peer);
    free(c);
    close(peer);
}

/* ---- Asking ---------------------------------------------------------------------------------- */

/* What a service gives as the status of an error, but never OB_OK. */
static ob_status status_of(const json_t *error)
{
    const json_int_t said = json_integer_value(json_object_get(error, "status"));
    return said < 0 && said >= OB_STATUS_LEAST ? (ob_status)said : OB_EIO;
}

static ob_status take_answer(json_t **out, json_t *answer, ob_error *err)
{
    json_t *ok = json_object_get(answer, "ok"), *error = json_object_get(answer, "error");
    const char *text = json_string_value(json_object_get(error, "text"));
    ob_status status = OB_OK;
    if (ok)
        *out = json_incref(ok);
    else if (text && *text)
        status = ob_fail(err, status_of(error), "%s", text);
    else
        status = ob_fail(err, OB_EIO, "the service ended before it answered");
    json_decref(answer);
    return status;
}

ob_status socket_ask(json_t **out, int to, const json_t *request, int file,
                     const ob_commands_listener *listener, ob_error *err)
{
    socket_incoming in = {.from = to, .file = -1};
    json_t *line = NULL;
    if (socket_send_line(to, request, file))
        while ((line = socket_receive_line(&in)) != NULL && !json_object_get(line, "ok") &&
               !json_object_get(line, "error")) {
            if (listener && listener->hear)
                listener->hear(listener->context, line);
            json_decref(line);
        }
    ob_status status = take_answer(out, line, err);
    socket_incoming_free(&in);
    return status;
}

struct ob_socket_session {
    struct sockaddr_un address;
    bool is_here;     /* nobody else owns the directory: this process does */
    atomic_int first; /* a connection that nobody has used yet, or -1 */
    ob_service service;
};

static int reach(const ob_socket_session *s)
{
    int to = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (to >= 0 && !connect(to, (const struct sockaddr *)&s->address, sizeof s->address))
        return to;
    if (to >= 0)
        close(to);
    return -1;
}

bool ob_socket_is_served(long *pid, const char *dir)
{
    ob_socket_session s;
    struct ucred peer = {.pid = 0};
    socklen_t size = sizeof peer;
    *pid = 0;
    if (address_of(&s.address, dir, NULL))
        return false;
    const int to = reach(&s);
    if (to < 0)
        return false;
    if (!getsockopt(to, SOL_SOCKET, SO_PEERCRED, &peer, &size))
        *pid = (long)peer.pid;
    close(to);
    return true;
}

/* A service that has ended, or lost its patience, says so by an end or a line. */
static bool is_quiet(int to)
{
    char byte;
    return recv(to, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* The connection that ob_socket_begin made, for the first request; else a new one. */
static int reach_again(ob_socket_session *s)
{
    int to = atomic_exchange(&s->first, -1);
    if (to >= 0 && is_quiet(to))
        return to;
    if (to >= 0)
        close(to);
    return reach(s);
}

/* A service that owns the directory and does not listen yet is starting: it is waited for. */
static ob_status reach_or_own(ob_socket_session *s, const char *dir, ob_error *err)
{
    enum { PATIENCE_MS = 5000, STEP_MS = 50 };
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000};
    const int64_t until = ob_now_monotonic_ms() + PATIENCE_MS;
    ob_status status = OB_OK;
    do {
        if (status)
            nanosleep(&step, NULL);
        int to = reach(s);
        atomic_store(&s->first, to);
        if (to >= 0)
            return OB_OK;
        status = ob_service_open(&s->service, &(ob_service_options){.dir = dir}, err);
    } while (status == OB_EBUSY && ob_now_monotonic_ms() < until);
    s->is_here = !status;
    return status;
}

ob_status ob_socket_begin(ob_socket_session **out, const char *dir, ob_error *err)
{
    ob_socket_session *s = calloc(1, sizeof *s);
    if (!s)
        return ob_fail(err, OB_ENOMEM, "out of memory: a command");
    atomic_init(&s->first, -1);
    ob_status status = address_of(&s->address, dir, err);
    if (!status)
        status = reach_or_own(s, dir, err);
    if (status)
        ob_socket_end(s);
    else
        *out = s;
    return status;
}

void ob_socket_end(ob_socket_session *s)
{
    if (!s)
        return;
    int unused = atomic_load(&s->first);
    if (unused >= 0)
        close(unused);
    ob_service_stop(&s->service, NULL);
    ob_service_close(&s->service, NULL);
    free(s);
}

ob_status ob_socket_ask(json_t **out, ob_socket_session *s, const json_t *request, int file,
                        const ob_commands_listener *listener, ob_error *err)
{
    if (s->is_here)
        return take_answer(out, ob_commands_do(&s->service, request, file, listener, OB_AT_SOCKET),
                           err);
    int to = reach_again(s);
    return to < 0 ? ob_fail(err, OB_EIO, "the service does not answer: is it stopping?")
                  : socket_ask(out, to, request, file, listener, err);
}

ob_status ob_socket_once(json_t **out, const char *dir, const json_t *request, int file,
                         const ob_commands_listener *listener, ob_error *err)
{
    ob_socket_session *session = NULL;
    ob_status status = ob_socket_begin(&session, dir, err);
    if (!status)
        status = ob_socket_ask(out, session, request, file, listener, err);
    ob_socket_end(session);
    return status;
}

ob_status socket_ask_running(json_t **out, const char *dir, const json_t *request, ob_error *err)
{
    ob_socket_session s = {.is_here = false};
    atomic_init(&s.first, -1);
    ob_status status = address_of(&s.address, dir, err);
    if (status)
        return status;
    int to = reach(&s);
    return to < 0 ? ob_fail(err, OB_ENOTFOUND, "no service runs there")
                  : socket_ask(out, to, request, -1, NULL, err);
}
