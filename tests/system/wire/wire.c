/* What a protocol does not have reaches no reader, nothing stays open, and who reads nothing costs
 * a bounded amount. */
#include "flat.h"
#include "packets.h"

#include <errno.h>

enum { CALL = 1, ANSWER, FILE_WITH_IT, FILE_OR_NOT, KINDS };
enum { ASKER, HELPER };

static const ob_wire_kind kinds[KINDS] = {
    [CALL] = {"CALL", ASKER, 4, 8, OB_WIRE_NO_FILE},
    [ANSWER] = {"ANSWER", HELPER, 0, 1000, OB_WIRE_NO_FILE},
    [FILE_WITH_IT] = {"FILE_WITH_IT", ASKER, 0, 0, OB_WIRE_HAS_FILE},
    [FILE_OR_NOT] = {"FILE_OR_NOT", ASKER, 0, 5000, OB_WIRE_MAY_HAVE_FILE},
};

static const ob_wire_protocol protocol = {.sides = {"asker", "helper"},
                                          .kinds = kinds,
                                          .kind_count = KINDS,
                                          .waiting_bytes = 1 << 20,
                                          .waiting_packets = 500,
                                          .waiting_files = 10};

static const ob_wire_protocol hasty = {
    .sides = {"asker", "helper"}, .kinds = kinds, .kind_count = KINDS};

/* An asker's socket, and the helper. */
typedef struct place {
    int far;
    ob_wire *near;
} place;

static place make_place(const ob_wire_protocol *p, unsigned side)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    const place made = {ends[1], ob_wire_new(ends[0], p, side, NULL)};
    assert_non_null(made.near);
    return made;
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

static void packets_arrive_with_their_fields_and_descriptors(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ob_wire *asker = ob_wire_new(ends[0], &protocol, ASKER, NULL);
    ob_wire *helper = ob_wire_new(ends[1], &protocol, HELPER, NULL);
    const unsigned before = open_files();
    for (int i = 0; i < 4; i++) {
        ob_packet p = ob_packet_of(FILE_OR_NOT, (uint64_t)i), got;
        uint32_t number;
        const void *tail;
        size_t size;
        ob_put_u32(&p, 5);
        ob_put_tail(&p, "tail", 4);
        p.file = i ? 0 : -1;
        p.is_lent = i == 1;
        if (i > 1)
            p.file = dup(0);
        assert_true(ob_wire_send(asker, &p));
        assert_int_equal(ob_wire_receive(helper, &got), OB_WIRE_PACKET);
        assert_true(got.kind == FILE_OR_NOT && got.id == (uint64_t)i && (got.file >= 0) == (i > 0));
        assert_true(ob_get_u32(&number, &got) && number == 5);
        assert_true(ob_get_bytes(&tail, &size, &got) && size == 4 && !memcmp(tail, "tail", 4));
        assert_true(ob_get_end(&got));
        ob_packet_free(&got);
        ob_packet_free(&p);
    }
    ob_packet none;
    assert_int_equal(ob_wire_receive(helper, &none), OB_WIRE_NOTHING);
    assert_int_equal(open_files(), before);
    ob_wire_free(asker);
    assert_int_equal(ob_wire_await(helper, &none), OB_WIRE_END);
    assert_int_equal(ob_wire_receive(helper, &none), OB_WIRE_END);
    ob_wire_free(helper);
}

/* Every kind there is and some that there are not, every size around the bounds, 0 to 2
 * descriptors, from both sides: a packet comes through where the table says so, and nowhere else.
 */
static void only_what_the_table_has_comes_through(void **state)
{
    static const char zeros[6000];
    (void)state;
    place p = make_place(&protocol, HELPER);
    const unsigned before = open_files();
    for (uint32_t kind = 0; kind < KINDS + 2; kind++)
        for (size_t size = 0; size < 5010; size += size < 20 || size > 4990 ? 1 : 990)
            for (size_t files = 0; files < 3; files++) {
                const ob_wire_kind *k = kind < KINDS && kinds[kind].name ? &kinds[kind] : NULL;
                const bool fine = k && k->from == ASKER && size >= k->least && size <= k->most &&
                                  files < 2 &&
                                  (k->file == OB_WIRE_MAY_HAVE_FILE ||
                                   (k->file == OB_WIRE_HAS_FILE) == (files == 1));
                ob_packet sent = ob_packet_of(kind, 7), got;
                assert_true(ob_packet_reserve(&sent, size));
                memcpy(sent.bytes ? sent.bytes : sent.small, zeros, size);
                sent.size = size;
                send_flat(p.far, &sent, files);
                ob_packet_free(&sent);
                const ob_wire_got result = ob_wire_receive(p.near, &got);
                assert_int_equal(result, fine ? OB_WIRE_PACKET : OB_WIRE_NONSENSE);
                assert_int_equal(got.file >= 0, fine && files);
                assert_int_equal(got.size, fine ? size : 0);
                ob_packet_free(&got);
            }
    assert_int_equal(open_files(), before);
    close_place(&p);
}

static void what_is_cut_or_of_another_program_is_nonsense(void **state)
{
    static uint8_t bytes[FLAT_MOST];
    (void)state;
    place p = make_place(&protocol, HELPER);
    ob_packet sent = ob_packet_of(CALL, 7), got;
    const unsigned before = open_files();
    ob_put_u64(&sent, 1);
    const size_t size = flat(bytes, &sent);
    for (size_t cut = 0; cut < size; cut++)
        for (size_t files = 0; files < 3; files++) {
            send_packet_with(p.far, bytes, cut, files);
            const bool fine = cut >= sizeof(wire_head) + 4 && !files;
            assert_int_equal(ob_wire_receive(p.near, &got),
                             fine ? OB_WIRE_PACKET : OB_WIRE_NONSENSE);
            ob_packet_free(&got);
        }
    bytes[0] ^= 1;
    send_packet_with(p.far, bytes, size, 0);
    assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_NONSENSE);
    assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_NOTHING);
    shutdown(p.far, SHUT_RDWR);
    assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_END);
    assert_int_equal(open_files(), before);
    close_place(&p);
}

