/* A front that was taken over, in the place of the real one: confined by the same code, then it
 * does what a line on a connection says: "NAME TOKEN", one of the tables' names, or "list". */
#include "front.h"

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

static int core = -1, visitor_socket = -1;
static char head_of_scan[8192], head_of_ready[512], head_of_explain[8192], large[MESSAGE_MOST + 9];
static size_t scan_size, ready_size, explain_size;
static const char *token;

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

static bool send_to(int to, const void *head, size_t head_size, const void *payload, size_t size,
                    int file, int files)
{
    union {
        char bytes[CMSG_SPACE(4 * sizeof(int))];
        struct cmsghdr align;
    } control = {{0}};
    struct iovec pieces[2] = {{(void *)(uintptr_t)head, head_size},
                              {(void *)(uintptr_t)payload, size}};
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = size ? 2 : 1};
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
static bool packet_of(const message_head *head, const void *payload, size_t size, int file)
{
    for (int i = 0; i < 100; i++) {
        if (send_to(core, head, sizeof *head, payload, size, file, 1))
            return true;
        struct pollfd room = {.fd = core, .events = POLLOUT};
        if (errno != EAGAIN || poll(&room, 1, 100) < 0)
            return false;
    }
    return false;
}

static bool packet(uint32_t kind, uint32_t status, uint64_t id, int64_t number, const void *payload,
                   size_t size, int file)
{
    const message_head head = {.kind = kind, .status = status, .id = id, .number = number};
    return packet_of(&head, payload, size, file);
}

/* What came, or false after so long. */
static bool take(message_head *head, int ms)
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
    struct cmsghdr *at = CMSG_FIRSTHDR(&message);
    int file;
    if (at && at->cmsg_type == SCM_RIGHTS) {
        memcpy(&file, CMSG_DATA(at), sizeof file);
        close(file);
    }
    return true;
}

static size_t put(char *to, size_t at, const char *text)
{
    const uint32_t length = text ? (uint32_t)strlen(text) : UINT32_MAX;
    memcpy(to + at, &length, sizeof length);
    at += sizeof length;
    if (!text)
        return at;
    memcpy(to + at, text, length + 1U);
    return at + length + 1U;
}

