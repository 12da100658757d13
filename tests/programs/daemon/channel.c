/* What front and core, and main and its processes, say to each other: only what their tables have,
 * and heads of requests that make sense. */
#include "flat.h"
#include "packets.h"

#include "channel.h"
#include "control.h"

/* Two ends of a protocol. */
typedef struct place {
    int far;
    ob_wire *near;
} place;

static place make_place(const ob_wire_protocol *protocol, unsigned side)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const place p = {.far = ends[1], .near = ob_wire_new(ends[0], protocol, side, NULL)};
    assert_non_null(p.near);
    return p;
}

static void close_place(const place *p)
{
    ob_wire_free(p->near);
    close(p->far);
}

static void send_flat(int to, const ob_packet *p, size_t files)
{
    static uint8_t bytes[FLAT_MOST];
    send_packet_with(to, bytes, flat(bytes, p), files);
}

static void the_channel_refuses_packets_with_two_descriptors(void **state)
{
    (void)state;
    const place p = make_place(&channel_protocol, CHANNEL_CORE);
    ob_packet sent = ob_packet_of(MESSAGE_BODY, 7), got;
    const unsigned before = open_files();
    ob_put_u32(&sent, 0);
    ob_put_u64(&sent, 0);
    ob_put_tail(&sent, NULL, 0);
    for (int n = 0; n < PACKETS; n++) {
        send_flat(p.far, &sent, 2);
        assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_NONSENSE);
        assert_int_equal(got.file, -1);
    }
    assert_int_equal(open_files(), before);
    assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_NOTHING);
    send_flat(p.far, &sent, 1);
    assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_PACKET);
    assert_true(got.file >= 0 && got.id == 7);
    ob_packet_free(&got);
    close_place(&p);
}

/* Nobody waits in a send, and what waits to be sent has a bound. */
static void a_front_that_reads_nothing_costs_so_much_and_no_more(void **state)
{
    enum { SIZE = 59000, MOST = 100 << 20 };
    static const char body[SIZE];
    (void)state;
    const place p = make_place(&channel_protocol, CHANNEL_CORE);
    size_t sent = 0;
    for (bool goes_on = true; goes_on; sent += sizeof body) {
        ob_packet answer = ob_packet_of(MESSAGE_ANSWER, 1);
        for (int i = 0; i < 2; i++)
            ob_put_u32(&answer, 0);
        for (int i = 0; i < 2; i++)
            ob_put_text(&answer, NULL);
        ob_put_tail(&answer, body, sizeof body);
        goes_on = ob_wire_send(p.near, &answer);
        assert_true(sent < MOST);
    }
    assert_true(ob_wire_is_full(p.near) && sent > MOST / 4);
    close_place(&p);
}

static void main_believes_no_more_than_it_must(void **state)
{
    static const struct {
        uint32_t kind;
        size_t files, zeros;
        bool fine;
    } cases[] = {
        {CONTROL_READY, 0, 0, true},
        {CONTROL_READY, 1, 0, false},
        {CONTROL_READY, 0, 4, false},
        {CONTROL_PEER, 1, 0, false},
        {CONTROL_PEER, 2, 0, false},
        {CONTROL_PEER, 0, 0, false},
        {CONTROL_STOP, 0, 0, false},
        {CONTROL_STOP, 2, 0, false},
        {CONTROL_HANG_UP, 0, 0, true},
        {CONTROL_KINDS, 0, 0, false},
        {0, 0, 0, false},
    };
    (void)state;
    const place p = make_place(&control_protocol, CONTROL_MAIN);
    const unsigned before = open_files();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int n = 0; n < PACKETS; n++) {
            ob_packet sent = ob_packet_of(cases[i].kind, 1), got;
            for (size_t k = 0; k < cases[i].zeros; k += 4)
                ob_put_u32(&sent, 0);
            send_flat(p.far, &sent, cases[i].files);
            assert_int_equal(ob_wire_receive(p.near, &got),
                             cases[i].fine ? OB_WIRE_PACKET : OB_WIRE_NONSENSE);
            assert_int_equal(got.file, -1);
        }
    assert_int_equal(open_files(), before);
    close_place(&p);
}