static void what_may_not_be_sent_is_not(void **state)
{
    (void)state;
    place p = make_place(&protocol, ASKER);
    const unsigned before = open_files();
    ob_packet wrong_side = ob_packet_of(ANSWER, 0), too_short = ob_packet_of(CALL, 0),
              without_file = ob_packet_of(FILE_WITH_IT, 0), with_file = ob_packet_of(CALL, 0),
              failed = ob_packet_of(CALL, 0);
    ob_put_u32(&with_file, 0);
    with_file.file = dup(0);
    ob_put_u32(&failed, 0);
    failed.failed = true;
    ob_packet *const all[] = {&wrong_side, &too_short, &without_file, &with_file, &failed};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_false(ob_wire_send(p.near, all[i]));
        assert_int_equal(errno, EMSGSIZE);
    }
    assert_int_equal(open_files(), before);
    close_place(&p);
}

/* Nobody waits in a send, and what waits to be sent has a bound in bytes, packets and files. */
static void a_side_that_reads_nothing_costs_so_much_and_no_more(void **state)
{
    static const char tail[4000];
    (void)state;
    for (int files = 0; files < 2; files++)
        for (int with_tail = 0; with_tail < 2; with_tail++) {
            place p = make_place(&protocol, ASKER);
            const unsigned before = open_files();
            unsigned sent = 0;
            for (bool goes_on = true; goes_on; sent += goes_on) {
                ob_packet packet = ob_packet_of(FILE_OR_NOT, sent);
                ob_put_tail(&packet, tail, with_tail ? sizeof tail : 0);
                packet.file = files ? 0 : -1;
                packet.is_lent = true;
                goes_on = ob_wire_send(p.near, &packet);
                assert_true(sent < 10000);
            }
            assert_true(errno == EAGAIN || errno == ETOOMANYREFS);
            assert_true(ob_wire_is_full(p.near) && ob_wire_flush(p.near));
            assert_int_equal(open_files(), before + (files ? 10 : 0));
            for (unsigned i = 0; i < sent; i++) { /* all of it, in order */
                int file = -1;
                uint8_t bytes[FLAT_MOST];
                wire_head head;
                struct iovec piece = {bytes, sizeof bytes};
                assert_true(ob_bytes_receive(&file, p.far, &piece, 1, 0) > 0);
                memcpy(&head, bytes, sizeof head);
                assert_int_equal(head.id, i);
                assert_int_equal(file >= 0, files);
                if (file >= 0)
                    close(file);
                assert_true(ob_wire_flush(p.near));
            }
            assert_false(ob_wire_is_full(p.near));
            assert_int_equal(open_files(), before);
            close_place(&p);
        }
}

static void where_nothing_may_wait_nothing_does(void **state)
{
    (void)state;
    place p = make_place(&hasty, ASKER);
    ob_packet packet = ob_packet_of(CALL, 0);
    ob_put_u32(&packet, 1);
    while (ob_wire_send(p.near, &packet))
        ;
    assert_int_equal(errno, EAGAIN);
    assert_false(ob_wire_is_full(p.near));
    close(p.far);
    assert_false(ob_wire_send(p.near, &packet));
    assert_int_not_equal(errno, EAGAIN);
    ob_wire_free(p.near);
}

static void people_read_what_a_packet_is(void **state)
{
    (void)state;
    char text[OB_WIRE_TEXT];
    place p = make_place(&protocol, HELPER);
    ob_packet packet = ob_packet_of(CALL, 42), got;
    ob_put_u32(&packet, 1);
    ob_packet_print(text, p.near, &packet);
    assert_string_equal(text, "asker→helper CALL id=42, 4 bytes");
    packet.kind = ANSWER;
    packet.file = 0;
    ob_packet_print(text, p.near, &packet);
    assert_string_equal(text, "helper→asker ANSWER id=42, 4 bytes, a descriptor");
    packet.kind = UINT32_MAX;
    packet.file = -1;
    send_flat(p.far, &packet, 0);
    assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_NONSENSE);
    assert_string_equal(ob_wire_fault(p.near),
                        "asker→helper kind 4294967295 id=42, 4 bytes: there is no such kind");
    packet.kind = ANSWER;
    send_flat(p.far, &packet, 0);
    assert_int_equal(ob_wire_receive(p.near, &got), OB_WIRE_NONSENSE);
    assert_string_equal(ob_wire_fault(p.near),
                        "helper→asker ANSWER id=42, 4 bytes: the other side sends that");
    close_place(&p);
    place named = make_place(&protocol, HELPER);
    ob_wire_free(named.near);
    named.near = ob_wire_new(dup(0), &protocol, HELPER, "somebody");
    packet.kind = CALL;
    ob_packet_print(text, named.near, &packet);
    assert_string_equal(text, "somebody→helper CALL id=42, 4 bytes");
    close_place(&named);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_arrive_with_their_fields_and_descriptors),
        cmocka_unit_test(only_what_the_table_has_comes_through),
        cmocka_unit_test(what_is_cut_or_of_another_program_is_nonsense),
        cmocka_unit_test(what_may_not_be_sent_is_not),
        cmocka_unit_test(a_side_that_reads_nothing_costs_so_much_and_no_more),
        cmocka_unit_test(where_nothing_may_wait_nothing_does),
        cmocka_unit_test(people_read_what_a_packet_is),
    };
    return cmocka_run_group_tests_name("wire_wire", tests, NULL, NULL);
}
