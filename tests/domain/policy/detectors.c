/* A detector's life: as it is shipped, on with a measurement that justifies it, suspended by
 * anybody. */
#include "acting.h"

#include <obhut/policy.h>
#include <obhut/records/proposal.h>

#include <math.h>

typedef struct wish {
    ob_measurement m;
    const char *body;
    int64_t proposal;
} wish;

ACT(suspend, const char, ob_detector_suspend(act, PDQ, in, err))
ACT(propose, wish, ob_detector_propose(&in->proposal, act, &in->m, in->body, err))
ACT(set, wish, ob_detector_set(act, &in->m, "bea", err))
ACT(write_down, ob_detector_record, ob_store_detector_set(act->w, in, err))

/* Fine for `on`: no false alarm in a million. */
static wish good(void)
{
    return (wish){
        .m = {.detector = PDQ, .state = OB_STATE_ON, .items = 1000000, .data = "some data"},
        .body = "{}"};
}

static ob_detector_record state_of(memory_place *p, ob_detector detector)
{
    ob_detector_record now[OB_DETECTORS_MOST];
    MUST(READS(p->store, &err_, ob_detectors_now(now, view, &err_)));
    return now[detector];
}

/* Chi-squared tables: half of the 95 % quantile for 2 (n + 1) degrees of freedom. */
static void the_upper_limit_is_that_of_the_tables(void **state)
{
    static const struct {
        int64_t seen;
        double limit;
    } table[] = {{0, 2.99573},  {1, 4.74386},   {2, 6.29579},    {3, 7.75366},
                 {5, 10.51303}, {10, 16.96222}, {100, 118.07973}};
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_true(fabs(ob_measured_limit(1000000, table[i].seen) - table[i].limit) < 0.0005);
    assert_true(fabs(ob_measured_limit(500000, 0) - 2 * 2.99573) < 0.0005);
    const double most = ob_measured_limit(1000000, OB_ALARMS_MOST);
    assert_true(most > 535 && most < 545);
}

static void a_measurement_justifies_a_state_or_does_not(void **state)
{
    static const struct {
        ob_detector_state state;
        int64_t items, alarms;
        const char *data;
        ob_status status;
        const char *says;
    } cases[] = {
        {OB_STATE_ON, 1000000, 0, "d", OB_OK, ""},
        {OB_STATE_ON, 300000, 0, "d", OB_OK, ""}, /* 9.99 */
        {OB_STATE_ON, 299000, 0, "d", OB_EREFUSED, "is 10.0 false alarms in a million; on needs"},
        {OB_STATE_ON, 1000000, 5, "d", OB_EREFUSED, "10.5"},
        {OB_STATE_TRIAL, 1, 1, "d", OB_OK, ""}, /* whatever it is */
        {OB_STATE_UNTESTED, 1000000, 0, "d", OB_EINVAL, "trial or on"},
        {OB_STATE_SUSPENDED, 1000000, 0, "d", OB_EINVAL, "trial or on"},
        {OB_STATE_COUNT, 1000000, 0, "d", OB_EINVAL, "trial or on"},
        {OB_STATE_TRIAL, 0, 0, "d", OB_EINVAL, "a measurement"},
        {OB_STATE_TRIAL, 10, -1, "d", OB_EINVAL, "a measurement"},
        {OB_STATE_TRIAL, 10, 11, "d", OB_EINVAL, "a measurement"},
        {OB_STATE_TRIAL, 1000000, OB_ALARMS_MOST, "d", OB_OK, ""},
        {OB_STATE_TRIAL, 1000000, OB_ALARMS_MOST + 1, "d", OB_EINVAL, "a measurement"},
        {OB_STATE_TRIAL, 10, 0, NULL, OB_EINVAL, "a measurement"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const ob_measurement m = {.detector = PDQ,
                                  .state = cases[i].state,
                                  .items = cases[i].items,
                                  .false_alarms = cases[i].alarms,
                                  .data = cases[i].data};
        ob_error err = {0};
        assert_int_equal(ob_measurement_check(&m, &err), cases[i].status);
        if (!strstr(err.text, cases[i].says))
            fail_msg("case %zu: %s", i, err.text);
    }
}

static void what_a_measurement_does_not_justify_is_neither_proposed_nor_done(void **state)
{
    memory_place *p = *state;
    wish w = good();
    w.m.false_alarms = 9;
    FAILS(p, "ada", propose, &w, OB_EREFUSED, "upper 95 %");
    FAILS(p, "ada", set, &w, OB_EREFUSED, "upper 95 %");
    w = good();
    w.body = NULL;
    FAILS(p, "ada", propose, &w, OB_ENOMEM, "out of memory");
    assert_int_equal(state_of(p, PDQ).state, OB_STATE_TRIAL);
}

static void a_detector_is_on_when_two_persons_say_so(void **state)
{
    memory_place *p = *state;
    wish w = good();
    ob_proposal proposal;
    DONE(p, "bea", propose, &w);
    MUST(READS(p->store, &err_, ob_store_proposal(&proposal, view, w.proposal, &err_)));
    assert_string_equal(proposal.kind, "detector");
    assert_string_equal(proposal.proposed_by, "bea");
    assert_int_equal(state_of(p, PDQ).state, OB_STATE_TRIAL);
    DONE(p, "ada", set, &w);
    ob_detector_record now = state_of(p, PDQ);
    assert_int_equal(now.state, OB_STATE_ON);
    assert_int_equal(now.at, TODAY);
    assert_string_equal(now.by, "ada");
    assert_string_equal(now.reason, "measured on some data; proposed by bea");
}

static void anybody_suspends_a_detector_with_a_reason(void **state)
{
    memory_place *p = *state;
    char no_word[] = " \n", reason[] = "it matches cats", much[OB_RECORD_TEXT + 2];
    memset(much, 'x', sizeof much);
    much[sizeof much - 1] = '\0';
    FAILS(p, "ada", suspend, NULL, OB_EINVAL, "a reason is needed");
    FAILS(p, "ada", suspend, no_word, OB_EINVAL, "a reason is needed");
    FAILS(p, "ada", suspend, much, OB_ELIMIT, "at most 2000 bytes");
    DONE(p, "ada", suspend, reason);
    ob_detector_record now = state_of(p, PDQ);
    assert_int_equal(now.state, OB_STATE_SUSPENDED);
    assert_string_equal(now.reason, reason);
}

static void a_detector_is_as_it_was_shipped_until_somebody_says_otherwise(void **state)
{
    memory_place *p = *state;
    ob_detector_record now = state_of(p, DIGESTS);
    assert_string_equal(now.detector, "digests");
    assert_int_equal(now.state, OB_STATE_ON);
    assert_int_equal(now.at, 0);
    ob_detector_record strange = {.detector = "digests", .state = OB_STATE_COUNT, .by = "ada"};
    DONE(p, "ada", write_down, &strange);
    assert_int_equal(state_of(p, DIGESTS).state, OB_STATE_SUSPENDED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(the_upper_limit_is_that_of_the_tables),
        ACTING(a_measurement_justifies_a_state_or_does_not),
        ACTING(what_a_measurement_does_not_justify_is_neither_proposed_nor_done),
        ACTING(a_detector_is_on_when_two_persons_say_so),
        ACTING(anybody_suspends_a_detector_with_a_reason),
        ACTING(a_detector_is_as_it_was_shipped_until_somebody_says_otherwise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
