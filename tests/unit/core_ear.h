/* The core as it hears a front, in this process: its main thread and desks are the real ones, and
 * handlers that answer at once stand in for the service's (the linker puts them in their place). */
#ifndef OBHUT_TEST_CORE_EAR_H
#define OBHUT_TEST_CORE_EAR_H

#include "flat.h"

#include "core.h"

#include <assert.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Handlers -------------------------------------------------------------------------------- */

enum { EAR_BYTES_MOST = 1000, EAR_FILE_MOST = 5000 };

static atomic_int ear_calls; /* that were begun and have not ended */
static atomic_uint ear_bodies;
static unsigned ear_said; /* sentences of the daemon */

static inline void ear_body(ob_call *call, ob_body body)
{
    if (body.file >= 0)
        close(body.file);
    if (body.size > call->most)
        abort();
    for (size_t i = 0; body.bytes && body.file < 0 && i < body.size; i++)
        atomic_fetch_add(&ear_bodies, (unsigned char)body.bytes[i]); /* every byte is there */
    ob_call_answer(call, ob_answer_text(200, "text/plain", "body"));
}

static inline void ear_could_not(ob_call *call, ob_hindrance hindrance)
{
    ob_call_answer(call, ob_answer_could_not(hindrance, NULL));
}

static inline void ear_end(ob_call *call)
{
    atomic_fetch_sub(&ear_calls, 1);
    ob_answer_free(&call->answer);
    free(call);
}

static bool ear_happened(const ob_call *call)
{
    return call->client % 3 == 0;
}

static bool ear_again(ob_call *call, bool last)
{
    if (!last && call->client % 2)
        return false;
    call->answer = ob_answer_text(200, "text/plain", "again");
    return true;
}

/* As many pieces as anybody takes, of more than may be on their way. */
static void *ear_pour(void *argument)
{
    static const char zeros[10000];
    ob_call *call = argument;
    ob_call_answer(call, ob_answer_in_pieces(200, "text/plain"));
    for (int i = 0; i < 50 && ob_answer_piece(call, zeros, sizeof zeros, false); i++)
        ;
    ob_answer_piece(call, zeros, 1, true);
    return NULL;
}

static void ear_begin_pieces(ob_call *call, ob_body body)
{
    pthread_t thread;
    (void)body;
    if (pthread_create(&thread, NULL, ear_pour, call))
        abort();
    pthread_detach(thread);
}

static const ob_call_class ear_brief = {.body = ear_body, .end = ear_end};
static const ob_call_class ear_long = {
    .is_long = true, .body = ear_body, .could_not = ear_could_not, .end = ear_end};

static const ob_call_class ear_waits = {
    .body = ear_body, .happened = ear_happened, .again = ear_again, .end = ear_end};
static const ob_call_class ear_pieces = {.body = ear_begin_pieces, .end = ear_end};

/* The path says what becomes of a request. */
static inline ob_plan ear_begin(ob_call **out, const ob_request *request)
{
    const char what = request->path[0] ? request->path[1] : '\0';
    ob_call *call = what == 'n' ? NULL : calloc(1, sizeof *call);
    *out = call;
    if (!call)
        return OB_PLAN_ANSWER;
    atomic_fetch_add(&ear_calls, 1);
    call->class = what == 'l' || what == 'F' ? &ear_long : &ear_brief;
    call->most = what == 'f' || what == 'F' ? EAR_FILE_MOST : EAR_BYTES_MOST;
    if (what == 'f' || what == 'F')
        return OB_PLAN_FILE;
    if (what == 'w') {
        static atomic_uint clients;
        call->class = &ear_waits;
        call->client = clients++;
        call->wait_ms = 20;
        return OB_PLAN_WAIT;
    }
    if (what == 'p') {
        call->class = &ear_pieces;
        return OB_PLAN_BYTES;
    }
    if (what == 'b' || what == 'l')
        return OB_PLAN_BYTES;
    call->answer = ob_answer_text(200, "text/plain", "head");
    return OB_PLAN_ANSWER;
}

ob_plan __wrap_ob_services_begin(ob_call **out, ob_services *services, const ob_request *request);
ob_plan __wrap_ob_services_begin(ob_call **out, ob_services *services, const ob_request *request)
{
    (void)services;
    return ear_begin(out, request);
}

ob_plan __wrap_ob_commands_begin_http(ob_call **out, ob_service *s, const ob_request *request);
ob_plan __wrap_ob_commands_begin_http(ob_call **out, ob_service *s, const ob_request *request)
{
    (void)s;
    return ear_begin(out, request);
}

bool __wrap_ob_services_asks(const ob_request *request);
bool __wrap_ob_services_asks(const ob_request *request)
{
    return strlen(request->path) > 4; /* the records */
}

ob_services_counts *__wrap_ob_services_counters(ob_services *services);
ob_services_counts *__wrap_ob_services_counters(ob_services *services)
{
    static ob_services_counts counts;
    (void)services;
    return &counts;
}

void __wrap_ob_engine_could_not(ob_engine *engine, ob_hindrance hindrance);
void __wrap_ob_engine_could_not(ob_engine *engine, ob_hindrance hindrance)
{
    (void)engine;
    (void)hindrance;
}

bool __wrap_ob_gateways_own(const ob_request *request);
bool __wrap_ob_gateways_own(const ob_request *request)
{
    (void)request;
    return false;
}

