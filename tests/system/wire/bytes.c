/* One system call carries one descriptor at most, and more of them leave none behind. */
#include "packets.h"

#include <obhut/wire.h>

#include <errno.h>
#include <fcntl.h>

typedef struct pair {
    int near, far;
} pair;

static pair make_pair(int kind)
{
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, kind | SOCK_CLOEXEC, 0, ends), 0);
    return (pair){ends[0], ends[1]};
}

static void close_pair(const pair *p)
{
    close(p->near);
    close(p->far);
}

static ssize_t receive(int *file, int from, size_t room)
{
    char bytes[16];
    struct iovec piece = {.iov_base = bytes, .iov_len = room};
    return ob_bytes_receive(file, from, &piece, 1, 0);
}

static void one_descriptor_is_the_callers_and_closed_on_exec(void **state)
{
    (void)state;
    pair p = make_pair(SOCK_SEQPACKET);
    int file = 0;
    send_packet_with(p.far, "x", 1, 1);
    assert_int_equal(receive(&file, p.near, 4), 1);
    assert_true(file > 2);
    assert_true(fcntl(file, F_GETFD) & FD_CLOEXEC);
    close(file);
    send_packet_with(p.far, "x", 1, 0);
    assert_int_equal(receive(&file, p.near, 4), 1);
    assert_int_equal(file, -1);
    close(p.far);
    assert_int_equal(receive(&file, p.near, 4), 0);
    close(p.near);
}

static void what_has_too_much_is_refused_and_leaves_nothing_open(void **state)
{
    static const struct {
        size_t size, files, headers;
        bool expected; /* one descriptor is */
    } cases[] = {
        {1, 2, 1, true},                     /* as many as alignment leaves room for */
        {1, 3, 1, true},                     /* more than there is room for */
        {1, 100, 1, true},                   /* far more */
        {1, 1, 2, true},                     /* in headers of their own */
        {1, 2, 2, true},   {1, 1, 1, false}, /* where none is expected */
        {1, 2, 1, false},  {9, 1, 1, true},  /* more bytes than there is room for */
        {9, 0, 1, true},
    };
    (void)state;
    pair p = make_pair(SOCK_SEQPACKET);
    const unsigned before = open_files();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int n = 0; n < PACKETS; n++) {
            int file = 7;
            assert_int_equal(
                send_files(p.far, "123456789", cases[i].size, cases[i].files, cases[i].headers),
                cases[i].size);
            assert_int_equal(receive(cases[i].expected ? &file : NULL, p.near, 4), -1);
            assert_int_equal(errno, EBADMSG);
            assert_int_equal(file, cases[i].expected ? -1 : 7);
        }
    assert_int_equal(open_files(), before);
    send_packet_with(p.far, "x", 1, 0);
    assert_int_equal(receive(NULL, p.near, 4), 1);
    close_pair(&p);
}

static void a_stream_is_no_different(void **state)
{
    (void)state;
    pair p = make_pair(SOCK_STREAM);
    const unsigned before = open_files();
    int file;
    for (int n = 0; n < PACKETS; n++) {
        send_packet_with(p.far, "x", 1, 2);
        assert_int_equal(receive(&file, p.near, 4), -1);
    }
    assert_int_equal(open_files(), before);
    send_packet_with(p.far, "x", 1, 1);
    assert_int_equal(receive(&file, p.near, 4), 1);
    close(file);
    close_pair(&p);
}

static void what_is_sent_arrives_and_the_descriptor_stays_the_senders(void **state)
{
    (void)state;
    pair p = make_pair(SOCK_SEQPACKET);
    char bytes[] = "abc";
    struct iovec pieces[2] = {{bytes, 1}, {bytes + 1, 2}};
    int file;
    const unsigned before = open_files();
    assert_int_equal(ob_bytes_send(p.far, pieces, 2, p.near, 0), 3);
    assert_int_equal(receive(&file, p.near, 4), 3);
    assert_true(file >= 0);
    close(file);
    assert_int_equal(ob_bytes_send(p.far, pieces, 1, -1, 0), 1);
    assert_int_equal(receive(&file, p.near, 4), 1);
    assert_int_equal(file, -1);
    assert_int_equal(open_files(), before);
    close(p.near);
    assert_int_equal(ob_bytes_send(p.far, pieces, 1, -1, 0), -1); /* and no signal */
    close(p.far);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_descriptor_is_the_callers_and_closed_on_exec),
        cmocka_unit_test(what_has_too_much_is_refused_and_leaves_nothing_open),
        cmocka_unit_test(a_stream_is_no_different),
        cmocka_unit_test(what_is_sent_arrives_and_the_descriptor_stays_the_senders),
    };
    return cmocka_run_group_tests_name("wire_bytes", tests, NULL, NULL);
}
