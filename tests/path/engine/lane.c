/* Whose turn it is; and who finds the queue full waits for a place: in turn, for so long, and not
 * with everybody. */
#include "folder.h"
#include "test.h"

#include "engine_priv.h"

#include "fault/clock.h"

enum { WAIT_MS = 10000, MOST = 2, BEYOND = 512, MANY = MOST + BEYOND };

typedef struct counter {
    lane lane;
    ob_turn turns[MANY + 1];
    int64_t begun_ms;
    ob_turn *last; /* that was taken */
} counter;

static int begin(void **state)
{
    counter *c = calloc(1, sizeof *c);
    assert_non_null(c);
    clock_stand(INT64_C(1900000000));
    c->begun_ms = ob_now_monotonic_ms();
    lane_init(&c->lane, NULL, MOST, WAIT_MS);
    for (unsigned i = 0; i <= MANY; i++)
        c->turns[i].client = "";
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

static ob_hindrance hand_in(counter *c, ob_turn *t)
{
    ob_turn *pushed;
    ob_hindrance hindrance = lane_add(&pushed, &c->lane, t);
    assert_null(pushed);
    return hindrance;
}

/* What was taken last is done, after so long. */
static void leave_after(counter *c, uint64_t took_us)
{
    c->last->took_us = took_us;
    lane_leave(&c->lane, c->last, true);
}

static void leave(counter *c)
{
    leave_after(c, 0);
}

static void add(counter *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        assert_int_equal(hand_in(c, &c->turns[i]), OB_HINDRANCE_NONE);
}

static void takes(counter *c, unsigned number)
{
    bool closing;
    c->last = lane_take(&closing, &c->lane);
    assert_ptr_equal(c->last, &c->turns[number]);
    assert_false(closing);
}

static ob_turn *late(counter *c, int64_t *next)
{
    *next = INT64_MAX;
    return lane_late(next, &c->lane, ob_now_monotonic_ms());
}

static bool at_once(counter *c)
{
    bool is;
    lane_has_room(&is, &c->lane, "");
    return is;
}

static void who_waits_for_a_place_gets_it_in_turn(void **state)
{
    counter *c = *state;
    add(c, 0, 5);
    takes(c, 0);
    takes(c, 1);
    assert_int_equal(c->lane.placed, 0); /* a third has no place while two run */
    assert_int_equal(c->lane.beyond, 3);
    assert_int_equal(lane_waiting(&c->lane), 3);
    for (unsigned i = 2; i < 5; i++) {
        leave(c);
        takes(c, i);
    }
    leave(c);
    assert_true(at_once(c));
}

static void what_begins_at_once_passes_nobody_and_pays(void **state)
{
    counter *c = *state;
    c->lane.seats = 1;
    c->turns[0].client = "a";
    c->turns[1].client = "b";
    assert_true(lane_begin(&c->lane, &c->turns[0]));
    assert_int_equal(c->turns[0].seat, 0);
    assert_false(lane_begin(&c->lane, &c->turns[1])); /* there is no seat */
    c->last = &c->turns[0];
    leave_after(c, 5000);
    c->turns[0].asks = true;
    assert_false(lane_begin(&c->lane, &c->turns[0])); /* a record may be slow */
    c->turns[0].asks = false;
    add(c, 0, 2);
    assert_false(lane_begin(&c->lane, &c->turns[2])); /* two wait */
    takes(c, 1);                                      /* the first has had its turn */
    leave(c);
    takes(c, 0);
    leave(c);
    assert_true(lane_begin(&c->lane, &c->turns[2]));
    c->last = &c->turns[2];
    leave(c);
}

static void *take_one(void *context)
{
    bool closing;
    counter *c = context;
    c->last = lane_take(&closing, &c->lane);
    return NULL;
}

/* A thread of the lane looks whether there is a seat, finds none, and sleeps until it is woken. */
static void who_waited_for_a_caller_to_be_through_is_served(void **state)
{
    counter *c = *state;
    pthread_t thread;
    c->lane.seats = 1;
    assert_true(lane_begin(&c->lane, &c->turns[0]));
    assert_int_equal(pthread_create(&thread, NULL, take_one, c), 0);
    add(c, 1, 2);
    const struct timespec moment = {.tv_nsec = 50000000};
    nanosleep(&moment, NULL); /* it has fallen asleep, or the test shows nothing */
    lane_leave(&c->lane, &c->turns[0], true);
    pthread_join(thread, NULL);
    assert_ptr_equal(c->last, &c->turns[1]);
    lane_leave(&c->lane, &c->turns[1], true);
    assert_true(lane_begin(&c->lane, &c->turns[0]));
    assert_int_equal(pthread_create(&thread, NULL, take_one, c), 0);
    nanosleep(&moment, NULL);
    assert_false(lane_leave(&c->lane, &c->turns[0], false)); /* it has another turn */
    pthread_join(thread, NULL);
    assert_ptr_equal(c->last, &c->turns[0]);
    lane_leave(&c->lane, &c->turns[0], true);
}

static void who_comes_later_does_not_pass_who_waits(void **state)
{
    counter *c = *state;
    add(c, 0, 3);
    takes(c, 0);
    takes(c, 1);
    leave(c);
    add(c, 3, 4); /* there was a place, and the third has it */
    takes(c, 2);
    leave(c);
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
    ob_turn *first = late(c, &next);
    assert_ptr_equal(first, &c->turns[2]); /* the two that have a place stay */
    assert_ptr_equal(first->next, &c->turns[3]);
    assert_null(first->next->next);
    assert_int_equal(next, c->begun_ms + 4000 + WAIT_MS);
    takes(c, 0);
    takes(c, 1);
    leave(c);
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
    assert_false(lane_has_room(&is, &c->lane, ""));
    assert_int_equal(hand_in(c, &c->turns[MANY]), OB_HINDRANCE_BUSY);
    takes(c, 0);
    leave(c);
    assert_true(lane_has_room(&is, &c->lane, ""));
    assert_false(is);
    add(c, MANY, MANY + 1);
}

static void only_so_many_bytes_wait(void **state)
{
    enum { SIZE = 100000000 };
    counter *c = *state;
    for (int i = 0; i < 6; i++)
        c->turns[i].bytes = SIZE;
    add(c, 0, 4);
    assert_int_equal(hand_in(c, &c->turns[4]), OB_HINDRANCE_BUSY);
    c->turns[5].bytes = SIZE / 2;
    add(c, 5, 6);
    takes(c, 0);
    leave(c); /* the third has a place: its bytes wait no more */
    add(c, 4, 5);
}

static void who_is_forgotten_leaves_its_place_to_the_next(void **state)
{
    counter *c = *state;
    int64_t next;
    add(c, 0, 6);
    takes(c, 0);
    assert_false(lane_forget(&c->lane, &c->turns[0])); /* it runs */
    assert_true(lane_forget(&c->lane, &c->turns[4]));
    assert_false(lane_forget(&c->lane, &c->turns[4]));
    assert_true(lane_forget(&c->lane, &c->turns[1])); /* it had a place */
    takes(c, 2);
    assert_true(
        lane_forget(&c->lane, &c->turns[5])); /* the last: who comes stands behind the rest */
    add(c, 1, 2);
    leave(c);
    takes(c, 3);
    leave(c);
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
        c->last = lane_take(&closing, &c->lane);
        assert_ptr_equal(c->last, &c->turns[i]);
        assert_true(closing);
        leave(c);
    }
    assert_null(lane_take(&closing, &c->lane));
    assert_false(lane_has_room(&is, &c->lane, ""));
    assert_int_equal(hand_in(c, &c->turns[4]), OB_HINDRANCE_STOPPING);
}

