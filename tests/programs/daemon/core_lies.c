/* The front hears a core that lies: every kind, every length, replays, unknown numbers, out of
 * order. Clients get an answer all the same, and the next core is heard. */
#include "front_ear.h"
#include "packets.h"

#include "folder.h"

enum { CLIENTS = 8 };

typedef struct client {
    int socket; /* -1: none */
    bool asked;
} client;

typedef struct liar {
    front_ear ear;
    test_random random;
    client clients[CLIENTS];
    uint64_t newest; /* number that the front has used */
    unsigned answered;
} liar;

static void ask(liar *l, client *c)
{
    static const char head[] = "GET /v1/thing HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char file[] =
        "POST /v1/scan HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nbytes";
    static const char json[] = "POST /v1/match HTTP/1.1\r\nHost: x\r\nContent-Type: "
                               "application/json\r\nContent-Length: 2\r\n\r\n{}";
    const char *const requests[] = {head, file, json};
    const char *request = requests[test_below(&l->random, 3)];
    if (c->socket < 0)
        c->socket = front_ear_connect(&l->ear);
    c->asked = send(c->socket, request, strlen(request), MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

/* What came for a client; one that was closed asks on another connection. */
static void listen_to(liar *l, client *c)
{
    char text[4096];
    ssize_t got;
    while (c->socket >= 0 && (got = recv(c->socket, text, sizeof text, MSG_DONTWAIT)) >= 0) {
        if (got >= 5 && !memcmp(text, "HTTP/", 5)) {
            l->answered++;
            c->asked = false;
        }
        if (!got) {
            close(c->socket);
            *c = (client){.socket = -1};
        }
    }
}

static void let_clients_ask(liar *l)
{
    for (client *c = l->clients; c < l->clients + CLIENTS; c++) {
        listen_to(l, c);
        if (!c->asked)
            ask(l, c);
        else if (!test_below(&l->random, 500)) { /* waits no longer */
            close(c->socket);
            *c = (client){.socket = -1};
        }
    }
}

/* What the front asks; false where it has hung up. */
static bool hear_front(liar *l)
{
    ob_packet p;
    ob_wire_got got;
    while ((got = ob_wire_receive(l->ear.core, &p)) == OB_WIRE_PACKET) {
        if (p.kind == MESSAGE_ASK && p.id > l->newest)
            l->newest = p.id;
        ob_packet_free(&p);
    }
    assert_int_not_equal(got, OB_WIRE_NONSENSE); /* the front does its part */
    return got == OB_WIRE_NOTHING;
}

static ob_packet any_packet(liar *l)
{
    static const char zeros[3000];
    static const char *const headers[] = {NULL,
                                          "",
                                          "ETag: \"a\"\n",
                                          "Set-Cookie: a=b\nLink: c\n",
                                          "X",
                                          "X:\nY\n\n: a",
                                          "X: a\r\nY: b\n"};
    test_random *r = &l->random;
    const uint64_t id = test_below(r, 20) ? l->newest - test_below(r, CLIENTS + 2) : test_next(r);
    const uint32_t kind = test_below(r, 2)    ? MESSAGE_ANSWER
                          : test_below(r, 2)  ? MESSAGE_PIECE
                          : test_below(r, 20) ? MESSAGE_PLAN
                                              : (uint32_t)test_below(r, MESSAGES + 2);
    ob_packet p = ob_packet_of(kind, id);
    if (kind == MESSAGE_PIECE) {
        ob_put_u32(&p, (uint32_t)test_below(r, 4));
        ob_put_tail(&p, zeros, test_below(r, sizeof zeros));
    } else if (kind == MESSAGE_PLAN) {
        ob_put_u32(&p, (uint32_t)test_below(r, 5));
        ob_put_u64(&p, test_below(r, 2) ? 1000 : test_next(r));
    } else {
        ob_put_u32(&p, test_below(r, 9) ? 200 : (uint32_t)test_next(r));
        ob_put_u32(&p, (uint32_t)test_below(r, 3));
        ob_put_u32(&p, (uint32_t)test_below(r, 5));
        ob_put_text(&p, test_below(r, 30) ? "text/plain" : NULL);
        ob_put_text(&p, test_below(r, 2) ? "GET" : NULL);
        ob_put_text(&p, headers[test_below(r, sizeof headers / sizeof *headers)]);
        ob_put_tail(&p, zeros, test_below(r, 4) ? 0 : test_below(r, sizeof zeros));
    }
    return p;
}

static void lie(liar *l)
{
    static uint8_t bytes[FLAT_MOST];
    test_random *r = &l->random;
    ob_packet p = any_packet(l);
    size_t size = flat(bytes, &p);
    ob_packet_free(&p);
    if (!test_below(r, 4))
        size =
            sizeof(wire_head) + test_mutate(r, bytes + sizeof(wire_head), size - sizeof(wire_head));
    else if (!test_below(r, 30))
        size = test_mutate(r, bytes, size);
    const bool with_file = !test_below(r, 30);
    const int file = with_file ? memfd_create("answer", MFD_CLOEXEC | MFD_ALLOW_SEALING) : -1;
    if (with_file)
        assert_int_equal(write(file, bytes, 100), 100);
    front_ear_send(&l->ear, bytes, size, file);
    if (with_file)
        close(file);
}

/* A core that does its part: a client's request is answered with what it says. */
static void expect_service(liar *l)
{
    char text[2000] = "";
    size_t size = 0;
    const int to = front_ear_connect(&l->ear);
    static const char request[] = "GET /v1/honest HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    front_ear_introduce(&l->ear);
    assert_int_equal(send(to, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
    for (bool goes_on = true; goes_on;) {
        ob_packet p;
        struct pollfd both[2] = {{.fd = ob_wire_socket(l->ear.core), .events = POLLIN},
                                 {.fd = to, .events = POLLIN}};
        assert_true(poll(both, 2, 60000) > 0);
        while (ob_wire_receive(l->ear.core, &p) == OB_WIRE_PACKET) {
            asked a;
            const bool is_ask = p.kind == MESSAGE_ASK;
            if (is_ask && p.id > l->newest)
                l->newest = p.id;
            if (is_ask && channel_get_request(&a, &p)) {
                ob_packet answer = ob_packet_of(MESSAGE_ANSWER, p.id);
                ob_put_u32(&answer, 200);
                ob_put_u32(&answer, 0);
                ob_put_u32(&answer, 0);
                ob_put_text(&answer, "text/plain");
                ob_put_text(&answer, NULL);
                ob_put_text(&answer, NULL);
                ob_put_tail(&answer, "honest", 6);
                ob_wire_send(l->ear.core, &answer);
                ob_packet_free(&answer);
            }
            ob_packet_free(&p);
        }
        if (both[1].revents) {
            const ssize_t got = recv(to, text + size, sizeof text - 1 - size, MSG_DONTWAIT);
            size += got > 0 ? (size_t)got : 0;
            goes_on = got > 0;
        }
    }
    close(to);
    assert_non_null(strstr(text, "200"));
    assert_non_null(strstr(text, "honest"));
}

static void what_a_core_says_costs_no_client_its_answer(void **state)
{
    static liar l;
    char folder[TEST_FOLDER_SIZE];
    const uint64_t samples = test_samples("OBHUT_PACKETS", 5000);
    unsigned lost = 0;
    (void)state;
    assert_true(test_folder(folder));
    l = (liar){.random = test_sampled(46)};
    for (int i = 0; i < CLIENTS; i++)
        l.clients[i].socket = -1;
    const unsigned before = open_files();
    front_ear_open(&l.ear, folder);
    expect_service(&l);
    for (uint64_t i = 0; i < samples; i++) {
        let_clients_ask(&l);
        if (!hear_front(&l)) {
            lost++;
            front_ear_introduce(&l.ear);
        }
        lie(&l);
        if (i % 2000 == 1999)
            expect_service(&l);
    }
    expect_service(&l);
    for (int i = 0; i < CLIENTS; i++)
        if (l.clients[i].socket >= 0)
            close(l.clients[i].socket);
    assert_int_equal(front_ear_close(&l.ear), EXIT_FINE);
    assert_true(lost > samples / 100 && l.answered > samples / 20);
    assert_true(open_files() <= before + 1); /* the library's, of all listening sockets */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_core_says_costs_no_client_its_answer),
    };
    front_ear_reserve();
    return cmocka_run_group_tests_name("daemon_core_lies", tests, NULL, NULL);
}
