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
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { CALLS = 16384, ADMIN_WAIT_MS = 5000, UPKEEP_S = 3600 };

/* A request that the front carries to us. The main thread only carries it on: its head is looked at
 * at a desk, and so is a body of JSON. */
typedef struct carried {
    desk_job job; /* first: of its head */
    message *head;
    bool head_is_fine; /* the desk's word, with `plan` and `call` */
    bool asks;         /* the records, and so may wait for them */
    bool is_beyond;    /* there is no room for it: only what is told then is wanted */
    bool looked_at;    /* among those that come back: the head was looked at; else it is answered */
    struct core *core;
    ob_call *call;
    ob_plan plan;
    uint64_t id;
    bool busy;            /* a desk has the head, or a handler the body and will answer */
    bool gone;            /* nobody waits for the answer any more */
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
    ob_admin admin;
    int admin_socket;
    channel *front;
    carried *calls[CALLS];
    pthread_mutex_t lock; /* of what was answered */
    carried *answered;
    int answered_event;
    bool stopping, ran;
    message message; /* the last that came */
} core;

/* ---- Answers -------------------------------------------------------------------------------- */

static void send_answer(core *c, uint64_t id, const ob_answer *answer)
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
    if (c->front)
        channel_send(c->front, &head, payload.bytes, payload.size, file);
    else if (file >= 0)
        close(file);
    ob_buf_free(&payload);
}

/* A token is in it. */
static void drop_head(carried *k)
{
    if (k->head)
        explicit_bzero(k->head->payload, k->head->size);
    free(k->head);
    k->head = NULL;
}

static void end_call(carried *k)
{
    core *c = k->core;
    if (c->calls[k->id % CALLS] == k)
        c->calls[k->id % CALLS] = NULL;
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
    k->next = c->answered;
    c->answered = k;
    pthread_mutex_unlock(&c->lock);
    (void)!write(c->answered_event, &one, sizeof one);
}

static void on_answered(ob_call *call)
{
    come_back(call->carrier);
}

/* ---- Requests ------------------------------------------------------------------------------- */

enum { FIELDS_MOST = 64 };

static bool unpack_request(ob_request *out, ob_field fields[FIELDS_MOST], const message *m)
{
    const char *const *wanted[] = {&out->method,          &out->path,
                                   &out->authorization,   &out->content_type,
                                   &out->idempotency_key, &out->language};
    size_t at = 0;
    *out = (ob_request){.content_length = m->head.number, .query = fields};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!channel_unpack((const char **)(uintptr_t)wanted[i], m, &at))
            return false;
    while (at < m->size && out->query_count < FIELDS_MOST) {
        ob_field *field = &fields[out->query_count++];
        if (!channel_unpack(&field->name, m, &at) || !channel_unpack(&field->value, m, &at) ||
            !field->name || !field->value)
            return false;
    }
    return at == m->size && out->method && out->path;
}

static void refuse(core *c, uint64_t id, ob_answer answer)
{
    send_answer(c, id, &answer);
    ob_buf_free(&answer.body);
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

/* At a desk: token, description, gate. */
static void look_at_head(desk_job *job)
{
    carried *k = (carried *)job;
    ob_request request;
    ob_field fields[FIELDS_MOST];
    k->head_is_fine = unpack_request(&request, fields, k->head);
    if (k->head_is_fine && goes_to_asking(k, &request))
        return;
    if (k->head_is_fine)
        k->plan = plan_of(k, &request);
    drop_head(k);
    come_back(k);
}

static void hear_ask(core *c, const message *m)
{
    carried *k = calloc(1, sizeof *k);
    message *head = k ? channel_copy(m) : NULL;
    if (!head) {
        free(k);
        refuse_busy(c, m->head.id);
        return;
    }
    *k = (carried){.job.run = look_at_head,
                   .head = head,
                   .looked_at = true,
                   .core = c,
                   .id = m->head.id,
                   .is_beyond = m->head.status == 1,
                   .busy = true};
    if (c->calls[k->id % CALLS]) /* cannot be, unless the front has gone mad */
        c->calls[k->id % CALLS]->gone = true;
    c->calls[k->id % CALLS] = k;
    if (!desks_put(c->desks, &k->job)) {
        refuse_busy(c, k->id);
        end_call(k);
    }
}

/* The head was looked at: the front is told what comes of it. */
static void take_plan(carried *k)
{
    core *c = k->core;
    k->looked_at = k->busy = false;
    drop_head(k);
    if (!k->head_is_fine && !k->gone)
        refuse(c, k->id,
               ob_answer_problem(400, "INVALID", "the head of this request makes no sense"));
    else if (!k->call && !k->gone)
        refuse_busy(c, k->id);
    else if (k->plan == OB_PLAN_ANSWER && !k->gone)
        send_answer(c, k->id, &k->call->answer);
    if (!k->call || k->plan == OB_PLAN_ANSWER || k->gone) {
        end_call(k);
        return;
    }
    k->call->answered = on_answered;
    k->call->carrier = k;
    const message_head head = {
        .kind = MESSAGE_PLAN, .id = k->id, .status = k->plan, .number = (int64_t)k->call->most};
    channel_send(c->front, &head, NULL, 0, -1);
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
        if (k->looked_at) {
            take_plan(k);
            continue;
        }
        if (!k->gone)
            send_answer(c, k->id, &k->call->answer);
        end_call(k);
    }
}

