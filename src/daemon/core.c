/* The core: records, lists, decisions. It speaks to the front, to the operator's commands, and to
 * its workers; it has no socket that the world can reach. */
#include "channel.h"
#include "daemon.h"
#include "desk.h"

#include <obhut/admin.h>
#include <obhut/api.h>
#include <obhut/crypto.h>
#include <obhut/gateways.h>
#include <obhut/records/gateway.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    CALLS = 16384,
    CALLS_BEYOND = 256, /* more than connections: the front keeps a few to say that there are more,
                         * and what was answered leaves the table a moment later */
    PACKETS_A_TURN = 16,
    HELD_MOST = 64 << 20, /* bytes of heads and bodies that wait for a desk */
    DEAF_MS = 10000,      /* that a front may leave unread what it was told */
    LOOK_MS = 1000,
    ADMIN_WAIT_MS = 5000,
    UPKEEP_S = 3600
};

/* A request that the front carries to us. The main thread only carries it on: its head is looked at
 * at a desk, and so is a body of JSON. */
typedef struct carried {
    desk_job job; /* first: of its head */
    message *head;
    bool head_is_fine;   /* the desk's word, with `plan` and `call` */
    bool asks;           /* the records, and so may wait for them */
    bool is_beyond;      /* there is no room for it: only what is told then is wanted */
    atomic_bool is_head; /* only the head: a desk has it, or it comes back with a plan; else it is
                          * answered when it comes back */
    struct core *core;
    ob_call *call;
    ob_plan plan;
    uint64_t id;
    bool busy;            /* a desk has it, or a handler the body and will answer */
    atomic_bool gone;     /* nobody waits for the answer any more */
    struct carried *next; /* among those that come back */
} carried;

typedef struct core {
    const config *config;
    ob_lists *lists;
    ob_store *store;
    ob_audit *audit;
    ob_staff *staff;
    ob_engine *engine;
    ob_api *api;
    ob_gateways *gateways;
    desks *desks, *asking; /* asking: of what may wait for the records */
    desks *reading;        /* of bodies that are long */
    ob_admin admin;
    int admin_socket;
    pthread_mutex_t telling; /* of `front`, but for what is heard from it, and of `deaf` */
    channel *front;          /* set by the main thread only */
    bool deaf;               /* it could not be told something */
    const char *blame;       /* why the front will be hung up on; NULL: it does its part */
    int64_t deaf_since_ms;   /* 0: the front has read all */
    atomic_size_t held;
    unsigned call_count;
    carried *calls[CALLS];
    pthread_mutex_t lock; /* of what was answered */
    carried *answered;
    int answered_event;
    bool stopping, ran;
    message message; /* the last that came */
} core;

/* ---- The front ------------------------------------------------------------------------------ */

/* A front that does what ours does not was taken over, or is ill: its end costs no more than what
 * it carries, and main starts another. Done when nobody is in the middle of a call. */
static void blame_front(core *c, const char *why)
{
    if (!c->blame)
        c->blame = why;
}

/* Any thread. `k`: whose answer it is, which is for nobody else: another front has other requests
 * under the same numbers. NULL: the main thread's, which knows. */
static void tell_front(core *c, const carried *k, const message_head *head, const ob_buf *payload,
                       int file)
{
    pthread_mutex_lock(&c->telling);
    const bool there = c->front && !(k && k->gone);
    if (there && !channel_send(c->front, head, payload ? payload->bytes : NULL,
                               payload ? payload->size : 0, file))
        c->deaf = true;
    pthread_mutex_unlock(&c->telling);
    if (!there && file >= 0)
        close(file);
}

static void set_front(core *c, channel *front)
{
    pthread_mutex_lock(&c->telling);
    channel_free(c->front);
    c->front = front;
    c->deaf = false;
    pthread_mutex_unlock(&c->telling);
}

static bool hold(core *c, size_t size)
{
    if (atomic_fetch_add(&c->held, size) + size <= HELD_MOST)
        return true;
    atomic_fetch_sub(&c->held, size);
    return false;
}

