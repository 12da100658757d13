/* A request of the front on its way: its head to a desk, back with a plan, and off the table with
 * its answer. The main thread only carries it on. */
#include "core.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    CALLS_BEYOND = 256, /* more than connections: the front keeps a few to say that there are more,
                         * and what was answered leaves the table a moment later */
    HELD_MOST = 64 << 20,       /* bytes of heads and bodies that wait for a desk */
    HELD_MOST_OTHER = 16 << 20, /* the same, where services do not ask */
};

bool carry_hold(core *c, ob_listener listener, size_t size)
{
    const size_t most = listener == OB_LISTENER_SERVICES ? HELD_MOST : HELD_MOST_OTHER;
    if (atomic_fetch_add(&c->held[listener], size) + size <= most)
        return true;
    carry_let_go(c, listener, size);
    return false;
}

void carry_let_go(core *c, ob_listener listener, size_t size)
{
    atomic_fetch_sub(&c->held[listener], size);
}

void carry_drop(core *c, ob_listener listener, ob_packet *copy)
{
    if (copy)
        carry_let_go(c, listener, copy->size);
    ob_packet_drop(copy);
}

/* ---- Answers -------------------------------------------------------------------------------- */

static void put_head(ob_packet *p, unsigned status, const ob_answer *answer)
{
    const uint32_t how =
        (answer->has_file ? ANSWER_IS_FILE : 0) | (answer->in_pieces ? ANSWER_IN_PIECES : 0);
    ob_put_u32(p, status);
    ob_put_u32(p, answer->retry_after_s);
    ob_put_u32(p, how);
    ob_put_text(p, answer->type ? answer->type : "text/plain");
    ob_put_text(p, answer->allow);
    ob_put_text(p, answer->headers.bytes);
}

/* The body goes with the packet where there is room for it, else in a memory file; a file goes as
 * it is. False: out of memory. */
static bool put_body(ob_packet *p, ob_answer *answer)
{
    const bool fits = p->size + sizeof(uint32_t) + answer->body.size <= MESSAGE_MOST;
    if (answer->has_file)
        p->file = answer->file;
    else if (!fits)
        p->file = channel_file(answer->body.bytes, answer->body.size);
    ob_put_tail(p, answer->body.bytes, p->file < 0 && fits ? answer->body.size : 0);
    answer->has_file = false; /* the packet's now */
    return !p->failed && (p->file >= 0 || fits);
}

