/* The front: speaks HTTP and holds nothing: no key, no record, no file. */
#include "front.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    IDLE_S = 30, /* of a connection without a byte */
    SWEEP_MS = 1000,
    STOP_MS = 8000, /* to finish what has begun */
};

/* ---- Connections ---------------------------------------------------------------------------- */

static uint64_t connections_of(const caller *c)
{
    return c->connections;
}

/* Who came when there was no room may ask, and hears that: as long as not too many of them come. */
static bool may_stay(const door *d, const visitor *v)
{
    return v->is_beyond &&
           d->visitor_count - d->leaving <= d->connections_most + FRONT_BEYOND * 3 / 4;
}

/* Of the addresses that have so many: what has done nothing for longest. Else, where `busy` too,
 * what was begun last. */
static visitor *who_goes(const door *d, unsigned connections, const visitor *newcomer, bool busy)
{
    visitor *idle = NULL, *last = NULL;
    for (visitor *v = d->visitors; v; v = v->next) {
        if (v->from->connections != connections || v->leaves || v == newcomer)
            continue;
        if (v->idle_since_ms && !may_stay(d, v) &&
            (!idle || v->idle_since_ms < idle->idle_since_ms))
            idle = v;
        if (v->on && (!last || v->on->id > last->on->id))
            last = v;
    }
    return idle || !busy ? idle : last;
}

bool front_has_too_many(const door *d)
{
    return d->visitor_count - d->leaving > d->connections_most;
}

/* Where there are more connections than there may be, the address that has most of them gives one
 * up. One that has itself most gives up only what does nothing: so half heads push each other out,
 * and a proxy on which everybody comes loses no request. */
static void make_room(door *d, visitor *newcomer)
{
    while (front_has_too_many(d)) {
        const unsigned most = caller_with_most(&d->callers, connections_of)->connections;
        visitor *goes = who_goes(d, most, newcomer, most > newcomer->from->connections);
        newcomer->is_beyond = !goes;
        if (!goes)
            return;
        exchange_give_way(goes);
    }
}

/* NULL: nothing that comes on it is looked at. */
static visitor *welcome(door *d, struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *socket =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *address =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    d->front->counts[OB_FRONT_CONNECTIONS]++;
    visitor *v = socket ? calloc(1, sizeof *v) : NULL;
    if (v)
        v->from = caller_come(&d->callers, address ? address->client_addr : NULL);
    if (!v || !v->from) {
        free(v);
        return NULL;
    }
    v->door = d;
    v->socket = socket->connect_fd;
    caller_print(v->address, address ? address->client_addr : NULL);
    v->idle_since_ms = daemon_now_ms();
    v->next = d->visitors;
    d->visitor_count++;
    if (v->next)
        v->next->previous = v;
    d->visitors = v;
    make_room(d, v);
    return v;
}

static void see_off(visitor *v)
{
    door *d = v->door;
    d->visitor_count--;
    d->leaving -= v->leaves;
    d->woken = true; /* the library listens again where it was full */
    *(v->previous ? &v->previous->next : &d->visitors) = v->next;
    if (v->next)
        v->next->previous = v->previous;
    caller_go(&d->callers, v->from);
    free(v);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_ConnectionNotificationCode what)
{
    visitor *v = *slot;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *slot = welcome(context, connection);
    } else if (v) {
        see_off(v);
        *slot = NULL;
    }
}

static void on_http_problem(void *context, const char *format, va_list args)
{
    (void)context; /* hostile requests are no news; what it says may quote them */
    (void)format;
    (void)args;
}

static bool start_http(door *d)
{
    d->http = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        exchange_handle, d, MHD_OPTION_EXTERNAL_LOGGER, on_http_problem, NULL,
        MHD_OPTION_LISTEN_SOCKET, LISTEN_FD + (int)d->listener, MHD_OPTION_CONNECTION_LIMIT,
        d->connections_most + FRONT_BEYOND, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)FRONT_HEAD_AND_BUFFER,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_ended, d, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
        d, MHD_OPTION_URI_LOG_CALLBACK, strict_target, d, MHD_OPTION_UNESCAPE_CALLBACK,
        strict_unescape, d, MHD_OPTION_SERVER_INSANITY, (int)MHD_DSC_SANE, MHD_OPTION_END);
    return d->http != NULL;
}

static bool open_doors(front *f)
{
    for (int i = 0; i < OB_LISTENERS; i++) {
        door *d = &f->doors[i];
        *d = (door){.front = f,
                    .listener = (ob_listener)i,
                    .connections_most = f->config->connections_most[i],
                    .memory_most = i == OB_LISTENER_SERVICES ? f->config->memory_most
                                                             : (uint64_t)FRONT_OTHER_MEMORY};
        if (d->connections_most && !start_http(d))
            return false;
    }
    return true;
}

static void for_doors(front *f, void (*what)(struct MHD_Daemon *))
{
    for (int i = 0; i < OB_LISTENERS; i++)
        if (f->doors[i].http)
            what(f->doors[i].http);
}

static void run_http(struct MHD_Daemon *http)
{
    MHD_run(http);
}

/* The library gives the socket back, which is the next front's, too. */
static void stop_taking(struct MHD_Daemon *http)
{
    MHD_quiesce_daemon(http);
}