static void let_go(core *c, size_t size)
{
    atomic_fetch_sub(&c->held, size);
}

/* ---- Answers -------------------------------------------------------------------------------- */

static void send_answer(core *c, const carried *k, uint64_t id, const ob_answer *answer)
{
    ob_buf payload = {0};
    int file = -1;
    bool packed = channel_pack(&payload, answer->type ? answer->type : "text/plain") &&
                  channel_pack(&payload, answer->allow);
    if (packed && payload.size + answer->body.size > MESSAGE_MOST)
        packed = (file = channel_file(answer->body.bytes, answer->body.size)) >= 0;
    else if (packed && answer->body.size)
        packed = !ob_buf_append(&payload, answer->body.bytes, answer->body.size, NULL);
    const message_head head = {.kind = MESSAGE_ANSWER,
                               .id = id,
                               .status = packed ? answer->status : 500,
                               .number = answer->retry_after_s};
    tell_front(c, k, &head, &payload, file);
    ob_buf_free(&payload);
}

/* Its number may come again. */
static void leave_table(carried *k)
{
    core *c = k->core;
    if (c->calls[k->id % CALLS] != k)
        return;
    c->calls[k->id % CALLS] = NULL;
    c->call_count--;
}

/* A token is in it, or what somebody wrote. */
static void drop_message(core *c, message *m)
{
    if (!m)
        return;
    explicit_bzero(m->payload, m->size);
    let_go(c, m->size);
    free(m);
}

static void drop_head(carried *k)
{
    drop_message(k->core, k->head);
    k->head = NULL;
}

static void end_call(carried *k)
{
    leave_table(k);
    if (k->call)
        k->call->class->end(k->call);
    drop_head(k);
    free(k);
}

/* On whatever thread it came to be. */
static void come_back(carried *k)
{
    core *c = k->core;
    const uint64_t one = 1;
    pthread_mutex_lock(&c->lock);
    const bool is_first = !c->answered; /* else somebody has said so */
    k->next = c->answered;
    c->answered = k;
    pthread_mutex_unlock(&c->lock);
    if (is_first)
        (void)!write(c->answered_event, &one, sizeof one);
}

/* On whatever thread it came to be: the main thread only takes it off its table. */
static void answer_call(carried *k)
{
    send_answer(k->core, k, k->id, &k->call->answer);
    come_back(k);
}

static void on_answered(ob_call *call)
{
    answer_call(call->carrier);
}

/* ---- Requests ------------------------------------------------------------------------------- */

static void refuse(core *c, uint64_t id, ob_answer why)
{
    send_answer(c, NULL, id, &why);
    ob_buf_free(&why.body);
}

static void refuse_busy(core *c, uint64_t id)
{
    ob_engine_could_not(c->engine, OB_HINDRANCE_BUSY);
    refuse(c, id, ob_answer_could_not(OB_HINDRANCE_BUSY, NULL));
}

static void look_at_head(desk_job *job);

/* Where it is only handed on, or where there is no room: then it comes back without a call. */
static bool goes_to_asking(carried *k, const ob_request *request)
{
    if (k->asks || ob_gateways_own(request->path) || !ob_api_asks(request))
        return false;
    k->asks = true;
    if (!desks_put(k->core->asking, &k->job))
        come_back(k);
    return true;
}

static ob_plan plan_of(carried *k, const ob_request *request)
{
    core *c = k->core;
    const bool is_gateway = ob_gateways_own(request->path);
    if (k->is_beyond)
        return is_gateway ? ob_gateways_could_not(&k->call, c->gateways, request, OB_HINDRANCE_BUSY)
                          : OB_PLAN_ANSWER; /* without a call: that it is too much */
    return is_gateway ? ob_gateways_begin(&k->call, c->gateways, request)
                      : ob_api_begin(&k->call, c->api, request);
}

static bool has_its_body(const carried *k)
{
    const uint64_t size = k->head->head.body;
    return size && size <= BODY_SHORT && k->call && k->plan == OB_PLAN_BYTES &&
           size <= k->call->most;
}

