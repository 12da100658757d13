/* Who finds the queue full waits for a place: in turn, for so long, and not with everybody. */
#include "test.h"

#include "engine_priv.h"

#include "../fault/clock.h"

enum { WAIT_MS = 10000, MOST = 2, BEYOND = 512, MANY = MOST + BEYOND };

typedef struct counter {
    lane lane;
    ob_task tasks[MANY + 1];
    int64_t begun_ms;
} counter;

static int begin(void **state)
{
    counter *c = calloc(1, sizeof *c);
    assert_non_null(c);
    clock_stand(INT64_C(1900000000));
    c->begun_ms = ob_now_monotonic_ms();
    lane_init(&c->lane, NULL, MOST, WAIT_MS);
    *state = c;
    return 0;
}

static int end(void **state)
{
    counter *c = *state;
    lane_end(&c->lane);
    clock_real();
    free(c);
    return 0;
}

static void add(counter *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        assert_int_equal(lane_add(&c->lane, &c->tasks[i]), OB_HINDRANCE_NONE);
}

static void takes(counter *c, unsigned number)
{
    bool closing;
    assert_ptr_equal(lane_take(&closing, &c->lane), &c->tasks[number]);
    assert_false(closing);
}

static ob_task *late(counter *c, int64_t *next)
{
    *next = INT64_MAX;
    return lane_late(next, &c->lane, ob_now_monotonic_ms());
}

static bool at_once(counter *c)
{
    bool is;
    lane_has_room(&is, &c->lane);
    return is;
}

static void who_waits_for_a_place_gets_it_in_turn(void **state)
{
    counter *c = *state;
    add(c, 0, 5);
    takes(c, 0);
    takes(c, 1);
    assert_null(c->lane.queue.first); /* a third has no place while two run */
    assert_int_equal(lane_waiting(&c->lane), 3);
    for (unsigned i = 2; i < 5; i++) {
        lane_leave(&c->lane);
        takes(c, i);
    }
    lane_leave(&c->lane);
    assert_true(at_once(c));
}

static void who_comes_later_does_not_pass_who_waits(void **state)
{
    counter *c = *state;
    add(c, 0, 3);
    takes(c, 0);
    takes(c, 1);
    lane_leave(&c->lane);
    add(c, 3, 4); /* there was a place, and the third has it */
    takes(c, 2);
    lane_leave(&c->lane);
    takes(c, 3);
}

static void who_has_waited_so_long_is_given_back_and_nobody_else(void **state)
{
    counter *c = *state;
    int64_t next;
    add(c, 0, 4);
    clock_pass(4);
    add(c, 4, 5);
    assert_null(late(c, &next));
    assert_int_equal(next, c->begun_ms + WAIT_MS);
    clock_pass(6);
    ob_task *first = late(c, &next);
    assert_ptr_equal(first, &c->tasks[2]); /* the two that have a place stay */
    assert_ptr_equal(first->next, &c->tasks[3]);
    assert_null(first->next->next);
    assert_int_equal(next, c->begun_ms + 4000 + WAIT_MS);
    takes(c, 0);
    takes(c, 1);
    lane_leave(&c->lane);
    takes(c, 4);
    clock_pass(3600);
    assert_null(late(c, &next));
    assert_int_equal(next, INT64_MAX);
}

static void only_so_many_wait(void **state)
{
    counter *c = *state;
    bool is;
    add(c, 0, MANY);
    assert_false(lane_has_room(&is, &c->lane));
    assert_int_equal(lane_add(&c->lane, &c->tasks[MANY]), OB_HINDRANCE_BUSY);
    takes(c, 0);
    lane_leave(&c->lane);
    assert_true(lane_has_room(&is, &c->lane));
    assert_false(is);
    add(c, MANY, MANY + 1);
}

static void only_so_many_bytes_wait(void **state)
{
    enum { SIZE = 100000000 };
    counter *c = *state;
    for (int i = 0; i < 6; i++)
        c->tasks[i].size = SIZE;
    add(c, 0, 4);
    assert_int_equal(lane_add(&c->lane, &c->tasks[4]), OB_HINDRANCE_BUSY);
    c->tasks[5].size = SIZE / 2;
    add(c, 5, 6);
    takes(c, 0);
    lane_leave(&c->lane); /* the third has a place: its bytes wait no more */
    add(c, 4, 5);
}

static void who_is_forgotten_leaves_its_place_to_the_next(void **state)
{
    counter *c = *state;
    int64_t next;
    add(c, 0, 6);
    takes(c, 0);
    assert_false(lane_forget(&c->lane, &c->tasks[0])); /* it runs */
    assert_true(lane_forget(&c->lane, &c->tasks[4]));
    assert_false(lane_forget(&c->lane, &c->tasks[4]));
    assert_true(lane_forget(&c->lane, &c->tasks[1])); /* it had a place */
    takes(c, 2);
    assert_true(
        lane_forget(&c->lane, &c->tasks[5])); /* the last: who comes stands behind the rest */
    add(c, 1, 2);
    lane_leave(&c->lane);
    takes(c, 3);
    lane_leave(&c->lane);
    takes(c, 1);
    clock_pass(3600);
    assert_null(late(c, &next));
}

static void who_waits_at_the_end_is_handed_out_as_such(void **state)
{
    counter *c = *state;
    bool closing, is;
    add(c, 0, 4);
    pthread_mutex_lock(&c->lane.lock);
    c->lane.closing = true;
    pthread_mutex_unlock(&c->lane.lock);
    for (unsigned i = 0; i < 4; i++) {
        assert_ptr_equal(lane_take(&closing, &c->lane), &c->tasks[i]);
        assert_true(closing);
        lane_leave(&c->lane);
    }
    assert_null(lane_take(&closing, &c->lane));
    assert_false(lane_has_room(&is, &c->lane));
    assert_int_equal(lane_add(&c->lane, &c->tasks[4]), OB_HINDRANCE_STOPPING);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(who_waits_for_a_place_gets_it_in_turn),
        ONE(who_comes_later_does_not_pass_who_waits),
        ONE(who_has_waited_so_long_is_given_back_and_nobody_else),
        ONE(only_so_many_wait),
        ONE(only_so_many_bytes_wait),
        ONE(who_is_forgotten_leaves_its_place_to_the_next),
        ONE(who_waits_at_the_end_is_handed_out_as_such),
    };
    return cmocka_run_group_tests_name("engine_lane", tests, NULL, NULL);
}
