/* Lies of many packets, and of the control socket. */
#include "../../unit/flat.h"
#include "hostile_front.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

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
    close(core_socket);
    core_socket = -1;
    poll(NULL, 0, 500);
    ready_again();
}

static void head_cut(void)
{
    send_to(core_socket, large, 5, -1, 1);
}

static void head_nothing(void)
{
    send_to(core_socket, large, 0, CONTROL_FD, 1);
}

static void head_of_another_program(void)
{
    send_to(core_socket, large, 500, -1, 1);
}

static void packet_empty(void)
{
    send_to(core_socket, large, 0, -1, 1);
}

static void many_files(void)
{
    static uint8_t bytes[FLAT_MOST];
    const ob_packet p = ob_packet_of(MESSAGE_BODY, 7);
    send_to(core_socket, bytes, flat(bytes, &p), CONTROL_FD, 4);
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

void list_floods(void)
{
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++)
        say("%s %d", floods[i].name, floods[i].ends);
}

void run_flood(const char *name)
{
    for (size_t i = 0; i < sizeof floods / sizeof *floods; i++)
        if (!strcmp(name, floods[i].name))
            floods[i].run();
}