/* At a desk: what came with its head. Once the handler has it, it may be answered and gone. */
static void read_its_body(carried *k)
{
    core *c = k->core;
    message *m = k->head;
    const size_t size = (size_t)m->head.body;
    k->head = NULL;
    k->call->answered = on_answered;
    k->call->carrier = k;
    k->is_head = false;
    k->call->class->body(k->call,
                         (ob_body){.bytes = m->payload + m->size - size, .size = size, .file = -1});
    drop_message(c, m);
}

/* At a desk: token, description, gate; and the body, where it is small enough to have come along.
 */
static void look_at_head(desk_job *job)
{
    carried *k = (carried *)job;
    ob_request request;
    ob_field fields[REQUEST_FIELDS];
    k->head_is_fine = channel_unpack_request(&request, fields, k->head);
    if (k->head_is_fine && goes_to_asking(k, &request))
        return;
    if (k->head_is_fine)
        k->plan = plan_of(k, &request);
    if (k->head_is_fine && has_its_body(k)) {
        read_its_body(k);
        return;
    }
    drop_head(k);
    if (k->head_is_fine && k->call && k->plan == OB_PLAN_ANSWER) {
        k->is_head = false;
        answer_call(k);
        return;
    }
    come_back(k);
}

/* The front has as many calls as connections, each under a number of its own. */
static bool may_ask(core *c, const message *m)
{
    if (m->file >= 0)
        blame_front(c, "it sent a descriptor with the head of a request");
    else if (c->calls[m->head.id % CALLS])
        blame_front(c, "it asked twice under one number");
    else if (c->call_count >= c->config->connections_most + CALLS_BEYOND)
        blame_front(c, "it asks for more requests than there may be connections");
    return !c->blame;
}

static void hear_ask(core *c, const message *m)
{
    if (!may_ask(c, m))
        return;
    bool held = hold(c, m->size);
    carried *k = held ? calloc(1, sizeof *k) : NULL;
    message *head = k ? channel_copy(m) : NULL;
    if (!head) {
        if (held)
            let_go(c, m->size);
        free(k);
        refuse_busy(c, m->head.id);
        return;
    }
    *k = (carried){.job.run = look_at_head,
                   .head = head,
                   .is_head = true,
                   .core = c,
                   .id = m->head.id,
                   .is_beyond = m->head.status == 1,
                   .busy = true};
    c->calls[k->id % CALLS] = k;
    c->call_count++;
    if (!desks_put(c->desks, &k->job)) {
        refuse_busy(c, k->id);
        end_call(k);
    }
}

/* The head was looked at, and there is more to come or nothing to answer with. */
static void take_plan(carried *k)
{
    core *c = k->core;
    k->is_head = k->busy = false;
    drop_head(k);
    if (!k->head_is_fine && !k->gone)
        refuse(c, k->id,
               ob_answer_problem(400, "INVALID", "the head of this request makes no sense"));
    else if (!k->call && !k->gone)
        refuse_busy(c, k->id);
    if (!k->call || k->gone) {
        end_call(k);
        return;
    }
    k->call->answered = on_answered;
    k->call->carrier = k;
    const message_head head = {
        .kind = MESSAGE_PLAN, .id = k->id, .status = k->plan, .number = (int64_t)k->call->most};
    tell_front(c, NULL, &head, NULL, -1);
}

static void take_back(core *c)
{
    uint64_t count;
    (void)!read(c->answered_event, &count, sizeof count);
    pthread_mutex_lock(&c->lock);
    carried *k = c->answered, *next;
    c->answered = NULL;
    pthread_mutex_unlock(&c->lock);
    for (; k; k = next) {
        next = k->next;
        if (k->is_head)
            take_plan(k);
        else
            end_call(k);
    }
}

