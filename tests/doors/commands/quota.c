/* What a token may write in a day: told before it is all, refused then, and anew the next day. */
#include "test.h"

#include "services_priv.h"

#include "fault/clock.h"

#define NOON (INT64_C(1900000000) / 86400 * 86400 + 43200)

static int begin(void **state)
{
    static quota q;
    clock_stand(NOON);
    quota_init(&q, 1000);
    *state = &q;
    return 0;
}

static int end(void **state)
{
    quota_end(*state);
    clock_real();
    return 0;
}

static void it_is_told_once_before_it_is_used_up(void **state)
{
    quota *q = *state;
    unsigned after = 0;
    assert_int_equal(quota_take(&after, q, "a", 700, false), QUOTA_FINE);
    assert_int_equal(quota_take(&after, q, "a", 100, false), QUOTA_NEARLY);
    assert_int_equal(quota_take(&after, q, "a", 200, false), QUOTA_FINE);
    assert_int_equal(after, 0);
    assert_int_equal(quota_take(&after, q, "a", 1, false), QUOTA_USED_UP);
    assert_int_equal(after, 43200);
}

static void each_token_has_its_own_and_each_day(void **state)
{
    quota *q = *state;
    unsigned after = 0, percent = 0;
    uint64_t refused = 0;
    quota_take(&after, q, "a", 1000, false);
    assert_int_equal(quota_take(&after, q, "b", 500, false), QUOTA_FINE);
    assert_int_equal(quota_take(&after, q, "a", 1, false), QUOTA_USED_UP);
    quota_count(&refused, &percent, q);
    assert_int_equal(refused, 1);
    assert_int_equal(percent, 100);
    clock_pass(43200);
    quota_count(&refused, &percent, q);
    assert_int_equal(percent, 0);
    assert_int_equal(quota_take(&after, q, "a", 1, false), QUOTA_FINE);
}

static void what_was_not_written_is_given_back(void **state)
{
    quota *q = *state;
    unsigned after = 0;
    quota_take(&after, q, "a", 1000, false);
    quota_give_back(q, "a", 400);
    assert_int_equal(quota_take(&after, q, "a", 400, false), QUOTA_NEARLY);
    assert_int_equal(quota_take(&after, q, "a", 1, false), QUOTA_USED_UP);
    quota_give_back(q, "a", 5000);
    assert_int_equal(quota_take(&after, q, "a", 100, false), QUOTA_FINE);
}

static void a_clock_that_is_put_back_and_forth_begins_no_day(void **state)
{
    quota *q = *state;
    unsigned after = 0, percent = 0;
    uint64_t refused = 0;
    quota_take(&after, q, "a", 1000, false);
    clock_pass(-86400);
    assert_int_equal(quota_take(&after, q, "a", 1, false), QUOTA_USED_UP);
    quota_count(&refused, &percent, q);
    assert_int_equal(percent, 100);
    clock_pass(86400);
    assert_int_equal(quota_take(&after, q, "a", 1, false), QUOTA_USED_UP);
}

static void what_takes_back_is_never_refused(void **state)
{
    quota *q = *state;
    unsigned after = 0;
    quota_take(&after, q, "a", 1000, false);
    assert_int_equal(quota_take(&after, q, "a", 500, true), QUOTA_FINE);
    assert_int_equal(quota_take(&after, q, "a", 1, false), QUOTA_USED_UP);
}

static void many_tokens_are_bounded_in_memory_and_count(void **state)
{
    quota *q = *state;
    unsigned after = 0;
    char name[20];
    for (unsigned i = 0; i < QUOTA_LINES + 2; i++) {
        snprintf(name, sizeof name, "t%u", i);
        quota_take(&after, q, name, 500, false);
    }
    assert_int_equal(q->count, QUOTA_LINES);
    assert_int_equal(quota_take(&after, q, "another", 1, false), QUOTA_USED_UP);
}

static void what_was_written_before_a_start_counts(void **state)
{
    quota *q = *state;
    unsigned after = 0;
    quota_know(q, "a", NOON / QUOTA_DAY_S, 900);
    assert_int_equal(quota_take(&after, q, "a", 101, false), QUOTA_USED_UP);
    assert_int_equal(quota_take(&after, q, "a", 100, false), QUOTA_FINE);
    assert_int_equal(quota_take(&after, q, "b", 101, false), QUOTA_FINE);
    clock_pass(43200);
    assert_int_equal(quota_take(&after, q, "a", 101, false), QUOTA_FINE);
}

#define ONE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(it_is_told_once_before_it_is_used_up),
        ONE(each_token_has_its_own_and_each_day),
        ONE(what_was_written_before_a_start_counts),
        ONE(what_was_not_written_is_given_back),
        ONE(a_clock_that_is_put_back_and_forth_begins_no_day),
        ONE(what_takes_back_is_never_refused),
        ONE(many_tokens_are_bounded_in_memory_and_count),
    };
    return cmocka_run_group_tests_name("services_quota", tests, NULL, NULL);
}
