/* A front, or another process of the service, that sends more descriptors than it may is taken for
 * one that talks nonsense, and uses up none of the receiver's. */
#include "packets.h"

#include "channel.h"
#include "daemon.h"

#include <errno.h>

typedef struct place {
    int far;
    channel *near;
    message *message;
} place;

static place make_place(void)
{
    int ends[2];
    place p = {.message = malloc(sizeof *p.message)};
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    p.near = channel_new(ends[0]);
    p.far = ends[1];
    assert_true(p.message && p.near);
    return p;
}

static void close_place(place *p)
{
    channel_free(p->near);
    close(p->far);
    free(p->message);
}

static void the_channel_refuses_packets_with_two_descriptors(void **state)
{
    (void)state;
    place p = make_place();
    const message_head head = {.kind = MESSAGE_BODY, .id = 7};
    const unsigned before = open_files();
    for (int n = 0; n < PACKETS; n++) {
        send_packet_with(p.far, &head, sizeof head, 2);
        assert_int_equal(channel_receive(p.near, p.message), -2);
        assert_int_equal(p.message->file, -1);
        send_packet_with(p.far, &head, sizeof head - 1, 1);
        assert_int_equal(channel_receive(p.near, p.message), -2);
        assert_int_equal(p.message->file, -1);
    }
    assert_int_equal(open_files(), before);
    assert_int_equal(channel_receive(p.near, p.message), 0);
    send_packet_with(p.far, &head, sizeof head, 1);
    assert_int_equal(channel_receive(p.near, p.message), 1);
    assert_true(p.message->file >= 0 && p.message->head.id == 7 && !p.message->size);
    close(p.message->file);
    close_place(&p);
}

static void a_packet_without_a_byte_is_no_end(void **state)
{
    (void)state;
    place p = make_place();
    assert_int_equal(send(p.far, "", 0, 0), 0);
    assert_int_equal(channel_receive(p.near, p.message), -2);
    assert_int_equal(channel_receive(p.near, p.message), 0);
    shutdown(p.far, SHUT_RDWR);
    assert_int_equal(channel_receive(p.near, p.message), -1);
    close_place(&p);
}

/* Nobody waits in a send, and what waits to be sent has a bound. */
static void a_side_that_reads_nothing_costs_so_much_and_no_more(void **state)
{
    enum { SIZE = 60000, MOST = 100 << 20 };
    static const char payload[SIZE];
    (void)state;
    place p = make_place();
    const message_head head = {.kind = MESSAGE_ANSWER};
    size_t sent = 0;
    while (channel_send(p.near, &head, payload, sizeof payload, -1)) {
        sent += sizeof payload;
        assert_true(sent < MOST);
    }
    assert_true(channel_is_full(p.near) && sent > MOST / 4);
    assert_true(channel_flush(p.near) && channel_is_full(p.near));
    while (channel_send(p.near, &head, NULL, 0, -1))
        ;
    const unsigned before = open_files();
    assert_false(channel_send(p.near, &head, NULL, 0, channel_file("x", 1)));
    assert_int_equal(open_files(), before); /* closed, though refused */
    close_place(&p);
}

static void a_control_word_has_a_descriptor_where_it_means_one(void **state)
{
    static const struct {
        char word;
        size_t files;
    } nonsense[] = {{CONTROL_PEER, 2}, {CONTROL_PEER, 0}, {CONTROL_READY, 1}, {CONTROL_STOP, 2}};
    (void)state;
    int ends[2], peer = 0;
    control_word word;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const unsigned before = open_files();
    for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
        for (int n = 0; n < PACKETS; n++) {
            send_packet_with(ends[1], &nonsense[i].word, 1, nonsense[i].files);
            assert_true(control_receive(ends[0], &word, &peer));
            assert_int_equal(word, 0);
            assert_int_equal(peer, -1);
        }
    assert_int_equal(open_files(), before);
    assert_false(control_receive(ends[0], &word, &peer));
    assert_true(control_send(ends[1], CONTROL_PEER, 0));
    assert_true(control_receive(ends[0], &word, &peer));
    assert_true(word == CONTROL_PEER && peer >= 0);
    close(peer);
    assert_true(control_send(ends[1], CONTROL_READY, -1));
    assert_true(control_receive(ends[0], &word, &peer));
    assert_true(word == CONTROL_READY && peer == -1);
    close(ends[1]);
    assert_true(control_receive(ends[0], &word, &peer));
    assert_int_equal(word, 0);
    close(ends[0]);
}

/* A head, its body behind it, and all that could be said of where one ends and the other begins. */
static void a_body_behind_a_head_is_no_part_of_it(void **state)
{
    static message m;
    ob_request request;
    ob_field fields[REQUEST_FIELDS];
    ob_buf head = {0};
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_true(channel_pack(&head, i ? "/v1/match" : "POST"));
    for (int i = 0; i < 4; i++)
        assert_true(channel_pack(&head, NULL));
    memcpy(m.payload, head.bytes, head.size);
    memcpy(m.payload + head.size, "{\"query\":1}", 11);
    m.size = head.size + 11;
    for (uint32_t body = 0; body <= m.size + 2; body++) {
        m.head.body = body;
        m.head.number = body;
        assert_int_equal(channel_unpack_request(&request, fields, &m), body == 11);
    }
    m.head.body = UINT32_MAX;
    m.head.number = -1;
    assert_false(channel_unpack_request(&request, fields, &m));
    m.head.body = 11;
    m.head.number = 12;
    assert_false(channel_unpack_request(&request, fields, &m));
    m.head.number = 11;
    assert_true(channel_unpack_request(&request, fields, &m));
    ob_buf_free(&head);
}

static void a_head_comes_over_a_listener_that_there_is(void **state)
{
    static message m;
    ob_request request;
    ob_field fields[REQUEST_FIELDS];
    ob_buf head = {0};
    (void)state;
    for (int i = 0; i < 6; i++)
        assert_true(channel_pack(&head, "/"));
    memcpy(m.payload, head.bytes, head.size);
    m.size = head.size;
    for (uint32_t listener = 0; listener < 2 * OB_LISTENERS; listener++) {
        m.head.listener = listener;
        assert_int_equal(channel_unpack_request(&request, fields, &m), listener < OB_LISTENERS);
        if (listener < OB_LISTENERS)
            assert_int_equal(request.listener, listener);
    }
    m.head.listener = UINT32_MAX;
    assert_false(channel_unpack_request(&request, fields, &m));
    ob_buf_free(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_channel_refuses_packets_with_two_descriptors),
        cmocka_unit_test(a_packet_without_a_byte_is_no_end),
        cmocka_unit_test(a_side_that_reads_nothing_costs_so_much_and_no_more),
        cmocka_unit_test(a_body_behind_a_head_is_no_part_of_it),
        cmocka_unit_test(a_head_comes_over_a_listener_that_there_is),
        cmocka_unit_test(a_control_word_has_a_descriptor_where_it_means_one),
    };
    return cmocka_run_group_tests_name("daemon_channel", tests, NULL, NULL);
}