/* A file that the front made: its size is what it says, and it cannot change. */
static bool is_sealed(int file, uint64_t size)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    off_t end = lseek(file, 0, SEEK_END);
    const int has = fcntl(file, F_GET_SEALS); /* -1 of what is no memory file */
    return end >= 0 && (uint64_t)end == size && has >= 0 && (has & seals) == seals;
}

/* A body that is read at a desk. */
typedef struct letter {
    desk_job job; /* first */
    core *core;
    ob_call *call;
    ob_body body;
    message *copy; /* the body is in it, or in `map` */
    void *map;
} letter;

static void free_letter(letter *l)
{
    if (l->map)
        munmap(l->map, l->body.size);
    drop_message(l->core, l->copy);
    free(l);
}

/* Once the handler has it, the call may be answered and gone. */
static void read_body(desk_job *job)
{
    letter *l = (letter *)job;
    l->call->class->body(l->call, l->body);
    free_letter(l);
}

static letter *letter_of(core *c, ob_call *call, const message *m, uint64_t size)
{
    letter *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (letter){.job = {.run = read_body, .client = call->client}, .core = c, .call = call};
    l->body = (ob_body){.bytes = "", .file = -1};
    if (m->file < 0 && hold(c, m->size)) {
        l->copy = channel_copy(m);
        if (!l->copy)
            let_go(c, m->size);
        l->body = (ob_body){.bytes = l->copy ? l->copy->payload : "", .size = m->size, .file = -1};
    } else if (m->file >= 0 && size) {
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, m->file, 0);
        l->map = map == MAP_FAILED ? NULL : map;
        l->body = (ob_body){.bytes = l->map ? l->map : "", .size = size, .file = -1};
    }
    if (l->copy || l->map || (m->file >= 0 && !size))
        return l;
    free(l);
    return NULL;
}

/* What was asked for, as it was asked for: whoever receives it has said how much that may be. */
static bool is_as_planned(core *c, const carried *k, const message *m)
{
    const uint64_t size = m->file >= 0 ? (uint64_t)m->head.number : m->size;
    if (k->busy)
        blame_front(c, "it sent a second body");
    else if (m->head.status && (m->file >= 0 || m->size))
        blame_front(c, "it sent a body and said that it was too large to be sent");
    else if (!m->head.status && m->file < 0 && k->plan == OB_PLAN_FILE)
        blame_front(c, "it sent no file where one was asked for");
    else if (size > k->call->most)
        blame_front(c, "it sent a body that is larger than was asked for");
    else if (m->file >= 0 && !is_sealed(m->file, size))
        blame_front(c, "it sent a file that can still change");
    return !c->blame;
}

/* A file is only handed on; what is read is read at a desk. */
static void hear_body(core *c, message *m)
{
    carried *k = c->calls[m->head.id % CALLS];
    if (!k || k->id != m->head.id || !is_as_planned(c, k, m))
        return;
    k->busy = true;
    const uint64_t size = m->file >= 0 ? (uint64_t)m->head.number : m->size;
    if (m->head.status) {
        k->call->class->body(k->call, (ob_body){.bytes = "", .file = -1, .too_large = true});
        return;
    }
    if (k->plan == OB_PLAN_FILE) {
        const ob_body body = {.bytes = "", .size = size, .file = m->file};
        m->file = -1;
        k->call->class->body(k->call, body);
        return;
    }
    letter *l = letter_of(c, k->call, m, size);
    if (l && desks_put(k->asks ? c->asking : size > BODY_SHORT ? c->reading : c->desks, &l->job))
        return;
    if (l)
        free_letter(l);
    refuse_busy(c, k->id);
    end_call(k);
}

/* The front could not take the body. */
static void hear_unable(core *c, const message *m)
{
    carried *k = c->calls[m->head.id % CALLS];
    if (k && k->id == m->head.id && k->busy)
        blame_front(c, "it could not take a body that it was not to take");
    if (!k || k->id != m->head.id || k->busy)
        return;
    const ob_hindrance why = m->head.status > 0 && m->head.status < OB_HINDRANCES
                                 ? (ob_hindrance)m->head.status
                                 : OB_HINDRANCE_FAULT;
    if (k->call->class->could_not) {
        k->busy = true;
        k->call->class->could_not(k->call, why);
        return;
    }
    ob_engine_could_not(c->engine, why);
    refuse(c, k->id, ob_answer_could_not(why, NULL));
    end_call(k);
}

