/* One request: its head goes to the core, its body where the core says, the answer comes back. The
 * connection sleeps while the core thinks. */
#include "front.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    DROP_MOST = 200000000, /* bytes of a body that nobody wants, until the connection is cut */
    WAIT_MS = 10000,       /* for a core that is starting */
    WAITING_MOST = 512,    /* requests that do */
};

/* ---- Sleeping -------------------------------------------------------------------------------- */

void exchange_sleep(exchange *x)
{
    if (!x->suspended)
        MHD_suspend_connection(x->connection);
    x->suspended = true;
}

void exchange_wake(exchange *x)
{
    if (x->suspended)
        MHD_resume_connection(x->connection);
    x->visitor->door->woken = true;
    x->suspended = false;
}

/* ---- Answers --------------------------------------------------------------------------------- */

void exchange_set_answer(exchange *x, unsigned status, const char *type, const char *body,
                         size_t size)
{
    if (x->answered)
        return;
    x->answered = true;
    x->status = status;
    snprintf(x->type, sizeof x->type, "%s", type);
    if (ob_buf_append(&x->answer, body, size, NULL))
        x->status = 500;
}

static void take_answer(exchange *x, ob_answer answer)
{
    if (!x->answered)
        x->retry_after_s = answer.retry_after_s;
    exchange_set_answer(x, answer.status, answer.type, answer.body.bytes ? answer.body.bytes : "",
                        answer.body.size);
    ob_buf_free(&answer.body);
}

void exchange_set_problem(exchange *x, unsigned status, const char *code, const char *detail)
{
    take_answer(x, ob_answer_problem(status, code, "%s", detail));
}

/* `detail` NULL: the hindrance's own. */
static void set_could_not(exchange *x, ob_hindrance hindrance, const char *detail)
{
    if (x->answered)
        return;
    if (x->may_wait) /* who only asks how the service is misses nothing */
        x->front->counts[OB_FRONT_COULD_NOT + hindrance]++;
    take_answer(x, ob_answer_could_not(hindrance, detail));
}