static size_t head_for(char *to, const char *method, const char *path, const char *query)
{
    char bearer[300];
    snprintf(bearer, sizeof bearer, "Bearer %s", token);
    size_t at = put(to, put(to, put(to, 0, method), path), bearer);
    at = put(to, put(to, put(to, at, NULL), NULL), NULL);
    return query ? put(to, put(to, at, "surface"), query) : at;
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

typedef enum first { NOTHING, A_SCAN, AN_EXPLANATION, A_SCAN_GONE, A_READY } first;
typedef enum beside { NO_FILE, OPEN_FILE, SEALED_FILE, EVENT, LISTENING, CONTROL } beside;

static const struct lie {
    const char *name;
    first first; /* what is asked for before, under the number 7, until the plan is there */
    uint32_t kind, status;
    uint64_t id;
    int64_t number;
    size_t size; /* of the payload, zeros; of the file */
    beside beside;
    bool ends; /* that the core hangs up on it */
} lies[] = {
    {"kind-0", NOTHING, 0, 0, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-plan", NOTHING, MESSAGE_PLAN, 0, 1, 0, 0, NO_FILE, true},
    {"kind-of-the-core-answer", NOTHING, MESSAGE_ANSWER, 200, 1, 0, 0, NO_FILE, true},
    {"kind-99", NOTHING, 99, 0, 1, 0, 0, NO_FILE, true},
    {"kind-highest", NOTHING, UINT32_MAX, 0, 1, 0, 0, NO_FILE, true},
    {"ask-empty", NOTHING, MESSAGE_ASK, 0, 1, 0, 0, NO_FILE, false},
    {"ask-zeros", NOTHING, MESSAGE_ASK, 0, 1, 0, 5000, NO_FILE, false},
    {"ask-longest", NOTHING, MESSAGE_ASK, 0, 1, 0, MESSAGE_MOST, NO_FILE, false},
    {"ask-with-file", NOTHING, MESSAGE_ASK, 0, 1, 0, 0, SEALED_FILE, true},
    {"ask-highest-number", NOTHING, MESSAGE_ASK, 9, UINT64_MAX, INT64_MAX, 9, NO_FILE, false},
    {"ask-negative-length", NOTHING, MESSAGE_ASK, 9, 2, INT64_MIN, 9, NO_FILE, false},
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
    {"unable-with-file", A_SCAN, MESSAGE_UNABLE, 1, 7, 5, 5, SEALED_FILE, false},
    {"ask-beyond", NOTHING, MESSAGE_ASK, 1, 8, 0, 9, NO_FILE, false},
    {"gone-nobody", NOTHING, MESSAGE_GONE, 0, 5, 0, 0, NO_FILE, false},
    {"gone-with-file", NOTHING, MESSAGE_GONE, 0, 5, 0, 0, SEALED_FILE, false},
    {"gone-highest", NOTHING, MESSAGE_GONE, 1, UINT64_MAX, -1, 99, NO_FILE, false},
    {"counts-empty", NOTHING, MESSAGE_COUNTS, 0, 0, 0, 0, NO_FILE, false},
    {"counts-longest", NOTHING, MESSAGE_COUNTS, 0, 0, 0, MESSAGE_MOST, NO_FILE, false},
    {"layers-all", NOTHING, MESSAGE_LAYERS, 0, 0, -1, 9, NO_FILE, false},
    {"too-long", NOTHING, MESSAGE_ASK, 0, 1, 0, MESSAGE_MOST + 8, NO_FILE, true},
};

static void prepare(first first)
{
    message_head head;
    const bool scans = first == A_SCAN || first == A_SCAN_GONE;
    if (scans)
        packet(MESSAGE_ASK, 0, 7, -1, head_of_scan, scan_size, -1);
    else if (first == AN_EXPLANATION)
        packet(MESSAGE_ASK, 0, 7, -1, head_of_explain, explain_size, -1);
    else if (first == A_READY)
        packet(MESSAGE_ASK, 0, 7, 0, head_of_ready, ready_size, -1);
    if (first != NOTHING)
        while (take(&head, 20000) && head.id != 7)
            ;
    if (first == A_SCAN_GONE)
        packet(MESSAGE_GONE, 0, 7, 0, NULL, 0, -1);
}

static void tell_lie(const struct lie *l)
{
    int file = l->beside == OPEN_FILE     ? memory_file(l->size, false)
               : l->beside == SEALED_FILE ? memory_file(l->size, true)
               : l->beside == EVENT       ? (int)syscall(SYS_eventfd2, 0, 0)
               : l->beside == LISTENING   ? LISTEN_FD
               : l->beside == CONTROL     ? CONTROL_FD
                                          : -1;
    prepare(l->first);
    packet(l->kind, l->status, l->id, l->number, large, l->beside == NO_FILE ? l->size : 0, file);
    if (file > LISTEN_FD)
        close(file);
    if (!l->ends) /* the number is free for the next one */
        packet(MESSAGE_GONE, 0, 7, 0, NULL, 0, -1);
}

/* ---- Lies of many, and of the control socket ------------------------------------------------- */

static void words(char word, int count, int file)
{
    for (int i = 0; i < count; i++)
        send_to(CONTROL_FD, &word, 1, NULL, 0, file, 1);
}

static void ready_again(void)
{
    words(CONTROL_READY, 1, -1);
}

static void ready_flood(void)
{
    words(CONTROL_READY, 100000, -1);
}

static void word_stop(void)
{
    words(CONTROL_STOP, 1, -1);
}

static void word_hang_up(void)
{
    words(CONTROL_HANG_UP, 1, -1);
}

static void word_peer_with_file(void)
{
    words(CONTROL_PEER, 1, CONTROL_FD);
}

static void word_unknown(void)
{
    words(77, 1, -1);
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
    words(CONTROL_READY, 1, -1);
}

static void head_cut(void)
{
    send_to(core, large, 5, NULL, 0, -1, 1);
}

static void head_nothing(void)
{
    send_to(core, large, 0, NULL, 0, CONTROL_FD, 1);
}

static void packet_empty(void)
{
    send_to(core, large, 0, NULL, 0, -1, 1);
}

static void many_files(void)
{
    const message_head head = {.kind = MESSAGE_BODY, .id = 7};
    send_to(core, &head, sizeof head, NULL, 0, CONTROL_FD, 4);
}

static void ask_without_end(void)
{
    message_head head;
    for (uint64_t i = 0; i < 20000; i++) {
        if (!packet(MESSAGE_ASK, 0, 100 + i, -1, head_of_scan, scan_size, -1))
            return;
        while (take(&head, 0))
            ;
    }
}

static void ask_the_same_without_end(void)
{
    for (int i = 0; i < 20000; i++)
        if (!packet(MESSAGE_ASK, 0, 7, -1, head_of_scan, scan_size, -1))
            return;
}

/* A head with a body behind it, which is said to have so many bytes. */
static void early(uint64_t id, bool scans, size_t size, uint32_t body, int64_t number)
{
    char both[8000];
    const size_t head_size = scans ? scan_size : explain_size;
    const message_head head = {.kind = MESSAGE_ASK, .id = id, .number = number, .body = body};
    memcpy(both, scans ? head_of_scan : head_of_explain, head_size);
    memset(both + head_size, '{', size);
    packet_of(&head, both, head_size + size, -1);
}

static void early_lies(void)
{
    static const struct {
        bool scans;
        size_t size;
        uint32_t body;
        int64_t number;
    } all[] = {
        {false, 50, 50, 50},        {false, 50, 50, -1},
        {false, 50, 50, 49},        {false, 50, 60, 60},
        {false, 50, 40, 40},        {false, 0, 5000, 5000},
        {false, 0, UINT32_MAX, -1}, {false, 0, INT32_MAX, INT32_MAX},
        {false, 50, 0, 50},         {true, 50, 50, 50},
        {true, 50, UINT32_MAX, -1}, {true, 0, 60, 60},
    };
    for (uint64_t i = 0; i < sizeof all / sizeof *all; i++) {
        early(200 + i, all[i].scans, all[i].size, all[i].body, all[i].number);
        if (i % 2)
            packet(MESSAGE_GONE, 0, 200 + i, 0, NULL, 0, -1);
    }
    for (uint64_t i = 0; i < sizeof all / sizeof *all; i++)
        packet(MESSAGE_GONE, 0, 200 + i, 0, NULL, 0, -1);
}

static void ask_over(uint32_t listener, uint64_t id)
{
    const message_head head = {.kind = MESSAGE_ASK, .id = id, .number = -1, .listener = listener};
    packet_of(&head, head_of_scan, scan_size, -1);
    packet(MESSAGE_GONE, 0, id, 0, NULL, 0, -1);
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
        early(300 + i, true, 50, 50, 50);
        packet(MESSAGE_BODY, 0, 300 + i, 50, large, 50, -1);
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
        if (!packet(MESSAGE_ASK, 0, 100 + i, 0, head_of_ready, ready_size, -1))
            return;
}

/* A scan as it should be, of bytes that are no picture; every second one is not waited for. */
static bool scan_whole(uint64_t id, size_t size, bool leave)
{
    message_head head = {0};
    if (!packet(MESSAGE_ASK, 0, id, -1, head_of_scan, scan_size, -1))
        return false;
    while (take(&head, 20000) && head.id != id)
        ;
    int file = memory_file(size, true);
    bool sent = packet(MESSAGE_BODY, 0, id, (int64_t)size, NULL, 0, file);
    close(file);
    return sent && (!leave || packet(MESSAGE_GONE, 0, id, 0, NULL, 0, -1));
}

/* What the core hangs up on, or nearly. */
static bool misbehave(unsigned how, uint64_t state)
{
    message_head head = {.kind = MESSAGE_BODY, .id = state, .number = (int64_t)state};
    if (how == 0)
        return packet((uint32_t)state, 0, 1, 0, large, state % 9000, -1);
    if (how == 1)
        return send_to(core, &head, state % sizeof head, NULL, 0, -1, 1);
    int file = how == 4 ? CONTROL_FD : memory_file(state % 9000, how == 3);
    head.kind = (uint32_t)(state >> 8) % 9;
    bool sent =
        send_to(core, &head, sizeof head, NULL, 0, file, how == 2 ? 1 : (int)(state % 4) + 1);
    if (file != CONTROL_FD)
        close(file);
    return sent;
}

static bool nearly_meant(unsigned what, uint64_t state, uint64_t *id)
{
    char payload[2048];
    const size_t size = (size_t)(state >> 24) % sizeof payload;
    const uint32_t kind = what < 700    ? MESSAGE_ASK
                          : what < 900  ? MESSAGE_BODY
                          : what < 1800 ? MESSAGE_GONE
                          : what < 1900 ? MESSAGE_UNABLE
                          : what < 2000 ? MESSAGE_COUNTS
                                        : MESSAGE_LAYERS;
    memcpy(payload, scan_size < sizeof payload ? head_of_scan : large, sizeof payload);
    for (unsigned i = 0; i < (what & 3); i++)
        payload[(state >> (8 * i)) % (scan_size + 1)] = (char)(state >> (5 * i));
    const uint64_t number = kind == MESSAGE_ASK ? ++*id : *id - state % 3;
    const uint32_t body = what & 8 ? (uint32_t)(state % 3000) : 0;
    const message_head head = {
        .kind = kind,
        .id = number,
        .number = body ? (int64_t)body : (int64_t)state,
        .body = body,
        .listener = kind == MESSAGE_ASK ? (uint32_t)(state >> 40) % OB_LISTENERS : 0};
    if (!packet_of(&head, payload, what & 4 ? scan_size : size, -1))
        return false;
    return kind != MESSAGE_ASK || packet(MESSAGE_GONE, 0, number, 0, NULL, 0, -1);
}

/* Packets that could nearly be meant, with wrong bytes; some that are, and a few that are not. */
static void random_packets(unsigned seed, unsigned count)
{
    enum { KINDS = 2048, ENDING = 5, WHOLE = 40, OFTEN = 32 };
    message_head head;
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
        while (take(&head, 0))
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
    {"word-peer-with-file", word_peer_with_file, true},
    {"word-unknown", word_unknown, true},
    {"control-closed", control_closed, true},
    {"core-closed", core_closed, true},
    {"head-cut", head_cut, true},
    {"head-nothing", head_nothing, true},
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
    control_word word;
    int peer = -1;
    while (control_receive(CONTROL_FD, &word, &peer)) {
        if (!word || word == CONTROL_STOP)
            _exit(EXIT_FINE);
        if (peer >= 0) {
            if (core >= 0)
                close(core);
            core = peer;
        }
    }
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
    message_head head = {0};
    if (core < 0) {
        say("no core");
        return;
    }
    packet(MESSAGE_ASK, 0, 4242, 0, head_of_ready, ready_size, -1);
    while (take(&head, 5000))
        if (head.id == 4242) {
            say("status %u", head.status);
            return;
        }
    say("no answer");
}

static void do_line(char *line)
{
    char *rest = NULL, *name = strtok_r(line, " \n", &rest), *what = strtok_r(NULL, " \n", &rest);
    char *count = strtok_r(NULL, " \n", &rest);
    token = what ? what : "";
    scan_size = head_for(head_of_scan, "POST", "/v1/scan", "public");
    explain_size = head_for(head_of_explain, "POST", "/v1/gate/explain", NULL);
    ready_size = head_for(head_of_ready, "GET", "/readyz", NULL);
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
    if (front_leave(&layers, config, &err))
        return EXIT_FAILED;
    control_send(CONTROL_FD, CONTROL_READY, -1);
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