static void hear_gone(core *c, uint64_t id)
{
    carried *k = c->calls[id % CALLS];
    if (!k || k->id != id)
        return;
    k->gone = true;
    leave_table(k);
    if (!k->busy)
        end_call(k);
    else if (!k->is_head && k->call->class->gone)
        k->call->class->gone(k->call);
}

static void hear_counts(core *c, const message *m)
{
    uint64_t counts[OB_FRONT_COUNTS];
    if (m->size != sizeof counts)
        return;
    memcpy(counts, m->payload, sizeof counts);
    for (int i = 0; i < OB_FRONT_COUNTS; i++)
        atomic_store(&ob_api_counters(c->api)->front[i], counts[i]);
}

static void lose_front(core *c)
{
    set_front(c, NULL);
    c->blame = NULL;
    c->deaf_since_ms = 0;
    atomic_store(&ob_api_counters(c->api)->front_layers, 0);
    for (size_t i = 0; i < CALLS; i++)
        if (c->calls[i])
            hear_gone(c, c->calls[i]->id);
}

/* A few packets a turn: whoever talks without end keeps nobody else waiting. */
static void hear_front(core *c)
{
    for (int i = 0; i < PACKETS_A_TURN && c->front && !c->blame; i++) {
        message *m = &c->message;
        int got = channel_receive(c->front, m);
        if (got == -1)
            lose_front(c);
        if (got == -2)
            blame_front(c, "it says what makes no sense");
        if (got <= 0)
            return;
        switch (m->head.kind) {
        case MESSAGE_ASK:
            hear_ask(c, m);
            break;
        case MESSAGE_BODY:
            hear_body(c, m);
            break;
        case MESSAGE_UNABLE:
            hear_unable(c, m);
            break;
        case MESSAGE_GONE:
            hear_gone(c, m->head.id);
            break;
        case MESSAGE_COUNTS:
            hear_counts(c, m);
            break;
        case MESSAGE_LAYERS:
            atomic_store(&ob_api_counters(c->api)->front_layers, (unsigned)m->head.number);
            break;
        default:
            blame_front(c, "it says what makes no sense");
            break;
        }
        explicit_bzero(m->payload, m->size);
        if (m->file >= 0)
            close(m->file);
    }
}

/* False when main is gone. */
static bool hear_main(core *c)
{
    control_word word;
    int peer;
    while (control_receive(CONTROL_FD, &word, &peer)) {
        if (!word)
            return false;
        if (word == CONTROL_PEER) {
            if (c->front)
                lose_front(c);
            set_front(c, channel_new(peer));
        } else if (word == CONTROL_STOP) {
            c->stopping = true;
        }
    }
    return true;
}

static void hang_up(core *c)
{
    daemon_say("core", "the front is hung up on: %s", c->blame);
    control_send(CONTROL_FD, CONTROL_HANG_UP, -1);
    lose_front(c);
}

/* *deaf: whether something could not be kept for it. */
static bool front_is_full(bool *deaf, core *c)
{
    pthread_mutex_lock(&c->telling);
    const bool is_full = c->front && channel_is_full(c->front);
    *deaf = c->deaf;
    pthread_mutex_unlock(&c->telling);
    return is_full;
}

static bool flush_front(core *c)
{
    pthread_mutex_lock(&c->telling);
    const bool works = channel_flush(c->front);
    pthread_mutex_unlock(&c->telling);
    return works;
}