/* ---- The loop ------------------------------------------------------------------------------- */

static void hear_core(front *f)
{
    while (f->core) {
        ob_packet p;
        const ob_wire_got got = ob_wire_receive(f->core, &p);
        if (got == OB_WIRE_PACKET)
            exchange_hear(f, &p);
        ob_packet_free(&p);
        if (got < 0)
            exchange_core_lost(f);
        if (got != OB_WIRE_PACKET)
            return;
    }
}

static void tell_layers(front *f)
{
    ob_packet p = ob_packet_of(MESSAGE_LAYERS, 0);
    ob_put_u32(&p, f->layers);
    if (f->core)
        ob_wire_send(f->core, &p);
}

static void take_core(front *f, ob_packet *p)
{
    if (f->core)
        exchange_core_lost(f);
    f->core = ob_wire_new(p->file, &channel_protocol, CHANNEL_FRONT, NULL);
    p->file = -1;
    tell_layers(f);
    exchange_core_came(f);
}

static void begin_stop(front *f)
{
    if (f->stopping)
        return;
    f->stopping = true;
    for_doors(f, stop_taking);
    exchange_hurry(f);
    sweep(f);
}

/* False when main is gone. */
static bool hear_main(front *f)
{
    ob_packet p;
    ob_wire_got got;
    while ((got = ob_wire_receive(f->main, &p)) == OB_WIRE_PACKET) {
        if (p.kind == CONTROL_PEER && p.id == ROLE_CORE)
            take_core(f, &p);
        else if (p.kind == CONTROL_STOP)
            begin_stop(f);
        ob_packet_free(&p);
    }
    return got == OB_WIRE_NOTHING;
}

static int wait_ms(front *f, int64_t now, int64_t sweep_at)
{
    int64_t until = sweep_at;
    for (int i = 0; i < OB_LISTENERS; i++) {
        door *d = &f->doors[i];
        MHD_UNSIGNED_LONG_LONG http_ms;
        d->due_ms = sweep_at;
        if (d->http && MHD_get_timeout(d->http, &http_ms) == MHD_YES &&
            http_ms < (uint64_t)(sweep_at - now))
            d->due_ms = now + (int64_t)http_ms;
        if (d->woken)
            d->due_ms = now;
        if (d->due_ms < until)
            until = d->due_ms;
    }
    return until > now ? (int)(until - now) : 0;
}

/* The library looks where something has come or is due: each look is a system call. */
static void run_doors(front *f, const struct pollfd *events)
{
    const int64_t now = daemon_now_ms();
    for (int i = 0; i < OB_LISTENERS; i++) {
        door *d = &f->doors[i];
        if (!d->http || (!events[i].revents && !d->woken && now < d->due_ms))
            continue;
        d->woken = false;
        MHD_run(d->http);
    }
}

static int events_of(const door *d)
{
    return d->http ? MHD_get_daemon_info(d->http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd : -1;
}

static void run(front *f)
{
    int64_t sweep_at = daemon_now_ms() + SWEEP_MS, stop_at = 0;
    for (;;) {
        int64_t now = daemon_now_ms();
        struct pollfd all[2 + OB_LISTENERS] = {
            {.fd = CONTROL_FD, .events = POLLIN},
            {.fd = f->core ? ob_wire_socket(f->core) : -1,
             .events = (short)(POLLIN | (f->core && ob_wire_is_full(f->core) ? POLLOUT : 0))}};
        for (int i = 0; i < OB_LISTENERS; i++)
            all[2 + i] = (struct pollfd){.fd = events_of(&f->doors[i]), .events = POLLIN};
        poll(all, 2 + OB_LISTENERS, wait_ms(f, now, sweep_at));
        if (all[0].revents && !hear_main(f))
            return;
        if (f->core && all[1].revents & POLLOUT && !ob_wire_flush(f->core))
            exchange_core_lost(f);
        if (f->core && all[1].revents & (POLLIN | POLLHUP | POLLERR))
            hear_core(f);
        run_doors(f, all + 2);
        now = daemon_now_ms();
        if (now >= sweep_at) {
            sweep(f);
            sweep_at = now + SWEEP_MS;
        }
        if (f->stopping && !stop_at)
            stop_at = now + STOP_MS;
        if (f->stopping && (!f->exchange_count || now > stop_at))
            return;
    }
}

int front_main(const config *config)
{
    front *f = calloc(1, sizeof *f);
    ob_error err = {0};
    if (!f)
        return EXIT_FAILED;
    f->config = config;
    f->main = ob_wire_new(CONTROL_FD, &control_protocol, CONTROL_CHILD, NULL);
    if (!f->main || !open_doors(f)) {
        daemon_say("front", "HTTP cannot be spoken on a listening socket");
        return EXIT_FAILED;
    }
    if (front_leave(&f->layers, config, &err)) {
        daemon_say("front", "%s", err.text);
        return EXIT_FAILED;
    }
    control_send(f->main, CONTROL_READY, ROLE_CORE, -1);
    run(f);
    if (f->stopping && f->core) /* who still waits is told so */
        exchange_core_lost(f);
    for_doors(f, run_http);
    for_doors(f, MHD_stop_daemon);
    ob_wire_free(f->core);
    ob_wire_free(f->main);
    free(f);
    return EXIT_FINE;
}
