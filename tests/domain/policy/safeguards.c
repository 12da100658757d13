/* What is on record before anybody looks: until when it counts. And the clock that all of that goes
 * by. */
#include "acting.h"

#include <obhut/policy.h>
#include <obhut/records/tally.h>

ACT(add, ob_safeguard_record, ob_safeguard_add(act, in, err))
ACT(drop, ob_safeguard_record, ob_safeguard_remove(act, in->regime, in->safeguard, err))
ACT(accept_clock, int64_t, ob_clock_accept(act, *in, err))

static struct ob_safeguard_facts facts_at(memory_place *p, int law, int64_t changed_at, int64_t at)
{
    ob_safeguards all[OB_LAWS_MOST];
    MUST(READS(p->store, &err_, ob_safeguards_read(all, view, &err_)));
    return ob_safeguards_at(all, &laws[law], changed_at, at);
}

static void a_safeguard_has_a_name_and_so_has_the_yearly_report(void **state)
{
    uint32_t safeguard;
    (void)state;
    for (uint32_t s = 0; s <= OB_ANNUAL_REPORT; s++) {
        assert_true(ob_safeguard_parse(&safeguard, ob_safeguard_name(s)));
        assert_int_equal(safeguard, s);
    }
    assert_null(ob_safeguard_name(OB_ANNUAL_REPORT + 1));
    assert_false(ob_safeguard_parse(&safeguard, "annual"));
}

static void a_safeguard_is_of_a_law_that_is_built_in(void **state)
{
    memory_place *p = *state;
    ob_safeguard_record r = {.regime = "nowhere", .safeguard = OB_SAFEGUARD_REDRESS_CHANNEL};
    FAILS(p, "ada", add, &r, OB_EINVAL, "no regime \"nowhere\"");
    FAILS(p, "ada", drop, &r, OB_EINVAL, "no regime \"nowhere\"");
    snprintf(r.regime, sizeof r.regime, "land");
    DONE(p, "ada", add, &r);
    struct ob_safeguard_facts f = facts_at(p, LAND, 0, TODAY);
    assert_true(f.present && f.recorded == 1u << OB_SAFEGUARD_REDRESS_CHANNEL);
    assert_string_equal(f.regime, "land");
    assert_false(facts_at(p, SHORTER, 0, TODAY).present);
    DONE(p, "ada", drop, &r);
    assert_false(facts_at(p, LAND, 0, TODAY).present);
    FAILS(p, "ada", drop, &r, OB_ENOTFOUND, "");
}

static void a_yearly_report_is_about_a_year(void **state)
{
    memory_place *p = *state;
    ob_safeguard_record r = {.regime = "land", .safeguard = OB_ANNUAL_REPORT};
    static const int64_t wrong[] = {0, 2020, 10000};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        r.year = wrong[i];
        FAILS(p, "ada", add, &r, OB_EINVAL, "the year");
    }
    r.year = 2026;
    DONE(p, "ada", add, &r);
    assert_int_equal(facts_at(p, LAND, 0, TODAY).last_annual_report, 2026);
}

static void an_assessment_is_current_for_a_year_and_while_nothing_has_changed(void **state)
{
    memory_place *p = *state;
    ob_safeguard_record r = {.regime = "land", .safeguard = OB_SAFEGUARD_IMPACT_ASSESSMENT};
    r.at = 5; /* nobody's to say */
    snprintf(r.by, sizeof r.by, "eve");
    assert_false(facts_at(p, LAND, 0, TODAY).assessment_current);
    DONE(p, "ada", add, &r);
    const int64_t over = ob_time_add_months(TODAY, 12);
    const struct {
        int64_t changed_at, at;
        bool is_current;
    } cases[] = {
        {0, TODAY, true},         {TODAY, TODAY, true}, {TODAY + 1, TODAY + 1, false},
        {0, TODAY - 1, false},    {0, over - 1, true},  {0, over, false},
        {TODAY + 1, over, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(facts_at(p, LAND, cases[i].changed_at, cases[i].at).assessment_current,
                         cases[i].is_current);
}

static void who_recorded_a_safeguard_is_whose_act_it_was(void **state)
{
    memory_place *p = *state;
    ob_safeguard_record r = {.regime = "land", .by = "eve", .at = 5}, *all = NULL;
    size_t count = 0;
    DONE(p, "ada", add, &r);
    MUST(READS(p->store, &err_, ob_store_safeguards(&all, &count, view, &err_)));
    assert_int_equal(count, 1);
    assert_string_equal(all[0].by, "ada");
    assert_int_equal(all[0].at, TODAY);
    free(all);
}

/* ---- The clock ------------------------------------------------------------------------------- */

static void a_clock_before_what_was_allowed_or_built_is_not_right(void **state)
{
    (void)state;
    assert_string_equal(ob_clock_state(TODAY, 0), "ok");
    assert_string_equal(ob_clock_state(TODAY, TODAY), "ok");
    assert_string_equal(ob_clock_state(TODAY, TODAY + 1), "backwards");
    assert_string_equal(ob_clock_state(BUILT_AT - 1, TODAY), "unset");
}

static void nobody_can_accept_a_clock_that_is_unset(void **state)
{
    memory_place *p = *state;
    int64_t early = BUILT_AT - 1, now = TODAY, mark = 0;
    FAILS(p, "ada", accept_clock, &early, OB_EREFUSED, "before this program was built");
    DONE(p, "ada", accept_clock, &now);
    MUST(READS(p->store, &err_, ob_store_clock(&mark, view, &err_)));
    assert_int_equal(mark, TODAY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(a_safeguard_has_a_name_and_so_has_the_yearly_report),
        ACTING(a_safeguard_is_of_a_law_that_is_built_in),
        ACTING(a_yearly_report_is_about_a_year),
        ACTING(an_assessment_is_current_for_a_year_and_while_nothing_has_changed),
        ACTING(who_recorded_a_safeguard_is_whose_act_it_was),
        ACTING(a_clock_before_what_was_allowed_or_built_is_not_right),
        ACTING(nobody_can_accept_a_clock_that_is_unset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