/* Until it has read what waits for it, nothing more is taken from it; but not for ever. */
static void look_after_front(core *c)
{
    const int64_t now = daemon_now_ms();
    bool deaf, is_full = front_is_full(&deaf, c);
    if (deaf)
        blame_front(c, "it is gone, or leaves unread what it was told");
    if (!is_full)
        c->deaf_since_ms = 0;
    else if (!c->deaf_since_ms)
        c->deaf_since_ms = now;
    else if (now - c->deaf_since_ms > DEAF_MS)
        blame_front(c, "it leaves unread what it was told");
    if (c->front && c->blame)
        hang_up(c);
    c->blame = NULL;
}

static void run(core *c)
{
    while (!c->stopping) {
        look_after_front(c);
        bool deaf;
        const bool is_full = front_is_full(&deaf, c);
        struct pollfd all[4] = {
            {.fd = CONTROL_FD, .events = POLLIN},
            {.fd = c->answered_event, .events = POLLIN},
            {.fd = c->admin_socket, .events = POLLIN},
            {.fd = c->front ? channel_socket(c->front) : -1, .events = is_full ? POLLOUT : POLLIN}};
        if (poll(all, 4, is_full ? LOOK_MS : -1) < 0 && errno != EINTR)
            return;
        if (all[0].revents && !hear_main(c))
            return;
        if (all[1].revents)
            take_back(c);
        if (all[2].revents)
            ob_admin_serve(c->admin_socket, &c->admin);
        if (c->front && all[3].revents & POLLOUT && !flush_front(c))
            lose_front(c);
        if (c->front && all[3].revents & (POLLIN | POLLHUP | POLLERR))
            hear_front(c);
    }
}

/* ---- Life ----------------------------------------------------------------------------------- */

static void on_problem(void *context, const char *sentence)
{
    (void)context;
    daemon_say("core", "%s", sentence);
}

/* What the service runs with, so that a change of it can be seen in the log. */
static json_t *configuration_of(const config *f)
{
    enum { LISTS_MOST = 200 }; /* what fits an entry; beyond, their number */
    json_t *lists = json_object();
    if (f->policy.list_count > LISTS_MOST)
        json_object_set_new(lists, "count", json_integer((json_int_t)f->policy.list_count));
    for (size_t i = 0; i < f->policy.list_count && i < LISTS_MOST; i++)
        json_object_set_new(lists, f->policy.lists[i].list,
                            json_string(ob_action_name(f->policy.lists[i].action)));
    return json_pack("{s:I, s:I, s:s, s:s, s:o}", "body_most", (json_int_t)f->body_most, "distance",
                     (json_int_t)f->policy.distance, "one_source",
                     ob_action_name(f->policy.one_source), "two_sources",
                     ob_action_name(f->policy.two_sources), "lists", lists);
}

/* Whoever once chose it, or was never asked, hears at every start what it means. */
static void say_open_gateways(const core *c)
{
    ob_gateway *gateways = NULL;
    size_t count = 0;
    ob_view *view = NULL;
    if (!ob_view_open(&view, c->store, NULL))
        ob_store_gateways(&gateways, &count, view, NULL);
    ob_view_close(view);
    for (size_t i = 0; i < count; i++)
        if (!gateways[i].fail_closed)
            daemon_say(
                "core",
                "the gateway %s fails open: what Obhut cannot look at, or cannot look at now, "
                "is let through unseen",
                gateways[i].name);
    free(gateways);
}

