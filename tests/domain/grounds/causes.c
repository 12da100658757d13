/* Verdicts, and the causes that rest on them or on a report: each rule, allowed and refused. */
#include "acting.h"

#include <obhut/grounds.h>
#include <obhut/records/proposal.h>

typedef struct wish {
    ob_record_key account;
    ob_cause_wish cause;
    const char *reason, *body, *by;
    int64_t id, until;
} wish;

ACT(propose_verdict, wish, ob_verdict_propose(&in->id, act, in->reason, in->body, err))
ACT(give_verdict, wish, ob_verdict_add(&in->id, act, &in->account, in->by, in->reason, err))
ACT(overturn, int64_t, ob_verdict_overturn(act, *in, err))
ACT(propose_cause, wish, ob_cause_propose(&in->id, act, &in->cause, in->reason, in->body, err))
ACT(open_cause, wish, ob_cause_add(&in->id, &in->until, act, &in->cause, in->by, in->reason, err))
ACT(end_cause, int64_t, ob_cause_end(act, *in, err))
ACT(tell_cause, int64_t, ob_cause_told(act, *in, err))
ACT(confirm, int64_t, ob_report_confirm(act, *in, err))

static int64_t verdict_about(memory_place *p, const char *account)
{
    wish w = {.account = key_of(account), .by = "bea", .reason = "two persons saw it"};
    DONE(p, "ada", give_verdict, &w);
    return w.id;
}

static int64_t report_about(memory_place *p, const char *account)
{
    int64_t id = 0;
    const ob_record_key item = key_of("item");
    const ob_incoming in = {
        .kind = OB_INCOMING_REPORT, .account = key_of(account), .reason = "r", .at = TODAY - 50};
    MUST(WRITES(p->store, &err_, ob_store_incoming_add(&id, w, &in, &item, 1, &err_)));
    return id;
}

static wish cause_about(const char *account, ob_cause_ground ground, int64_t record)
{
    return (wish){.cause = {.account = key_of(account),
                            .ground = ground,
                            .record = record,
                            .days = OB_CAUSE_DAYS},
                  .reason = "why",
                  .body = "{}",
                  .by = "bea"};
}

static ob_cause newest(memory_place *p)
{
    ob_cause *all = NULL;
    size_t count = 0;
    MUST(READS(p->store, &err_, ob_store_causes(&all, &count, view, 1, &err_)));
    assert_int_equal(count, 1);
    ob_cause c = all[0];
    free(all);
    return c;
}

static bool holds(memory_place *p, const char *account, int64_t at)
{
    bool found = false;
    ob_cause c;
    const ob_record_key key = key_of(account);
    MUST(READS(p->store, &err_, ob_store_cause_of(&found, &c, view, &key, at, &err_)));
    return found;
}

/* ---- Verdicts -------------------------------------------------------------------------------- */

static void a_verdict_is_proposed_with_a_reason_and_a_body(void **state)
{
    memory_place *p = *state;
    ob_proposal proposal;
    wish w = {.reason = "seen", .body = "{\"account\":\"00\"}"}, silent = {.body = "{}"},
         lost = {.reason = "seen"};
    FAILS(p, "ada", propose_verdict, &silent, OB_EINVAL, "a reason is needed");
    FAILS(p, "ada", propose_verdict, &lost, OB_ENOMEM, "out of memory");
    DONE(p, "ada", propose_verdict, &w);
    MUST(READS(p->store, &err_, ob_store_proposal(&proposal, view, w.id, &err_)));
    assert_string_equal(proposal.kind, "verdict");
    assert_string_equal(proposal.body, w.body);
    assert_string_equal(proposal.proposed_by, "ada");
}

static void a_verdict_is_of_who_proposed_and_who_agreed(void **state)
{
    memory_place *p = *state;
    ob_verdict v;
    wish silent = {.account = key_of("mallory"), .by = "bea"};
    FAILS(p, "ada", give_verdict, &silent, OB_EINVAL, "a reason is needed");
    const int64_t id = verdict_about(p, "mallory");
    MUST(READS(p->store, &err_, ob_store_verdict(&v, view, id, &err_)));
    assert_string_equal(v.proposed_by, "bea");
    assert_string_equal(v.confirmed_by, "ada");
    assert_int_equal(v.at, TODAY);
    const told t = log_of(p);
    assert_non_null(strstr(t.last, "\"about\":\"account:"));
    assert_non_null(strstr(t.last, "\"reason\":"));
    assert_null(strstr(t.last, "two persons saw it"));
}

static void a_verdict_is_overturned_once_and_ends_its_causes(void **state)
{
    memory_place *p = *state;
    int64_t id = verdict_about(p, "mallory");
    wish w = cause_about("mallory", OB_GROUND_VERDICT, id);
    DONE(p, "ada", open_cause, &w);
    assert_true(holds(p, "mallory", TODAY));
    clock_pass(10);
    DONE(p, "cleo", overturn, &id);
    assert_false(holds(p, "mallory", TODAY + 10));
    assert_int_equal(newest(p).ended_at, TODAY + 10);
    FAILS(p, "cleo", overturn, &id, OB_ENOTFOUND, "overturned already");
}

/* ---- What a cause rests on ------------------------------------------------------------------- */