/* ---- Turns ------------------------------------------------------------------------------------
 */

static void are_of(counter *c, unsigned from, unsigned to, const char *client)
{
    for (unsigned i = from; i < to; i++)
        c->turns[i].client = client;
}

static void a_hundred_slow_files_delay_another_client_by_one(void **state)
{
    counter *c = *state;
    are_of(c, 0, 100, "greedy");
    are_of(c, 100, 101, "neighbour");
    add(c, 0, 100); /* also those places that there are */
    takes(c, 0);
    add(c, 100, 101);
    leave_after(c, 3000000);
    takes(c, 100);
}

static void whoever_takes_long_pays_with_turns(void **state)
{
    counter *c = *state;
    are_of(c, 0, 100, "greedy");
    are_of(c, 100, 200, "neighbour");
    add(c, 0, 200);
    takes(c, 0);
    leave_after(c, 500000);
    for (unsigned i = 100; i < 150; i++) { /* as long as one of the other's */
        takes(c, i);
        leave_after(c, 10000);
    }
    takes(c, 1);
}

static void who_is_not_through_has_another_turn(void **state)
{
    counter *c = *state;
    are_of(c, 0, 2, "greedy");
    are_of(c, 2, 3, "neighbour");
    add(c, 0, 3);
    takes(c, 0);
    c->last->took_us = 200000;
    assert_false(lane_leave(&c->lane, c->last, false));
    assert_int_equal(c->turns[0].until_ms, 0); /* it keeps its place */
    takes(c, 2);
    leave(c);
    takes(c, 0); /* before the rest of its client's: few hold what they have found */
    leave(c);
    takes(c, 1);
    leave(c);
    assert_int_equal(lane_waiting(&c->lane), 0);
}