static ob_status open_all(core *c, ob_error *err)
{
    const config *f = c->config;
    bool made = false;
    const ob_engine_options engine = {.lists = NULL,
                                      .policy = &f->policy,
                                      .decoders = f->decoders,
                                      .searchers = f->searchers,
                                      .queue_most = f->queue_most,
                                      .place_wait_ms = f->queue_wait_ms,
                                      .upkeep_s = UPKEEP_S,
                                      .worker = {.time_ms = f->decode_time_ms,
                                                 .cpu_ms = f->decode_cpu_ms,
                                                 .problem = on_problem}};
    ob_engine_options options = engine;
    ob_status status = ob_crypto_start(err);
    if (!status)
        status = ob_lists_own(&c->lists, f->data, err);
    if (!status)
        status = ob_lists_keep(c->lists, on_problem, NULL, err);
    if (!status)
        status = ob_store_expect(f->data, f->records, err);
    if (!status)
        status = ob_store_open(&c->store, f->data, f->records, err);
    if (!status)
        status = ob_engine_audit(&c->audit, c->store, f->data, on_problem, NULL, err);
    if (!status)
        status = ob_staff_open(&c->staff, c->store, c->audit, f->data, err);
    if (!status)
        status = ob_admin_bind(&(ob_admin){.lists = c->lists, .store = c->store, .staff = c->staff},
                               err);
    if (!status)
        status = ob_staff_need_own_token(&made, c->staff, f->data, err);
    if (made)
        daemon_say("core",
                   "a token that may scan and match on every surface is in %s/keys/api-token",
                   f->data);
    options.lists = c->lists;
    options.store = c->store;
    options.staff = c->staff;
    if (!status)
        status = ob_engine_open(&c->engine, &options, err);
    const ob_api_options api = {.engine = c->engine,
                                .lists = c->lists,
                                .staff = c->staff,
                                .store = c->store,
                                .policy = &f->policy,
                                .body_most = f->body_most,
                                .written_most = f->records_day,
                                .problem = on_problem};
    if (!status)
        status = ob_api_open(&c->api, &api, err);
    if (!status)
        status = desks_open(&c->desks, CALLS, false, err);
    if (!status)
        status = desks_open(&c->asking, CALLS, false, err);
    if (!status)
        status = desks_open(&c->reading, CALLS, true, err);
    const ob_gateways_options gateways = {
        .engine = c->engine, .store = c->store, .body_most = f->body_most};
    if (!status)
        status = ob_gateways_open(&c->gateways, &gateways, err);
    if (!status)
        status = ob_staff_log(
            NULL, c->staff, "service.start", NULL,
            json_pack("{s:s, s:o}", "version", OB_VERSION, "configuration", configuration_of(f)),
            err);
    c->admin = (ob_admin){.lists = c->lists,
                          .store = c->store,
                          .audit = c->audit,
                          .staff = c->staff,
                          .engine = c->engine,
                          .policy = &f->policy};
    if (!status)
        status = ob_admin_listen(&c->admin_socket, f->data, err);
    return status;
}

static void close_all(core *c)
{
    ob_error err = {0};
    if (c->admin_socket >= 0)
        close(c->admin_socket);
    if (!ob_admin_wait(ADMIN_WAIT_MS)) { /* it would use what is closed below */
        ob_engine_settle(c->engine, NULL);
        daemon_say("core", "a command was cut short");
        _exit(EXIT_FINE); /* whatever was acknowledged is on the disk */
    }
    if (c->front)
        lose_front(c);
    desks_close(c->desks); /* first: it hands on */
    desks_close(c->asking);
    desks_close(c->reading);
    ob_engine_close(c->engine);
    if (c->ran)
        ob_staff_log(NULL, c->staff, "service.stop", NULL, NULL, NULL);
    ob_lists_unbind(c->lists);
    ob_staff_close(c->staff); /* everybody who was busy has answered now */
    take_back(c);
    ob_gateways_close(c->gateways);
    ob_api_close(c->api);
    if (ob_audit_close(c->audit, &err))
        daemon_say("core", "%s", err.text);
    ob_store_close(c->store);
    ob_lists_close(c->lists);
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
    pthread_mutex_init(&c->telling, NULL);
    pthread_mutex_init(&c->lock, NULL);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* keys and records are in here */
    ob_status status =
        c->answered_event < 0 ? ob_fail(&err, OB_EIO, "%s", strerror(errno)) : open_all(c, &err);
    if (status) {
        daemon_say("core", "%s", err.text);
    } else {
        control_send(CONTROL_FD, CONTROL_READY, -1);
        c->ran = true;
        say_open_gateways(c);
        run(c);
    }
    close_all(c);
    close(c->answered_event);
    free(c);
    return status ? EXIT_FAILED : EXIT_FINE;
}
