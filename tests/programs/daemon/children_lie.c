/* Main hears processes that lie: every kind, every length, replays, out of order. It ends the one
 * that does, and no other; the core may have the front ended, and nobody the core. */
#include "main_ear.h"
#include "packets.h"

typedef struct liars {
    test_random random;
    uint64_t left;
    role_id liar;
    bool ready[ROLES], stopped;
    unsigned started[ROLES]; /* when it was last asked for readiness */
} liars;

/* A process that has just been started says that it is ready, as it should. */
static void say_ready(main_ear *e, liars *l)
{
    for (int i = 0; i < ROLES; i++)
        if (e->far[i] >= 0 && e->started[i] != l->started[i]) {
            l->started[i] = e->started[i];
            main_ear_say(e, (role_id)i, CONTROL_READY, 0);
        }
}

static void lie(main_ear *e, liars *l)
{
    static uint8_t bytes[FLAT_MOST];
    test_random *r = &l->random;
    ob_packet p = ob_packet_of((uint32_t)test_below(r, CONTROL_KINDS + 2), test_below(r, 4));
    for (uint64_t i = test_below(r, 8) ? 0 : test_below(r, 9); i; i--)
        ob_put_u32(&p, (uint32_t)test_next(r));
    size_t size = flat(bytes, &p);
    if (!test_below(r, 3))
        size = test_mutate(r, bytes, size);
    main_ear_send(e, l->liar, bytes, size, test_below(r, 8) ? -1 : STDIN_FILENO);
}

static void turn(main_ear *e)
{
    liars *l = e->context;
    for (int i = 0; i < ROLES; i++)
        main_ear_take(e, (role_id)i);
    say_ready(e, l);
    if (l->left) {
        if (e->far[l->liar] >= 0) {
            lie(e, l);
            l->left--;
        }
    } else if (!l->stopped) {
        l->stopped = true;
        main_ear_signal(e, SIGTERM);
    }
}

static void run(role_id liar, uint64_t samples)
{
    liars l = {.random = test_sampled(44 + (uint64_t)liar), .left = samples, .liar = liar};
    main_ear e = {.turn = turn, .context = &l};
    const unsigned before = open_files();
    assert_int_equal(main_ear_run(&e), EXIT_FINE);
    assert_int_equal(open_files(), before);
    assert_true(e.killed[liar] > samples / 10 && e.started[liar] > samples / 10);
    if (liar == ROLE_FRONT)
        assert_true(e.started[ROLE_CORE] == 1 && e.killed[ROLE_CORE] <= 1); /* at the end */
}

static void a_front_that_lies_to_main_ends_itself_alone(void **state)
{
    (void)state;
    run(ROLE_FRONT, test_samples("OBHUT_PACKETS", 5000));
}

static void a_core_that_lies_to_main_is_ended(void **state)
{
    (void)state;
    run(ROLE_CORE, test_samples("OBHUT_PACKETS", 5000));
}

/* ---- Introductions --------------------------------------------------------------------------- */

typedef struct meetings {
    unsigned turns, peers[ROLES], started[ROLES];
    bool told[ROLES];
} meetings;

/* Both are ready; then one dies, and the other meets its successor. */
static void meet(main_ear *e)
{
    meetings *m = e->context;
    for (int i = 0; i < ROLES; i++) {
        m->peers[i] += main_ear_take(e, (role_id)i);
        if (e->far[i] >= 0 && e->started[i] != m->started[i]) {
            m->started[i] = e->started[i];
            main_ear_say(e, (role_id)i, CONTROL_READY, 0);
        }
    }
    m->turns++;
    if (m->turns == 5)
        main_ear_die(e, ROLE_CORE);
    if (m->turns == 10)
        main_ear_say(e, ROLE_CORE, CONTROL_HANG_UP, ROLE_FRONT);
    if (m->turns == 15)
        main_ear_signal(e, SIGTERM);
}

static void peers_meet_anew_when_one_was_replaced(void **state)
{
    (void)state;
    meetings m = {.turns = 0};
    main_ear e = {.turn = meet, .context = &m};
    assert_int_equal(main_ear_run(&e), EXIT_FINE);
    assert_int_equal(e.started[ROLE_CORE], 2);
    assert_int_equal(e.started[ROLE_FRONT], 2);
    assert_true(m.peers[ROLE_CORE] >= 2 && m.peers[ROLE_FRONT] >= 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(peers_meet_anew_when_one_was_replaced),
        cmocka_unit_test(a_front_that_lies_to_main_ends_itself_alone),
        cmocka_unit_test(a_core_that_lies_to_main_is_ended),
    };
    return cmocka_run_group_tests_name("daemon_children_lie", tests, NULL, NULL);
}