static void for_whom_nobody_waits_there_is_no_other_turn(void **state)
{
    counter *c = *state;
    add(c, 0, 2);
    takes(c, 0);
    atomic_store(&c->last->unwanted, true);
    assert_true(lane_leave(&c->lane, c->last, false));
    takes(c, 1);
    leave(c);
    assert_int_equal(lane_waiting(&c->lane), 0);
}

static void who_was_away_has_saved_no_turns(void **state)
{
    counter *c = *state;
    are_of(c, 0, 10, "busy");
    are_of(c, 10, 20, "late");
    add(c, 0, 10);
    for (unsigned i = 0; i < 5; i++) {
        takes(c, i);
        leave_after(c, 1000000);
    }
    add(c, 10, 20);
    takes(c, 10);
    leave_after(c, 2000000);
    takes(c, 5);
}

static void a_place_that_is_free_goes_to_who_has_fewest(void **state)
{
    counter *c = *state;
    are_of(c, 0, 5, "greedy");
    are_of(c, 5, 6, "neighbour");
    add(c, 0, 6);
    takes(c, 0);
    leave(c);
    assert_int_equal(c->turns[5].until_ms, 0);
    assert_int_not_equal(c->turns[2].until_ms, 0);
}

static void who_has_most_waiting_gives_way(void **state)
{
    counter *c = *state;
    ob_turn *pushed;
    bool is;
    are_of(c, 0, MANY, "greedy");
    are_of(c, MANY, MANY + 1, "neighbour");
    add(c, 0, MANY);
    assert_false(lane_has_room(&is, &c->lane, "greedy"));
    assert_true(lane_has_room(&is, &c->lane, "neighbour"));
    assert_int_equal(lane_add(&pushed, &c->lane, &c->turns[MANY]), OB_HINDRANCE_NONE);
    assert_ptr_equal(pushed, &c->turns[MANY - 1]); /* who came last */
    assert_null(pushed->next);
    assert_int_equal(hand_in(c, pushed), OB_HINDRANCE_BUSY);
    assert_int_equal(lane_waiting(&c->lane), MANY);
}

static void who_has_as_much_as_others_gives_no_more(void **state)
{
    counter *c = *state;
    ob_turn *pushed;
    const unsigned half = MOST + BEYOND / 2;
    are_of(c, 0, MANY + 1, "one");
    add(c, 0, MANY);
    for (unsigned i = 0; i < BEYOND / 2; i++) { /* another, in the place of those that go */
        static ob_turn others[BEYOND];
        others[i].client = "other";
        assert_int_equal(lane_add(&pushed, &c->lane, &others[i]), OB_HINDRANCE_NONE);
        assert_ptr_equal(pushed, &c->turns[MANY - 1 - i]);
    }
    assert_int_equal(hand_in(c, &c->turns[MANY]), OB_HINDRANCE_BUSY);
    are_of(c, MANY, MANY + 1, "other");
    assert_int_equal(hand_in(c, &c->turns[MANY]), OB_HINDRANCE_BUSY);
    assert_int_equal(c->lane.beyond, BEYOND);
    assert_int_not_equal(c->turns[half - 1].until_ms, 0);
}

static void a_slow_file_runs_alone_and_quick_ones_pass(void **state)
{
    counter *c = *state;
    c->turns[0].is_slow = c->turns[1].is_slow = true;
    add(c, 0, 4);
    takes(c, 0);
    takes(c, 2); /* also the same client's */
    ob_turn *quick = c->last;
    takes(c, 3);
    leave(c);
    lane_leave(&c->lane, quick, true);
    c->last = &c->turns[0];
    leave(c);
    takes(c, 1);
}

static void more_clients_than_have_a_turn_of_their_own_are_served_all_the_same(void **state)
{
    counter *c = *state;
    c->lane.most = MANY;
    static char names[300][OB_CLIENT_TEXT];
    for (unsigned i = 0; i < 300; i++) {
        snprintf(names[i], sizeof names[i], "client %u", i);
        c->turns[i].client = names[i];
    }
    add(c, 0, 300);
    for (unsigned i = 0; i < 300; i++) {
        bool closing;
        c->last = lane_take(&closing, &c->lane);
        assert_non_null(c->last);
        leave_after(c, 1000);
    }
    assert_int_equal(lane_waiting(&c->lane), 0);
    assert_int_equal(c->lane.running, 0);
}

/* ---- Who asks the records ---------------------------------------------------------------------
 */

static void ask(counter *c, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        c->turns[i].asks = true;
}