static void a_peer_comes_with_a_descriptor(void **state)
{
    (void)state;
    int ends[2];
    ob_packet got;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ob_wire *us = ob_wire_new(ends[0], &control_protocol, CONTROL_MAIN, "core");
    ob_wire *core = ob_wire_new(ends[1], &control_protocol, CONTROL_CHILD, NULL);
    assert_true(control_send(us, CONTROL_PEER, ROLE_FRONT, dup(0)));
    assert_int_equal(ob_wire_receive(core, &got), OB_WIRE_PACKET);
    assert_true(got.kind == CONTROL_PEER && got.id == ROLE_FRONT && got.file >= 0);
    ob_packet_free(&got);
    assert_false(control_send(us, CONTROL_PEER, ROLE_FRONT, -1));
    assert_false(control_send(core, CONTROL_STOP, ROLE_CORE, -1)); /* main says that */
    assert_true(control_send(core, CONTROL_READY, ROLE_CORE, -1));
    assert_int_equal(ob_wire_receive(us, &got), OB_WIRE_PACKET);
    assert_int_equal(got.kind, CONTROL_READY);
    ob_wire_free(core);
    assert_int_equal(ob_wire_receive(us, &got), OB_WIRE_END);
    ob_wire_free(us);
}

/* ---- Heads of requests ----------------------------------------------------------------------- */

static ob_packet head_of(uint32_t listener, int64_t length)
{
    ob_packet p = ob_packet_of(MESSAGE_ASK, 1);
    const ob_request request = {
        .method = "POST", .path = "/v1/match", .peer = "", .content_length = length};
    channel_put_request(&p, &request, false);
    memcpy(p.bytes ? p.bytes : p.small, &listener, sizeof listener);
    channel_put_field(&p, "name", "value");
    channel_put_field(&p, NULL, NULL);
    channel_put_field(&p, "surface", "public");
    channel_put_field(&p, NULL, NULL);
    return p;
}

static bool reads(asked *out, ob_packet *p)
{
    ob_packet *copy = ob_packet_copy(p);
    const bool got = channel_get_request(out, copy);
    assert_int_equal(channel_get_request(out, copy), got); /* again */
    ob_packet_drop(copy);
    return got;
}

/* What comes with a head is all of a body, or nothing. */
static void a_body_behind_a_head_is_all_of_it(void **state)
{
    (void)state;
    asked a;
    for (int64_t length = -2; length < 15; length++) {
        ob_packet p = head_of(0, length);
        channel_put_body(&p, "{\"query\":1}", 11);
        assert_int_equal(reads(&a, &p), length == 11);
        channel_put_body(&p, NULL, 0);
        assert_true(reads(&a, &p));
        assert_true(!a.body && a.request.query_count == 1);
        ob_packet_free(&p);
    }
}

static void a_head_comes_over_a_listener_that_there_is(void **state)
{
    (void)state;
    asked a;
    for (uint32_t i = 0; i <= 2 * OB_LISTENERS; i++) {
        const uint32_t listener = i < 2 * OB_LISTENERS ? i : UINT32_MAX;
        ob_packet p = head_of(listener, 0);
        channel_put_body(&p, NULL, 0);
        assert_int_equal(reads(&a, &p), listener < OB_LISTENERS);
        if (listener < OB_LISTENERS)
            assert_int_equal(a.request.listener, listener);
        ob_packet_free(&p);
    }
}

static void a_head_has_so_many_fields_and_no_more(void **state)
{
    (void)state;
    asked a;
    for (unsigned fields = REQUEST_FIELDS - 1; fields <= REQUEST_FIELDS + 1; fields++) {
        ob_packet p = ob_packet_of(MESSAGE_ASK, 1);
        const ob_request request = {.method = "GET", .path = "/", .peer = ""};
        channel_put_request(&p, &request, true);
        channel_put_field(&p, NULL, NULL);
        for (unsigned i = 0; i < fields; i++)
            channel_put_field(&p, "name", "value");
        channel_put_field(&p, NULL, NULL);
        channel_put_body(&p, NULL, 0);
        assert_int_equal(reads(&a, &p), fields <= REQUEST_FIELDS);
        if (fields <= REQUEST_FIELDS)
            assert_true(a.request.query_count == fields && a.only_told);
        ob_packet_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_channel_refuses_packets_with_two_descriptors),
        cmocka_unit_test(a_front_that_reads_nothing_costs_so_much_and_no_more),
        cmocka_unit_test(main_believes_no_more_than_it_must),
        cmocka_unit_test(a_peer_comes_with_a_descriptor),
        cmocka_unit_test(a_body_behind_a_head_is_all_of_it),
        cmocka_unit_test(a_head_comes_over_a_listener_that_there_is),
        cmocka_unit_test(a_head_has_so_many_fields_and_no_more),
    };
    return cmocka_run_group_tests_name("daemon_channel", tests, NULL, NULL);
}
