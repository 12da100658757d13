/* The core hears a front that lies: every kind, every length, replays, unknown numbers, out of
 * order. It costs that front's requests and nothing else, and the next front is served. */
#include "core_ear.h"
#include "packets.h"

static const char *const paths[] = {"/a",      "/b",      "/f", "/l", "/F",      "/n", "/a-long",
                                    "/b-long", "/f-long", "",   "/w", "/w-long", "/p"};

static void put_ask(ob_packet *p, test_random *r)
{
    const size_t body = test_below(r, 3) ? 0 : test_below(r, 300);
    static const char zeros[300];
    static const ob_field token = {"Authorization", "Bearer x"};
    const ob_request request = {.listener = (ob_listener)test_below(r, 2),
                                .method = test_below(r, 9) ? "POST" : NULL,
                                .path = paths[test_below(r, sizeof paths / sizeof *paths)],
                                .peer = test_below(r, 9) ? "192.0.2.7" : NULL,
                                .headers = &token,
                                .header_count = test_below(r, 2),
                                .content_length = (int64_t)body};
    channel_put_request(p, &request, !test_below(r, 9));
    for (int pairs = 0; pairs < 2; pairs++) { /* cookies and the query */
        for (uint64_t i = test_below(r, 4); i; i--)
            channel_put_field(p, "name", "value");
        channel_put_field(p, NULL, NULL);
    }
    channel_put_body(p, zeros, body);
}

static void put_body(ob_packet *p, test_random *r)
{
    static const char zeros[2000];
    const size_t size = test_below(r, 4) ? 0 : test_below(r, sizeof zeros);
    ob_put_u32(p, !test_below(r, 9));
    ob_put_u64(p, test_below(r, 6000));
    ob_put_tail(p, zeros, size);
}

/* Few numbers, so that replays and what comes out of order meet a request. */
static ob_packet any_packet(test_random *r)
{
    static const uint32_t often[] = {MESSAGE_ASK,  MESSAGE_ASK,  MESSAGE_ASK,
                                     MESSAGE_BODY, MESSAGE_BODY, MESSAGE_UNABLE,
                                     MESSAGE_GONE, MESSAGE_LATE, MESSAGE_TAKEN};
    const uint32_t kind = test_below(r, 20) ? often[test_below(r, sizeof often / sizeof *often)]
                                            : (uint32_t)test_below(r, MESSAGES + 2);
    uint64_t id = test_below(r, 12);
    if (!test_below(r, 30))
        id = test_below(r, 2) ? id + CALLS : test_next(r);
    ob_packet p = ob_packet_of(kind, id);
    if (kind == MESSAGE_ASK)
        put_ask(&p, r);
    else if (kind == MESSAGE_BODY)
        put_body(&p, r);
    else if (kind == MESSAGE_UNABLE || kind == MESSAGE_LAYERS)
        ob_put_u32(&p, (uint32_t)test_below(r, 9));
    else if (kind == MESSAGE_TAKEN)
        ob_put_u64(&p, test_below(r, 2) ? 10000 : test_next(r));
    else if (kind == MESSAGE_COUNTS)
        for (int i = 0; i < OB_FRONT_COUNTS; i++)
            ob_put_u64(&p, test_next(r));
    return p;
}

static void what_a_front_says_costs_its_own_requests(void **state)
{
    static uint8_t bytes[FLAT_MOST];
    const uint64_t samples = test_samples("OBHUT_PACKETS", 5000);
    test_random r = test_sampled(41);
    ear e;
    (void)state;
    const unsigned before = open_files();
    ear_open(&e);
    ear_introduce(&e);
    for (uint64_t i = 0; i < samples; i++) {
        ob_packet p = any_packet(&r);
        size_t size = flat(bytes, &p);
        ob_packet_free(&p);
        if (!test_below(&r, 3) && size > sizeof(wire_head))
            size = sizeof(wire_head) +
                   test_mutate(&r, bytes + sizeof(wire_head), size - sizeof(wire_head));
        else if (!test_below(&r, 20))
            size = test_mutate(&r, bytes, size);
        unsigned beside = EAR_NO_FILE;
        if (p.kind == MESSAGE_BODY ? test_below(&r, 2) : !test_below(&r, 40))
            beside = test_below(&r, 3) ? EAR_SEALED : (unsigned)test_below(&r, EAR_BESIDES);
        ear_send(&e, bytes, size, beside);
        assert_true(e.core->call_count <= 2 * 64 + 256);
        if (i % 1000 == 999)
            assert_true(ear_serves(&e));
    }
    assert_true(ear_serves(&e));
    assert_true(ear_said > samples / 100 && ear_said < samples);
    ear_close(&e);
    assert_int_equal(open_files(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_front_says_costs_its_own_requests),
    };
    return cmocka_run_group_tests_name("daemon_front_lies", tests, NULL, NULL);
}