static void who_asks_has_no_seat_until_it_has_asked(void **state)
{
    counter *c = *state;
    c->lane.seats = 1;
    c->lane.most = 10;
    ask(c, 0, 1);
    add(c, 0, 2);
    takes(c, 0);
    assert_int_equal(c->turns[0].seat, LANE_STANDS);
    takes(c, 1);
    assert_int_equal(c->turns[1].seat, 0);
    leave(c);
    lane_sit(&c->lane, &c->turns[0]);
    assert_int_equal(c->turns[0].seat, 0);
    lane_sit(&c->lane, &c->turns[0]); /* it sits already */
    assert_int_equal(c->lane.seated, 1);
    lane_stand(&c->lane, &c->turns[0]); /* it asks once more: another may sit meanwhile */
    add(c, 2, 3);
    takes(c, 2);
    leave(c);
    lane_leave(&c->lane, &c->turns[0], true); /* it has asked in vain */
    assert_int_equal(c->lane.asking + c->lane.seated + c->lane.running, 0);
}

static void only_so_many_ask_and_who_does_not_passes(void **state)
{
    enum { ASK = LANE_ASKING_MOST };
    counter *c = *state;
    c->lane.most = 10;
    ask(c, 0, ASK + 1);
    add(c, 0, ASK + 2);
    for (unsigned i = 0; i < ASK; i++)
        takes(c, i);
    takes(c, ASK + 1); /* the same client's */
    lane_sit(&c->lane, &c->turns[0]);
    takes(c, ASK);
    lane_leave(&c->lane, &c->turns[0], true);
}

typedef struct sitter {
    pthread_t thread;
    lane *lane;
    ob_turn *turn;
} sitter;

static void *sit(void *argument)
{
    sitter *s = argument;
    lane_sit(s->lane, s->turn);
    return NULL;
}

static void until_standing(lane *l, int speed)
{
    unsigned tries = 0, standing;
    do {
        assert_true(test_wait(&tries));
        pthread_mutex_lock(&l->lock);
        standing = l->standing[speed];
        pthread_mutex_unlock(&l->lock);
    } while (!standing);
}

/* Three turns, of which the second asks: the first sits, and the second has asked and waits. */
static void let_one_stand(counter *c, sitter *s, unsigned seats)
{
    *s = (sitter){.lane = &c->lane, .turn = &c->turns[1]};
    c->lane.seats = seats;
    c->lane.most = 10;
    ask(c, 1, 2);
    add(c, 0, 3);
    takes(c, 0);
    takes(c, 1);
    assert_int_equal(pthread_create(&s->thread, NULL, sit, s), 0);
    until_standing(&c->lane, s->turn->is_slow ? SLOW : QUICK);
}

static void who_has_asked_sits_down_before_who_comes(void **state)
{
    counter *c = *state;
    sitter s;
    let_one_stand(c, &s, 1);
    c->last = &c->turns[0];
    leave(c);
    pthread_join(s.thread, NULL);
    assert_int_equal(c->turns[1].seat, 0);
    c->last = &c->turns[1];
    leave(c);
    takes(c, 2);
}

/* Who is slow, and waits for another that is, takes no seat from quick ones. */
static void who_is_slow_and_has_asked_stands_until_no_other_runs(void **state)
{
    counter *c = *state;
    sitter s;
    c->turns[0].is_slow = c->turns[1].is_slow = true;
    let_one_stand(c, &s, 2);
    takes(c, 2);
    leave(c);
    assert_int_equal(c->turns[1].seat, LANE_STANDS);
    c->last = &c->turns[0];
    leave(c);
    pthread_join(s.thread, NULL);
    assert_int_not_equal(c->turns[1].seat, LANE_STANDS);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(who_waits_for_a_place_gets_it_in_turn),
        ONE(what_begins_at_once_passes_nobody_and_pays),
        ONE(who_waited_for_a_caller_to_be_through_is_served),
        ONE(who_comes_later_does_not_pass_who_waits),
        ONE(who_has_waited_so_long_is_given_back_and_nobody_else),
        ONE(only_so_many_wait),
        ONE(only_so_many_bytes_wait),
        ONE(who_is_forgotten_leaves_its_place_to_the_next),
        ONE(who_waits_at_the_end_is_handed_out_as_such),
        ONE(a_hundred_slow_files_delay_another_client_by_one),
        ONE(whoever_takes_long_pays_with_turns),
        ONE(who_is_not_through_has_another_turn),
        ONE(for_whom_nobody_waits_there_is_no_other_turn),
        ONE(who_was_away_has_saved_no_turns),
        ONE(a_place_that_is_free_goes_to_who_has_fewest),
        ONE(who_has_most_waiting_gives_way),
        ONE(who_has_as_much_as_others_gives_no_more),
        ONE(a_slow_file_runs_alone_and_quick_ones_pass),
        ONE(who_asks_has_no_seat_until_it_has_asked),
        ONE(only_so_many_ask_and_who_does_not_passes),
        ONE(who_has_asked_sits_down_before_who_comes),
        ONE(who_is_slow_and_has_asked_stands_until_no_other_runs),
        ONE(more_clients_than_have_a_turn_of_their_own_are_served_all_the_same),
    };
    return cmocka_run_group_tests_name("engine_lane", tests, NULL, NULL);
}