/* A file that the front made: its size is what it says, and it cannot change. */
static bool is_sealed(int file, uint64_t size)
{
    const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
    off_t end = lseek(file, 0, SEEK_END);
    return end >= 0 && (uint64_t)end == size && (fcntl(file, F_GET_SEALS) & seals) == seals;
}

/* A body that is read at a desk. */
typedef struct letter {
    desk_job job; /* first */
    ob_call *call;
    ob_body body;
    message *copy; /* the body is in it, or in `map` */
    void *map;
} letter;

static void free_letter(letter *l)
{
    if (l->map)
        munmap(l->map, l->body.size);
    if (l->copy)
        explicit_bzero(l->copy->payload, l->copy->size);
    free(l->copy);
    free(l);
}

/* Once the handler has it, the call may be answered and gone. */
static void read_body(desk_job *job)
{
    letter *l = (letter *)job;
    l->call->class->body(l->call, l->body);
    free_letter(l);
}

static letter *letter_of(ob_call *call, const message *m, uint64_t size)
{
    letter *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    *l = (letter){.job.run = read_body, .call = call, .body = {.bytes = "", .file = -1}};
    if (m->file < 0) {
        l->copy = channel_copy(m);
        l->body = (ob_body){.bytes = l->copy ? l->copy->payload : "", .size = m->size, .file = -1};
    } else if (size) {
        void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, m->file, 0);
        l->map = map == MAP_FAILED ? NULL : map;
        l->body = (ob_body){.bytes = l->map ? l->map : "", .size = size, .file = -1};
    }
    if (l->copy || l->map || (m->file >= 0 && !size))
        return l;
    free(l);
    return NULL;
}

/* A file is only handed on; what is read is read at a desk. */
static void hear_body(core *c, message *m)
{
    carried *k = c->calls[m->head.id % CALLS];
    if (!k || k->id != m->head.id || k->busy)
        return;
    k->busy = true;
    const uint64_t size = (uint64_t)m->head.number;
    if (m->head.status || (m->file >= 0 && !is_sealed(m->file, size)) ||
        (m->file < 0 && k->plan == OB_PLAN_FILE)) {
        k->call->class->body(k->call, (ob_body){.bytes = "", .file = -1, .too_large = true});
        return;
    }
    if (k->plan == OB_PLAN_FILE) {
        const ob_body body = {.bytes = "", .size = size, .file = m->file};
        m->file = -1;
        k->call->class->body(k->call, body);
        return;
    }
    letter *l = letter_of(k->call, m, size);
    if (l && desks_put(k->asks ? c->asking : c->desks, &l->job))
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
    c->calls[id % CALLS] = NULL;
    if (!k->busy)
        end_call(k);
    else if (!k->looked_at && k->call->class->gone) /* else a desk has its head */
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
    channel_free(c->front);
    c->front = NULL;
    for (size_t i = 0; i < CALLS; i++)
        if (c->calls[i])
            hear_gone(c, c->calls[i]->id);
}

static void hear_front(core *c)
{
    while (c->front) {
        message *m = &c->message;
        int got = channel_receive(c->front, m);
        if (got < 0)
            lose_front(c);
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
        default:
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
            c->front = channel_new(peer);
        } else if (word == CONTROL_STOP) {
            c->stopping = true;
        }
    }
    return true;
}

static void run(core *c)
{
    while (!c->stopping) {
        struct pollfd all[4] = {
            {.fd = CONTROL_FD, .events = POLLIN},
            {.fd = c->answered_event, .events = POLLIN},
            {.fd = c->admin_socket, .events = POLLIN},
            {.fd = c->front ? channel_socket(c->front) : -1,
             .events = (short)(POLLIN | (c->front && channel_is_full(c->front) ? POLLOUT : 0))}};
        if (poll(all, 4, -1) < 0 && errno != EINTR)
            return;
        if (all[0].revents && !hear_main(c))
            return;
        if (all[1].revents)
            take_back(c);
        if (all[2].revents)
            ob_admin_serve(c->admin_socket, &c->admin);
        if (c->front && all[3].revents & POLLOUT && !channel_flush(c->front))
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
        status = ob_store_open(&c->store, f->data, f->records, err);
    if (!status)
        status = ob_engine_audit(&c->audit, c->store, f->data, on_problem, NULL, err);
    if (!status)
        status = ob_staff_open(&c->staff, c->store, c->audit, f->data, err);
    if (!status)
        status = ob_staff_need_own_token(&made, c->staff, f->data, err);
    if (made)
        daemon_say("core", "a token for every surface and scope is in %s/keys/api-token", f->data);
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
        status = desks_open(&c->desks, CALLS, err);
    if (!status)
        status = desks_open(&c->asking, CALLS, err);
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
    ob_engine_close(c->engine);
    if (c->ran)
        ob_staff_log(NULL, c->staff, "service.stop", NULL, NULL, NULL);
    ob_staff_close(c->staff); /* everybody who was busy has answered now */
    take_back(c);
    ob_gateways_close(c->gateways);
    ob_api_close(c->api);
    if (ob_audit_close(c->audit, &err))
        daemon_say("core", "%s", err.text);
    ob_store_close(c->store);
    ob_lists_close(c->lists);
}

int core_main(const config *config)
{
    core *c = calloc(1, sizeof *c);
    ob_error err = {0};
    if (!c)
        return EXIT_FAILED;
    c->config = config;
    c->admin_socket = -1;
    c->answered_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
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
