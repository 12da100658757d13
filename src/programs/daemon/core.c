/* The core: records, lists, decisions. It speaks to the front, to the operator's commands, and to
 * its workers; it has no socket that the world can reach. */
#include "core.h"

#include <obhut/crypto.h>
#include <obhut/records/gateway.h>

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 1000, ADMIN_WAIT_MS = 5000, UPKEEP_S = 3600 };

/* ---- The main thread ------------------------------------------------------------------------ */

/* False when main is gone. */
static bool hear_main(core *c)
{
    ob_packet p;
    ob_wire_got got;
    while ((got = ob_wire_receive(c->main, &p)) == OB_WIRE_PACKET) {
        if (p.kind == CONTROL_STOP) {
            c->stopping = true;
        } else if (p.kind == CONTROL_PEER && p.id == ROLE_FRONT) {
            if (c->front)
                peer_lose(c);
            peer_set(c, ob_wire_new(p.file, &channel_protocol, CHANNEL_CORE, NULL));
            p.file = -1;
        }
        ob_packet_free(&p);
    }
    return got == OB_WIRE_NOTHING;
}

static void run(core *c)
{
    while (!c->stopping) {
        const bool is_full = peer_look_after(c);
        const int wait_ms = wait_look(c);
        struct pollfd all[4] = {
            {.fd = CONTROL_FD, .events = POLLIN},
            {.fd = c->answered_event, .events = POLLIN},
            {.fd = c->admin_socket, .events = POLLIN},
            {.fd = c->front ? ob_wire_socket(c->front) : -1, .events = is_full ? POLLOUT : POLLIN}};
        if (poll(all, 4, is_full && wait_ms < 0 ? LOOK_MS : wait_ms) < 0 && errno != EINTR)
            return;
        if (all[0].revents && !hear_main(c))
            return;
        if (all[1].revents)
            carry_back(c);
        if (all[2].revents)
            ob_socket_serve(c->admin_socket, &c->service);
        if (c->front && all[3].revents & POLLOUT && !peer_flush(c))
            peer_lose(c);
        if (c->front && all[3].revents & (POLLIN | POLLHUP | POLLERR))
            peer_hear(c);
    }
}

/* ---- Life ----------------------------------------------------------------------------------- */

static void on_problem(void *context, const char *sentence)
{
    (void)context;
    daemon_say("core", "%s", sentence);
}

/* What the service runs with, so that a change of it can be seen in the log. */
static ob_entry *lists_of(const ob_policy *policy)
{
    enum { LISTS_MOST = 200 }; /* what fits an entry; beyond, their number */
    ob_entry *out = ob_entry_new();
    if (policy->list_count > LISTS_MOST)
        ob_entry_number(out, "count", (int64_t)policy->list_count);
    for (size_t i = 0; i < policy->list_count && i < LISTS_MOST; i++)
        ob_entry_text(out, policy->lists[i].list, ob_action_name(policy->lists[i].action));
    return out;
}

static ob_entry *configuration_of(const config *f)
{
    ob_entry *out = ob_entry_new();
    ob_entry_number(out, "body_most", (int64_t)f->body_most);
    ob_entry_number(out, "distance", (int64_t)f->policy.distance);
    ob_entry_text(out, "one_source", ob_action_name(f->policy.one_source));
    ob_entry_text(out, "two_sources", ob_action_name(f->policy.two_sources));
    ob_entry_inner(out, "lists", lists_of(&f->policy));
    return out;
}

static ob_entry *start_of(const config *f)
{
    ob_entry *out = ob_entry_new();
    ob_entry_text(out, "version", OB_VERSION);
    ob_entry_inner(out, "configuration", configuration_of(f));
    return out;
}

/* Whoever once chose it, or was never asked, hears at every start what it means. */
static void say_open_gateways(const core *c)
{
    ob_gateway *gateways = NULL;
    size_t count = 0;
    ob_view *view = NULL;
    if (!ob_view_open(&view, c->service.store, NULL))
        ob_store_gateways(&gateways, &count, view, NULL);
    ob_view_close(view);
    for (size_t i = 0; i < count; i++) {
        if (!gateways[i].fail_closed)
            daemon_say("core",
                       "the gateway %s fails open: what Obhut cannot look at now is let through "
                       "unseen",
                       gateways[i].name);
        if (gateways[i].damaged_passes)
            daemon_say("core",
                       "the gateway %s lets through unseen what cannot be looked at: damaged, "
                       "too large or of an unknown format",
                       gateways[i].name);
        if (gateways[i].review_passes)
            daemon_say("core",
                       "the gateway %s lets through what a list of one source has: a person must "
                       "look, and nobody is told but here and in the log",
                       gateways[i].name);
    }
    free(gateways);
}