const char *exchange_header(const exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

bool exchange_came_by(const exchange *x, ob_listener listener)
{
    return x->visitor->door->listener == listener;
}

/* ---- Asking the core ------------------------------------------------------------------------ */

/* Length of the body that was announced; -1: it comes in chunks, -2: nonsense. */
static int64_t body_length(exchange *x)
{
    const char *length = exchange_header(x, "Content-Length");
    const char *coding = exchange_header(x, "Transfer-Encoding");
    if (coding)
        return -1;
    if (!length)
        return 0;
    char *end;
    unsigned long long number = strtoull(length, &end, 10);
    return *length >= '0' && *length <= '9' && !*end && number < INT64_MAX ? (int64_t)number : -2;
}

static void send_count(front *f)
{
    ob_packet p = ob_packet_of(MESSAGE_COUNTS, 0);
    for (int i = 0; i < OB_FRONT_COUNTS; i++)
        ob_put_u64(&p, f->counts[i]);
    ob_wire_send(f->core, &p);
    ob_packet_free(&p);
}

/* A token was in it. */
static void forget_head(exchange *x)
{
    ob_packet_free(&x->head);
}

static void stop_waiting(exchange *x)
{
    if (x->waits)
        x->front->waiting--;
    x->waits = false;
}

/* The answer where there is no core; what comes of the body is dropped. */
static void give_up(exchange *x, const char *detail)
{
    stop_waiting(x);
    set_could_not(x, x->front->stopping ? OB_HINDRANCE_STOPPING : OB_HINDRANCE_RESTARTING, detail);
    if (x->state == EXCHANGE_TAKING)
        intake_drop(&x->body);
    if (x->state != EXCHANGE_ASKING)
        x->state = EXCHANGE_DROPPING;
}

/* Until there is a core, but not for ever, and not with everybody. */
static void wait_for_core(exchange *x)
{
    front *f = x->front;
    int64_t now = daemon_now_ms();
    if (!x->wait_until_ms)
        x->wait_until_ms = now + WAIT_MS;
    x->asked = x->planned = false;
    if (!x->may_wait || x->is_beyond || f->stopping || f->waiting >= WAITING_MOST ||
        now >= x->wait_until_ms) {
        give_up(x, NULL);
        return;
    }
    x->waits = true;
    f->waiting++;
}

bool exchange_takes_body(const exchange *x)
{
    return x->state == EXCHANGE_TAKING || x->state == EXCHANGE_FILLING;
}

static bool has_early_body(const exchange *x)
{
    return x->state == EXCHANGE_ASKING && x->body.wanted;
}

bool exchange_has_body(const exchange *x)
{
    return exchange_takes_body(x) ||
           (x->body.wanted && (x->state == EXCHANGE_ASKING || x->state == EXCHANGE_WAITING));
}

static bool send_head(exchange *x)
{
    const bool early = has_early_body(x);
    channel_put_body(&x->head, early ? x->body.bytes.bytes : NULL, early ? x->body.bytes.size : 0);
    return ob_wire_send(x->front->core, &x->head);
}

static void ask_core(exchange *x)
{
    x->asked = x->front->core && send_head(x);
    if (!x->asked)
        wait_for_core(x);
    else if (has_early_body(x))
        x->state = EXCHANGE_WAITING;
}

/* Saves the way there and back for a plan. Whoever waits for one before sending it gets one. */
static bool goes_with_head(exchange *x, const char *path)
{
    static const char json[] = "application/json";
    const char *type = exchange_header(x, "Content-Type");
    return x->length > 0 && x->length <= BODY_SHORT &&
           ob_packet_size(&x->head) + (size_t)x->length <= MESSAGE_MOST &&
           !exchange_header(x, "Expect") && !strncmp(path, "/v1/", 4) && type &&
           !strncasecmp(type, json, sizeof json - 1);
}

static bool keep_body(exchange *x, bool to_file, uint64_t most)
{
    const intake holding = {.hold = room_hold, .let_go = room_let_go, .context = x};
    return intake_begin(&x->body, x->connection, to_file, most, &holding);
}

/* Those that ask how the service is are told at once; those that bring something may wait. */
static bool brings_something(const exchange *x, const char *path)
{
    return exchange_came_by(x, OB_LISTENER_SERVICES) &&
           (!strncmp(path, "/v1/", 4) || !strncmp(path, "/gw/", 4));
}

/* Of what only looks nobody needs to know whether it was done. */
static bool changes_something(const char *method, const char *path)
{
    static const char *const looks[] = {"/v1/scan", "/v1/hash", "/v1/match", "/v1/gate/", "/gw/"};
    bool only_looks = !strcmp(method, "GET") || !strcmp(method, "HEAD");
    for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
        only_looks |= !strncmp(path, looks[i], strlen(looks[i]));
    return !only_looks;
}

static void ask(exchange *x, const char *method, const char *path)
{
    front *f = x->front;
    x->length = body_length(x);
    x->changes = changes_something(method, path);
    if (f->stopping) {
        set_could_not(x, OB_HINDRANCE_STOPPING, NULL);
        return;
    }
    if (f->core && exchange_came_by(x, OB_LISTENER_SERVICES) && !strcmp(path, "/metrics"))
        send_count(f);
    if (x->length == -2)
        exchange_set_problem(x, 400, "INVALID", "the length of the body makes no sense");
    else if (!head_put(x, method, path))
        exchange_set_problem(x, 400, "INVALID", "the head of this request is too large");
    else if (goes_with_head(x, path) && keep_body(x, false, BODY_SHORT))
        x->state = EXCHANGE_FILLING;
    else
        ask_core(x);
}

/* ---- Where there is no room ------------------------------------------------------------------ */

/* Programs that ask there have limits of their own, and take no answer for an error. */
static bool is_of_gateway(const char *path)
{
    return !strncmp(path, "/gw/", 4);
}

/* What a gateway answers where something cannot be done now is its own: the core knows. And
 * whoever asks whether the service is ready is told so, not that somebody else is busy. */
static bool has_room_of_its_own(exchange *x, const char *path)
{
    if (!exchange_came_by(x, OB_LISTENER_SERVICES))
        return false;
    x->only_told = is_of_gateway(path);
    return x->only_told || !strcmp(path, "/readyz");
}

/* At once, whatever comes behind the head: the place is for whoever asks next. */
static enum MHD_Result tell_beyond(exchange *x)
{
    set_could_not(x, OB_HINDRANCE_BUSY, "too many connections are open already: try again");
    return reply_give(x);
}

/* ---- The body ------------------------------------------------------------------------------- */

/* It cannot be taken now: what is told then is the core's. */
static void give_back(exchange *x, ob_hindrance why)
{
    ob_packet p = ob_packet_of(MESSAGE_UNABLE, x->id);
    ob_put_u32(&p, why);
    x->state = EXCHANGE_WAITING;
    if (!ob_wire_send(x->front->core, &p))
        give_up(x, NULL);
    forget_head(x);
}

/* False where it cannot be handed over: the answer is set, or the core's. */
static bool finish_body(exchange *x)
{
    front *f = x->front;
    intake *in = &x->body;
    const char *fault = intake_end(in);
    if (in->no_memory) {
        give_back(x, OB_HINDRANCE_BUSY);
        f->counts[OB_FRONT_LARGE]++;
    } else if (in->too_large) {
        f->counts[OB_FRONT_LARGE]++;
    } else if (fault) {
        exchange_set_problem(x, 400, "MULTIPART", fault);
    } else if (in->file >= 0 && !channel_seal(in->file)) {
        give_back(x, OB_HINDRANCE_FAULT);
    } else if (!in->to_file && in->bytes.size > BODY_INLINED) {
        in->file = channel_file(in->bytes.bytes, in->bytes.size);
        if (in->file < 0)
            give_back(x, OB_HINDRANCE_BUSY);
    }
    return !x->answered && x->state == EXCHANGE_TAKING;
}

static void send_body(exchange *x)
{
    front *f = x->front;
    intake *in = &x->body;
    if (!finish_body(x)) {
        intake_drop(in);
        return;
    }
    const bool inlined = in->file < 0 && !in->to_file && !in->too_large;
    ob_packet p = ob_packet_of(MESSAGE_BODY, x->id);
    ob_put_u32(&p, in->too_large);
    ob_put_u64(&p, in->size);
    ob_put_tail(&p, inlined ? in->bytes.bytes : NULL, inlined ? in->bytes.size : 0);
    p.file = in->file;
    in->file = -1; /* the packet's now */
    if (ob_wire_send(f->core, &p))
        x->state = EXCHANGE_WAITING;
    else
        give_up(x, NULL);
    forget_head(x); /* what was handed over is never asked anew */
    intake_drop(in);
}

static enum MHD_Result take_piece(exchange *x, const char *piece, size_t *size)
{
    x->came += *size;
    if (!x->body.wanted)
        x->front->counts[OB_FRONT_DROPPED] += *size;
    if ((!x->body.wanted || x->body.too_large || x->body.no_memory) && x->came > DROP_MOST) {
        x->front->counts[OB_FRONT_LARGE]++;
        return MHD_NO;
    }
    intake_add(&x->body, (char *)(uintptr_t)piece, *size);
    *size = 0;
    return MHD_YES;
}

/* It is there. */
static void end_filling(exchange *x)
{
    x->state = EXCHANGE_ASKING;
    if (!x->body.no_memory) {
        ask_core(x);
        return;
    }
    x->front->counts[OB_FRONT_LARGE]++;
    set_could_not(x, OB_HINDRANCE_BUSY, NULL);
}

/* The core does not take it as it came, and it may have given way meanwhile. */
static void hand_over_anew(exchange *x, bool to_file, uint64_t most)
{
    intake early = x->body;
    x->body = (intake){.file = -1};
    if (!early.no_memory && keep_body(x, to_file, most)) {
        x->state = EXCHANGE_TAKING;
        intake_add(&x->body, early.bytes.bytes, early.bytes.size);
        send_body(x);
    } else {
        give_back(x, OB_HINDRANCE_BUSY);
    }
    intake_free(&early);
}

/* ---- The library's calls -------------------------------------------------------------------- */

static exchange *begin(door *d, struct MHD_Connection *connection)
{
    front *f = d->front;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    visitor *v = info ? info->socket_context : NULL;
    exchange *x = v && d->exchange_count < EXCHANGES_MOST / 2 ? calloc(1, sizeof *x) : NULL;
    if (!x)
        return NULL;
    x->front = f;
    x->connection = connection;
    x->visitor = v;
    v->on = x;
    v->idle_since_ms = 0;
    x->answer_file = x->body.file = -1;
    x->began_ms = daemon_now_ms();
    do
        x->id = f->next_id++;
    while (f->exchanges[x->id % EXCHANGES_MOST]);
    x->head = ob_packet_of(MESSAGE_ASK, x->id);
    f->exchanges[x->id % EXCHANGES_MOST] = x;
    f->exchange_count++;
    d->exchange_count++;
    return x;
}

enum MHD_Result exchange_handle(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *piece,
                                size_t *piece_size, void **slot)
{
    exchange *x = *slot;
    if (!x) {
        x = *slot = begin(context, connection);
        if (!x)
            return MHD_NO;
        const head_fault fault = strict_head(x, method, version);
        url = strict_path(url);
        x->closes = fault.closes;
        if (fault.status)
            exchange_set_problem(x, fault.status, fault.code, fault.sentence);
        if (fault.closes)
            return reply_give(x);
        x->is_beyond = x->visitor->is_beyond && front_has_too_many(x->visitor->door);
        x->may_wait = brings_something(x, url);
        if (exchange_came_by(x, OB_LISTENER_SERVICES) && is_of_gateway(url))
            x->answer_by_ms = x->began_ms + x->front->config->gateway_time_ms;
        x->is_get = !strcmp(method, "GET");
        x->is_head = !strcmp(method, "HEAD");
        if (x->answered)
            ; /* its body is taken, so that the client hears the answer */
        else if (own_answer(x, method, url))
            ; /* without the core */
        else if (x->is_beyond && !has_room_of_its_own(x, url))
            return tell_beyond(x);
        else
            ask(x, method, url);
        if (!x->answered && x->state == EXCHANGE_ASKING) {
            exchange_sleep(x);
            return MHD_YES;
        }
    }
    if (!x->head_done) { /* the library still stands behind the head */
        x->head_done = true;
        if (x->answered && (x->is_beyond || exchange_header(x, "Expect")))
            return reply_give(x); /* instead of "continue": the body is never sent */
        if (x->answered)
            x->state = EXCHANGE_DROPPING;
        return MHD_YES;
    }
    if (*piece_size)
        return take_piece(x, piece, piece_size);
    if (exchange_takes_body(x)) {
        if (x->state == EXCHANGE_FILLING)
            end_filling(x);
        else if (x->planned)
            send_body(x);
        if (!x->answered) {
            exchange_sleep(x);
            return MHD_YES;
        }
    }
    return x->answered ? reply_give(x) : MHD_YES;
}

/* Nobody waits for what the core would answer. */
static void tell_gone(exchange *x)
{
    front *f = x->front;
    ob_packet p = ob_packet_of(MESSAGE_GONE, x->id);
    if (x->asked && f->core)
        ob_wire_send(f->core, &p);
    x->asked = false;
}

void exchange_ended(void *context, struct MHD_Connection *connection, void **slot,
                    enum MHD_RequestTerminationCode why)
{
    door *d = context;
    front *f = d->front;
    exchange *x = *slot;
    (void)why;
    (void)connection;
    if (!x)
        return;
    x->visitor->idle_since_ms = daemon_now_ms();
    tell_gone(x);
    stop_waiting(x);
    forget_head(x);
    intake_free(&x->body);
    ob_buf_free(&x->answer);
    ob_buf_free(&x->headers);
    flow_free(x);
    if (x->answer_file >= 0)
        close(x->answer_file);
    room_let_go(x, x->answer_size);
    x->visitor->on = NULL;
    f->exchanges[x->id % EXCHANGES_MOST] = NULL;
    f->exchange_count--;
    d->exchange_count--;
    free(x);
    *slot = NULL;
}

/* ---- What the core says --------------------------------------------------------------------- */

static void hear_plan(exchange *x, ob_packet *p)
{
    uint32_t plan;
    uint64_t most;
    ob_get_u32(&plan, p);
    ob_get_u64(&most, p);
    const bool to_file = plan == OB_PLAN_FILE;
    if (x->state == EXCHANGE_TAKING) /* another core wants the same */
        x->planned = x->body.to_file == to_file;
    if (x->state == EXCHANGE_TAKING && !x->planned)
        give_up(x, NULL);
    if (x->state == EXCHANGE_WAITING && x->body.wanted && !x->answered)
        hand_over_anew(x, to_file, most);
    if (x->state != EXCHANGE_ASKING || x->answered)
        return;
    x->planned = true;
    if (keep_body(x, to_file, most)) {
        x->state = EXCHANGE_TAKING;
        return;
    }
    give_back(x, OB_HINDRANCE_BUSY);
}

/* Memory files that nobody reads take memory as bodies do. */
static bool take_answer_file(exchange *x, ob_packet *p)
{
    const off_t end = lseek(p->file, 0, SEEK_END);
    const bool is_memory = fcntl(p->file, F_GET_SEALS) >= 0;
    x->answer_file_size = end > 0 ? (uint64_t)end : 0;
    const uint64_t held = is_memory ? x->answer_file_size : 0;
    if (!room_hold(x, held))
        return false;
    x->answer_size = held;
    x->answer_file = p->file;
    p->file = -1;
    return true;
}

static void hear_answer(exchange *x, ob_packet *p)
{
    uint32_t status, retry_after_s, how;
    const char *type, *allow, *headers;
    const void *body;
    size_t size;
    ob_get_u32(&status, p);
    ob_get_u32(&retry_after_s, p);
    ob_get_u32(&how, p);
    ob_get_text(&type, p);
    ob_get_text(&allow, p);
    ob_get_text(&headers, p);
    x->asked = how & ANSWER_IN_PIECES; /* else it owes nothing more */
    ob_get_bytes(&body, &size, p);
    if (!ob_get_end(p) || !type || x->answered) {
        set_could_not(x, OB_HINDRANCE_FAULT, NULL);
        return;
    }
    if (p->file >= 0 && !take_answer_file(x, p)) {
        set_could_not(x, OB_HINDRANCE_BUSY, "too many answers are on their way: try again");
        return;
    }
    x->retry_after_s = retry_after_s;
    snprintf(x->allow, sizeof x->allow, "%s", allow ? allow : "");
    if (headers && ob_buf_append(&x->headers, headers, strlen(headers), NULL)) {
        set_could_not(x, OB_HINDRANCE_FAULT, NULL);
        return;
    }
    x->answer_is_file = how & ANSWER_IS_FILE;
    x->flow.flows = how & ANSWER_IN_PIECES;
    exchange_set_answer(x, status, type, body, size);
    if (x->state == EXCHANGE_WAITING) /* what came with its head is not handed over anew */
        intake_drop(&x->body);
    if (x->state == EXCHANGE_TAKING) { /* another core does not want it any more */
        intake_drop(&x->body);
        x->state = EXCHANGE_DROPPING;
    }
}

static void hear_piece(exchange *x, ob_packet *p)
{
    uint32_t what;
    const void *bytes;
    size_t size;
    ob_get_u32(&what, p);
    ob_get_bytes(&bytes, &size, p);
    if (!x->flow.flows)
        return;
    if (what != PIECE_MORE)
        x->asked = false;
    if (!ob_get_end(p) || what == PIECE_BROKEN || !flow_add(x, bytes, size, what == PIECE_LAST)) {
        flow_break(x);
        tell_gone(x);
    }
}

void exchange_hear(front *f, ob_packet *p)
{
    exchange *x = f->exchanges[p->id % EXCHANGES_MOST];
    if (!x || x->id != p->id)
        return;
    if (p->kind == MESSAGE_PLAN)
        hear_plan(x, p);
    else if (p->kind == MESSAGE_ANSWER)
        hear_answer(x, p);
    else if (p->kind == MESSAGE_PIECE)
        hear_piece(x, p);
    if (x->answered || x->state != EXCHANGE_WAITING) /* else there is more to be heard */
        exchange_wake(x);
}

void exchange_core_came(front *f)
{
    for (unsigned i = 0; i < EXCHANGES_MOST && f->waiting; i++) {
        exchange *x = f->exchanges[i];
        if (!x || !x->waits)
            continue;
        stop_waiting(x);
        ask_core(x);
        if (x->answered)
            exchange_wake(x);
    }
}

static void lose_core(exchange *x)
{
    if (x->state == EXCHANGE_WAITING)
        give_up(x, x->changes
                       ? "the service ended while it had this: whether it was done is not known"
                       : "the service ended before there was an answer: ask again");
    else
        wait_for_core(x);
    if (x->answered)
        exchange_wake(x);
}

void exchange_core_lost(front *f)
{
    ob_wire_free(f->core);
    f->core = NULL;
    for (unsigned i = 0; i < EXCHANGES_MOST; i++) {
        exchange *x = f->exchanges[i];
        if (x && x->asked && !x->answered)
            lose_core(x);
        if (x && x->asked && x->flow.flows) {
            flow_break(x);
            exchange_wake(x);
        }
        if (x)
            x->asked = false;
    }
}

/* ---- Ends ------------------------------------------------------------------------------------ */

void exchange_lost_body(exchange *x)
{
    if (x->state != EXCHANGE_ASKING || x->answered)
        return;
    stop_waiting(x);
    x->front->counts[OB_FRONT_LARGE]++;
    set_could_not(x, OB_HINDRANCE_BUSY, NULL);
    exchange_wake(x);
}

void exchange_hurry(front *f)
{
    for (unsigned i = 0; i < EXCHANGES_MOST && f->core; i++) {
        const exchange *x = f->exchanges[i];
        ob_packet p = ob_packet_of(MESSAGE_LATE, x ? x->id : 0);
        if (x && x->asked && !x->answered && x->state == EXCHANGE_ASKING)
            ob_wire_send(f->core, &p);
    }
}

void exchange_end_waiting(exchange *x)
{
    give_up(x, NULL);
    exchange_wake(x);
}

void exchange_is_late(exchange *x)
{
    enum { GRACE_MS = 1000 };
    ob_packet p = ob_packet_of(MESSAGE_LATE, x->id);
    if (x->waits) {
        exchange_end_waiting(x);
    } else if (x->asked && !x->is_late && ob_wire_send(x->front->core, &p)) {
        x->is_late = true;
        x->answer_by_ms = daemon_now_ms() + GRACE_MS;
    } else {
        tell_gone(x);
        set_could_not(x, OB_HINDRANCE_BUSY, NULL);
        exchange_wake(x);
    }
}

void exchange_was_left(exchange *x)
{
    tell_gone(x);
    exchange_set_problem(x, 400, "CLOSED", "the connection was closed before there was an answer");
    exchange_wake(x);
}

void exchange_give_way(visitor *v)
{
    exchange *x = v->on;
    v->leaves = true;
    v->door->leaving++;
    v->door->front->counts[OB_FRONT_GAVE_WAY]++;
    if (!x || !x->suspended || x->answered) {
        shutdown(v->socket, SHUT_RDWR);
        if (x && x->flow.flows) { /* the library does not look at one that sleeps */
            flow_break(x);
            exchange_wake(x);
        }
        return;
    }
    tell_gone(x);
    stop_waiting(x);
    x->is_beyond = true; /* the connection ends with the answer */
    set_could_not(x, OB_HINDRANCE_BUSY, "too many connections are open already: try again");
    exchange_wake(x);
}