/* Neither proposed nor opened. */
static void refused(memory_place *p, wish *w, ob_status status, const char *says)
{
    FAILS(p, "ada", propose_cause, w, status, says);
    FAILS(p, "ada", open_cause, w, status, says);
}

static void a_cause_rests_on_a_verdict_that_stands(void **state)
{
    memory_place *p = *state;
    int64_t id = verdict_about(p, "mallory");
    wish w = cause_about("mallory", OB_GROUND_VERDICT, id),
         other = cause_about("anna", OB_GROUND_VERDICT, id),
         missing = cause_about("mallory", OB_GROUND_VERDICT, id + 1);
    refused(p, &other, OB_EREFUSED, "about another account");
    refused(p, &missing, OB_ENOTFOUND, "");
    DONE(p, "bea", propose_cause, &w);
    DONE(p, "cleo", overturn, &id);
    refused(p, &w, OB_EREFUSED, "was overturned"); /* also what was proposed before */
    assert_false(holds(p, "mallory", TODAY));
}

static void a_cause_rests_on_a_report_that_a_person_has_looked_at(void **state)
{
    memory_place *p = *state;
    int64_t id = report_about(p, "mallory");
    wish w = cause_about("mallory", OB_GROUND_REPORT, id),
         other = cause_about("anna", OB_GROUND_REPORT, id);
    refused(p, &w, OB_EREFUSED, "a report alone is not enough");
    DONE(p, "cleo", confirm, &id);
    refused(p, &other, OB_EREFUSED, "about another account");
    DONE(p, "ada", open_cause, &w);
    assert_true(holds(p, "mallory", TODAY));
    assert_int_equal(newest(p).record_at, TODAY - 50);
}

static void a_cause_lasts_from_one_to_thirty_days(void **state)
{
    memory_place *p = *state;
    const int64_t id = verdict_about(p, "mallory");
    wish w = cause_about("mallory", OB_GROUND_VERDICT, id);
    static const int64_t wrong[] = {0, -1, OB_CAUSE_DAYS + 1, INT64_MAX};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        w.cause.days = wrong[i];
        refused(p, &w, OB_EINVAL, "from 1 to 30 days");
    }
    w.cause.days = 1;
    DONE(p, "ada", open_cause, &w);
    assert_int_equal(w.until, TODAY + 86400);
    assert_true(holds(p, "mallory", TODAY + 86399));
    assert_false(holds(p, "mallory", TODAY + 86400));
}

static void a_cause_needs_the_words_of_both(void **state)
{
    memory_place *p = *state;
    wish w = cause_about("mallory", OB_GROUND_VERDICT, verdict_about(p, "mallory"));
    w.reason = " \t";
    refused(p, &w, OB_EINVAL, "a reason is needed");
    w.reason = "why";
    DONE(p, "ada", open_cause, &w);
    assert_string_equal(newest(p).reason, "why");
    assert_string_equal(newest(p).proposed_by, "bea");
    assert_string_equal(newest(p).confirmed_by, "ada");
}

static void a_cause_is_not_prolonged_on_the_same_record(void **state)
{
    memory_place *p = *state;
    wish w = cause_about("mallory", OB_GROUND_VERDICT, verdict_about(p, "mallory"));
    DONE(p, "ada", open_cause, &w);
    FAILS(p, "cleo", open_cause, &w, OB_EREFUSED, "");
}

/* ---- Its end --------------------------------------------------------------------------------- */

static void whose_cause_is_over_must_be_told_once(void **state)
{
    memory_place *p = *state;
    wish w = cause_about("mallory", OB_GROUND_VERDICT, verdict_about(p, "mallory"));
    DONE(p, "ada", open_cause, &w);
    ob_cause c = newest(p);
    assert_false(ob_cause_is_over(&c, c.until - 1) || ob_cause_must_be_told(&c, c.until - 1));
    assert_true(ob_cause_is_over(&c, c.until) && ob_cause_must_be_told(&c, c.until));
    clock_pass(60);
    DONE(p, "cleo", end_cause, &w.id);
    FAILS(p, "cleo", end_cause, &w.id, OB_ENOTFOUND, "");
    c = newest(p);
    assert_true(ob_cause_is_over(&c, TODAY + 60) && ob_cause_must_be_told(&c, TODAY + 60));
    DONE(p, "cleo", tell_cause, &w.id);
    FAILS(p, "cleo", tell_cause, &w.id, OB_ENOTFOUND, "");
    c = newest(p);
    assert_false(ob_cause_must_be_told(&c, TODAY + 60));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ACTING(a_verdict_is_proposed_with_a_reason_and_a_body),
        ACTING(a_verdict_is_of_who_proposed_and_who_agreed),
        ACTING(a_verdict_is_overturned_once_and_ends_its_causes),
        ACTING(a_cause_rests_on_a_verdict_that_stands),
        ACTING(a_cause_rests_on_a_report_that_a_person_has_looked_at),
        ACTING(a_cause_lasts_from_one_to_thirty_days),
        ACTING(a_cause_needs_the_words_of_both),
        ACTING(a_cause_is_not_prolonged_on_the_same_record),
        ACTING(whose_cause_is_over_must_be_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