void __wrap_daemon_say(const char *who, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void __wrap_daemon_say(const char *who, const char *format, ...)
{
    char line[1200];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    (void)who;
    ear_said++;
}

/* ---- The core -------------------------------------------------------------------------------- */

typedef struct ear {
    core *core;
    config config;
    int front, main; /* the other ends; front -1: there is none */
} ear;

static inline void ear_open(ear *e)
{
    int ends[2];
    core *c = calloc(1, sizeof *c);
    *e = (ear){.core = c, .front = -1};
    for (int i = 0; i < OB_LISTENERS; i++)
        e->config.connections_most[i] = i == OB_LISTENER_PUBLIC ? 0 : 64;
    if (!c || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        abort();
    c->config = &e->config;
    c->admin_socket = -1;
    c->answered_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->main = ob_wire_new(ends[0], &control_protocol, CONTROL_CHILD, NULL);
    e->main = ends[1];
    pthread_mutex_init(&c->telling, NULL);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->took, NULL);
    if (desks_open(&c->desks, CALLS, false, NULL) || desks_open(&c->asking, CALLS, false, NULL) ||
        desks_open(&c->reading, CALLS, true, NULL) || desks_open(&c->showing, CALLS, true, NULL))
        abort();
}

/* Main introduces another front. */
static inline void ear_introduce(ear *e)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
        abort();
    if (e->front >= 0)
        close(e->front);
    if (e->core->front)
        peer_lose(e->core);
    peer_set(e->core, ob_wire_new(ends[0], &channel_protocol, CHANNEL_CORE, NULL));
    e->front = ends[1];
}

/* Reads what was sent to a side that is not looked at. Returns how many packets. */
static inline unsigned ear_drain(int from)
{
    static uint8_t bytes[FLAT_MOST];
    struct iovec piece = {bytes, sizeof bytes};
    unsigned count = 0;
    for (int file = -1; ob_bytes_receive(&file, from, &piece, 1, MSG_DONTWAIT) > 0; count++)
        if (file >= 0)
            close(file);
    return count;
}

/* One turn of the main thread, as in core.c. */
static inline void ear_turn(ear *e)
{
    core *c = e->core;
    peer_look_after(c);
    if (c->front)
        peer_flush(c);
    if (c->front)
        peer_hear(c);
    carry_back(c);
    wait_look(c);
    peer_look_after(c);
    ear_drain(e->main);
    if (e->front >= 0)
        ear_drain(e->front);
    if (!c->front)
        ear_introduce(e);
}

static inline int ear_file(size_t size, bool sealed)
{
    static const char zeros[EAR_FILE_MOST];
    const int file = memfd_create("lie", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (file < 0 || write(file, zeros, size % sizeof zeros) < 0)
        abort();
    if (sealed)
        channel_seal(file);
    return file;
}

/* What lies beside a packet. */
enum { EAR_NO_FILE, EAR_SEALED, EAR_OPEN, EAR_TWO, EAR_SOCKET, EAR_BESIDES };

/* Sends bytes as they are, and lets the core hear them. */
static inline void ear_send(ear *e, const uint8_t *bytes, size_t size, unsigned beside)
{
    union {
        char bytes[CMSG_SPACE(2 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    int files[2] = {-1, -1};
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    const size_t count = beside == EAR_TWO ? 2 : beside == EAR_NO_FILE ? 0 : 1;
    for (size_t i = 0; i < count; i++)
        files[i] = beside == EAR_SOCKET ? dup(e->main) : ear_file(size, beside == EAR_SEALED);
    if (count) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(count * sizeof(int));
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        *head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        head->cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(head), files, count * sizeof(int));
    }
    (void)!sendmsg(e->front, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    for (size_t i = 0; i < count; i++)
        close(files[i]);
    ear_turn(e);
}

/* Whether a front that does its part is answered. */
static inline bool ear_serves(ear *e)
{
    static uint8_t bytes[FLAT_MOST];
    ob_packet p = ob_packet_of(MESSAGE_ASK, 77), got;
    const ob_request request = {.method = "GET", .path = "/a", .peer = ""};
    bool answered = false;
    ear_introduce(e);
    channel_put_request(&p, &request, false);
    channel_put_field(&p, NULL, NULL);
    channel_put_field(&p, NULL, NULL);
    channel_put_body(&p, NULL, 0);
    if (send(e->front, bytes, flat(bytes, &p), MSG_NOSIGNAL) < 0)
        abort();
    ob_packet_free(&p);
    ob_wire *front = ob_wire_new(dup(e->front), &channel_protocol, CHANNEL_FRONT, NULL);
    for (int i = 0; i < 3000 && !answered; i++) {
        struct pollfd both[2] = {{.fd = e->front, .events = POLLIN},
                                 {.fd = e->core->answered_event, .events = POLLIN}};
        peer_hear(e->core);
        carry_back(e->core);
        poll(both, 2, 10);
        while (ob_wire_receive(front, &got) == OB_WIRE_PACKET) {
            uint32_t status;
            answered |= got.kind == MESSAGE_ANSWER && got.id == 77 && ob_get_u32(&status, &got) &&
                        status == 200;
            ob_packet_free(&got);
        }
    }
    ob_wire_free(front);
    return answered;
}

/* Ends everything; aborts where something is left. */
static inline void ear_close(ear *e)
{
    core *c = e->core;
    peer_lose(c);
    desks_close(c->desks); /* first: it hands on */
    desks_close(c->asking);
    desks_close(c->reading);
    desks_close(c->showing);
    carry_back(c);
    for (int i = 0; i < 6000 && ear_calls; i++) { /* those who make pieces */
        poll(NULL, 0, 10);
        carry_back(c);
    }
    if (c->call_count || ear_calls || c->waiting)
        abort();
    for (int i = 0; i < OB_LISTENERS; i++)
        if (c->held[i])
            abort();
    for (size_t i = 0; i < CALLS; i++)
        if (c->calls[i])
            abort();
    ob_wire_free(c->main);
    close(c->answered_event);
    close(e->main);
    if (e->front >= 0)
        close(e->front);
    pthread_mutex_destroy(&c->telling);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

#endif