static ob_status open_service(core *c, ob_error *err)
{
    enum { PATIENCE_MS = 5000 };
    const config *f = c->config;
    const ob_engine_options engine = {.policy = &f->policy,
                                      .decoders = f->decoders,
                                      .searchers = f->searchers,
                                      .queue_most = f->queue_most,
                                      .place_wait_ms = f->queue_wait_ms,
                                      .upkeep_s = UPKEEP_S,
                                      .worker = {.time_ms = f->decode_time_ms,
                                                 .cpu_ms = f->decode_cpu_ms,
                                                 .problem = on_problem}};
    const ob_service_options options = {.dir = f->data,
                                        .records = f->records,
                                        .engine = &engine,
                                        .patience_ms = PATIENCE_MS,
                                        .problem = on_problem};
    long pid;
    ob_status status = ob_service_open(&c->service, &options, err);
    if (status == OB_EBUSY && ob_socket_is_served(&pid, f->data))
        return ob_fail(
            err, OB_EBUSY,
            "another obhutd owns %s (process %ld): one service a directory; end that one, "
            "or give this one a directory of its own (--data)",
            f->data, pid);
    if (c->service.made_token)
        daemon_say("core",
                   "a token that may scan and match on every surface is in %s/keys/api-token",
                   f->data);
    return status;
}

static ob_status open_all(core *c, ob_error *err)
{
    const config *f = c->config;
    ob_service *s = &c->service;
    ob_status status = ob_crypto_start(err);
    if (!status)
        status = open_service(c, err);
    const ob_services_options options = {.engine = s->engine,
                                         .lists = s->lists,
                                         .staff = s->staff,
                                         .acts = s->acts,
                                         .store = s->store,
                                         .policy = &f->policy,
                                         .body_most = f->body_most,
                                         .written_most = f->records_day,
                                         .tries_most = f->tries_day,
                                         .problem = on_problem};
    if (!status)
        status = ob_services_open(&c->services, &options, err);
    if (!status)
        status = desks_open(&c->desks, CALLS, false, err);
    if (!status)
        status = desks_open(&c->asking, CALLS, false, err);
    if (!status)
        status = desks_open(&c->reading, CALLS, true, err);
    if (!status)
        status = desks_open(&c->showing, CALLS, true, err);
    const ob_gateways_options gateways = {
        .engine = s->engine, .store = s->store, .body_most = f->body_most};
    if (!status)
        status = ob_gateways_open(&c->gateways, &gateways, err);
    for (int i = 0; i < OB_LISTENERS; i++)
        s->listening[i] = f->listen[i];
    if (!status)
        status = ob_acts_log(NULL, s->acts, "service.start", NULL, start_of(f), err);
    if (!status)
        status = ob_socket_listen(&c->admin_socket, f->data, err);
    return status;
}

static void close_all(core *c)
{
    ob_error err = {0};
    pieces_end(c);
    if (c->admin_socket >= 0)
        close(c->admin_socket);
    if (!ob_commands_wait(ADMIN_WAIT_MS)) { /* it would use what is closed below */
        ob_counts_flush(ob_permits_counts(ob_engine_permits(c->service.engine)), NULL);
        daemon_say("core", "a command was cut short");
        _exit(EXIT_FINE); /* whatever was acknowledged is on the disk */
    }
    if (c->front)
        peer_lose(c);
    desks_close(c->desks); /* first: it hands on */
    desks_close(c->asking);
    desks_close(c->reading);
    desks_close(c->showing);
    ob_service_stop(&c->service, c->ran ? "service.stop" : NULL);
    carry_back(c); /* everybody who was busy has answered now */
    ob_gateways_close(c->gateways);
    ob_services_close(c->services);
    if (ob_service_close(&c->service, &err))
        daemon_say("core", "%s", err.text);
}

/* Whatever is large goes back to the system when it is freed. Otherwise the library learns from the
 * first large answer to keep such among the small, in a heap for each of some threads: after an
 * hour of long answers the core had half a gigabyte with nothing in it. */
static void keep_memory_low(void)
{
    enum { LARGE = 256 << 10, HEAPS = 8 };
    (void)mallopt(M_MMAP_THRESHOLD, LARGE);
    (void)mallopt(M_TRIM_THRESHOLD, LARGE);
    (void)mallopt(M_ARENA_MAX, HEAPS);
}

int core_main(const config *config)
{
    keep_memory_low();
    core *c = calloc(1, sizeof *c);
    ob_error err = {0};
    if (!c)
        return EXIT_FAILED;
    c->config = config;
    c->admin_socket = -1;
    c->answered_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->main = ob_wire_new(CONTROL_FD, &control_protocol, CONTROL_CHILD, NULL);
    pthread_mutex_init(&c->telling, NULL);
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t steady;
    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(&c->took, &steady);
    pthread_condattr_destroy(&steady);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* keys and records are in here */
    ob_status status = c->answered_event < 0 || !c->main
                           ? ob_fail(&err, OB_EIO, "%s", strerror(errno))
                           : open_all(c, &err);
    if (status) {
        daemon_say("core", "%s", err.text);
    } else {
        say_open_gateways(c);
        ob_services_warn(c->services, on_problem, NULL);
        control_send(c->main, CONTROL_READY, ROLE_CORE, -1);
        c->ran = true;
        run(c);
    }
    close_all(c);
    close(c->answered_event);
    ob_wire_free(c->main);
    free(c);
    return status ? EXIT_FAILED : EXIT_FINE;
}
