/* One request: its head goes to the core, its body where the core says, the answer comes back. The
 * connection sleeps while the core thinks. */
#include "front.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LEAST_RATE = 8,        /* bytes a millisecond, in the mean, that a body must come at */
    DROP_MOST = 200000000, /* bytes of a body that nobody wants, until the connection is cut */
};

/* ---- Sleeping -------------------------------------------------------------------------------- */

static void sleep_now(exchange *x)
{
    if (!x->suspended)
        MHD_suspend_connection(x->connection);
    x->suspended = true;
}

static void wake(exchange *x)
{
    if (x->suspended)
        MHD_resume_connection(x->connection);
    x->suspended = false;
}

/* ---- Answers --------------------------------------------------------------------------------- */

static void set_answer(exchange *x, unsigned status, const char *type, const char *body,
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

static void set_problem(exchange *x, unsigned status, const char *code, const char *detail)
{
    ob_answer answer = ob_answer_problem(status, code, "%s", detail);
    x->retry_after_s = answer.retry_after_s;
    set_answer(x, status, answer.type, answer.body.bytes ? answer.body.bytes : "",
               answer.body.size);
    ob_buf_free(&answer.body);
}

static enum MHD_Result give_answer(exchange *x)
{
    char number[16];
    struct MHD_Response *response;
    if (x->answer_file >= 0) {
        response = MHD_create_response_from_fd(x->answer_size, x->answer_file);
        x->answer_file = -1; /* the response's now */
    } else {
        response =
            MHD_create_response_from_buffer(x->answer.size, x->answer.bytes, MHD_RESPMEM_MUST_COPY);
    }
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", x->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (!strncmp(x->type, "text/html", 9)) /* no script, nothing from elsewhere */
        MHD_add_response_header(response, "Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; "
                                "frame-ancestors 'none'; base-uri 'none'; form-action 'none'");
    if (*x->allow)
        MHD_add_response_header(response, "Allow", x->allow);
    if (x->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (x->retry_after_s) {
        snprintf(number, sizeof number, "%u", x->retry_after_s);
        MHD_add_response_header(response, "Retry-After", number);
    }
    if (x->front->stopping)
        MHD_add_response_header(response, "Connection", "close");
    enum MHD_Result queued = MHD_queue_response(x->connection, x->status, response);
    MHD_destroy_response(response);
    x->state = EXCHANGE_ANSWERED;
    return queued;
}

/* ---- Asking the core ------------------------------------------------------------------------ */

static enum MHD_Result pack_pair(void *context, enum MHD_ValueKind kind, const char *key,
                                 size_t key_size, const char *value, size_t value_size)
{
    ob_buf *out = context;
    (void)kind;
    (void)key_size;
    (void)value_size;
    channel_pack(out, key);
    channel_pack(out, value ? value : "");
    return MHD_YES;
}

static const char *header(exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->connection, MHD_HEADER_KIND, name);
}

/* Length of the body that was announced; -1: it comes in chunks, -2: nonsense. */
static int64_t body_length(exchange *x)
{
    const char *length = header(x, "Content-Length");
    const char *coding = header(x, "Transfer-Encoding");
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
    const message_head head = {.kind = MESSAGE_COUNTS};
    channel_send(f->core, &head, f->counts, sizeof f->counts, -1);
}

static void ask(exchange *x, const char *method, const char *path)
{
    front *f = x->front;
    ob_buf payload = {0};
    int64_t length = body_length(x);
    if (!f->core) {
        set_problem(x, 503, "RESTARTING", "the service is starting: try again");
        return;
    }
    if (f->stopping) {
        set_problem(x, 503, "STOPPING", "the service is stopping");
        return;
    }
    bool packed = channel_pack(&payload, method) && channel_pack(&payload, path) &&
                  channel_pack(&payload, header(x, "Authorization")) &&
                  channel_pack(&payload, header(x, "Content-Type")) &&
                  channel_pack(&payload, header(x, "Idempotency-Key")) &&
                  channel_pack(&payload, header(x, "Accept-Language"));
    MHD_get_connection_values_n(x->connection, MHD_GET_ARGUMENT_KIND, pack_pair, &payload);
    if (!strcmp(path, "/metrics"))
        send_count(f);
    const message_head head = {.kind = MESSAGE_ASK, .id = x->id, .number = length};
    if (length == -2)
        set_problem(x, 400, "INVALID", "the length of the body makes no sense");
    else if (!packed || payload.size > MESSAGE_MOST)
        set_problem(x, 400, "INVALID", "the head of this request is too large");
    else if (channel_send(f->core, &head, payload.bytes, payload.size, -1))
        x->asked = true;
    else
        set_problem(x, 503, "RESTARTING", "the service is starting: try again");
    if (payload.bytes)
        explicit_bzero(payload.bytes, payload.size); /* a token was in it */
    ob_buf_free(&payload);
}

/* ---- The body ------------------------------------------------------------------------------- */

static void send_body(exchange *x)
{
    front *f = x->front;
    intake *in = &x->body;
    bool whole = intake_end(in);
    if (in->no_memory) {
        set_problem(x, 503, "BUSY", "too many files are on their way: try again");
        f->counts[OB_FRONT_LARGE]++;
    } else if (!whole && !in->too_large) {
        set_problem(x, 400, "MULTIPART", "a multipart body with one part is wanted, whole");
    } else if (!in->too_large && in->file >= 0 && !channel_seal(in->file)) {
        set_problem(x, 500, "FAILED", "a memory file cannot be sealed");
    }
    if (x->answered || !f->core) {
        set_problem(x, 503, "RESTARTING", "the service is starting: try again");
        intake_drop(in);
        return;
    }
    message_head head = {.kind = MESSAGE_BODY, .id = x->id, .number = (int64_t)in->size};
    int file = in->file;
    if (in->too_large) {
        head.status = 1;
        f->counts[OB_FRONT_LARGE]++;
    } else if (!in->to_file && in->bytes.size > MESSAGE_MOST) {
        file = channel_file(in->bytes.bytes, in->bytes.size);
        if (file < 0)
            head.status = 1;
    }
    in->file = -1; /* the channel's now */
    bool inlined = file < 0 && !in->to_file && !head.status;
    if (channel_send(f->core, &head, inlined ? in->bytes.bytes : NULL, inlined ? in->bytes.size : 0,
                     file))
        x->state = EXCHANGE_WAITING;
    else
        set_problem(x, 503, "RESTARTING", "the service is starting: try again");
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

/* ---- The library's calls -------------------------------------------------------------------- */

static exchange *begin(front *f, struct MHD_Connection *connection)
{
    exchange *x = f->exchange_count < EXCHANGES_MOST / 2 ? calloc(1, sizeof *x) : NULL;
    if (!x)
        return NULL;
    x->front = f;
    x->connection = connection;
    x->answer_file = x->body.file = -1;
    x->began_ms = daemon_now_ms();
    do
        x->id = f->next_id++;
    while (f->exchanges[x->id % EXCHANGES_MOST]);
    f->exchanges[x->id % EXCHANGES_MOST] = x;
    f->exchange_count++;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    visitor *v = info ? info->socket_context : NULL;
    if (v)
        v->idle_since_ms = 0;
    return x;
}

enum MHD_Result exchange_handle(void *context, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *piece,
                                size_t *piece_size, void **slot)
{
    front *f = context;
    exchange *x = *slot;
    (void)version;
    if (!x) {
        x = *slot = begin(f, connection);
        if (!x)
            return MHD_NO;
        ask(x, method, url);
        if (!x->answered) {
            sleep_now(x);
            return MHD_YES;
        }
    }
    if (!x->head_done) { /* the library still stands behind the head */
        x->head_done = true;
        if (x->answered && header(x, "Expect"))
            return give_answer(x); /* instead of "continue": the body is never sent */
        if (x->answered)
            x->state = EXCHANGE_DROPPING;
        return MHD_YES;
    }
    if (*piece_size)
        return take_piece(x, piece, piece_size);
    if (x->state == EXCHANGE_TAKING) {
        send_body(x);
        if (!x->answered) {
            sleep_now(x);
            return MHD_YES;
        }
    }
    return x->answered ? give_answer(x) : MHD_YES;
}

void exchange_ended(void *context, struct MHD_Connection *connection, void **slot,
                    enum MHD_RequestTerminationCode why)
{
    front *f = context;
    exchange *x = *slot;
    (void)why;
    if (!x)
        return;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    visitor *v = info ? info->socket_context : NULL;
    if (v)
        v->idle_since_ms = daemon_now_ms();
    if (x->asked && !x->answered && f->core) {
        const message_head head = {.kind = MESSAGE_GONE, .id = x->id};
        channel_send(f->core, &head, NULL, 0, -1);
    }
    intake_free(&x->body);
    ob_buf_free(&x->answer);
    if (x->answer_file >= 0)
        close(x->answer_file);
    f->exchanges[x->id % EXCHANGES_MOST] = NULL;
    f->exchange_count--;
    free(x);
    *slot = NULL;
}

/* ---- What the core says --------------------------------------------------------------------- */

static void hear_plan(exchange *x, const message_head *head)
{
    front *f = x->front;
    if (x->state != EXCHANGE_ASKING)
        return;
    if (intake_begin(&x->body, x->connection, head->status == OB_PLAN_FILE, (uint64_t)head->number,
                     &f->held, f->config->memory_most)) {
        x->state = EXCHANGE_TAKING;
        return;
    }
    set_problem(x, 503, "BUSY", "out of memory: try again");
}

static void hear_answer(exchange *x, message *m)
{
    size_t at = 0;
    const char *type, *allow;
    if (!channel_unpack(&type, m, &at) || !channel_unpack(&allow, m, &at) || !type || x->answered) {
        set_problem(x, 500, "FAILED", "the service has lost the answer");
        return;
    }
    if (m->file >= 0) {
        off_t size = lseek(m->file, 0, SEEK_END);
        x->answer_file = m->file;
        x->answer_size = size > 0 ? (size_t)size : 0;
        m->file = -1;
    }
    x->retry_after_s = (unsigned)m->head.number;
    snprintf(x->allow, sizeof x->allow, "%s", allow ? allow : "");
    set_answer(x, m->head.status, type, m->payload + at, m->size - at);
}

void exchange_hear(front *f, message *m)
{
    exchange *x = f->exchanges[m->head.id % EXCHANGES_MOST];
    if (x && x->id == m->head.id) {
        if (m->head.kind == MESSAGE_PLAN)
            hear_plan(x, &m->head);
        else if (m->head.kind == MESSAGE_ANSWER)
            hear_answer(x, m);
        wake(x);
    }
    if (m->file >= 0)
        close(m->file);
}

void exchange_core_lost(front *f)
{
    channel_free(f->core);
    f->core = NULL;
    for (unsigned i = 0; i < EXCHANGES_MOST; i++) {
        exchange *x = f->exchanges[i];
        if (!x || !x->asked || x->answered)
            continue;
        set_problem(x, 503, "RESTARTING", "the service was restarted: try again");
        if (x->state == EXCHANGE_TAKING)
            intake_drop(&x->body);
        x->state = EXCHANGE_DROPPING;
        wake(x);
    }
}

/* ---- Too slow ------------------------------------------------------------------------------- */

static void cut(front *f, int socket)
{
    shutdown(socket, SHUT_RDWR);
    f->counts[OB_FRONT_SLOW]++;
}

void exchange_sweep(front *f)
{
    int64_t now = daemon_now_ms();
    for (visitor *v = f->visitors; v; v = v->next)
        if (v->idle_since_ms && now - v->idle_since_ms > f->config->head_time_ms) {
            cut(f, v->socket);
            v->idle_since_ms = now; /* once */
        }
    for (unsigned i = 0; i < EXCHANGES_MOST && f->exchange_count; i++) {
        exchange *x = f->exchanges[i];
        if (!x || x->suspended || (x->state != EXCHANGE_TAKING && x->state != EXCHANGE_DROPPING))
            continue;
        int64_t beyond = now - x->began_ms - f->config->body_time_ms;
        if (beyond <= 0 || x->came >= (uint64_t)beyond * LEAST_RATE)
            continue;
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(x->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (info)
            cut(f, info->connect_fd);
        x->began_ms = now; /* once */
    }
}