static void send_answer(core *c, carried *k, uint64_t id, ob_answer *answer)
{
    ob_packet p = ob_packet_of(MESSAGE_ANSWER, id);
    put_head(&p, answer->status, answer);
    if (!put_body(&p, answer)) { /* that needs no memory */
        ob_packet_reset(&p, MESSAGE_ANSWER, id);
        put_head(&p, 500, &(ob_answer){.in_pieces = answer->in_pieces});
        ob_put_tail(&p, NULL, 0);
    }
    if (answer->in_pieces)
        peer_tell_more(c, k, &p);
    else
        peer_tell(c, k, &p);
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

/* The front may have heard of an answer before we have. */
static void leave_if_told(carried *k)
{
    pthread_mutex_lock(&k->core->telling);
    const bool told = k->told;
    pthread_mutex_unlock(&k->core->telling);
    if (told)
        leave_table(k);
}

carried *carry_find(core *c, uint64_t id)
{
    if (c->calls[id % CALLS])
        leave_if_told(c->calls[id % CALLS]);
    carried *k = c->calls[id % CALLS];
    return k && k->id == id ? k : NULL;
}

static void drop_head(carried *k)
{
    carry_drop(k->core, k->listener, k->head);
    k->head = NULL;
}

void carry_end(carried *k)
{
    leave_table(k);
    wait_remove(k);
    if (k->call)
        k->call->class->end(k->call);
    drop_head(k);
    free(k);
}

void carry_come_back(carried *k)
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

/* From any thread: the main one only takes it off its table. Of an answer in pieces the last one
 * lets it come back. */
void carry_answer(carried *k)
{
    const bool flows = k->call->answer.in_pieces;
    if (flows) {
        pthread_mutex_lock(&k->core->telling);
        k->flows = true;
        pthread_mutex_unlock(&k->core->telling);
    }
    send_answer(k->core, k, k->id, &k->call->answer);
    if (!flows)
        carry_come_back(k);
}

static void on_answered(ob_call *call)
{
    carry_answer(call->carrier);
}

static void take_call(carried *k)
{
    k->call->answered = on_answered;
    k->call->piece = pieces_send;
    k->call->carrier = k;
}

void carry_refuse(core *c, uint64_t id, ob_answer why)
{
    send_answer(c, NULL, id, &why);
    ob_answer_free(&why);
}

void carry_refuse_busy(core *c, uint64_t id)
{
    ob_engine_could_not(c->service.engine, OB_HINDRANCE_BUSY);
    carry_refuse(c, id, ob_answer_could_not(OB_HINDRANCE_BUSY, NULL));
}

/* ---- Heads ---------------------------------------------------------------------------------- */

/* Where it is only handed on, or where there is no room: then it comes back without a call. */
static bool goes_to_asking(carried *k, const ob_request *request)
{
    if (k->asks || ob_gateways_own(request) ||
        (request->listener != OB_LISTENER_STAFF && !ob_services_asks(request)))
        return false;
    k->asks = true;
    if (!desks_put(request->listener == OB_LISTENER_PUBLIC ? k->core->showing : k->core->asking,
                   &k->job))
        carry_come_back(k);
    return true;
}

static ob_plan plan_of(carried *k, const ob_request *request)
{
    core *c = k->core;
    const bool is_gateway = ob_gateways_own(request);
    if (k->is_beyond)
        return is_gateway ? ob_gateways_could_not(&k->call, c->gateways, request, OB_HINDRANCE_BUSY)
                          : OB_PLAN_ANSWER; /* without a call: that it is too much */
    if (request->listener == OB_LISTENER_STAFF)
        return ob_commands_begin_http(&k->call, &c->service, request);
    return is_gateway ? ob_gateways_begin(&k->call, c->gateways, request)
                      : ob_services_begin(&k->call, c->services, request);
}

static bool has_its_body(const carried *k, const asked *a)
{
    return a->body && a->body_size <= BODY_SHORT && k->call && k->plan == OB_PLAN_BYTES &&
           a->body_size <= k->call->most;
}

/* At a desk: what came with its head. Once the handler has it, it may be answered and gone. */
static void read_its_body(carried *k, const asked *a)
{
    core *c = k->core;
    ob_packet *head = k->head;
    const ob_listener listener = k->listener;
    k->head = NULL;
    take_call(k);
    k->is_head = false;
    if (k->call->class->is_long) {
        if (letter_set_aside(k, head, a->body, a->body_size))
            return;
        ob_engine_could_not(c->service.engine, OB_HINDRANCE_BUSY);
        k->call->answer = ob_answer_could_not(OB_HINDRANCE_BUSY, NULL);
        carry_answer(k);
        carry_drop(c, listener, head);
        return;
    }
    k->call->class->body(k->call, (ob_body){.bytes = a->body, .size = a->body_size, .file = -1});
    carry_drop(c, listener, head);
}

/* At a desk: token, description, gate; and the body, where it came along. Where nobody waits for it
 * any more, nothing of it is done. */
static void look_at_head(desk_job *job)
{
    carried *k = (carried *)job;
    asked a;
    if (k->gone) {
        carry_come_back(k);
        return;
    }
    k->head_is_fine = channel_get_request(&a, k->head);
    if (k->head_is_fine && goes_to_asking(k, &a.request))
        return;
    if (k->head_is_fine)
        k->plan = plan_of(k, &a.request);
    if (k->head_is_fine && has_its_body(k, &a)) {
        read_its_body(k, &a);
        return;
    }
    drop_head(k);
    if (k->head_is_fine && k->call && k->plan == OB_PLAN_ANSWER) {
        k->is_head = false;
        carry_answer(k);
        return;
    }
    carry_come_back(k);
}

static unsigned calls_most(const config *config)
{
    unsigned most = CALLS_BEYOND;
    for (int i = 0; i < OB_LISTENERS; i++)
        most += config->connections_most[i];
    return most;
}

/* The front has as many calls as connections, each under a number of its own. */
static bool may_ask(core *c, carried *k, ob_packet *p)
{
    carry_find(c, p->id); /* what had the number, and was answered, leaves it */
    if (!channel_get_listener(&k->listener, &k->is_beyond, p) ||
        !c->config->connections_most[k->listener])
        peer_blame(c, "it asks over a listener that there is not");
    else if (c->calls[p->id % CALLS])
        peer_blame(c, "it asked twice under one number");
    else if (c->call_count >= calls_most(c->config))
        peer_blame(c, "it asks for more requests than there may be connections");
    return !*c->blame;
}

void carry_ask(core *c, ob_packet *p)
{
    carried said = {.core = c, .id = p->id};
    if (!may_ask(c, &said, p))
        return;
    const bool held = carry_hold(c, said.listener, p->size);
    carried *k = held ? calloc(1, sizeof *k) : NULL;
    ob_packet *head = k ? ob_packet_copy(p) : NULL;
    if (!head) {
        if (held)
            carry_let_go(c, said.listener, p->size);
        free(k);
        carry_refuse_busy(c, p->id);
        return;
    }
    *k = (carried){.job = {.run = look_at_head, .client = said.listener},
                   .head = head,
                   .is_head = true,
                   .core = c,
                   .id = p->id,
                   .listener = said.listener,
                   .is_beyond = said.is_beyond,
                   .busy = true};
    c->calls[k->id % CALLS] = k;
    c->call_count++;
    if (!desks_put(c->desks, &k->job)) {
        carry_refuse_busy(c, k->id);
        carry_end(k);
    }
}

/* The head was looked at, and there is more to come or nothing to answer with. */
static void take_plan(carried *k)
{
    core *c = k->core;
    k->is_head = k->busy = false;
    drop_head(k);
    if (!k->head_is_fine && !k->gone)
        carry_refuse(c, k->id,
                     ob_answer_problem(400, "INVALID", "the head of this request makes no sense"));
    else if (!k->call && !k->gone)
        carry_refuse_busy(c, k->id);
    if (!k->call || k->gone) {
        carry_end(k);
        return;
    }
    take_call(k);
    if (k->plan == OB_PLAN_WAIT) {
        wait_add(k);
        return;
    }
    ob_packet p = ob_packet_of(MESSAGE_PLAN, k->id);
    ob_put_u32(&p, k->plan);
    ob_put_u64(&p, k->call->most);
    peer_tell(c, NULL, &p);
}

void carry_back(core *c)
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
            carry_end(k);
    }
}

void carry_gone(core *c, uint64_t id)
{
    carried *k = carry_find(c, id);
    if (!k)
        return;
    k->gone = true;
    leave_table(k);
    if (!k->busy)
        carry_end(k);
    else if (!k->is_head && k->call->class->gone)
        k->call->class->gone(k->call);
}

/* From here on nobody else tells the front of it. */
static bool take_the_word(carried *k)
{
    pthread_mutex_lock(&k->core->telling);
    const bool told = k->told;
    if (!told)
        k->gone = true;
    pthread_mutex_unlock(&k->core->telling);
    return !told;
}

void carry_late(core *c, uint64_t id)
{
    carried *k = carry_find(c, id);
    if (k && k->waits)
        k->wait_until_ms = 0;
    if (!k || k->is_head || !k->busy || !k->call->class->late || !take_the_word(k))
        return;
    carry_refuse(c, id, k->call->class->late(k->call));
    carry_gone(c, id);
}
