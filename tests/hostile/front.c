/* A front that was taken over, in the place of the real one: confined by the same code, then it
 * does what a line on a connection says: "NAME TOKEN", one of the tables' names, or "list". */
#include "front.h"
#include "../unit/flat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static ob_wire *main_wire;
static int core = -1, visitor_socket = -1;
static char large[MESSAGE_MOST + 99];
static const char *token;

/* A head of a request: fields without a tail. */
typedef enum asks { A_SCAN_HEAD, A_READY_HEAD, AN_EXPLANATION_HEAD, A_WAITING_HEAD, HEADS } asks;
static ob_packet heads[HEADS];

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    char line[2000];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(line, sizeof line - 1, format, args);
    va_end(args);
    line[size++] = '\n';
    (void)!send(visitor_socket, line, (size_t)size, MSG_NOSIGNAL);
}

/* ---- Packets --------------------------------------------------------------------------------- */

static bool send_to(int to, const void *bytes, size_t size, int file, int files)
{
    union {
        char bytes[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec piece = {(void *)(uintptr_t)bytes, size};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (file >= 0) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE((size_t)files * sizeof file);
        struct cmsghdr *at = CMSG_FIRSTHDR(&message);
        *at = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        at->cmsg_len = CMSG_LEN((size_t)files * sizeof file);
        for (int i = 0; i < files; i++)
            memcpy(CMSG_DATA(at) + (size_t)i * sizeof file, &file, sizeof file);
    }
    return sendmsg(to, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Waits a while for room; false where the core does not speak to us any more. */
static bool send_waiting(const void *bytes, size_t size, int file, int files)
{
    for (int i = 0; i < 100; i++) {
        if (send_to(core, bytes, size, file, files))
            return true;
        struct pollfd room = {.fd = core, .events = POLLOUT};
        if (errno != EAGAIN || poll(&room, 1, 100) < 0)
            return false;
    }
    return false;
}

/* As it is, whatever the protocol says; frees it, and leaves its descriptor. */
static bool send_packet(ob_packet *p)
{
    static uint8_t bytes[FLAT_MOST];
    const int file = p->file;
    p->file = -1;
    const bool sent = send_waiting(bytes, flat(bytes, p), file, 1);
    ob_packet_free(p);
    return sent;
}

static bool kind_alone(uint32_t kind, uint64_t id)
{
    ob_packet p = ob_packet_of(kind, id);
    return send_packet(&p);
}

/* Any fields, and so many zeros behind them. */
static bool packet(uint32_t kind, uint32_t first, uint64_t id, uint64_t second, size_t zeros,
                   int file)
{
    ob_packet p = ob_packet_of(kind, id);
    switch (kind) {
    case MESSAGE_ASK:
        ob_put_u32(&p, OB_LISTENER_SERVICES);
        ob_put_u32(&p, first);
        ob_put_u64(&p, second);
        break;
    case MESSAGE_BODY:
        ob_put_u32(&p, first);
        ob_put_u64(&p, second);
        ob_put_tail(&p, large, zeros);
        zeros = 0;
        break;
    case MESSAGE_TAKEN:
        ob_put_u64(&p, second);
        break;
    case MESSAGE_UNABLE:
    case MESSAGE_LAYERS:
        ob_put_u32(&p, first);
        break;
    default:
        break;
    }
    if (zeros && !ob_packet_reserve(&p, zeros))
        return false;
    while (zeros >= sizeof(uint32_t)) {
        ob_put_u32(&p, 0);
        zeros -= sizeof(uint32_t);
    }
    p.file = file;
    return send_packet(&p);
}

/* A request as it should be, but for what these say. */
static bool ask(asks what, uint64_t id, const void *body, size_t size)
{
    ob_packet *p = ob_packet_copy(&heads[what]);
    ob_packet whole = ob_packet_of(MESSAGE_ASK, id);
    if (!p || !ob_packet_reserve(&whole, p->size))
        return false;
    memcpy(whole.bytes ? whole.bytes : whole.small, p->bytes, p->size);
    whole.size = p->size;
    ob_packet_drop(p);
    ob_put_tail(&whole, body, size);
    return send_packet(&whole);
}

/* What came, or false after so long. */
static bool take(wire_head *head, uint32_t *status, int ms)
{
    static char bytes[MESSAGE_MOST + 100];
    char control[64];
    struct pollfd some = {.fd = core, .events = POLLIN};
    struct iovec pieces[2] = {{head, sizeof *head}, {bytes, sizeof bytes}};
    struct msghdr message = {.msg_iov = pieces,
                             .msg_iovlen = 2,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    if (poll(&some, 1, ms) <= 0 || recvmsg(core, &message, MSG_DONTWAIT) <= 0)
        return false;
    memcpy(status, bytes, sizeof *status);
    struct cmsghdr *at = CMSG_FIRSTHDR(&message);
    int file;
    if (at && at->cmsg_type == SCM_RIGHTS) {
        memcpy(&file, CMSG_DATA(at), sizeof file);
        close(file);
    }
    return true;
}

static bool take_any(void)
{
    wire_head head;
    uint32_t status;
    return take(&head, &status, 0);
}

/* Waits until this number was spoken of. Returns what was said first: a plan or a status. */
static uint32_t await(uint64_t id, int ms)
{
    wire_head head;
    uint32_t status;
    while (take(&head, &status, ms))
        if (head.id == id)
            return status;
    return 0;
}

static void make_head(asks what, const char *method, const char *path, int64_t length,
                      const char *name, const char *value)
{
    char bearer[300];
    ob_packet *p = &heads[what];
    snprintf(bearer, sizeof bearer, "Bearer %s", token);
    const ob_field headers[] = {{"Authorization", bearer}, {"If-None-Match", "*"}};
    const ob_request request = {.method = method,
                                .path = path,
                                .peer = "192.0.2.7",
                                .headers = headers,
                                .header_count = 2,
                                .content_length = length};
    if (p->kind) /* there was one before */
        ob_packet_free(p);
    *p = ob_packet_of(MESSAGE_ASK, 0);
    channel_put_request(p, &request, false);
    channel_put_field(p, NULL, NULL); /* no cookies */
    if (name)
        channel_put_field(p, name, value);
    channel_put_field(p, NULL, NULL);
}

static int memory_file(size_t size, bool sealed)
{
    int file = memfd_create("hostile", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    for (size_t written = 0; written < size;) {
        const size_t left = size - written, piece = left < sizeof large ? left : sizeof large;
        const ssize_t got = write(file, large, piece);
        if (got <= 0)
            break;
        written += (size_t)got;
    }
    if (sealed)
        channel_seal(file);
    return file;
}

/* ---- Lies of one or two packets -------------------------------------------------------------- */

typedef enum first {
    NOTHING,
    A_SCAN,
    AN_EXPLANATION,
    A_SCAN_GONE,
    A_READY,
    WHO_WAITS /* for something to happen; nothing is told of that */
} first;
typedef enum beside {
    NO_FILE,
    OPEN_FILE,
    SEALED_FILE,
    SEALED_AND_ZEROS,
    EVENT,
    LISTENING,
    CONTROL
} beside;

static const struct lie {
    const char *name;
    first first; /* what is asked for before, under the number 7, until the plan is there */
    uint32_t kind, first_field;
    uint64_t id;
    int64_t second_field;
    size_t size; /* zeros behind the fields; or of the file */
    beside beside;
    bool ends; /* that the core hangs up on it */
} lies[] = {
    {"kind-0", NOTHING, 0, 0, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-plan", NOTHING, MESSAGE_PLAN, 0, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-answer", NOTHING, MESSAGE_ANSWER, 200, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-piece", NOTHING, MESSAGE_PIECE, 0, 1, 0, 0, NO_FILE, true},
    {"kind-99", NOTHING, 99, 0, 1, 0, 0, NO_FILE, true},
    {"kind-highest", NOTHING, UINT32_MAX, 0, 1, 0, 0, NO_FILE, true},
    {"ask-without-more", NOTHING, MESSAGE_ASK, 0, 1, 0, 0, NO_FILE, false},
    {"ask-neither-true-nor-false", NOTHING, MESSAGE_ASK, 2, 1, 0, 0, NO_FILE, true},
    {"ask-zeros", NOTHING, MESSAGE_ASK, 0, 1, 0, 5000, NO_FILE, false},
    {"ask-longest", NOTHING, MESSAGE_ASK, 0, 1, 0, MESSAGE_MOST - 16, NO_FILE, false},
    {"ask-with-file", NOTHING, MESSAGE_ASK, 0, 1, 0, 0, SEALED_FILE, true},
    {"ask-highest-number", NOTHING, MESSAGE_ASK, 0, UINT64_MAX, INT64_MAX, 9, NO_FILE, false},
    {"ask-negative-length", NOTHING, MESSAGE_ASK, 0, 2, INT64_MIN, 9, NO_FILE, false},
    {"ask-twice", A_SCAN, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, true},
    {"ask-same-place", A_SCAN, MESSAGE_ASK, 0, 7 + 16384, 0, 0, NO_FILE, true},
    {"ask-again-after-gone", A_SCAN_GONE, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, false},
    {"ask-again-after-answer", A_READY, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, false},
    {"body-of-nobody", NOTHING, MESSAGE_BODY, 0, 3, 0, 0, NO_FILE, false},
    {"body-of-nobody-with-file", NOTHING, MESSAGE_BODY, 0, 3, 5, 5, SEALED_FILE, false},
    {"body-without-file", A_SCAN, MESSAGE_BODY, 0, 7, 5, 5, NO_FILE, true},
    {"body-empty", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, NO_FILE, true},
    {"body-open-file", A_SCAN, MESSAGE_BODY, 0, 7, 50, 50, OPEN_FILE, true},
    {"body-shorter-than-said", A_SCAN, MESSAGE_BODY, 0, 7, 60, 50, SEALED_FILE, true},
    {"body-longer-than-said", A_SCAN, MESSAGE_BODY, 0, 7, 40, 50, SEALED_FILE, true},
    {"body-negative", A_SCAN, MESSAGE_BODY, 0, 7, -1, 50, SEALED_FILE, true},
    {"body-lowest", A_SCAN, MESSAGE_BODY, 0, 7, INT64_MIN, 50, SEALED_FILE, true},
    {"body-over-limit", A_SCAN, MESSAGE_BODY, 0, 7, 50000001, 0, SEALED_FILE, true},
    {"body-event", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, EVENT, true},
    {"body-listening-socket", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, LISTENING, true},
    {"body-control-socket", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, CONTROL, true},
    {"body-too-large", A_SCAN, MESSAGE_BODY, 1, 7, 0, 0, NO_FILE, false},
    {"body-too-large-with-file", A_SCAN, MESSAGE_BODY, 1, 7, 5, 5, SEALED_FILE, true},
    {"body-of-zeros", A_SCAN, MESSAGE_BODY, 0, 7, 5000, 5000, SEALED_FILE, false},
    {"body-of-nothing", A_SCAN, MESSAGE_BODY, 0, 7, 0, 0, SEALED_FILE, false},
    {"body-sparse", A_SCAN, MESSAGE_BODY, 0, 7, 30000000, 30000000, SEALED_FILE, false},
    {"body-after-gone", A_SCAN_GONE, MESSAGE_BODY, 0, 7, 50, 50, SEALED_FILE, false},
    {"body-after-answer", A_READY, MESSAGE_BODY, 0, 7, 50, 50, SEALED_FILE, false},
    {"body-of-another-in-its-place", A_SCAN, MESSAGE_BODY, 0, 7 + 16384, 50, 50, SEALED_FILE,
     false},
    {"json-zeros", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 500, 500, NO_FILE, false},
    {"json-other-size", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 9, 500, NO_FILE, false},
    {"json-nothing", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 0, 0, NO_FILE, false},
    {"json-file-zeros", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 90000, 90000, SEALED_FILE, false},
    {"json-file-open", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 90000, 90000, OPEN_FILE, true},
    {"json-file-over-limit", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 30000000, 30000000, SEALED_FILE,
     true},
    {"json-file-event", AN_EXPLANATION, MESSAGE_BODY, 0, 7, 0, 0, EVENT, true},
    {"unable-nobody", NOTHING, MESSAGE_UNABLE, 1, 3, 0, 0, NO_FILE, false},
    {"unable-unknown", A_SCAN, MESSAGE_UNABLE, UINT32_MAX, 7, 0, 0, NO_FILE, false},
    {"unable-with-file", A_SCAN, MESSAGE_UNABLE, 1, 7, 5, 5, SEALED_FILE, true},
    {"unable-longer", A_SCAN, MESSAGE_UNABLE, 1, 7, 0, 4, NO_FILE, true},
    {"ask-beyond", NOTHING, MESSAGE_ASK, 1, 8, 0, 9, NO_FILE, false},
    {"gone-nobody", NOTHING, MESSAGE_GONE, 0, 5, 0, 0, NO_FILE, false},
    {"gone-with-file", NOTHING, MESSAGE_GONE, 0, 5, 0, 0, SEALED_FILE, true},
    {"gone-highest", NOTHING, MESSAGE_GONE, 1, UINT64_MAX, -1, 0, NO_FILE, false},
    {"gone-longer", NOTHING, MESSAGE_GONE, 1, 5, -1, 99, NO_FILE, true},
    {"late-nobody", NOTHING, MESSAGE_LATE, 0, 5, 0, 0, NO_FILE, false},
    {"late-longer", NOTHING, MESSAGE_LATE, 0, 5, 0, 4, NO_FILE, true},
    {"counts-empty", NOTHING, MESSAGE_COUNTS, 0, 0, 0, 0, NO_FILE, true},
    {"counts-longest", NOTHING, MESSAGE_COUNTS, 0, 0, 0, MESSAGE_MOST, NO_FILE, true},
    {"counts-highest", NOTHING, MESSAGE_COUNTS, 0, UINT64_MAX, 0, OB_FRONT_COUNTS * 8, NO_FILE,
     false},
    {"layers-all", NOTHING, MESSAGE_LAYERS, UINT32_MAX, 0, 0, 0, NO_FILE, false},
    {"layers-longer", NOTHING, MESSAGE_LAYERS, 0, 0, 0, 9, NO_FILE, true},
    {"taken-of-nobody", NOTHING, MESSAGE_TAKEN, 0, 3, 5, 0, NO_FILE, false},
    {"taken-longer", NOTHING, MESSAGE_TAKEN, 0, 3, 5, 4, NO_FILE, true},
    {"taken-without-pieces", A_SCAN, MESSAGE_TAKEN, 0, 7, 5, 0, NO_FILE, true},
    {"taken-nothing", A_SCAN, MESSAGE_TAKEN, 0, 7, 0, 0, NO_FILE, true},
    {"body-of-who-waits", WHO_WAITS, MESSAGE_BODY, 0, 7, 0, 0, NO_FILE, true},
    {"unable-of-who-waits", WHO_WAITS, MESSAGE_UNABLE, 1, 7, 0, 0, NO_FILE, true},
    {"ask-over-who-waits", WHO_WAITS, MESSAGE_ASK, 0, 7, 0, 0, NO_FILE, true},
    {"late-of-who-waits", WHO_WAITS, MESSAGE_LATE, 0, 7, 0, 0, NO_FILE, false},
    {"gone-of-who-waits", WHO_WAITS, MESSAGE_GONE, 0, 7, 0, 0, NO_FILE, false},
    {"too-long", NOTHING, MESSAGE_ASK, 0, 1, 0, MESSAGE_MOST + 8, NO_FILE, true},
    {"body-in-a-file-and-beside", A_SCAN, MESSAGE_BODY, 0, 7, 50, 50, SEALED_AND_ZEROS, true},
};

static void prepare(first first)
{
    const bool scans = first == A_SCAN || first == A_SCAN_GONE;
    if (first == NOTHING)
        return;
    if (first == WHO_WAITS) {
        ask(A_WAITING_HEAD, 7, NULL, 0);
        poll(NULL, 0, 300);
        return;
    }
    ask(scans                     ? A_SCAN_HEAD
        : first == AN_EXPLANATION ? AN_EXPLANATION_HEAD
                                  : A_READY_HEAD,
        7, NULL, 0);
    await(7, 20000);
    if (first == A_SCAN_GONE)
        kind_alone(MESSAGE_GONE, 7);
}

static void tell_lie(const struct lie *l)
{
    const bool sealed = l->beside == SEALED_FILE || l->beside == SEALED_AND_ZEROS;
    int file = l->beside == OPEN_FILE   ? memory_file(l->size, false)
               : sealed                 ? memory_file(l->size, true)
               : l->beside == EVENT     ? (int)syscall(SYS_eventfd2, 0, 0)
               : l->beside == LISTENING ? LISTEN_FD
               : l->beside == CONTROL   ? CONTROL_FD
                                        : -1;
    const bool zeros = l->beside == NO_FILE || l->beside == SEALED_AND_ZEROS;
    prepare(l->first);
    packet(l->kind, l->first_field, l->id, (uint64_t)l->second_field, zeros ? l->size : 0, file);
    if (file > LISTEN_FD)
        close(file);
    if (!l->ends) /* the number is free for the next one */
        kind_alone(MESSAGE_GONE, 7);
}

/* ---- Lies of many, and of the control socket ------------------------------------------------- */

static void tell_main(uint32_t kind, uint64_t about, int count, int file)
{
    static uint8_t bytes[FLAT_MOST];
    const ob_packet p = ob_packet_of(kind, about);
    const size_t size = flat(bytes, &p);
    for (int i = 0; i < count; i++)
        send_to(CONTROL_FD, bytes, size, file, 1);
}

static void ready_again(void)
{
    tell_main(CONTROL_READY, 0, 1, -1);
}

static void ready_flood(void)
{
    tell_main(CONTROL_READY, 0, 100000, -1);
}

static void word_stop(void)
{
    tell_main(CONTROL_STOP, 0, 1, -1);
}

static void word_hang_up(void)
{
    tell_main(CONTROL_HANG_UP, ROLE_CORE, 1, -1);
}

static void word_hang_up_on_itself(void)
{
    tell_main(CONTROL_HANG_UP, ROLE_FRONT, 1, -1);
}

static void word_hang_up_on_nobody(void)
{
    tell_main(CONTROL_HANG_UP, UINT64_MAX, 1, -1);
}

static void word_peer_with_file(void)
{
    tell_main(CONTROL_PEER, ROLE_CORE, 1, CONTROL_FD);
}

static void word_unknown(void)
{
    tell_main(77, 0, 1, -1);
}

static void word_cut(void)
{
    send_to(CONTROL_FD, "x", 1, -1, 1);
}

static void control_closed(void)
{
    close(CONTROL_FD);
    poll(NULL, 0, 20000);
}

static void core_closed(void)
{
    close(core);
    core = -1;
    poll(NULL, 0, 500);
    ready_again();
}

static void head_cut(void)
{
    send_to(core, large, 5, -1, 1);
}

static void head_nothing(void)
{
    send_to(core, large, 0, CONTROL_FD, 1);
}

static void head_of_another_program(void)
{
    send_to(core, large, 500, -1, 1);
}

static void packet_empty(void)
{
    send_to(core, large, 0, -1, 1);
}

static void many_files(void)
{
    static uint8_t bytes[FLAT_MOST];
    const ob_packet p = ob_packet_of(MESSAGE_BODY, 7);
    send_to(core, bytes, flat(bytes, &p), CONTROL_FD, 4);
}

static void ask_without_end(void)
{
    for (uint64_t i = 0; i < 20000; i++) {
        if (!ask(A_SCAN_HEAD, 100 + i, NULL, 0))
            return;
        while (take_any())
            ;
    }
}

static void ask_the_same_without_end(void)
{
    for (int i = 0; i < 20000; i++)
        if (!ask(A_SCAN_HEAD, 7, NULL, 0))
            return;
}

/* A head with a body behind it: so many bytes, of so many that the head announces. */
static void early(uint64_t id, bool scans, size_t size, int64_t announced)
{
    static char body[8000];
    memset(body, '{', sizeof body);
    make_head(scans ? A_SCAN_HEAD : AN_EXPLANATION_HEAD, "POST",
              scans ? "/v1/scan" : "/v1/gate/explain", announced, scans ? "surface" : NULL,
              "public");
    ask(scans ? A_SCAN_HEAD : AN_EXPLANATION_HEAD, id, body, size);
}

static void early_lies(void)
{
    static const struct {
        bool scans;
        size_t size;
        int64_t announced;
    } all[] = {
        {false, 50, 50},  {false, 50, -1},       {false, 50, 49},        {false, 50, 60},
        {false, 0, 5000}, {false, 1, INT64_MAX}, {false, 50, INT64_MIN}, {false, 8000, 8000},
        {true, 50, 50},   {true, 0, 60},         {true, 1, INT64_MIN},   {true, 8000, 7999},
    };
    for (uint64_t i = 0; i < sizeof all / sizeof *all; i++) {
        early(200 + i, all[i].scans, all[i].size, all[i].announced);
        if (i % 2)
            kind_alone(MESSAGE_GONE, 200 + i);
    }
    for (uint64_t i = 0; i < sizeof all / sizeof *all; i++)
        kind_alone(MESSAGE_GONE, 200 + i);
}

static void ask_over(uint32_t listener, uint64_t id)
{
    ob_packet p = ob_packet_of(MESSAGE_ASK, id);
    ob_put_u32(&p, listener);
    ob_put_u32(&p, 0);
    ob_put_i64(&p, -1);
    send_packet(&p);
    kind_alone(MESSAGE_GONE, id);
}

/* What it says of where a request came from cannot be checked: it is answered as there. */
static void ask_over_each(void)
{
    for (uint32_t i = 0; i < OB_LISTENERS; i++)
        ask_over(i, 400 + i);
}

static void ask_over_none(void)
{
    ask_over(OB_LISTENERS, 400);
}

static void ask_over_the_highest(void)
{
    ask_over(UINT32_MAX, 400);
}

/* While the first is looked at, or was, or is not known any more. */
static void early_and_late(void)
{
    for (uint64_t i = 0; i < 1000; i++) {
        early(300 + i, true, 50, 50);
        packet(MESSAGE_BODY, 0, 300 + i, 50, 50, -1);
    }
}

/* Kept, and handed to nobody. */
static void fill_memory(void)
{
    enum { FILES = 60, EACH = 8 << 20 };
    for (int i = 0; i < FILES; i++)
        memory_file(EACH, false);
    poll(NULL, 0, 20000);
}

static void read_nothing(void)
{
    for (uint64_t i = 0; i < 20000; i++)
        if (!ask(A_READY_HEAD, 100 + i, NULL, 0))
            return;
}

/* A scan as it should be, of bytes that are no picture; every second one is not waited for. */
static bool scan_whole(uint64_t id, size_t size, bool leave)
{
    if (!ask(A_SCAN_HEAD, id, NULL, 0))
        return false;
    await(id, 20000);
    int file = memory_file(size, true);
    bool sent = packet(MESSAGE_BODY, 0, id, size, 0, file);
    close(file);
    return sent && (!leave || kind_alone(MESSAGE_GONE, id));
}

/* What the core hangs up on, or nearly. */
static bool misbehave(unsigned how, uint64_t state)
{
    static uint8_t bytes[FLAT_MOST];
    if (how == 0)
        return packet((uint32_t)state, 0, 1, 0, state % 9000, -1);
    ob_packet p =
        ob_packet_of(how == 1 ? (uint32_t)MESSAGE_BODY : (uint32_t)(state >> 8) % MESSAGES, state);
    ob_put_u32(&p, (uint32_t)state % 2);
    ob_put_u64(&p, state);
    ob_put_tail(&p, NULL, 0);
    const size_t size = flat(bytes, &p);
    if (how == 1)
        return send_to(core, bytes, state % size, -1, 1);
    int file = how == 4 ? CONTROL_FD : memory_file(state % 9000, how == 3);
    bool sent = send_to(core, bytes, size, file, how == 2 ? 1 : (int)(state % 4) + 1);
    if (file != CONTROL_FD)
        close(file);
    return sent;
}

/* A head of a request in which some bytes behind its numbers are others. */
static bool nearly_ask(unsigned what, uint64_t state, uint64_t id)
{
    enum { NUMBERS = sizeof(wire_head) + 16 };
    static uint8_t bytes[FLAT_MOST];
    ob_packet p = ob_packet_of(MESSAGE_ASK, id), *head = ob_packet_copy(&heads[A_SCAN_HEAD]);
    const uint32_t listener = (uint32_t)(state >> 40) % OB_LISTENERS;
    if (!head || !ob_packet_reserve(&p, head->size))
        return false;
    memcpy(p.bytes ? p.bytes : p.small, head->bytes, head->size);
    p.size = head->size;
    ob_packet_drop(head);
    ob_put_tail(&p, large, what & 8 ? (size_t)(state % 3000) : 0);
    size_t size = flat(bytes, &p);
    ob_packet_free(&p);
    memcpy(bytes + sizeof(wire_head), &listener, sizeof listener);
    for (unsigned i = 0; i < (what & 3); i++)
        bytes[NUMBERS + (state >> (8 * i)) % (size - NUMBERS)] = (uint8_t)(state >> (5 * i));
    if (!(what & 4))
        size = NUMBERS + (state >> 24) % (size - NUMBERS);
    return send_waiting(bytes, size, -1, 1);
}

static bool nearly_meant(unsigned what, uint64_t state, uint64_t *id)
{
    const uint64_t old = *id - state % 3;
    if (what < 700)
        return nearly_ask(what, state, ++*id) && kind_alone(MESSAGE_GONE, *id);
    return packet(what < 900    ? MESSAGE_BODY
                  : what < 1800 ? MESSAGE_GONE
                  : what < 1900 ? MESSAGE_UNABLE
                  : what < 1950 ? MESSAGE_COUNTS
                  : what < 2000 ? MESSAGE_LATE
                                : MESSAGE_LAYERS,
                  what < 900 ? 0 : (uint32_t)state, old, state,
                  what < 900                    ? (size_t)(state >> 24) % 2048
                  : what < 1950 && what >= 1900 ? OB_FRONT_COUNTS * sizeof(uint64_t)
                                                : 0,
                  -1);
}

/* Packets that could nearly be meant, with wrong bytes; some that are, and a few that are not. */
static void random_packets(unsigned seed, unsigned count)
{
    enum { KINDS = 2048, ENDING = 5, WHOLE = 40, OFTEN = 32 };
    unsigned sent = 0;
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, id = 1000;
    for (bool goes_on = true; sent < count && goes_on; sent += goes_on) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        const unsigned what = (unsigned)(state >> 8) % KINDS;
        if (what < ENDING || sent % OFTEN == 0) /* there may be no time afterwards */
            say("sent %u", sent + 1);
        goes_on = what < ENDING  ? misbehave(what, state >> 20)
                  : what < WHOLE ? scan_whole(++id, (size_t)(state >> 20) % 20000, what % 2)
                                 : nearly_meant(what, state, &id);
        while (take_any())
            ;
    }
    say("sent %u", sent);
}

static const struct flood {
    const char *name;
    void (*run)(void);
    bool ends;
} floods[] = {
    {"ready-again", ready_again, true},
    {"ready-flood", ready_flood, true},
    {"word-stop", word_stop, true},
    {"word-hang-up", word_hang_up, true},
    {"word-hang-up-on-itself", word_hang_up_on_itself, true},
    {"word-hang-up-on-nobody", word_hang_up_on_nobody, true},
    {"word-peer-with-file", word_peer_with_file, true},
    {"word-unknown", word_unknown, true},
    {"word-cut", word_cut, true},
    {"control-closed", control_closed, true},
    {"core-closed", core_closed, true},
    {"head-cut", head_cut, true},
    {"head-nothing", head_nothing, true},
    {"head-of-another-program", head_of_another_program, true},
    {"packet-empty", packet_empty, true},
    {"many-files", many_files, true},
    {"ask-without-end", ask_without_end, true},
    {"ask-the-same-without-end", ask_the_same_without_end, true},
    {"read-nothing", read_nothing, true},
    {"early-lies", early_lies, false},
    {"ask-over-each", ask_over_each, false},
    {"ask-over-none", ask_over_none, true},
    {"ask-over-the-highest", ask_over_the_highest, true},
    {"early-and-late", early_and_late, true},
    {"fill-memory", fill_memory, true},
};

/* ---- System calls ---------------------------------------------------------------------------- */

/* All must fail: "NUMBER" is another process's, as its own namespace does not hide it. */
static void calls(int process)
{
    const int yes = 1, sparse = memory_file(0, false);
    char address[256] = {2, 0, 0, 80, 127, 0, 0, 1};
    struct f_owner_ex owner = {F_OWNER_PID, process};
    const struct {
        const char *name;
        long result;
    } all[] = {
        {"tgkill", syscall(SYS_tgkill, process, process, 0)},
        {"kill", syscall(SYS_kill, process, 0)},
        {"kill-all", syscall(SYS_kill, -1, 0)},
        {"tkill", syscall(SYS_tkill, process, 0)},
        {"rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, process, 0, NULL)},
        {"rt_tgsigqueueinfo", syscall(SYS_rt_tgsigqueueinfo, process, process, 0, NULL)},
        {"pidfd_open", syscall(434, process, 0)},
        {"setown", fcntl(CONTROL_FD, F_SETOWN, process)},
        {"setown-ex", fcntl(CONTROL_FD, F_SETOWN_EX, &owner)},
        {"setsig", fcntl(CONTROL_FD, F_SETSIG, 9)},
        {"setlease", fcntl(CONTROL_FD, F_SETLEASE, F_RDLCK)},
        {"notify", fcntl(CONTROL_FD, F_NOTIFY, 1)},
        {"dup", fcntl(CONTROL_FD, F_DUPFD, 20)},
        {"async", fcntl(CONTROL_FD, F_SETFL, fcntl(CONTROL_FD, F_GETFL) | O_ASYNC)},
        {"stat-path", syscall(SYS_newfstatat, AT_FDCWD, "/", address, 0x1000)},
        {"stat", syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", address, 0)},
        {"make-sparse", ftruncate(sparse, 1 << 20)},
        {"others-clock", syscall(SYS_clock_gettime, (int)(~(unsigned)process << 3 | 2), address)},
        {"large-pages", syscall(SYS_mmap, 0, 1 << 21, 3, 0x40022, -1, 0)},
        {"log-ends", shutdown(STDERR_FILENO, SHUT_RDWR)},
        {"log-forged", write(STDERR_FILENO, "forged\n", 7)},
        {"terminal-forged", write(STDOUT_FILENO, "forged\n", 7)},
        {"terminal-read", read(STDIN_FILENO, address, 1) ? 0 : -1},
        {"listening-waits", fcntl(LISTEN_FD, F_SETFL, 0)},
        {"listening-ends", shutdown(LISTEN_FD, SHUT_RDWR)},
        {"staff-waits", fcntl(LISTEN_FD + OB_LISTENER_STAFF, F_SETFL, 0)},
        {"staff-ends", shutdown(LISTEN_FD + OB_LISTENER_STAFF, SHUT_RDWR)},
        {"public-waits", fcntl(LISTEN_FD + OB_LISTENER_PUBLIC, F_SETFL, 0)},
        {"public-ends", shutdown(LISTEN_FD + OB_LISTENER_PUBLIC, SHUT_RDWR)},
        {"take-elsewhere", accept4(LISTEN_END, NULL, NULL, 0)},
        {"fioasync", syscall(SYS_ioctl, CONTROL_FD, 0x5452, &yes)},
        {"fiosetown", syscall(SYS_ioctl, CONTROL_FD, 0x8901, &process)},
        {"siocspgrp", syscall(SYS_ioctl, CONTROL_FD, 0x8902, &process)},
        {"ptrace", syscall(SYS_ptrace, 16, process, 0, 0)},
        {"process_vm_readv", syscall(SYS_process_vm_readv, process, NULL, 0, NULL, 0, 0)},
        {"prctl", prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)},
        {"prlimit", syscall(SYS_prlimit64, process, 7, NULL, NULL)},
        {"setpriority", syscall(SYS_setpriority, 0, process, 19)},
        {"socket", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0)},
        {"socketpair", syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, address)},
        {"connect", syscall(SYS_connect, visitor_socket, address, 16)},
        {"bind", syscall(SYS_bind, LISTEN_FD, address, 16)},
        {"listen", syscall(SYS_listen, LISTEN_FD, 1)},
        {"sendto-address", sendto(visitor_socket, "x", 1, MSG_NOSIGNAL, (void *)address, 16)},
        {"sendto-fast-open", sendto(visitor_socket, "x", 1, MSG_NOSIGNAL | MSG_FASTOPEN, NULL, 0)},
        {"sendmmsg", syscall(SYS_sendmmsg, visitor_socket, NULL, 0, 0)},
        {"peer-process",
         getsockopt(CONTROL_FD, SOL_SOCKET, SO_PEERCRED, address, &(socklen_t){12})},
        {"attach-filter", setsockopt(visitor_socket, SOL_SOCKET, SO_ATTACH_FILTER, address, 16)},
        {"open", syscall(SYS_openat, AT_FDCWD, "/proc/self/environ", O_RDONLY)},
        {"fork", syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)},
        {"executable", syscall(SYS_mmap, 0, 4096, PROT_EXEC | PROT_READ, 0x22, -1, 0)},
        {"unshare", syscall(SYS_unshare, 0x10000000)},
        {"io_uring", syscall(425, 1, address)},
        {"bpf", syscall(SYS_bpf, 0, address, 16)},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        say("%s %s", all[i].name, all[i].result == -1 ? "fails" : "SUCCEEDS");
}

/* ---- Life ------------------------------------------------------------------------------------ */

static void hear_main(void)
{
    ob_packet p;
    ob_wire_got got;
    while ((got = ob_wire_receive(main_wire, &p)) == OB_WIRE_PACKET) {
        if (p.kind == CONTROL_STOP)
            _exit(EXIT_FINE);
        if (core >= 0)
            close(core);
        core = p.file;
    }
    if (got != OB_WIRE_NOTHING)
        _exit(EXIT_FINE);
}

static void list_all(void)
{
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        say("%s %d", lies[i].name, lies[i].ends);
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++)
        say("%s %d", floods[i].name, floods[i].ends);
}

static void do_named(const char *name)
{
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++)
        if (!strcmp(name, lies[i].name))
            tell_lie(&lies[i]);
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++)
        if (!strcmp(name, floods[i].name))
            floods[i].run();
}

/* Whether the core answers what is asked in earnest. */
static void ask_core(void)
{
    if (core < 0) {
        say("no core");
        return;
    }
    ask(A_READY_HEAD, 4242, NULL, 0);
    const uint32_t status = await(4242, 5000);
    if (status)
        say("status %u", status);
    else
        say("no answer");
}

static void do_line(char *line)
{
    char *rest = NULL, *name = strtok_r(line, " \n", &rest), *what = strtok_r(NULL, " \n", &rest);
    char *count = strtok_r(NULL, " \n", &rest);
    token = what ? what : "";
    make_head(A_SCAN_HEAD, "POST", "/v1/scan", -1, "surface", "public");
    make_head(AN_EXPLANATION_HEAD, "POST", "/v1/gate/explain", -1, NULL, NULL);
    make_head(A_READY_HEAD, "GET", "/readyz", 0, NULL, NULL);
    make_head(A_WAITING_HEAD, "GET", "/v1/lists", 0, "wait", "50");
    if (!name)
        return;
    if (!strcmp(name, "list"))
        list_all();
    else if (!strcmp(name, "calls"))
        calls(atoi(token));
    else if (!strcmp(name, "ask"))
        ask_core();
    else if (!strcmp(name, "random"))
        random_packets((unsigned)atoi(count ? count : "1"), 5000);
    else
        do_named(name);
}

int front_main(const config *config)
{
    uint32_t layers = 0;
    ob_error err = {0};
    main_wire = ob_wire_new(CONTROL_FD, &control_protocol, CONTROL_CHILD, NULL);
    if (!main_wire || front_leave(&layers, config, &err))
        return EXIT_FAILED;
    control_send(main_wire, CONTROL_READY, ROLE_CORE, -1);
    for (;;) {
        struct pollfd all[2] = {{.fd = LISTEN_FD, .events = POLLIN},
                                {.fd = CONTROL_FD, .events = POLLIN}};
        poll(all, 2, -1);
        hear_main();
        char line[1000] = "";
        visitor_socket = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
        if (visitor_socket < 0)
            continue;
        if (recv(visitor_socket, line, sizeof line - 1, 0) > 0)
            do_line(line);
        close(visitor_socket);
    }
}
